"""The links from outreaches to their person: found, moved to another person, and removed."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from osdi.documents import Document
from osdi.people.merged_people_store import BATCH, ids_of
from osdi.resources import OUTREACH
from osdi.statistics.invalidation_store import complete, invalidate_all
from osdi.store import Store, write_log


def outreaches_of(person: Mapping[str, Any]) -> Document:
    """Returns the query for the outreaches of a person and of people who were merged into this person."""
    ids = ids_of(person)
    return {"person_id": {"$in": ids} if len(ids) > 1 else ids[0]}


def move_outreaches(store: Store, from_id: str, to_id: str, timestamp: dt.datetime) -> int:
    """Moves a batch of one person's outreaches to another person; returns how many were left to move.

    An outreach keeps the former person in `moved_from_ids`. A repeated batch skips outreaches that are already moved.
    """
    theirs = {"person_id": from_id}
    ids = [each["_id"] for each in store.find(OUTREACH.collection, theirs, limit=BATCH, fields=("_id",))]
    if not ids:
        return 0
    batch = {**theirs, "_id": {"$in": ids}}
    invalidated = invalidate_all(store, batch, (to_id,))
    with store.operation():
        changed = store.collection(OUTREACH.collection).update_many(
            batch,
            {
                "$set": {"person_id": to_id, "modified_date": timestamp},
                "$push": {"moved_from_ids": from_id},
                "$inc": {"version": 1},
            },
        )
    write_log.record_many(OUTREACH.collection, theirs, changed.modified_count)
    complete(store, invalidated)
    return len(ids)


def forget_person(store: Store, person_id: str, timestamp: dt.datetime) -> None:
    """Removes a deleted person from their outreaches, which stay, and the addresses from the outreaches' follow-ups.

    The caller invalidates the statistics that have counted these outreaches.
    """
    theirs = {"person_id": person_id}
    with store.operation():
        store.collection(OUTREACH.collection).update_many(
            {**theirs, "followups.to": {"$exists": True}}, {"$unset": {"followups.$[].to": ""}}
        )
    gone = {"person_id": "", "moved_from_ids": ""}
    store.update_many(
        OUTREACH.collection,
        theirs,
        {"$unset": gone, "$set": {"modified_date": timestamp}, "$inc": {"version": 1}},
    )
