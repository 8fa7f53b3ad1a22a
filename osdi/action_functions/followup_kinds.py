"""The kinds of follow-ups, their states, and which contact detail each kind needs."""

from collections.abc import Mapping, Sequence
from typing import Final

from osdi.documents import ReadOnlyDocument

AUTORESPONSE, SMS_RESPONSE, CALL_RESPONSE = "autoresponse", "sms_response", "call_response"
TRIGGERS: Final = (AUTORESPONSE, SMS_RESPONSE, CALL_RESPONSE)
# The types of messages (`messages.md`); one that does not say is an e-mail.
EMAIL, SMS = "email", "sms"
# What becomes of a follow-up; `reason` says more of the last two.
QUEUED, LEASED, SENT, FAILED, SKIPPED = "queued", "leased", "sent", "failed", "skipped"
STATES: Final = (QUEUED, LEASED, SENT, FAILED, SKIPPED)
# Where the person is reached, by kind: the array of contact details, and what an entry holds there.
REACHED_BY: Final[Mapping[str, tuple[str, str]]] = {
    AUTORESPONSE: ("email_addresses", "address"),
    SMS_RESPONSE: ("phone_numbers", "number"),
    CALL_RESPONSE: ("phone_numbers", "number"),
}


def type_of(kind: str) -> str:
    """The type of message that a kind of follow-up sends."""
    return EMAIL if kind == AUTORESPONSE else SMS


def fits(kind: str, message: ReadOnlyDocument) -> bool:
    """Whether a message can be sent as this kind of follow-up: an e-mail has a subject too."""
    wanted = ("subject", "body") if kind == AUTORESPONSE else ("body",)
    return message.get("type", EMAIL) == type_of(kind) and all(message.get(name) for name in wanted)


def primary(entries: Sequence[ReadOnlyDocument], value: str) -> str | None:
    """The address or number of the primary entry, else of the first that has one."""
    present = [entry for entry in entries if entry.get(value)]
    chosen = next((entry for entry in present if entry.get("primary")), present[0] if present else None)
    return str(chosen[value]) if chosen else None
