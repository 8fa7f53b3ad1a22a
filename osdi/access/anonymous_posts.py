"""The open door: what somebody without a token may post to a helper.

A deployment's settings say it for all campaigns, and a campaign may say otherwise for itself. Nothing here protects
people's data (that is what merging without a token does); it bounds what a web page of strangers may ask for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from osdi.errors import ErrorDescription, OsdiError, unauthorized
from osdi.resources import ACTION_FIELDS
from osdi.settings import ANONYMOUS_ACTIONS, Settings

ANY_ORIGIN: Final = "*"


@dataclass(frozen=True)
class AnonymousPosts:
    """Whether posts without a token are taken, from pages of which origins, and what they may ask for."""

    enabled: bool = True
    origins: tuple[str, ...] = (ANY_ORIGIN,)
    actions: tuple[str, ...] = ANONYMOUS_ACTIONS

    @classmethod
    def of(cls, settings: Settings, campaign: Mapping[str, Any] | None = None) -> "AnonymousPosts":
        """Returns the campaign's policy: its `anonymous_posts`, `{enabled?, origins?, actions?}`, over the settings."""
        own = (campaign or {}).get("anonymous_posts", {})
        return cls(
            own.get("enabled", settings.anonymous_posts),
            tuple(own.get("origins", settings.cors_origins)),
            tuple(own.get("actions", settings.anonymous_actions)),
        )

    def body(self) -> dict[str, Any]:
        """`{enabled, origins, actions}` as it is answered."""
        return {"enabled": self.enabled, "origins": list(self.origins), "actions": list(self.actions)}

    def lets_in(self, origin: str | None) -> bool:
        """Whether a page of this origin may post; what no browser sent has none, and may."""
        return origin is None or ANY_ORIGIN in self.origins or origin in self.origins

    def apply(self, body: Mapping[str, Any], origin: str | None, *, strict: bool = False) -> dict[str, Any]:
        """Returns the loaded body without the actions that are not allowed; the outreach is kept.

        Raises OsdiError 401 if a token is needed, 403 for an origin that is not allowed, and with `strict` 403 that
        names each action that is not allowed.
        """
        if not self.enabled:
            raise unauthorized("This takes posts with a token only.")
        if not self.lets_in(origin):
            message = "Pages of this origin may not post here without a token."
            raise OsdiError(403, ErrorDescription("ORIGIN_NOT_ALLOWED", message, ("Origin",)))
        refused = [
            name
            for action, names in ACTION_FIELDS.items()
            if action not in self.actions
            for name in names
            if name in body
        ]
        if strict and refused:
            message = "This may not be asked for without a token."
            raise OsdiError(403, *(ErrorDescription("ACTION_NOT_ALLOWED", message, (name,)) for name in refused))
        return {name: value for name, value in body.items() if name not in refused}
