"""Person matching: finds the stored person of a post by its match keys.

Pure: the people are documents that the caller has read. docs/matching.md describes the rules for users.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from osdi.documents import Document, ReadOnlyDocument
from osdi.match_keys import MatchKeys

# The values of `matched_by`: a kind of key, the link of the post, or NEW for a person who is not stored yet.
IDENTIFIER: Final = "identifier"
EMAIL: Final = "email"
PHONE: Final = "phone"
CLAIMED: Final = "claimed identifier"
BY_LINK: Final = "link"
NEW: Final = "new"


@dataclass(frozen=True)
class Match:
    """The matched person, the kind of key that matched, and the owner of each key that has one.

    `matched_by` is NEW if `person` is None.
    """

    person: Document | None
    matched_by: str
    owners: Mapping[str, Document]

    @property
    def owned_elsewhere(self) -> frozenset[str]:
        """The keys that belong to other people."""
        person_id = self.person["_id"] if self.person is not None else None
        return frozenset(key for key, owner in self.owners.items() if owner["_id"] != person_id)


class IdentifiersClash(Exception):
    """The identifiers of one request belong to different people."""


def match(keys: MatchKeys, people: Sequence[Document], *, reject_clash: bool) -> Match:
    """Returns the Match of these keys among `people`.

    Identifiers decide, then e-mail addresses (the primary one first), then phone numbers. Households share phones. So a
    phone number alone does not match if post and person both have an e-mail address, or if names or identifiers say
    that they are two people. A post without a token and without contact details is matched by the identifiers that it
    claims, so that its retries are recognised. It does not match a person who has contact details.

    If identifiers belong to different people, raises IdentifiersClash with `reject_clash`; else the first one decides.
    """
    requested = set(keys.all)
    owners = {key: person for person in people for key in person.get("match_keys", ()) if key in requested}
    if reject_clash and len({owners[key]["_id"] for key in keys.identifiers if key in owners}) > 1:
        raise IdentifiersClash
    person, matched_by = next(_candidates(keys, owners), (None, NEW))
    return Match(person, matched_by, owners)


def _candidates(keys: MatchKeys, owners: Mapping[str, Document]) -> Iterator[tuple[Document, str]]:
    """Yields the people who may match and the kind of key, the most certain match first."""
    for kind, some in ((IDENTIFIER, keys.identifiers), (EMAIL, keys.emails)):
        yield from ((owners[key], kind) for key in some if key in owners)
    for key in (*keys.phones_and_names, *keys.phones):
        if key in owners and not (keys.emails and _has_email(owners[key])) and not keys.contradict(owners[key]):
            yield owners[key], PHONE
    for key in () if keys.contacts else keys.claimed:
        if key in owners and not any(owners[key].get(array) for array in ("email_addresses", "phone_numbers")):
            yield owners[key], CLAIMED


def _has_email(person: ReadOnlyDocument) -> bool:
    return any(entry.get("address") for entry in person.get("email_addresses", ()))
