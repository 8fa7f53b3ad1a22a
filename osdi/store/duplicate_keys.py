"""Keys that people have without owning them, in the store: who they are, page by page, and who else has the key.

A document written before these keys were kept is given them by `note_everybodys`.
"""

from collections.abc import Collection, Iterator
from typing import Any, Final

from pymongo import ASCENDING, UpdateOne
from pymongo.errors import BulkWriteError

from osdi.matching import namesake_keys, note_keys
from osdi.resources import PERSON
from osdi.store import Store
from osdi.store.driver import READ_MS, Document

BATCH: Final = 500
NOTED: Final = ("contact_keys", "unclaimed_keys", "maybe_duplicate")
DUPLICATE_KEY: Final = 11000


def people_without(store: Store, after: str, limit: int) -> list[Document]:
    """People who have a key that they do not own, in the order of their ids, behind `after`."""
    query = {"maybe_duplicate": True, "_id": {"$gt": after}}
    with store.asking():
        found = store._collection(PERSON.collection).find(query).sort("_id", ASCENDING).limit(limit)
        return list(found.max_time_ms(READ_MS))


def having_without(store: Store, key: str, limit: int) -> list[Document]:
    """The first people, in the order of their ids, who have this key and do not own it."""
    with store.asking():
        found = store._collection(PERSON.collection).find({"unclaimed_keys": key}).sort("_id", ASCENDING).limit(limit)
        return list(found.max_time_ms(READ_MS))


def note_everybodys(store: Store, phone_region: str = "", after: str = "") -> int:
    """Give every person behind the id `after` the keys of their name; returns how many documents that changed.

    Safe to repeat, and while others write: whoever changes a person meanwhile gives them the keys too. It is no change
    that a client sees, so neither version nor modified date move, and webhooks are not told.
    """
    changed = 0
    people = store._collection(PERSON.collection)
    while True:
        with store.asking():
            batch = list(people.find({"_id": {"$gt": after}}).sort("_id", ASCENDING).limit(BATCH))
        if not batch:
            return changed
        after = batch[-1]["_id"]
        updates = [each for person in batch for each in _update(person, phone_region, claiming=True)]
        refused = _write(store, updates)
        again = [person for person in batch if person["_id"] in refused]
        _write(store, [each for person in again for each in _update(person, phone_region, claiming=False)])
        changed += len(updates)


def _update(person: Document, phone_region: str, *, claiming: bool) -> Iterator[UpdateOne]:
    """The update, if any, that gives a person their keys; `claiming` those of their name that nobody may own."""
    noted = dict(person)
    if claiming:
        known = (*person["match_keys"], *person.get("unclaimed_keys", ()))
        noted["match_keys"] = [*person["match_keys"], *(key for key in namesake_keys(person) if key not in known)]
    note_keys(noted, phone_region)
    fields = {name: noted[name] for name in ("match_keys", *NOTED) if name in noted and noted[name] != person.get(name)}
    gone = {name: "" for name in NOTED if name in person and name not in noted}
    change = {name: value for name, value in (("$set", fields), ("$unset", gone)) if value}
    if change:
        yield UpdateOne({"_id": person["_id"], "version": person["version"]}, change)


def _write(store: Store, updates: list[UpdateOne]) -> set[str]:
    """Do the updates; returns the ids of those people of whom another one owns a key."""
    if not updates:
        return set()
    with store.asking():
        try:
            store._collection(PERSON.collection).bulk_write(updates, ordered=False)
        except BulkWriteError as error:
            refused: Collection[dict[str, Any]] = error.details["writeErrors"]
            if any(each["code"] != DUPLICATE_KEY for each in refused):
                raise
            return {each["op"]["q"]["_id"] for each in refused}
    return set()
