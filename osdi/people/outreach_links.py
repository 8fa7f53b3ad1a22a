"""Moves outreaches from one person to another, and unlinks those of a deleted person."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from osdi.documents import Document
from osdi.people.merged_people_store import BATCH, ids_of
from osdi.resources import OUTREACH
from osdi.statistics.statistics_store import invalidate_all
from osdi.store import Store, write_log
from osdi.store.driver import READ_MS


def outreaches_of(person: Mapping[str, Any]) -> Document:
    """The query for a person's outreaches, also for those that point at somebody who was merged into them."""
    ids = ids_of(person)
    return {"person_id": {"$in": ids} if len(ids) > 1 else ids[0]}


def move_outreaches(store: Store, from_id: str, to_id: str, timestamp: dt.datetime) -> int:
    """Move a batch of somebody's outreaches to another person; returns how many were left to move.

    An outreach remembers from whom it was moved. A batch that is repeated finds none of those that it has moved.
    """
    change = {
        "$set": {"person_id": to_id, "modified_date": timestamp},
        "$push": {"moved_from_ids": from_id},
        "$inc": {"version": 1},
    }
    outreaches = store.collection(OUTREACH.collection)
    theirs = {"person_id": from_id}
    with store.operation():
        ids = _ids(outreaches.find(theirs, {"_id": 1}).limit(BATCH).max_time_ms(READ_MS))
    if not ids:
        return 0
    batch = {"_id": {"$in": ids}, **theirs}
    invalidate_all(store, batch)
    with store.operation():
        changed = outreaches.update_many(batch, change)
    write_log.record_many(OUTREACH.collection, theirs, changed.modified_count)
    return len(ids)


def _ids(documents: Iterable[Document]) -> list[str]:
    return [each["_id"] for each in documents]
