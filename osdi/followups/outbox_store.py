"""Reads follow-ups inside their outreaches: others of the same kind, lists and counts; and queues one again."""

import datetime as dt
from collections.abc import Collection
from typing import Final

from pymongo import ASCENDING

from osdi.action_functions.followup_kinds import FAILED, LEASED, QUEUED, SENT, SKIPPED
from osdi.documents import Document, Query
from osdi.followups.leases.lease_store import LeasedFollowup
from osdi.ids import id_before
from osdi.resources import OUTREACH
from osdi.store import Store, write_log
from osdi.store.driver import READ_MS

PENDING: Final = (QUEUED, LEASED)


def other_of_its_kind(
    store: Store, leased: LeasedFollowup, states: Collection[str], around: dt.timedelta, *, before: bool = False
) -> Document | None:
    """Returns the earliest other follow-up of that kind to the same person and campaign, in one of these states.

    Only outreaches within `around` of this one, or of the time when it was queued again, count; with `before` only
    earlier ones. Those of its own batch do not count: this worker handles them later.
    """
    outreach, followup = leased.outreach, leased.followup
    ends = outreach["_id"] if before else id_before(followup["queued_date"] + around)
    wanted = {"kind": followup["kind"], "state": {"$in": list(states)}, "lease": {"$ne": leased.lease}}
    query = {
        "person_id": outreach["person_id"],
        "advocacy_campaign_id": outreach["advocacy_campaign_id"],
        "_id": {"$gt": id_before(outreach["created_date"] - around), "$lt": ends, "$ne": outreach["_id"]},
        "followups": {"$elemMatch": wanted},
    }
    with store.operation():
        found = store.collection(OUTREACH.collection).find_one(
            query, {"followups": {"$elemMatch": wanted}}, sort=[("_id", ASCENDING)], max_time_ms=READ_MS
        )
    return found["followups"][0] if found else None


def counts(store: Store) -> list[Document]:
    """Returns the numbers of follow-ups: `{state, count}`, for unsent ones also `{kind, reason?, oldest, leases_lost}`.

    Sent and skipped ones become many, so the index alone counts them, as the outreaches that have one.
    """
    outreaches = store.collection(OUTREACH.collection)
    group = {"state": "$followups.state", "kind": "$followups.kind", "reason": "$followups.reason"}
    unsent = {"followups.state": {"$in": [*PENDING, FAILED]}}
    totals = {
        "_id": group,
        "count": {"$sum": 1},
        "oldest": {"$min": "$followups.queued_date"},
        "leases_lost": {"$sum": "$followups.leases_lost"},
    }
    pipeline: list[Document] = [
        {"$match": unsent},
        {"$unwind": "$followups"},
        {"$match": unsent},
        {"$group": totals},
        {"$sort": {"_id": 1}},
    ]
    with store.operation():
        found = [each.pop("_id") | each for each in outreaches.aggregate(pipeline, maxTimeMS=READ_MS)]
        for state in (SENT, SKIPPED):
            found.append(
                {"state": state, "count": outreaches.count_documents({"followups.state": state}, maxTimeMS=READ_MS)}
            )
    return found


def find(store: Store, query: Query, limit: int) -> list[Document]:
    """Returns outreaches with a follow-up that the query selects, oldest first. The query must name a state."""
    return store.find(OUTREACH.collection, {"followups": {"$elemMatch": query}}, sort=("_id",), limit=limit)


def find_latest(store: Store, query: Query, limit: int, *, before: str = "") -> list[Document]:
    """Returns outreaches with a follow-up that the query selects, newest first, those with ids below `before`.

    The query must name a state. Few follow-ups in the state are found by its index, many by the ids from the newest on.
    """
    below: Document = {"_id": {"$lt": before}} if before else {}
    query = {**below, "followups": {"$elemMatch": query}}
    return store.find(OUTREACH.collection, query, sort=("-_id",), limit=limit)


def requeue(store: Store, outreach_id: str, followup_id: str, timestamp: dt.datetime) -> bool:
    """Queues a failed or skipped follow-up again, as if it were requested now; False if it is in another state."""
    ended = {"_id": followup_id, "state": {"$in": [FAILED, SKIPPED]}, "message_id": {"$exists": True}}
    fresh = {"state": QUEUED, "not_before": timestamp, "queued_date": timestamp, "attempts": 0}
    change = {
        "$set": {f"followups.$.{name}": value for name, value in fresh.items()},
        "$unset": {"followups.$.reason": ""},
    }
    with store.operation():
        changed = store.collection(OUTREACH.collection).update_one(
            {"_id": outreach_id, "followups": {"$elemMatch": ended}}, change
        )
    if changed.matched_count:
        write_log.record(OUTREACH.collection, outreach_id)
    return changed.matched_count == 1
