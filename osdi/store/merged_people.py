"""People who were merged into others: who they are now, their documents as they were, and their outreaches.

That somebody was merged stands for ever in the survivor's `merged_ids`, by which links to them are led on. Their
document is held in `merged_people` for thirty days, `{_id, survivor_id, merged_date, person}`; the database deletes it
then by itself. While `pending` stands in it, which is the id of the merge and thereby its time, outreaches may still
point at the one who is gone; without `merged_date` the survivor may not have them yet (see osdi.merge_people).
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from osdi.documents import Document
from osdi.ids import id_before, new_id, now
from osdi.resources import OUTREACH, PERSON
from osdi.store import Store, written
from osdi.store.driver import READ_MS
from osdi.store.indexes import MERGED_PEOPLE
from osdi.store.statistics import touch_all

# Where there are no transactions, whoever merges at the moment; and how long, should they have died.
MERGING: Final = "merging"
LEASE: Final = dt.timedelta(seconds=20)

# So many outreaches are moved by one statement: a fraction of a second.
BATCH: Final = 1_000


@contextmanager
def one_at_a_time(store: Store) -> Iterator[None]:
    """Around a merge: where there are no transactions nobody else merges meanwhile. Raises RaceLost for others."""
    if store.commits_together:
        yield
        return
    moment, lease = now(), new_id()
    merging = store._collection(MERGING)
    with store.asking():
        # Where somebody holds it nothing is selected, so that a second one is inserted, which the index refuses.
        free = {"_id": MERGED_PEOPLE, "until": {"$lt": moment}}
        merging.update_one(free, {"$set": {"until": moment + LEASE, "lease": lease}}, upsert=True)
    try:
        yield
    finally:
        with store.asking():
            merging.delete_one({"_id": MERGED_PEOPLE, "lease": lease})


def person_with(store: Store, person_id: str) -> Document | None:
    """The person with this id, or whom the person with it was merged into; None for nobody."""
    found = store.get(PERSON.collection, person_id) or store.find_one(PERSON.collection, {"merged_ids": person_id})
    if found is not None:
        return found
    held = store.get(MERGED_PEOPLE, person_id)
    survivor_id = held["survivor_id"] if held else None
    if survivor_id is None:
        return None
    return store.get(PERSON.collection, survivor_id) or store.find_one(PERSON.collection, {"merged_ids": survivor_id})


def people_with_ids(store: Store, ids: Collection[str]) -> dict[str, Document]:
    """The people with these ids, or whom those were merged into, by the ids that were asked for."""
    found = {person["_id"]: person for person in store.by_ids(PERSON.collection, sorted(ids))}
    missing = sorted(set(ids) - found.keys())
    if missing:
        with store.asking():
            people = store._collection(PERSON.collection)
            survivors = list(people.find({"merged_ids": {"$in": missing}}).max_time_ms(READ_MS))
        found |= {each: survivor for survivor in survivors for each in survivor["merged_ids"] if each in missing}
    return found


def ids_of(person: Mapping[str, Any]) -> list[str]:
    """The ids that mean a person: their own first, then those of all who were merged into them."""
    return [person["_id"], *person.get("merged_ids", ())]


def all_ids(ids: Iterable[str], held: Iterable[Mapping[str, Any]]) -> list[str]:
    """These ids, and those of whom is held and of all who were merged into these before."""
    return list(dict.fromkeys([*ids, *(one for each in held for one in (each["_id"], *ids_of(each["person"])))]))


def outreaches_of(person: Mapping[str, Any]) -> Document:
    """The query for a person's outreaches, also for those that point at somebody who was merged into them."""
    ids = ids_of(person)
    return {"person_id": {"$in": ids} if len(ids) > 1 else ids[0]}


def held_for(store: Store, ids: Collection[str]) -> list[Document]:
    """What is held of people who have one of these ids, or were merged into somebody who has.

    Not of one who is still there: nothing has come of that merge yet.
    """
    query = {"$or": [{name: {"$in": list(ids)}} for name in ("_id", "survivor_id")]}
    with store.asking():
        held = list(store._collection(MERGED_PEOPLE).find(query).max_time_ms(READ_MS))
    there = {each["_id"] for each in store.by_ids(PERSON.collection, [each["_id"] for each in held])} if held else ()
    return [each for each in held if each["_id"] not in there]


def pending_with(store: Store, keys: Collection[str]) -> list[Document]:
    """What is held of people with one of these match keys and is pending."""
    query = {"pending": {"$exists": True}, "person.match_keys": {"$in": list(keys)}}
    with store.asking():
        return list(store._collection(MERGED_PEOPLE).find(query).max_time_ms(READ_MS))


def pending_since(store: Store, moment: dt.datetime) -> Document | None:
    """What is held and has been pending since before a moment (naive UTC), or None."""
    return store.find_one(MERGED_PEOPLE, {"pending": {"$lt": id_before(moment)}})


def note_merged(store: Store, person_id: str, moment: dt.datetime) -> None:
    """Note when somebody was merged, unless that is noted: from then on their document is held for thirty days."""
    unnoted = {"_id": person_id, "merged_date": {"$exists": False}}
    with store.asking():
        store._collection(MERGED_PEOPLE).update_one(unnoted, {"$set": {"merged_date": moment}})


def end_pending(store: Store, held: Mapping[str, Any], survivor_id: str) -> None:
    """Note that nothing points any more at somebody who was merged, and whom they are now."""
    change = {"$unset": {"pending": ""}, "$set": {"survivor_id": survivor_id}}
    with store.asking():
        store._collection(MERGED_PEOPLE).update_one({"_id": held["_id"], "pending": held["pending"]}, change)


def forget_held(store: Store, query: Mapping[str, Any]) -> None:
    """Delete what is held and the query selects."""
    store.delete_many(MERGED_PEOPLE, query)


def move_outreaches(store: Store, from_id: str, to_id: str, moment: dt.datetime) -> int:
    """Move a batch of somebody's outreaches to another person; returns how many were left to move.

    An outreach remembers from whom it was moved. A batch that is repeated finds none of those that it has moved.
    """
    change = {
        "$set": {"person_id": to_id, "modified_date": moment},
        "$push": {"moved_from_ids": from_id},
        "$inc": {"version": 1},
    }
    outreaches = store._collection(OUTREACH.collection)
    theirs = {"person_id": from_id}
    with store.asking():
        ids = _ids(outreaches.find(theirs, {"_id": 1}).limit(BATCH).max_time_ms(READ_MS))
    if not ids:
        return 0
    batch = {"_id": {"$in": ids}, **theirs}
    touch_all(store, batch)
    with store.asking():
        changed = outreaches.update_many(batch, change)
    written.note_many(OUTREACH.collection, theirs, changed.modified_count)
    return len(ids)


def _ids(documents: Iterable[Document]) -> list[str]:
    return [each["_id"] for each in documents]
