"""Policy for posts without a token: the allowed origins and actions.

The settings apply to all campaigns; a campaign may have its own values. The policy limits the requests of public web
pages. It does not protect people's data: the merge rules for posts without a token do (osdi.people.merge_rules).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from osdi.errors import ErrorDescription, OsdiError, invalid_properties, unauthorized
from osdi.fields.limits import (
    MAX_ANONYMOUS_CUSTOM_FIELDS,
    MAX_ANONYMOUS_TARGETS,
    MAX_ANONYMOUS_TEXT_LENGTH,
    MAX_ANONYMOUS_VALUE_LENGTH,
)
from osdi.resources import ACTION_FIELDS, PERSON
from osdi.settings import ANONYMOUS_ACTIONS, Settings

ANY_ORIGIN: Final = "*"
# The actions of a page's form: the organisation chooses its list, tag and questions, not the sender.
CHOSEN_BY_PAGE: Final = ("tags", "lists", "answers")
CUSTOM_FIELDS: Final = "person.custom_fields"


@dataclass(frozen=True)
class AnonymousPosts:
    """The policy: `enabled` is True if posts without a token are accepted, from `origins` and for `actions`.

    `of_page` is True for the form of the campaign's page, whose long texts are the campaign's own.
    """

    enabled: bool = True
    origins: tuple[str, ...] = (ANY_ORIGIN,)
    actions: tuple[str, ...] = ANONYMOUS_ACTIONS
    of_page: bool = False

    @classmethod
    def of(cls, settings: Settings, campaign: Mapping[str, Any] | None = None) -> "AnonymousPosts":
        """Returns the campaign's policy: its `anonymous_posts`, `{enabled?, origins?, actions?}`, over the settings."""
        own = (campaign or {}).get("anonymous_posts", {})
        return cls(
            own.get("enabled", settings.anonymous_posts),
            tuple(own.get("origins", settings.cors_origins)),
            tuple(own.get("actions", settings.anonymous_actions)),
        )

    def for_page(self) -> "AnonymousPosts":
        """Returns the policy for the form of the campaign's page (docs/security.md#campaign-pages).

        It allows the list, tag and answers that the page's settings ask for: they are the organisation's own wish.
        Follow-ups need `triggers` among the actions, since they write to an address that anybody can type.
        """
        return replace(self, actions=tuple(dict.fromkeys((*self.actions, *CHOSEN_BY_PAGE))), of_page=True)

    def body(self) -> dict[str, Any]:
        """Returns the body of a response: `{enabled, origins, actions}`."""
        return {"enabled": self.enabled, "origins": list(self.origins), "actions": list(self.actions)}

    def allows_origin(self, origin: str | None) -> bool:
        """True if a page of this origin may post; a request that no browser sends has no origin and may post."""
        return origin is None or ANY_ORIGIN in self.origins or origin in self.origins

    def apply(self, body: Mapping[str, Any], origin: str | None, *, strict: bool = False) -> dict[str, Any]:
        """Returns the loaded body without the actions that are not allowed; the outreach is kept.

        Properties that are too long are left out, too; `skipped` names everything that is. Raises OsdiError 401 if a
        token is needed, 403 for an origin that is not allowed, and with `strict` 400 that names each property that is
        too long, 403 that names each action that is not allowed.
        """
        if not self.enabled:
            raise unauthorized("A token is required to post here.")
        if not self.allows_origin(origin):
            message = "Pages of this origin must not post here without a token."
            raise OsdiError(403, ErrorDescription("ORIGIN_NOT_ALLOWED", message, ("Origin",)))
        too_long = {} if self.of_page else dict(_too_long(body))
        if strict and too_long:
            raise invalid_properties({name: [message] for name, message in too_long.items()})
        rejected = [
            name
            for action, names in ACTION_FIELDS.items()
            if action not in self.actions
            for name in names
            if name in body
        ]
        if strict and rejected:
            message = "This action is not allowed without a token."
            raise OsdiError(403, *(ErrorDescription("ACTION_NOT_ALLOWED", message, (name,)) for name in rejected))
        return _without(body, too_long | dict.fromkeys(rejected, "Not allowed without a token."))


def _without(body: Mapping[str, Any], reasons: Mapping[str, str]) -> dict[str, Any]:
    """Returns the body without these properties; `skipped` contains them with the reasons."""
    if not reasons:
        return dict(body)
    kept = {name: value for name, value in body.items() if name not in reasons}
    if CUSTOM_FIELDS in reasons:
        kept[PERSON.name] = {name: value for name, value in body[PERSON.name].items() if name != "custom_fields"}
    return {**kept, "skipped": {**body.get("skipped", {}), **{name: [reason] for name, reason in reasons.items()}}}


def _too_long(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields each property of a loaded body that is longer than a post without a token may have, and why."""
    for name in ("message", "notes"):
        if len(body.get(name) or "") > MAX_ANONYMOUS_TEXT_LENGTH:
            yield name, f"Without a token it has at most {MAX_ANONYMOUS_TEXT_LENGTH} characters."
    if len(body.get("targets") or ()) > MAX_ANONYMOUS_TARGETS:
        yield "targets", f"Without a token it has at most {MAX_ANONYMOUS_TARGETS} entries."
    custom_fields: Mapping[str, Any] = (body.get(PERSON.name) or {}).get("custom_fields") or {}
    if len(custom_fields) > MAX_ANONYMOUS_CUSTOM_FIELDS:
        yield CUSTOM_FIELDS, f"Without a token it has at most {MAX_ANONYMOUS_CUSTOM_FIELDS} names."
    if any(isinstance(each, str) and len(each) > MAX_ANONYMOUS_VALUE_LENGTH for each in custom_fields.values()):
        yield CUSTOM_FIELDS, f"Without a token each value has at most {MAX_ANONYMOUS_VALUE_LENGTH} characters."
