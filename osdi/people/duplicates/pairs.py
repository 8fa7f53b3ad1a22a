"""Pairs of people who are probably the same, with the reason and how certain it is, for staff who decide about them.

It reads the same index as the groups do (osdi.people.duplicates.groups), in the order of ids. Each pair is returned
once: at the first of its people who does not own a key that both have.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from osdi.documents import Document, ReadOnlyDocument
from osdi.people.duplicates import groups
from osdi.people.duplicates.exceptions_store import apart
from osdi.people.duplicates.groups import keys_of, kinds_of
from osdi.people.duplicates.keys_store import (
    owners_and_sharing,
    owners_of,
    people_sharing,
    people_with_unclaimed_keys,
)
from osdi.resources import PERSON
from osdi.store import Store
from osdi.values.names import compared_name, names_differ

EMAIL, PHONE, NAME_AND_POSTAL_CODE = groups.KINDS.values()
HIGH, MEDIUM, LOW = "high", "medium", "low"
# A page looks at about MAX_PEOPLE_READ people with unclaimed keys. Most of these keys may have no owner, since posts
# without a token cannot claim them; so the batches grow as long as nobody is found.
MAX_PEOPLE_READ: Final = 2_500
BATCH: Final = 25
MAX_BATCH: Final = 200
# The people who share a key with one of a batch, that one query reads.
MAX_SHARING: Final = 2_000


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
    looked_at, batch = 0, BATCH
    while looked_at < MAX_PEOPLE_READ:
        people = people_with_unclaimed_keys(store, after, batch)
        pairs = _pairs_of(store, {each["_id"]: each["unclaimed_keys"][: groups.MAX_PERSON_KEYS] for each in people})
        for person in people:
            found += pairs.get(person["_id"], ())
            after = person["_id"]
            if len(found) >= limit:
                return Pairs(found, after)
        if len(people) < batch:
            return Pairs(found, None)
        looked_at, batch = looked_at + batch, min(batch * 2, MAX_BATCH)
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


def _pairs_of(store: Store, keys: Mapping[str, Sequence[str]]) -> dict[str, list[Pair]]:
    """Returns the pairs of these people, by their ids, with those who own or share their keys. Raises OsdiError 503."""
    others = {person_id: ids - {person_id} for person_id, ids in _others_of(store, keys).items()}
    wanted = {each for person_id, ids in others.items() if ids for each in (person_id, *ids)}
    documents = {each["_id"]: each for each in store.by_ids(PERSON.collection, sorted(wanted))} if wanted else {}
    exceptions = apart(store, documents.values()) if documents else frozenset()
    return {
        person_id: list(_pairs_at(documents[person_id], [documents[each] for each in sorted(ids & documents.keys())]))
        for person_id, ids in (
            (person_id, {each for each in ids if frozenset((person_id, each)) not in exceptions})
            for person_id, ids in others.items()
            if person_id in documents
        )
    }


def _others_of(store: Store, keys: Mapping[str, Sequence[str]]) -> dict[str, set[str]]:
    """Returns for each person the owners of these keys, and the first GROUP people who share one of them.

    Two queries find those of all people. If one of the keys is so frequent that they would not, each person has own
    queries.
    """
    every = sorted({key for each in keys.values() for key in each})
    sharing = people_sharing(store, every, MAX_SHARING + 1) if every else []
    if len(sharing) > MAX_SHARING:
        return {
            person_id: owners_and_sharing(store, list(each), groups.MAX_GROUP_PEOPLE) if each else set()
            for person_id, each in keys.items()
        }
    owners = owners_of(store, every) if every else {}
    found = {}
    for person_id, each in keys.items():
        wanted = set(each)
        sharers = (other["_id"] for other in sharing if not wanted.isdisjoint(other["unclaimed_keys"]))
        found[person_id] = {*(owners[key] for key in each if key in owners), *islice(sharers, groups.MAX_GROUP_PEOPLE)}
    return found


def _pairs_at(person: Document, others: Sequence[Document]) -> Iterator[Pair]:
    """Yields the pairs of a person with others, except for those that are returned at the other one."""
    for other in others:
        shared = set(keys_of(person)).intersection(keys_of(other))
        first = other["_id"] > person["_id"] or shared.isdisjoint(other.get("unclaimed_keys", ()))
        if shared and first:
            by = kinds_of(shared)
            one, another = sorted((person, other), key=lambda each: (each["created_date"], each["_id"]))
            yield Pair((one, another), by, certainty_of(by, one, another))
