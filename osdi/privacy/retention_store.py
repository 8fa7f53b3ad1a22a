"""Store functions for retention: delete the texts of old outreaches in small batches, each by an index.

Ids are in the order of recording, so one mark states the id up to which texts are deleted. An outreach that changed
later may have texts again, so a second mark follows the dates of change.
"""

import datetime as dt
from typing import Final

from osdi.documents import Document, Query
from osdi.resources import OUTREACH
from osdi.store import Store, write_log

RETENTION: Final = "retention"
MARKS: Final = "outreach_texts"
TEXTS: Final = ("subject", "message", "notes")


def marks(store: Store) -> Document | None:
    """Returns the progress, `{began, through: id, changed: {date, id}}`, or None if retention has never run."""
    return store.get(RETENTION, MARKS)


def move_marks(store: Store, fields: Document) -> None:
    """Stores the progress."""
    with store.operation():
        store.collection(RETENTION).update_one({"_id": MARKS}, {"$set": fields}, upsert=True)


def outreaches_between(store: Store, after: str, before: str, limit: int) -> list[str]:
    """Returns at most `limit` ids of outreaches between two ids, in order."""
    return [each["_id"] for each in _find_outreaches(store, {"_id": {"$gt": after, "$lt": before}}, "_id", limit=limit)]


def outreaches_changed(
    store: Store, since: dt.datetime, after: str, until: dt.datetime, limit: int
) -> list[tuple[dt.datetime, str]]:
    """Returns date of change and id of outreaches that changed before `until`, in order, after (`since`, `after`)."""
    if since >= until:
        return []  # more outreaches may still change in that second
    later = [{"modified_date": since, "_id": {"$gt": after}}, {"modified_date": {"$gt": since, "$lt": until}}]
    found = _find_outreaches(store, {"$or": later}, "modified_date", "_id", limit=limit)
    return [(each["modified_date"], each["_id"]) for each in found]


def drop_texts(store: Store, ids: list[str], timestamp: dt.datetime) -> int:
    """Deletes the texts of these outreaches; returns the number of outreaches that had any."""
    having = {"_id": {"$in": ids}, "$or": [{name: {"$exists": True}} for name in TEXTS]}
    change = {"$unset": dict.fromkeys(TEXTS, ""), "$set": {"modified_date": timestamp}, "$inc": {"version": 1}}
    with store.operation():
        changed = store.collection(OUTREACH.collection).update_many(having, change).modified_count
    write_log.record_many(OUTREACH.collection, {}, changed)
    return changed


def _find_outreaches(store: Store, query: Query, *order: str, limit: int) -> list[Document]:
    return store.find(OUTREACH.collection, query, sort=order, limit=limit, fields=("modified_date",))
