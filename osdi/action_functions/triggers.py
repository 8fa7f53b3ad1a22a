"""Triggers: the follow-ups that a helper's body requests, and their messages (`record_outreach.md`, "triggers").

A campaign names messages for each kind of follow-up: the first that exists is its default. A token may choose any other
message by identifier. Without a token only the messages of the campaign can be chosen, so that an anonymous post cannot
send drafts or mails of other campaigns.

A campaign with EVERY_OUTREACH sends its mail although a body has no `triggers`; a body that disables it gets none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from osdi.action_functions.followup_kinds import AUTORESPONSE, REACHED_BY, TRIGGERS, fits, primary_value
from osdi.documents import ReadOnlyDocument
from osdi.errors import DOES_NOT_EXIST, ErrorDescription

# The campaign's option, beside the identifiers of its mails.
EVERY_OUTREACH: Final = "every_outreach"


@dataclass(frozen=True)
class Followup:
    """A requested follow-up: its kind, the requested identifiers, the message, and the address or number.

    Without `reason` it is queued; with one it can never be sent.
    """

    kind: str
    identifiers: tuple[str, ...] = ()
    message_id: str | None = None
    to: str | None = None
    by_token: bool = False
    reason: str | None = None

    @property
    def warning(self) -> ErrorDescription | None:
        """The warning for the sender, if the follow-up has no message."""
        if self.message_id is not None:
            return None
        missing = "of these identifiers that fits" if self.identifiers else "of the campaign"
        return ErrorDescription(DOES_NOT_EXIST, f"there is no message {missing}.", (f"triggers.{self.kind}",))


def enabled_triggers(triggers: ReadOnlyDocument) -> tuple[str, ...]:
    """Returns the kinds of follow-ups that a body's `triggers` enable."""
    return tuple(kind for kind in TRIGGERS if triggers.get(kind, {}).get("enabled"))


def sends_for_every_outreach(campaign: ReadOnlyDocument) -> bool:
    """True if the campaign sends its mail although a body does not request it."""
    return bool(campaign.get("triggers", {}).get(AUTORESPONSE, {}).get(EVERY_OUTREACH))


def with_every_outreach(triggers: ReadOnlyDocument, campaign: ReadOnlyDocument) -> ReadOnlyDocument:
    """Returns a body's `triggers` with the mail that the campaign sends for every outreach, unless they disable it."""
    own = triggers.get(AUTORESPONSE, {})
    if "enabled" in own or not sends_for_every_outreach(campaign):
        return triggers
    return {**triggers, AUTORESPONSE: {**own, "enabled": True}}


def message_references(triggers: ReadOnlyDocument, campaign: ReadOnlyDocument, *, has_token: bool) -> list[str]:
    """Returns the references to the messages that `triggers` may send, of all kinds."""
    kinds = enabled_triggers(triggers)
    return [each for kind in kinds for each in _references(kind, triggers[kind], campaign, has_token)]


def followups(
    triggers: ReadOnlyDocument,
    campaign: ReadOnlyDocument,
    person: ReadOnlyDocument,
    messages: Mapping[str, ReadOnlyDocument],
    *,
    has_token: bool,
) -> tuple[Followup, ...]:
    """Returns the follow-ups that `triggers` request on this campaign, for this posted person.

    `messages` has the messages of `message_references`, by reference.
    """
    return tuple(
        _followup(kind, triggers[kind], campaign, person, messages, has_token) for kind in enabled_triggers(triggers)
    )


def _references(kind: str, trigger: ReadOnlyDocument, campaign: ReadOnlyDocument, has_token: bool) -> Sequence[str]:
    """Returns the messages to choose from, the preferred one first."""
    identifiers = trigger.get("identifiers", ())
    named: Sequence[str] = campaign.get("triggers", {}).get(kind, {}).get("identifiers", ())
    # Identifiers of a post without a token are compared as strings and not looked up.
    return [each for each in identifiers if has_token or each in named] if identifiers else named


def _followup(
    kind: str,
    trigger: ReadOnlyDocument,
    campaign: ReadOnlyDocument,
    person: ReadOnlyDocument,
    messages: Mapping[str, ReadOnlyDocument],
    has_token: bool,
) -> Followup:
    references = _references(kind, trigger, campaign, has_token)
    message = next((messages[each] for each in references if each in messages and fits(kind, messages[each])), None)
    array, value = REACHED_BY[kind]
    to = primary_value(person.get(array, ()), value)
    reason = None
    if message is None:
        reason = "no_message"
    elif to is None and not has_token:
        reason = "no_address"
    identifiers = tuple(trigger.get("identifiers", ()))
    return Followup(kind, identifiers, message["_id"] if message else None, to, has_token, reason)
