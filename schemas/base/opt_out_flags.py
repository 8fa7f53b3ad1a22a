"""Reads opt-outs that a client says in the words of another program, such as `do_not_contact` in a person.

OSDI has only a status for each address, and two booleans for each number. Without this module the other words would be
unknown fields, which are ignored, and the person would be contacted against their word. A flag that is no opt-out
stays an unknown field: it subscribes nobody.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import marshmallow as ma

from osdi.values import words
from osdi.values.opt_out_flags import CALLS, FLAGS, MAIL, NAMES, PERMITS, TEXTS, flag_opt_outs, is_yes, squashed
from osdi.values.text import cleaned, from_number
from schemas.base.fields import Reason, is_empty

# Properties that hold the status of an e-mail address, by their squashed names.
STATUS_NAMES: Final = frozenset(
    ("status", "emailstatus", "subscriptionstatus", "emailsubscriptionstatus", "subscriberstatus")
)
# About letters if they are properties of a person, and about e-mails in the entry of an e-mail address.
MAIL_OR_LETTERS: Final = frozenset(("donotmail", "nomail", "mailoptout"))
SQUASHED_FLAGS: Final = {squashed(flag): flag for flag in FLAGS}
NEITHER: Final = "Neither yes, no, a date nor a status such as unsubscribed."
EVERYTHING: Final = frozenset((MAIL, CALLS, TEXTS))
OF_EMAIL: Final = frozenset((MAIL,))
OF_PHONE: Final = frozenset((CALLS, TEXTS))


def without_flags(
    data: Mapping[str, Any], unknown: Iterable[str], channels: frozenset[str]
) -> tuple[dict[str, Any], set[str], dict[str, list[str]]]:
    """Returns the body without its flags that opt out, what they opt out of, and messages by unreadable flag."""
    kept, opted_out, messages = dict(data), set[str](), dict[str, list[str]]()
    for name in unknown:
        try:
            found = field_opt_outs(name, data[name], channels)
        except ma.ValidationError as error:
            messages[name] = list(error.messages)
            continue
        if found:
            opted_out |= found
            del kept[name]
    return kept, opted_out, messages


def is_flag(name: str) -> bool:
    """True if the name of an unknown field is that of a flag. The name of a status is none."""
    own = squashed(name.rpartition(":")[2])
    return own in SQUASHED_FLAGS or own in NAMES


def field_opt_outs(name: str, value: Any, channels: frozenset[str] = EVERYTHING) -> frozenset[str]:
    """Returns what an unknown field opts out of. Raises ValidationError for a value that cannot be read.

    A flag about e-mail, such as `unsubscribed`, means all that an object can opt out of that is no e-mail address.
    """
    own, is_email = squashed(name.rpartition(":")[2]), channels == OF_EMAIL
    flag = SQUASHED_FLAGS.get(own) or NAMES.get(own) or ("opted_out" if own in MAIL_OR_LETTERS and is_email else None)
    if is_empty(value) or (flag is None and own not in STATUS_NAMES):
        return frozenset()
    text = _text(value)
    found = _of_status(text) if flag is None else _of_flag(flag, text)
    return channels if MAIL in found and MAIL not in channels else found & channels


def _of_status(text: str | None) -> frozenset[str]:
    try:
        is_opt_out = text is not None and words.status(text) != "subscribed" and text not in words.AMBIGUOUS_STATUSES
    except ValueError:
        is_opt_out = False  # a status of something else, such as a membership
    return OF_EMAIL if is_opt_out else frozenset()


def _of_flag(flag: str, text: str | None) -> frozenset[str]:
    try:
        found = flag_opt_outs(flag, text) if text is not None else None
    except ValueError:
        found = None
    if found is not None:
        return OF_EMAIL if flag.startswith("bounced") and is_yes(str(text), permits=False) else found
    if flag in PERMITS:
        return frozenset()  # such as `newsletter: weekly`
    raise ma.ValidationError([Reason(NEITHER, instead="yes")])


def _text(value: Any) -> str | None:
    """Returns a JSON value as the text of a cell, or None for an array or object."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return from_number(value)
    return cleaned(value) if isinstance(value, str) else None


def opt_out_of_mail(entry: dict[str, Any], opted_out: Collection[str]) -> None:
    """Changes the entry of an e-mail address so that it opts out of mail, if `opted_out` has that."""
    if MAIL in opted_out and entry.get("status") not in ("bouncing", "spam complaints"):
        entry["status"] = "unsubscribed"


def opt_out_of_calls_and_texts(entry: dict[str, Any], opted_out: Collection[str]) -> None:
    """Changes the entry of a phone number so that it opts out of calls and texts, as far as `opted_out` has them."""
    if CALLS in opted_out:
        entry["do_not_call"] = True
    if TEXTS in opted_out:
        entry["sms_capable"] = False


def opt_out(person: dict[str, Any], opted_out: Collection[str]) -> None:
    """Changes a loaded person: all their entries opt out, and so does the primary detail that is stored.

    An entry without an address or number is about the primary one (osdi.people.merge_rules).
    """
    arrays = (("email_addresses", opt_out_of_mail, OF_EMAIL), ("phone_numbers", opt_out_of_calls_and_texts, OF_PHONE))
    for array, apply, media in arrays:
        if media & set(opted_out):
            person.setdefault(array, []).append({})
            for entry in person[array]:
                apply(entry, opted_out)
