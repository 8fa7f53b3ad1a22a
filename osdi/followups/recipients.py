"""Whom a follow-up reaches: one contact detail of the person who made the outreach.

Somebody without a token chooses nobody: only what they posted themselves is reached, and only where it has become the
person's own. What is known about that person goes into the text only where the address is one by which the person is
matched; a stranger could have added theirs to somebody whose phone number they know.

Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from osdi.action_functions.followup_kinds import AUTORESPONSE, CALL_RESPONSE, REACHED_BY, SMS_RESPONSE, primary
from osdi.documents import ReadOnlyDocument
from osdi.match_keys import MatchKeyRules, email_key

PHONE: Final = "phone:"


class Unreachable(Exception):
    """Nobody can be reached; `reason` is the code that the follow-up shows."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Recipient:
    """An e-mail address, or a number as E.164 has it; its match key; and whether the person is known by it."""

    to: str
    key: str
    known: bool


def recipient(followup: ReadOnlyDocument, person: ReadOnlyDocument, rules: MatchKeyRules) -> Recipient:
    """Whom the follow-up reaches. Raises Unreachable: `no_address`, `not_theirs`."""
    kind = followup["kind"]
    array, value = REACHED_BY[kind]
    posted = followup.get("to")
    if posted is None and not followup["by_token"]:
        raise Unreachable("no_address")
    entries = person.get(array, ())
    wanted = posted or primary(entries, value)
    if wanted is None:
        raise Unreachable("no_address")
    # As the person has it: they may have been posted with other spelling, and may have lost it since.
    same = _key(kind, {value: wanted}, rules)
    theirs = next((each for each in entries if each.get(value) == wanted), None) or next(
        (each for each in entries if same and _key(kind, each, rules) == same), None
    )
    if theirs is None:
        raise Unreachable("not_theirs")
    key = _key(kind, theirs, rules)
    if key is None:
        raise Unreachable("no_address")
    to = str(theirs[value]) if kind == AUTORESPONSE else f"+{key.removeprefix(PHONE)}"
    return Recipient(to, key, followup["by_token"] or key in person["match_keys"])


def unwanted_number(kind: str, key: str, people: Iterable[ReadOnlyDocument], rules: MatchKeyRules) -> str | None:
    """`do_not_call` or `not_sms_capable` where any of these people's entries for the number says so; else None."""
    for person in people:
        for entry in person.get("phone_numbers", ()):
            if _key(kind, entry, rules) != key:
                continue
            if kind == CALL_RESPONSE and entry.get("do_not_call"):
                return "do_not_call"
            if kind == SMS_RESPONSE and entry.get("sms_capable") is False:
                return "not_sms_capable"
    return None


def _key(kind: str, entry: ReadOnlyDocument, rules: MatchKeyRules) -> str | None:
    """The match key of a contact detail, or None where it cannot have one."""
    if kind != AUTORESPONSE:
        return rules.phone_key(entry)
    return email_key(entry["address"]) if entry.get("address") else None
