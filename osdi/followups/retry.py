"""Queues follow-ups again that have failed or that were skipped: one by its id, or all that a query selects.

The worker makes each check anew before it sends such a follow-up, so an opt-out since then counts.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from osdi.action_functions.followup_kinds import FAILED, SKIPPED
from osdi.documents import Document
from osdi.errors import ErrorDescription, OsdiError, conflict
from osdi.followups import outbox_store
from osdi.ids import id_before, now
from osdi.resources import OUTREACH
from osdi.store import Store

# Outreaches that are read at a time while many follow-ups are queued again.
BATCH: Final = 500

# One process makes the ids of an outreach and of its follow-ups, within this time.
TOGETHER: Final = dt.timedelta(minutes=1)


def query_of(state: str, kind: str | None = None, reason: str | None = None) -> Document:
    """Returns the query, of equalities, for the follow-ups in a state; None or an empty text selects any."""
    named = {"state": state, "kind": kind, "reason": reason}
    return {name: value for name, value in named.items() if value}


def selected(outreaches: Sequence[Document], query: Mapping[str, Any]) -> Iterator[tuple[str, Document]]:
    """Yields the id of an outreach with each of its follow-ups that the query, of equalities, selects."""
    for outreach in outreaches:
        for entry in outreach["followups"]:
            if query.items() <= entry.items():
                yield outreach["_id"], entry


def retry_all(store: Store, query: Document, max_count: int | None = None) -> int:
    """Queues the follow-ups that the query selects again, and returns their number.

    With `max_count` it stops after about that many, up to BATCH outreaches later. Raises OsdiError 503.
    """
    left = {"queued_date": {"$lte": now()}, "message_id": {"$exists": True}}
    queued, seen = 0, set[str]()
    # A follow-up that fails again meanwhile was queued later, or has been seen: it is not queued a second time.
    while (max_count is None or queued < max_count) and (
        found := [
            (outreach_id, entry["_id"])
            for outreach_id, entry in selected(outbox_store.find(store, query | left, BATCH), query)
            if entry["_id"] not in seen
        ]
    ):
        seen |= {followup_id for _, followup_id in found}
        queued += sum(outbox_store.requeue(store, *each, now()) for each in found)
    return queued


def some_have_no_message(store: Store, query: Document) -> bool:
    """True if the query selects a follow-up that never had a message, which cannot be queued. Raises OsdiError 503."""
    return bool(outbox_store.find(store, query | {"message_id": {"$exists": False}}, 1))


def retry_one(store: Store, followup_id: str) -> None:
    """Queues one follow-up again. Raises OsdiError 404, 409 with the reason if that is impossible, 503."""
    outreach_id, entry = followup_of(store, followup_id)
    if entry["state"] not in (FAILED, SKIPPED):
        raise _conflict(f"The follow-up is {entry['state']}. Only failed and skipped ones can be queued again.")
    if "message_id" not in entry:
        raise _conflict("The follow-up never had a message, so there is nothing to send.")
    if not outbox_store.requeue(store, outreach_id, followup_id, now()):
        raise _conflict("Somebody else has just queued the follow-up.")


def followup_of(store: Store, followup_id: str) -> tuple[str, Document]:
    """Returns the id of a follow-up's outreach, and the follow-up. Raises OsdiError 404, 503.

    No index has the ids of follow-ups. They contain their time, and few outreaches were created at that time.
    """
    outreach = None
    try:
        made = dt.datetime.fromtimestamp(int(followup_id.replace("-", "")[:12], 16) / 1000, dt.UTC).replace(tzinfo=None)
        around = {"$gt": id_before(made - TOGETHER), "$lt": id_before(made + TOGETHER)}
    except (ValueError, OverflowError, OSError):
        pass
    else:
        outreach = store.find_one(OUTREACH.collection, {"_id": around, "followups._id": followup_id})
    if outreach is None:
        raise OsdiError(404, ErrorDescription("NOT_FOUND", f"No follow-up has the id '{followup_id}'."))
    return outreach["_id"], next(each for each in outreach["followups"] if each["_id"] == followup_id)


def _conflict(sentence: str) -> OsdiError:
    return conflict("NOT_QUEUED", sentence)
