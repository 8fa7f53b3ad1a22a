"""Merged copies: the documents of people who were merged into a survivor.

The survivor's `merged_ids` keeps the ids of merged people for ever, so that links to them lead to the survivor. The
copy `{_id, survivor_id, merged_date, person}` stays in `merged_people` for thirty days; a TTL index deletes it. Until
`merged_date` is set, the survivor may not have the duplicate's data yet. While `pending` is set (an id that contains
the time of the merge), outreaches may still point at the duplicate. See osdi.people.merge.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from osdi.documents import Document
from osdi.ids import id_before, new_id, now
from osdi.resources import PERSON
from osdi.store import Store
from osdi.store.indexes import ERASURES, MERGED_PEOPLE

# The collection of the merge lock, which only a standalone needs, and the time after which the lock expires.
MERGING: Final = "merging"
LEASE: Final = dt.timedelta(seconds=20)

# The number of outreaches that one statement moves, in a fraction of a second.
BATCH: Final = 1_000


@contextmanager
def merge_lock(store: Store) -> Iterator[None]:
    """Holds the lock of merges, if there are no transactions. Raises WriteConflict while another process holds it."""
    if store.supports_transactions:
        yield
        return
    timestamp, lease = now(), new_id()
    merging = store.collection(MERGING)
    with store.operation():
        # If another process holds the lock, the filter selects nothing, and the upsert fails on the unique `_id`.
        free = {"_id": MERGED_PEOPLE, "until": {"$lt": timestamp}}
        merging.update_one(free, {"$set": {"until": timestamp + LEASE, "lease": lease}}, upsert=True)
    try:
        yield
    finally:
        with store.operation():
            merging.delete_one({"_id": MERGED_PEOPLE, "lease": lease})


def ids_of(person: Mapping[str, Any]) -> list[str]:
    """Returns the ids of a person: the own one first, then those of people who were merged into this person."""
    return [person["_id"], *person.get("merged_ids", ())]


def all_ids(ids: Iterable[str], copies: Iterable[Mapping[str, Any]]) -> list[str]:
    """Returns these ids, those of the merged copies, and those of people who were merged into them before."""
    return list(dict.fromkeys([*ids, *(one for each in copies for one in (each["_id"], *ids_of(each["person"])))]))


def merged_copies_of(store: Store, ids: Collection[str]) -> list[Document]:
    """Returns the merged copies of people with one of these ids, or whose survivor has one of these ids.

    The copy of a person who still exists is left out: that merge has not happened yet.
    """
    query = {"$or": [{name: {"$in": list(ids)}} for name in ("_id", "survivor_id")]}
    copies = store.find(MERGED_PEOPLE, query)
    people = store.by_ids(PERSON.collection, [each["_id"] for each in copies]) if copies else []
    existing = {person["_id"] for person in people}
    return [each for each in copies if each["_id"] not in existing]


def find_pending_copies(store: Store, keys: Collection[str]) -> list[Document]:
    """Returns the pending merged copies of people who had one of these match keys."""
    query = {"pending": {"$exists": True}, "person.match_keys": {"$in": list(keys)}}
    return store.find(MERGED_PEOPLE, query)


def find_pending_copy(store: Store, timestamp: dt.datetime) -> Document | None:
    """Returns a merged copy that has been pending since before a timestamp (naive UTC), or None."""
    return store.find_one(MERGED_PEOPLE, {"pending": {"$lt": id_before(timestamp)}})


def set_merged_date(store: Store, person_id: str, timestamp: dt.datetime) -> None:
    """Sets the `merged_date` of a merged copy if it has none; the copy is deleted thirty days later."""
    undated = {"_id": person_id, "merged_date": {"$exists": False}}
    with store.operation():
        store.collection(MERGED_PEOPLE).update_one(undated, {"$set": {"merged_date": timestamp}})


def end_pending(store: Store, copy: Mapping[str, Any], survivor_id: str) -> None:
    """Ends a pending merge: no outreach points at the duplicate any more. Sets the present survivor."""
    change = {"$unset": {"pending": ""}, "$set": {"survivor_id": survivor_id}}
    with store.operation():
        store.collection(MERGED_PEOPLE).update_one({"_id": copy["_id"], "pending": copy["pending"]}, change)


def delete_merged_copies(store: Store, query: Mapping[str, Any]) -> None:
    """Deletes the merged copies that the query selects."""
    store.delete_many(MERGED_PEOPLE, query)


def erasure_of(store: Store, ids: Sequence[str]) -> Document | None:
    """Returns an unfinished erasure of a person with one of these ids, or None."""
    return store.find_one(ERASURES, {"people": {"$in": list(ids)}})
