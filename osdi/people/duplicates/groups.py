"""Possible duplicates: people who share an e-mail address, a phone number, or a name with postal code.

A write detects by the unique index on match keys that another person owns a key. It then stores the key in the person's
`unclaimed_keys`, which have an index. So of the people who share a key, all but the owner are in that index. A search
reads the index in the order of ids and returns each group at its first person.

If a member of the staff has said that two people are not the same, they are in no group together: their group is
returned as several smaller ones.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from osdi.documents import Document, ReadOnlyDocument
from osdi.match_keys import NAME_AND_POSTAL_CODE
from osdi.people.duplicates.exceptions_store import Apart, apart
from osdi.people.duplicates.keys_store import (
    owners_and_sharing,
    owners_of,
    people_with_unclaimed_keys,
    sharing_people,
)
from osdi.resources import PERSON
from osdi.store import Store

# The names of the kinds of keys that duplicates share, by key prefix; the most certain kind first.
KINDS: Final = {
    "email": "email_address",
    "phone": "phone_number",
    NAME_AND_POSTAL_CODE.rstrip(":"): "name_and_postal_code",
}

# A group contains at most MAX_GROUP_PEOPLE. A page reads at most MAX_PEOPLE_READ with unclaimed keys, about MAX_KEYS
# of their keys, since anonymous posts may add thousands of contact details to a person.
MAX_GROUP_PEOPLE: Final = 25
MAX_PEOPLE_READ: Final = 500
MAX_KEYS: Final = 1_000
# The keys of one person by which its duplicates are searched.
MAX_PERSON_KEYS: Final = 200
BATCH: Final = 25

# Values of KINDS, and the ids of the people who share keys of these kinds.
Shared = tuple[tuple[str, ...], tuple[str, ...]]

# By key: the id of its owner, if there is one, and the ids of the first other people who have it.
PeopleByKey = dict[str, tuple[list[str], list[str]]]


@dataclass(frozen=True)
class Group:
    """People who share keys, and the kinds of these keys (values of KINDS). The owner of the key comes first."""

    by: tuple[str, ...]
    people: tuple[Document, ...]


@dataclass(frozen=True)
class Groups:
    """A page of groups, and the cursor of the next page; None at the end."""

    groups: Sequence[Group]
    after: str | None


def duplicates(store: Store, *, limit: int, after: str = "") -> Groups:
    """Returns the next groups after the cursor.

    A page may have fewer than `limit` groups, or none, because the number of people that it reads is bounded. It may
    have a few more, because all groups that begin at one person are on one page.
    """
    found: list[Shared] = []
    people_by_key: PeopleByKey = {}
    for _ in range(0, MAX_PEOPLE_READ, BATCH):
        people = people_with_unclaimed_keys(store, after, BATCH)
        for person in people:
            found += _shared_at(store, person, people_by_key)
            after = person["_id"]
            if len(found) >= limit or len(people_by_key) >= MAX_KEYS:
                return Groups(_groups(store, found), after)
        if len(people) < BATCH:
            return Groups(_groups(store, found), None)
    return Groups(_groups(store, found), after)


def duplicates_of(
    store: Store, person: ReadOnlyDocument, limit: int = MAX_GROUP_PEOPLE
) -> list[tuple[tuple[str, ...], Document]]:
    """Returns the other people with a key of this person, each behind the kinds of the shared keys (values of KINDS).

    People who are not the same are left out. At most `limit` people, found by at most MAX_PERSON_KEYS keys. Raises
    OsdiError 503.
    """
    keys = keys_of(person)[:MAX_PERSON_KEYS]
    if not keys:
        return []
    ids = owners_and_sharing(store, keys, limit + 1) - {person["_id"]}
    others = sorted(store.by_ids(PERSON.collection, sorted(ids)), key=lambda each: str(each["_id"])) if ids else []
    exceptions = apart(store, (person, *others)) if others else ()
    return [
        (kinds_of(set(keys).intersection(keys_of(other))), other)
        for other in others
        if frozenset((person["_id"], other["_id"])) not in exceptions
    ][:limit]


def keys_of(person: ReadOnlyDocument) -> list[str]:
    """Returns the keys of a person that duplicates share: those that the person owns first."""
    both = (*person["match_keys"], *person.get("unclaimed_keys", ()))
    return [key for key in dict.fromkeys(both) if key.partition(":")[0] in KINDS]


def kinds_of(keys: Collection[str]) -> tuple[str, ...]:
    """Returns the kinds (values of KINDS) of these keys, the most certain one first."""
    prefixes = {key.partition(":")[0] for key in keys}
    return tuple(kind for prefix, kind in KINDS.items() if prefix in prefixes)


def _shared_at(store: Store, person: Document, people_by_key: PeopleByKey) -> list[Shared]:
    """Returns the groups of which this person is the first who does not own the key: one for each set of people.

    Adds the people who have the person's keys to `people_by_key`.
    """
    keys = person["unclaimed_keys"]
    new = [key for key in keys if key not in people_by_key]
    owners = owners_of(store, new) if new else {}
    for key in new:
        owner = [owners[key]] if key in owners else []
        people_by_key[key] = owner, sharing_people(store, key, MAX_GROUP_PEOPLE - len(owner))
    shared: dict[tuple[str, ...], set[str]] = {}
    for key in keys:
        owner, others = people_by_key[key]
        if others[:1] == [person["_id"]] and len(owner) + len(others) > 1:
            shared.setdefault((*owner, *others), set()).add(key)
    return [(kinds_of(each), ids) for ids, each in shared.items()]


def _groups(store: Store, found: Sequence[Shared]) -> list[Group]:
    """Returns the groups with the documents of their people; people who are deleted meanwhile are left out."""
    ids = sorted({each for _, group in found for each in group})
    people = {person["_id"]: person for person in store.by_ids(PERSON.collection, ids)} if ids else {}
    exceptions = apart(store, people.values())
    there = ((by, tuple(each for each in group if each in people)) for by, group in found)
    parts = ((by, part) for by, group in there for part in parts_of(group, exceptions))
    return [Group(by, tuple(people[each] for each in part)) for by, part in parts]


def parts_of(group: Sequence[str], exceptions: Collection[Apart]) -> Iterator[tuple[str, ...]]:
    """Yields the largest parts of a group in which no two people are apart; each other pair is in one part at least.

    A group without exceptions is its only part. A person who is apart from all others is in none.
    """
    pairs = [frozenset(pair) for pair in combinations(group, 2)]
    left = [pair for pair in pairs if pair not in exceptions]
    covered: set[Apart] = set()
    for pair in left:
        if pair in covered:
            continue
        part = set(pair)
        for each in group:
            if each not in part and all(frozenset((each, other)) not in exceptions for other in part):
                part.add(each)
        covered.update(map(frozenset, combinations(part, 2)))
        yield tuple(each for each in group if each in part)
