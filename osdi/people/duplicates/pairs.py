"""Pairs of people who are probably the same, with the reason and how certain it is, for staff who decide about them.

It reads the same index as the groups do (osdi.people.duplicates.groups), in the order of ids. Each pair is returned
once: at the first of its people who does not own a key that both have.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from osdi.documents import Document, ReadOnlyDocument
from osdi.people.duplicates import groups
from osdi.people.duplicates.exceptions_store import apart
from osdi.people.duplicates.groups import keys_of, kinds_of
from osdi.people.duplicates.keys_store import owners_and_sharing, people_with_unclaimed_keys
from osdi.resources import PERSON
from osdi.store import Store
from osdi.values.names import compared_name, names_differ

EMAIL, PHONE, NAME_AND_POSTAL_CODE = groups.KINDS.values()
HIGH, MEDIUM, LOW = "high", "medium", "low"


@dataclass(frozen=True)
class Pair:
    """Two people, the one that was stored first ahead; the kinds of details that both have, and HIGH, MEDIUM or LOW."""

    people: tuple[Document, Document]
    by: tuple[str, ...]
    certainty: str


@dataclass(frozen=True)
class Pairs:
    """A page of pairs, and the cursor of the next page; None at the end."""

    pairs: Sequence[Pair]
    after: str | None


def duplicate_pairs(store: Store, *, limit: int, after: str = "") -> Pairs:
    """Returns the next pairs after the cursor, without those that are not the same, as staff have said.

    A page may have fewer than `limit` pairs, or none, because the number of people that it reads is bounded. It may
    have some more, because all pairs of one person are on one page. Raises OsdiError 503.
    """
    found: list[Pair] = []
    for _ in range(0, groups.LOOKED_AT, groups.BATCH):
        people = people_with_unclaimed_keys(store, after, groups.BATCH)
        for person in people:
            found += _pairs_at(store, person["_id"], person["unclaimed_keys"])
            after = person["_id"]
            if len(found) >= limit:
                return Pairs(found, after)
        if len(people) < groups.BATCH:
            return Pairs(found, None)
    return Pairs(found, after)


def certainty_of(by: Sequence[str], one: ReadOnlyDocument, other: ReadOnlyDocument) -> str:
    """Returns how certain it is that two people who share details of these kinds are the same."""
    names = compared_name(one), compared_name(other)
    differ, known = names_differ(*names), all(map(any, names))
    if EMAIL in by:
        return MEDIUM if differ else HIGH
    if PHONE in by:
        return LOW if differ else HIGH if known else MEDIUM
    return MEDIUM


def _pairs_at(store: Store, person_id: str, unclaimed: Sequence[str]) -> Iterator[Pair]:
    """Yields the pairs of a person with the people who own or share these keys."""
    ids = owners_and_sharing(store, list(unclaimed)[: groups.PERSON_KEYS], groups.GROUP)
    documents = {each["_id"]: each for each in store.by_ids(PERSON.collection, sorted({*ids, person_id}))}
    person = documents.pop(person_id, None)
    if person is None:
        return
    exceptions = apart(store, (person, *documents.values())) if documents else ()
    for other_id, other in sorted(documents.items()):
        shared = set(keys_of(person)).intersection(keys_of(other))
        first = other_id > person_id or shared.isdisjoint(other.get("unclaimed_keys", ()))
        if shared and first and frozenset((person_id, other_id)) not in exceptions:
            by = kinds_of(shared)
            one, another = sorted((person, other), key=lambda each: (each["created_date"], each["_id"]))
            yield Pair((one, another), by, certainty_of(by, one, another))
