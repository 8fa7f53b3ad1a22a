"""Recipients of follow-ups: chooses one contact detail of the person who made the outreach.

A caller without a token cannot choose a recipient: the follow-up is sent only to a contact detail of the same post, and
only if the person has it. The message contains data of the person only if a token has confirmed that address or number,
or if only posts about it have added to the person (`confirmed_keys`): otherwise a stranger could post their own
address with the phone number of another person, and read what is stored about that person later.

Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from osdi.action_functions.followup_kinds import CALL_RESPONSE, MAILS, REACHED_BY, SMS_RESPONSE, primary_value
from osdi.documents import ReadOnlyDocument
from osdi.match_keys import PHONE, MatchKeyRules, email_key, is_confirmed
from osdi.people.opt_outs import phone_opt_out

# By kind: the property of a phone number that can forbid it, and the reason that the follow-up gets.
UNWANTED: Final = {CALL_RESPONSE: ("do_not_call", "do_not_call"), SMS_RESPONSE: ("sms_capable", "not_sms_capable")}


class Unreachable(Exception):
    """The follow-up has no recipient; `reason` is the code that the follow-up gets."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Recipient:
    """An e-mail address or E.164 number, and its match key; `known` is True if it may get the person's data."""

    to: str
    key: str
    known: bool


def recipient(followup: ReadOnlyDocument, person: ReadOnlyDocument, rules: MatchKeyRules) -> Recipient:
    """Returns the recipient of the follow-up. Raises Unreachable: `no_address`, `not_theirs`."""
    kind = followup["kind"]
    array, value = REACHED_BY[kind]
    posted = followup.get("to")
    if posted is None and not followup["by_token"]:
        raise Unreachable("no_address")
    entries = person.get(array, ())
    # Without an address in the post, one that a stranger has added comes last.
    confirmed = [each for each in entries if is_confirmed(person, _key(kind, each, rules) or "")]
    wanted = posted or primary_value(confirmed, value) or primary_value(entries, value)
    if wanted is None:
        raise Unreachable("no_address")
    # The person's own spelling is used; the post may have another one, and the person may have lost the entry since.
    same = _key(kind, {value: wanted}, rules)
    theirs = next((each for each in entries if each.get(value) == wanted), None) or next(
        (each for each in entries if same and _key(kind, each, rules) == same), None
    )
    if theirs is None:
        raise Unreachable("not_theirs")
    key = _key(kind, theirs, rules)
    if key is None:
        raise Unreachable("no_address")
    to = str(theirs[value]) if kind in MAILS else f"+{key.removeprefix(PHONE)}"
    named_by_token = followup["by_token"] and posted is not None
    return Recipient(to, key, named_by_token or is_confirmed(person, key))


def unwanted_number(kind: str, key: str, people: Iterable[ReadOnlyDocument], rules: MatchKeyRules) -> str | None:
    """Returns `do_not_call` or `not_sms_capable` if an entry of these people for the number has it; else None.

    One that only a post without a token has stated does not count, if a token holder has stated the opposite.
    """
    name, reason = UNWANTED[kind]
    return reason if phone_opt_out(people, name, key, rules) else None


def claimed_opt_out(to: Recipient, kind: str, outreach: ReadOnlyDocument, rules: MatchKeyRules) -> str | None:
    """Returns the reason if the post itself states an opt-out of its recipient, as `claimed_opt_outs`; else None.

    An opt-out without an address or number is about each of the post.
    """
    _, value = REACHED_BY[kind]
    for claim in outreach.get("claimed_opt_outs", ()):
        if value in claim and _key(kind, claim, rules) != to.key:
            continue
        if kind in MAILS and "status" in claim:
            return str(claim["status"]).replace(" ", "_")
        if kind not in MAILS and UNWANTED[kind][0] in claim:
            return UNWANTED[kind][1]
    return None


def _key(kind: str, entry: ReadOnlyDocument, rules: MatchKeyRules) -> str | None:
    """Returns the match key of a contact detail, or None if it cannot have one."""
    if kind not in MAILS:
        return rules.phone_key(entry)
    return email_key(entry["address"]) if entry.get("address") else None
