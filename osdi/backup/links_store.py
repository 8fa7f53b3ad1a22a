"""Makes the links of a restored database consistent, before it is put into service.

A backup that is not of one moment reads outreaches first, then people, then everything else. Meanwhile people are
deleted and merged. So an outreach may link to a person who is not in the file, and a person may be in it who was merged
into another one. A snapshot may have links that a DELETE was about to remove.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from osdi.crud.entry_removal import remove_entries
from osdi.crud.unlink_store import forget_wrapper
from osdi.ids import now
from osdi.match_keys import MatchKeyRules
from osdi.people.lookup import get_person
from osdi.people.merge import complete_next_merge
from osdi.people.outreach_links_store import forget_person, move_outreaches
from osdi.privacy.erasure import resume_erasure
from osdi.resources import ENTRIES, MESSAGE, OUTREACH, PERSON, WRAPPER
from osdi.store import Store
from osdi.store.indexes import MERGED_PEOPLE
from osdi.store.scan import scan

BATCH: Final = 1_000
# Older than any time: a merge with this id is due for completion.
LONG_AGO: Final = "0"


@dataclass(frozen=True)
class Repaired:
    """The number of people who were removed or merged again because they had been merged.

    Also the number of missing people that outreaches linked to, and of missing tags, lists and questions of people.
    """

    merged: int
    unlinked: int
    entries: int


def repair_links(store: Store, rules: MatchKeyRules) -> Repaired:
    """Completes merges that the file has in part, and removes links to documents that it does not have.

    Raises OsdiError 503.
    """
    merged = _complete_merges(store, rules)
    unlinked = _repair_outreaches(store)
    entries = 0
    for entry, (resource, field) in ENTRIES.items():
        linked = _linked(store, PERSON.collection, entry.collection, field)
        for value in _missing(store, resource.collection, linked):
            remove_entries(store, resource, value, (), math.inf)
            entries += 1
    for value in _missing(store, WRAPPER.collection, _linked(store, MESSAGE.collection, "wrapper_id")):
        forget_wrapper(store, value, now())
    return Repaired(merged, unlinked, entries)


def _complete_merges(store: Store, rules: MatchKeyRules) -> int:
    """Returns the number of people who were removed or merged again."""
    merged = _delete_merged(store)
    for copy in scan(store, MERGED_PEOPLE, {}, fields=("survivor_id",)):
        if store.find_one(PERSON.collection, {"merged_ids": copy["_id"]}, fields=("_id",)) is None:
            # The survivor was read before the merge: it is done again, from the copy.
            merged += store.update_many(MERGED_PEOPLE, {"_id": copy["_id"]}, {"$set": {"pending": LONG_AGO}})
    while complete_next_merge(store, rules, resume_erasure):
        pass
    return merged + _delete_merged(store)  # a merge that was done again may have people who had been merged before


def _delete_merged(store: Store) -> int:
    """Deletes people who were merged into another one: they were read before the merge, and the survivor after it."""
    survivors = scan(store, PERSON.collection, {"merged_ids": {"$exists": True}}, fields=("merged_ids",))
    return sum(store.delete_many(PERSON.collection, {"_id": {"$in": each["merged_ids"]}}) for each in survivors)


def _repair_outreaches(store: Store) -> int:
    """Moves outreaches of merged people to the survivor, and removes the links to other people who are missing.

    Returns the number of these other people.
    """
    missing: set[str] = set()
    batch: set[str] = set()
    for outreach in scan(store, OUTREACH.collection, {"person_id": {"$exists": True}}, fields=("person_id",)):
        batch.add(outreach["person_id"])
        if len(batch) == BATCH:
            missing.update(_missing(store, PERSON.collection, batch))
            batch = set()
    missing.update(_missing(store, PERSON.collection, batch))
    unlinked = 0
    for person_id in sorted(missing):
        survivor = get_person(store, person_id)
        if survivor is None:
            forget_person(store, person_id, now())
            unlinked += 1
            continue
        while move_outreaches(store, person_id, survivor["_id"], now()):
            pass
    return unlinked


def _missing(store: Store, collection: str, ids: Iterable[str]) -> list[str]:
    """Returns those of these ids that no document has."""
    wanted = sorted(set(ids))
    found = store.find(collection, {"_id": {"$in": wanted}}, fields=()) if wanted else []
    return sorted(set(wanted) - {each["_id"] for each in found})


def _linked(store: Store, collection: str, *path: str) -> list[str]:
    """Returns the ids that a field of a collection's documents has."""
    with store.operation():
        return [each for each in store.collection(collection).distinct(".".join(path)) if isinstance(each, str)]
