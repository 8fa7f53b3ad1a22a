"""People who are probably one: who has what somebody else has too, an e-mail address, a number, a name and postal code.

The process: the unique index of match keys tells, at the write, that a key is somebody else's, and the person notes it
as unclaimed. So of those who share a key all but one are in an index of their own, which is walked in the order of
their ids; each group is told at the first of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from osdi.matching import NAMESAKE
from osdi.resources import PERSON
from osdi.store import Store
from osdi.store.driver import Document
from osdi.store.duplicate_keys import having_without, people_without

# By what a key tells that two are one, in the order of how much that says.
KINDS: Final = {"email": "email_address", "phone": "phone_number", NAMESAKE.rstrip(":"): "name_and_postal_code"}

# A group is told with so many people; a page looks at so many of those who have what they do not own.
GROUP: Final = 25
LOOKED_AT: Final = 500
BATCH: Final = 25


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
    found: list[Group] = []
    shared: dict[str, list[Document]] = {}
    for _ in range(0, LOOKED_AT, BATCH):
        people = people_without(store, after, BATCH)
        _look_up(store, people, shared)
        for person in people:
            found += _groups_at(person, shared)
            after = person["_id"]
            if len(found) >= limit:
                return Groups(found, after)
        if len(people) < BATCH:
            return Groups(found, None)
    return Groups(found, after)


def _look_up(store: Store, people: Sequence[Document], shared: dict[str, list[Document]]) -> None:
    """Add to `shared` who has the unclaimed keys of these people: the owner first, then the others by their ids."""
    new = [key for person in people for key in person["unclaimed_keys"] if key not in shared]
    owners = {key: owner for owner in store.by_match_keys(PERSON.collection, new) for key in owner["match_keys"]}
    for key in dict.fromkeys(new):
        owner = [owners[key]] if key in owners else []
        shared[key] = [*owner, *having_without(store, key, GROUP - len(owner))]


def _groups_at(person: Document, shared: dict[str, list[Document]]) -> list[Group]:
    """The groups whose first member without the key is this person: one for each set of people, with all they share."""
    groups: dict[tuple[str, ...], list[str]] = {}
    members: dict[str, Document] = {}
    for key in person["unclaimed_keys"]:
        having = shared[key]
        without = [each for each in having if key not in each["match_keys"]]
        if len(having) > 1 and without and without[0]["_id"] == person["_id"]:
            members |= {each["_id"]: each for each in having}
            groups.setdefault(tuple(each["_id"] for each in having), []).append(key.partition(":")[0])
    return [
        Group(tuple(kind for prefix, kind in KINDS.items() if prefix in prefixes), tuple(members[each] for each in ids))
        for ids, prefixes in groups.items()
    ]
