"""TODO: osdi/people/matching.py."""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Final

from osdi.documents import ReadOnlyDocument
from osdi.match_keys import MatchKeys, Person

LINK: Final = "link"
NEW: Final = "new"
RETRY: Final = "retry"
_matched: Final[ContextVar[str | None]] = ContextVar("matched", default=None)


def note(kind: str | None) -> None:
    """Note by what kind of key somebody was found, or LINK, NEW or RETRY; None once it was counted."""
    _matched.set(kind)


def noted() -> str | None:
    """What was noted last."""
    return _matched.get()


class IdentifiersClash(Exception):
    """The identifiers of one request belong to different people."""


def match(keys: MatchKeys, people: Sequence[Person], *, refuse_clash: bool) -> Person | None:
    """The person among `people` whom the keys mean, or None.

    Identifiers decide, then e-mails (the primary one first), then phones: a phone alone matches only when one of the
    two has no e-mail, since households share phones. An untrusted sender without any contact detail is recognised by
    the identifiers it claimed, so that its retries are, but never as somebody who has contact details. Identifiers of
    different people raise IdentifiersClash with `refuse_clash`, else the first one decides.
    """
    owners = owners_of(keys, people)
    if refuse_clash and len({owners[key]["_id"] for key in keys.identifiers if key in owners}) > 1:
        raise IdentifiersClash
    for key in (*keys.identifiers, *keys.emails):
        if key in owners:
            return owners[key]
    for key in keys.phones:
        if key in owners and not (keys.emails and _has_email(owners[key])):
            return owners[key]
    if not keys.contacts:
        for key in keys.claimed:
            if key in owners and not any(owners[key].get(array) for array in ("email_addresses", "phone_numbers")):
                return owners[key]
    return None


def kind_of_match(keys: MatchKeys, person: Person) -> str:
    """Which kind of key led to a person who was matched: the most telling of those that are theirs."""
    theirs = set(person.get("match_keys", ()))
    kinds = {"identifier": keys.identifiers, "email": keys.emails, "phone": keys.phones}
    return next((kind for kind, some in kinds.items() if not theirs.isdisjoint(some)), "claimed identifier")


def owners_of(keys: MatchKeys, people: Sequence[Person]) -> dict[str, Person]:
    """Which of the keys belong to which of `people` already."""
    asked = set(keys.all)
    return {key: person for person in people for key in person.get("match_keys", ()) if key in asked}


def _has_email(person: ReadOnlyDocument) -> bool:
    return any(entry.get("address") for entry in person.get("email_addresses", ()))
