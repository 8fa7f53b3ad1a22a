"""People who are probably one: who has what somebody else has too, an e-mail address, a number, a name and postal code.

The process: the unique index of match keys tells, at the write, that a key is somebody else's, and the person notes it
as unclaimed. So of those who share a key all but one are in an index of their own, which is walked in the order of
their ids; each group is told at the first of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from osdi.documents import Document
from osdi.match_keys import NAME_AND_POSTAL_CODE
from osdi.people.duplicate_keys_store import having_without, owners_of, people_without
from osdi.resources import PERSON
from osdi.store import Store

# By what a key tells that two are one, in the order of how much that says.
KINDS: Final = {
    "email": "email_address",
    "phone": "phone_number",
    NAME_AND_POSTAL_CODE.rstrip(":"): "name_and_postal_code",
}

# A group is told with so many people. A page looks at so many of those who have what they do not own, and at about so
# many keys of theirs: anybody may add thousands to somebody.
GROUP: Final = 25
LOOKED_AT: Final = 500
KEYS: Final = 1_000
BATCH: Final = 25

# Kinds of KINDS, and the ids of those who share something of these kinds.
Shared = tuple[tuple[str, ...], tuple[str, ...]]

# By its key the id of whoever owns it, if anybody does, and those of the first others.
Having = dict[str, tuple[list[str], list[str]]]


@dataclass(frozen=True)
class Group:
    """People who share something, and what: kinds of KINDS. Whoever owns the key comes first."""

    by: tuple[str, ...]
    people: tuple[Document, ...]


@dataclass(frozen=True)
class Groups:
    """Some groups, and the cursor behind which there may be more; None at the end."""

    groups: Sequence[Group]
    after: str | None


def duplicates(store: Store, *, limit: int, after: str = "") -> Groups:
    """The next groups behind the cursor: `limit`, or fewer, or none, where few of those looked at are such.

    What is told at one person is never torn apart, so there may be some more.
    """
    found: list[Shared] = []
    having: Having = {}
    for _ in range(0, LOOKED_AT, BATCH):
        people = people_without(store, after, BATCH)
        for person in people:
            found += _shared_at(store, person, having)
            after = person["_id"]
            if len(found) >= limit or len(having) >= KEYS:
                return Groups(_groups(store, found), after)
        if len(people) < BATCH:
            return Groups(_groups(store, found), None)
    return Groups(_groups(store, found), after)


def _shared_at(store: Store, person: Document, having: Having) -> list[Shared]:
    """What is told at this person, the first who has it without owning it: once for each set of people.

    Who has their keys is added to `having`.
    """
    keys = person["unclaimed_keys"]
    new = [key for key in keys if key not in having]
    owners = owners_of(store, new) if new else {}
    for key in new:
        owner = [owners[key]] if key in owners else []
        having[key] = owner, having_without(store, key, GROUP - len(owner))
    kinds: dict[tuple[str, ...], set[str]] = {}
    for key in keys:
        owner, others = having[key]
        if others[:1] == [person["_id"]] and len(owner) + len(others) > 1:
            kinds.setdefault((*owner, *others), set()).add(key.partition(":")[0])
    return [
        (tuple(kind for prefix, kind in KINDS.items() if prefix in prefixes), ids) for ids, prefixes in kinds.items()
    ]


def _groups(store: Store, found: Sequence[Shared]) -> list[Group]:
    """The groups with their people, as far as these are still there."""
    ids = sorted({each for _, group in found for each in group})
    people = {person["_id"]: person for person in store.by_ids(PERSON.collection, ids)} if ids else {}
    groups = [Group(by, tuple(people[each] for each in group if each in people)) for by, group in found]
    return [each for each in groups if len(each.people) > 1]
