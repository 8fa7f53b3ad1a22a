"""Store functions of the outbox: leases follow-ups inside their outreaches, and marks their results.

A lease and a mark are one atomic update each. A mark is written only if its lease is still valid, so a slow worker
changes nothing after another worker has taken over. The outreach's version stays the same, because no client has
edited the outreach.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pymongo import ASCENDING, ReturnDocument

from osdi.action_functions.followup_kinds import FAILED, LEASED, QUEUED, SENT, SKIPPED
from osdi.documents import Document, Query
from osdi.errors import DuplicateKey
from osdi.ids import id_before, new_id, now
from osdi.resources import OUTREACH
from osdi.store import Store, write_log
from osdi.store.driver import READ_MS
from osdi.store.indexes import MAILBOX_INTERVALS

PENDING: Final = (QUEUED, LEASED)


@dataclass(frozen=True)
class LeasedFollowup:
    """A follow-up that this worker has leased, with its outreach."""

    outreach: Document
    followup: Document

    @property
    def lease(self) -> str:
        found: str = self.followup["lease"]
        return found


def lease_next(
    store: Store, timestamp: dt.datetime, seconds: float, kinds: Collection[str], *, lost: bool = False
) -> LeasedFollowup | None:
    """Leases the follow-up of these kinds that has waited longest, for `seconds`; None if nothing is due.

    With `lost` it takes a follow-up whose lease has run out, and counts the lost lease, as it may have been sent.
    """
    lease = new_id()
    due = {"state": LEASED if lost else QUEUED, "not_before": {"$lte": timestamp}, "kind": {"$in": list(kinds)}}
    counted = {"followups.$.attempts": 1, **({"followups.$.leases_lost": 1} if lost else {})}
    ends = timestamp + dt.timedelta(seconds=seconds)
    change = {
        "$set": {"followups.$.state": LEASED, "followups.$.not_before": ends, "followups.$.lease": lease},
        "$inc": counted,
    }
    with store.operation():
        outreach = store.collection(OUTREACH.collection).find_one_and_update(
            {"followups": {"$elemMatch": due}}, change, return_document=ReturnDocument.AFTER
        )
    if outreach is None:
        return None
    return LeasedFollowup(outreach, next(each for each in outreach["followups"] if each.get("lease") == lease))


def mark(store: Store, leased: LeasedFollowup, fields: Mapping[str, Any], *, gone: Iterable[str] = ()) -> bool:
    """Sets fields of a leased follow-up, removes others, and ends the lease; False if the lease was lost."""
    ours = {"_id": leased.followup["_id"], "lease": leased.lease}
    change = {
        "$set": {f"followups.$.{name}": value for name, value in fields.items()},
        "$unset": {f"followups.$.{name}": "" for name in ("lease", *gone)},
    }
    with store.operation():
        changed = store.collection(OUTREACH.collection).update_one(
            {"_id": leased.outreach["_id"], "followups": {"$elemMatch": ours}}, change
        )
    return changed.matched_count == 1


def other_of_its_kind(
    store: Store, leased: LeasedFollowup, states: Collection[str], around: dt.timedelta, *, before: bool = False
) -> Document | None:
    """Returns the earliest other follow-up of that kind to the same person and campaign, in one of these states.

    Only outreaches within `around` of this one, or of the time when it was queued again, count; with `before` only
    earlier ones.
    """
    outreach, followup = leased.outreach, leased.followup
    ends = outreach["_id"] if before else id_before(followup["queued_date"] + around)
    wanted = {"kind": followup["kind"], "state": {"$in": list(states)}}
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


def reserve_interval(
    store: Store, leased: LeasedFollowup, mailbox: str, interval: dt.timedelta, *, all_campaigns: bool = False
) -> bool:
    """Reserves the interval of a mailbox (its hash) for a follow-up of this kind and campaign; False if another has it.

    With `all_campaigns` it is an interval of its own, for this kind and any campaign. The follow-up that has the
    interval can reserve it again: a worker may have died before it sent the follow-up.
    """
    kind, campaign_id = leased.followup["kind"], "" if all_campaigns else leased.outreach["advocacy_campaign_id"]
    timestamp = now()
    mine = {"followup_id": leased.followup["_id"]}
    free = {"_id": f"{kind}:{campaign_id}:{mailbox}", "$or": [mine, {"until": {"$lte": timestamp}}]}
    # If another follow-up has the interval, the filter selects nothing, and the upsert fails on the unique `_id`.
    try:
        with store.operation():
            intervals = store.collection(MAILBOX_INTERVALS)
            intervals.update_one(free, {"$set": {**mine, "until": timestamp + interval}}, upsert=True)
    except DuplicateKey:
        return False
    return True


def release_interval(store: Store, leased: LeasedFollowup) -> None:
    """Frees the interval that a follow-up has reserved, because it was not sent."""
    with store.operation():
        store.collection(MAILBOX_INTERVALS).delete_many({"followup_id": leased.followup["_id"]})


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
