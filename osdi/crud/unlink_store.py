"""Removes links to a deleted resource from the documents that hold them, and leases the notes of deletions."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo import ASCENDING, ReturnDocument

from osdi.documents import Document
from osdi.resources import MESSAGE, PERSON
from osdi.store import DocumentStore, Store
from osdi.store.indexes import DELETIONS

# Longer than one call of a worker takes. If the worker dies, another one continues after this time.
LEASE: Final = dt.timedelta(seconds=60)
LEASED: Final = "leased_until"


def forget_wrapper(store: DocumentStore, wrapper_id: str, timestamp: dt.datetime) -> None:
    """Removes the link to a deleted wrapper from its messages. Raises OsdiError 503."""
    store.update_many(
        MESSAGE.collection, {"wrapper_id": wrapper_id}, {"$unset": {"wrapper_id": ""}, **_changed_at(timestamp)}
    )


def pull_entries(
    store: DocumentStore,
    array: str,
    pointing: Mapping[str, str],
    entries: Mapping[str, Sequence[str]],
    timestamp: dt.datetime,
) -> None:
    """Removes entries from the `array` of people. Raises OsdiError 503.

    `pointing` is the field of the entries with the id in it; `entries` are their ids, by the id of the person.
    """
    ids = [entry_id for of_person in entries.values() for entry_id in of_person]
    # The log has the id outside of $and.
    having: dict[str, Any] = {f"{array}.{field}": value for field, value in pointing.items()}
    having["$and"] = [{"_id": {"$in": list(entries)}}, {f"{array}._id": {"$in": ids}}]
    store.update_many(PERSON.collection, having, {"$pull": {array: {"_id": {"$in": ids}}}, **_changed_at(timestamp)})


def move_entry(
    store: DocumentStore,
    array: str,
    pointing: Mapping[str, str],
    entry_id: str,
    to: Mapping[str, str],
    timestamp: dt.datetime,
) -> None:
    """Lets the entry of a person point at another tag, list or question. Raises OsdiError 503."""
    having = {array: {"$elemMatch": {"_id": entry_id, **pointing}}}
    changed = _changed_at(timestamp)
    changed["$set"] |= {f"{array}.$.{field}": value for field, value in to.items()}
    store.update_many(PERSON.collection, having, changed)


def lease_note(store: Store, timestamp: dt.datetime) -> Document | None:
    """Returns the note of a deletion that is due at `timestamp`, and that no other worker gets for LEASE; or None.

    Raises OsdiError 503.
    """
    due = {"not_before": {"$lte": timestamp}, LEASED: {"$not": {"$gt": timestamp}}}
    with store.operation():
        found: Document | None = store.collection(DELETIONS).find_one_and_update(
            due,
            {"$set": {LEASED: timestamp + LEASE}},
            sort=[("not_before", ASCENDING)],
            return_document=ReturnDocument.AFTER,
        )
    return found


def _changed_at(timestamp: dt.datetime) -> dict[str, Any]:
    return {"$set": {"modified_date": timestamp}, "$inc": {"version": 1}}
