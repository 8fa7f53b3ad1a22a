"""Figures of the database for whoever watches over it: what waits, and since when. Read by indexes, within bounds."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pymongo import timeout

from osdi.action_functions.followup_kinds import FAILED, LEASED, QUEUED
from osdi.documents import Document
from osdi.ids import now
from osdi.resources import OUTREACH
from osdi.store import Store
from osdi.store.writes import WEBHOOK_EVENTS
from osdi.webhooks.event_store import NOTED_IN

# Whoever asks gives up after ten; and more than so many are as bad as twice as many.
SECONDS: Final = 3.0
MOST: Final = 100_000


@dataclass(frozen=True)
class QueueGauges:
    """Outreaches with waiting follow-ups by state, the seconds that one has been due, documents with untold events."""

    outbox: Mapping[str, int]
    oldest: float
    events: int


def read_figures(store: Store) -> QueueGauges:
    """What waits now, counted until MOST. Raises OsdiError 503 where the database does not tell within SECONDS."""
    timestamp = now()
    outreaches = store.collection(OUTREACH.collection)
    options: dict[str, Any] = {} if store.in_memory else {"hint": _INDEX}
    due = {"state": QUEUED, "not_before": {"$lte": timestamp}}
    with timeout(SECONDS), store.operation():
        outbox = {
            state: outreaches.count_documents({"followups.state": state}, limit=MOST)
            for state in (QUEUED, LEASED, FAILED)
        }
        # By this index whatever has waited longest comes first.
        waiting = outreaches.find_one({"followups": {"$elemMatch": due}}, {"followups": 1}, **options)
        noted = {f"{WEBHOOK_EVENTS}.webhook_id": {"$gt": ""}}
        events = sum(store.collection(resource.collection).count_documents(noted, limit=MOST) for resource in NOTED_IN)
    return QueueGauges(outbox, _waited(waiting, timestamp), events)


def _waited(outreach: Document | None, timestamp: dt.datetime) -> float:
    due = [each["not_before"] for each in (outreach or {}).get("followups", ()) if each["state"] == QUEUED]
    return max(0.0, (timestamp - min(due)).total_seconds()) if due else 0.0


_INDEX: Final = [("followups.state", 1), ("followups.not_before", 1)]
