"""Old texts in the store: what outreaches say, dropped in small batches, each on an index.

Ids are in the order in which outreaches came, so a mark says up to where their texts are gone. What was changed since
may have got texts again; a second mark goes along the dates of change.
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
    """How far it has come: `{began, through: id, changed: {date, id}}`, or None where nothing was ever dropped."""
    return store.get(RETENTION, MARKS)


def move_marks(store: Store, fields: Document) -> None:
    """Write down how far it has come."""
    with store.operation():
        store.collection(RETENTION).update_one({"_id": MARKS}, {"$set": fields}, upsert=True)


def outreaches_between(store: Store, after: str, before: str, limit: int) -> list[str]:
    """The ids of outreaches between two ids, in order, so many at the most."""
    return [each["_id"] for each in _found(store, {"_id": {"$gt": after, "$lt": before}}, "_id", limit=limit)]


def outreaches_changed(
    store: Store, since: dt.datetime, after: str, until: dt.datetime, limit: int
) -> list[tuple[dt.datetime, str]]:
    """Date of change and id of outreaches that changed until then, in order: from `since`, and there behind `after`."""
    if since >= until:
        return []  # of that second more may come
    behind = [{"modified_date": since, "_id": {"$gt": after}}, {"modified_date": {"$gt": since, "$lt": until}}]
    found = _found(store, {"$or": behind}, "modified_date", "_id", limit=limit)
    return [(each["modified_date"], each["_id"]) for each in found]


def drop_texts(store: Store, ids: list[str], timestamp: dt.datetime) -> int:
    """Drop the texts of these outreaches; how many had some."""
    having = {"_id": {"$in": ids}, "$or": [{name: {"$exists": True}} for name in TEXTS]}
    change = {"$unset": dict.fromkeys(TEXTS, ""), "$set": {"modified_date": timestamp}, "$inc": {"version": 1}}
    with store.operation():
        changed = store.collection(OUTREACH.collection).update_many(having, change).modified_count
    write_log.record_many(OUTREACH.collection, {}, changed)
    return changed


def _found(store: Store, query: Query, *order: str, limit: int) -> list[Document]:
    return store.find(OUTREACH.collection, query, sort=order, limit=limit, fields=("modified_date",))
