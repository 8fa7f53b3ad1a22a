"""The kinds of follow-ups, their states, and which contact detail each kind needs."""

from collections.abc import Mapping, Sequence
from typing import Final

from osdi.documents import ReadOnlyDocument

AUTORESPONSE, SMS_RESPONSE, CALL_RESPONSE = "autoresponse", "sms_response", "call_response"
TRIGGERS: Final = (AUTORESPONSE, SMS_RESPONSE, CALL_RESPONSE)
# A mail that asks its reader to confirm a consent (docs/decisions/0035). No trigger asks for it.
CONFIRMATION: Final = "confirmation"
KINDS: Final = (*TRIGGERS, CONFIRMATION)
# The kinds that are mails.
MAILS: Final = (AUTORESPONSE, CONFIRMATION)
# The types of messages (`messages.md`); a message without a type is an e-mail.
EMAIL, SMS = "email", "sms"
# The states of a follow-up; FAILED and SKIPPED have a `reason`.
QUEUED, LEASED, SENT, FAILED, SKIPPED = "queued", "leased", "sent", "failed", "skipped"
STATES: Final = (QUEUED, LEASED, SENT, FAILED, SKIPPED)
# By kind: the array of contact details, and the field of an entry with the address or number.
REACHED_BY: Final[Mapping[str, tuple[str, str]]] = {
    AUTORESPONSE: ("email_addresses", "address"),
    SMS_RESPONSE: ("phone_numbers", "number"),
    CALL_RESPONSE: ("phone_numbers", "number"),
    CONFIRMATION: ("email_addresses", "address"),
}


def type_of(kind: str) -> str:
    """Returns the type of message that a kind of follow-up sends."""
    return EMAIL if kind in MAILS else SMS


def fits(kind: str, message: ReadOnlyDocument) -> bool:
    """True if a message can be sent as this kind of follow-up: it has the type, a body, and for e-mail a subject."""
    required = ("subject", "body") if kind == AUTORESPONSE else ("body",)
    return message.get("type", EMAIL) == type_of(kind) and all(message.get(name) for name in required)


def primary_value(entries: Sequence[ReadOnlyDocument], value: str) -> str | None:
    """Returns the address or number of the primary entry, else of the first that has one; None without any."""
    present = [entry for entry in entries if entry.get(value)]
    chosen = next((entry for entry in present if entry.get("primary")), present[0] if present else None)
    return str(chosen[value]) if chosen else None
