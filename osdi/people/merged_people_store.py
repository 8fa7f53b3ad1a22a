"""People who were merged into others: who they are now, their documents as they were, and their outreaches.

That somebody was merged stands for ever in the survivor's `merged_ids`, by which links to them are led on. Their
document is held in `merged_people` for thirty days, `{_id, survivor_id, merged_date, person}`; the database deletes it
then by itself. While `pending` stands in it, which is the id of the merge and thereby its time, outreaches may still
point at the one who is gone; without `merged_date` the survivor may not have them yet (see osdi.people.merge).
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

# Where there are no transactions, whoever merges at the moment; and how long, should they have died.
MERGING: Final = "merging"
LEASE: Final = dt.timedelta(seconds=20)

# So many outreaches are moved by one statement: a fraction of a second.
BATCH: Final = 1_000


@contextmanager
def one_at_a_time(store: Store) -> Iterator[None]:
    """Around a merge: where there are no transactions nobody else merges meanwhile. Raises WriteConflict for others."""
    if store.supports_transactions:
        yield
        return
    timestamp, lease = now(), new_id()
    merging = store.collection(MERGING)
    with store.operation():
        # Where somebody holds it nothing is selected, so that a second one is inserted, which the index refuses.
        free = {"_id": MERGED_PEOPLE, "until": {"$lt": timestamp}}
        merging.update_one(free, {"$set": {"until": timestamp + LEASE, "lease": lease}}, upsert=True)
    try:
        yield
    finally:
        with store.operation():
            merging.delete_one({"_id": MERGED_PEOPLE, "lease": lease})


def ids_of(person: Mapping[str, Any]) -> list[str]:
    """The ids that mean a person: their own first, then those of all who were merged into them."""
    return [person["_id"], *person.get("merged_ids", ())]


def all_ids(ids: Iterable[str], held: Iterable[Mapping[str, Any]]) -> list[str]:
    """These ids, and those of whom is held and of all who were merged into these before."""
    return list(dict.fromkeys([*ids, *(one for each in held for one in (each["_id"], *ids_of(each["person"])))]))


def merged_copies_of(store: Store, ids: Collection[str]) -> list[Document]:
    """What is held of people who have one of these ids, or were merged into somebody who has.

    Not of one who is still there: nothing has come of that merge yet.
    """
    query = {"$or": [{name: {"$in": list(ids)}} for name in ("_id", "survivor_id")]}
    held = store.find(MERGED_PEOPLE, query)
    there = {each["_id"] for each in store.by_ids(PERSON.collection, [each["_id"] for each in held])} if held else ()
    return [each for each in held if each["_id"] not in there]


def pending_with(store: Store, keys: Collection[str]) -> list[Document]:
    """What is held of people with one of these match keys and is pending."""
    query = {"pending": {"$exists": True}, "person.match_keys": {"$in": list(keys)}}
    return store.find(MERGED_PEOPLE, query)


def pending_since(store: Store, timestamp: dt.datetime) -> Document | None:
    """What is held and has been pending since before a moment (naive UTC), or None."""
    return store.find_one(MERGED_PEOPLE, {"pending": {"$lt": id_before(timestamp)}})


def note_merged(store: Store, person_id: str, timestamp: dt.datetime) -> None:
    """Note when somebody was merged, unless that is noted: from then on their document is held for thirty days."""
    unnoted = {"_id": person_id, "merged_date": {"$exists": False}}
    with store.operation():
        store.collection(MERGED_PEOPLE).update_one(unnoted, {"$set": {"merged_date": timestamp}})


def end_pending(store: Store, held: Mapping[str, Any], survivor_id: str) -> None:
    """Note that nothing points any more at somebody who was merged, and whom they are now."""
    change = {"$unset": {"pending": ""}, "$set": {"survivor_id": survivor_id}}
    with store.operation():
        store.collection(MERGED_PEOPLE).update_one({"_id": held["_id"], "pending": held["pending"]}, change)


def delete_merged_copies(store: Store, query: Mapping[str, Any]) -> None:
    """Delete what is held and the query selects."""
    store.delete_many(MERGED_PEOPLE, query)


def erasure_of(store: Store, ids: Sequence[str]) -> Document | None:
    """An erasure that is not over of somebody with one of these ids, or None."""
    return store.find_one(ERASURES, {"people": {"$in": list(ids)}})
