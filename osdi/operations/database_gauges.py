"""Reads gauges from the database: waiting follow-ups and events, and the last backup. Uses indexes, with limits."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pymongo import timeout

from osdi.action_functions.followup_kinds import FAILED, LEASED, QUEUED
from osdi.documents import Document
from osdi.ids import now
from osdi.operations.last_backup import last_backup_date
from osdi.resources import OUTREACH
from osdi.store import Store
from osdi.store.writes import WEBHOOK_EVENTS
from osdi.webhooks.event_store import RESOURCES_WITH_EVENTS

# Prometheus gives up after ten seconds. Beyond MAX_COUNTED the exact number makes no difference to an operator.
READ_SECONDS: Final = 3.0
MAX_COUNTED: Final = 100_000


@dataclass(frozen=True)
class QueueGauges:
    """State of the queues.

    `outbox` is the number of outreaches with follow-ups by state, `oldest` the seconds since the oldest waiting
    follow-up became due, `events` the number of documents with undelivered events. `backup_age` is the time in
    seconds since the last backup was complete; None if there was none.
    """

    outbox: Mapping[str, int]
    oldest: float
    events: int
    backup_age: float | None = None


def read_queue_gauges(store: Store) -> QueueGauges:
    """Returns the gauges, each counted up to MAX_COUNTED. Raises OsdiError 503 if this takes READ_SECONDS."""
    timestamp = now()
    outreaches = store.collection(OUTREACH.collection)
    options: dict[str, Any] = {} if store.in_memory else {"hint": _INDEX}
    due = {"state": QUEUED, "not_before": {"$lte": timestamp}}
    with timeout(READ_SECONDS), store.operation():
        outbox = {
            state: outreaches.count_documents({"followups.state": state}, limit=MAX_COUNTED)
            for state in (QUEUED, LEASED, FAILED)
        }
        # In the order of this index the follow-up that has waited longest comes first.
        oldest = outreaches.find_one({"followups": {"$elemMatch": due}}, {"followups": 1}, **options)
        with_events = {f"{WEBHOOK_EVENTS}.webhook_id": {"$gt": ""}}
        events = sum(
            store.collection(resource.collection).count_documents(with_events, limit=MAX_COUNTED)
            for resource in RESOURCES_WITH_EVENTS
        )
        backup = last_backup_date(store)
    age = max(0.0, (timestamp - backup).total_seconds()) if backup else None
    return QueueGauges(outbox, _seconds_due(oldest, timestamp), events, age)


def _seconds_due(outreach: Document | None, timestamp: dt.datetime) -> float:
    due = [each["not_before"] for each in (outreach or {}).get("followups", ()) if each["state"] == QUEUED]
    return max(0.0, (timestamp - min(due)).total_seconds()) if due else 0.0


_INDEX: Final = [("followups.state", 1), ("followups.not_before", 1)]
