"""Leases follow-ups inside their outreaches in batches, marks their results, and gives back those that were not begun.

A mark is written only if its lease is still valid, so a slow worker changes nothing after another worker has taken
over. The outreach's version stays the same, because no client has edited the outreach.

A worker handles a batch in the order of the outreaches' ids. So of a batch whose lease has run out, only the first that
is still leased may have been sent.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymongo import ASCENDING, UpdateOne

from osdi.action_functions.followup_kinds import LEASED, QUEUED
from osdi.documents import Document, Query
from osdi.ids import new_id
from osdi.resources import OUTREACH
from osdi.store import Store
from osdi.store.driver import READ_MS

# Another worker may lease what this one has found. After this many times the others have the work.
MAX_ATTEMPTS: Final = 10


@dataclass(frozen=True)
class LeasedFollowup:
    """A follow-up that this worker has leased, with its outreach, and the time since when it was due."""

    outreach: Document
    followup: Document
    due: dt.datetime

    @property
    def lease(self) -> str:
        found: str = self.followup["lease"]
        return found

    def in_outreach(self, outreach: Document) -> "LeasedFollowup | None":
        """Returns this follow-up as it is in the outreach now; None if it is not there, or no longer leased by us."""
        for entry in outreach["followups"]:
            if entry["_id"] == self.followup["_id"] and entry.get("lease") == self.lease:
                return LeasedFollowup(outreach, entry, self.due)
        return None


def lease_batch(
    store: Store, timestamp: dt.datetime, seconds: float, kinds: Collection[str], max_count: int, *, lost: bool = False
) -> list[LeasedFollowup]:
    """Leases up to `max_count` follow-ups of these kinds for `seconds`: those that have waited longest, if any is due.

    Returns them in the order of their outreaches' ids. With `lost` it takes follow-ups whose lease has run out, and
    counts a lost lease on those that may have been sent.
    """
    due = {"state": LEASED if lost else QUEUED, "not_before": {"$lte": timestamp}, "kind": {"$in": list(kinds)}}
    ends = timestamp + dt.timedelta(seconds=seconds)
    for _ in range(MAX_ATTEMPTS):
        found = _find_due(store, due, timestamp, max_count)
        if not found:
            break
        lease = new_id()
        begun = _first_of_each_lease(found) if lost else set()
        _lease(store, found.keys() - begun, due, lease, ends)
        _lease(store, begun, due, lease, ends, {"followups.$.leases_lost": 1})
        if leased := _read(store, found, lease):
            return leased
    return []


def mark(store: Store, leased: LeasedFollowup, fields: Mapping[str, Any], *, gone: Iterable[str] = ()) -> bool:
    """Sets fields of a leased follow-up, removes others, and ends the lease; False if the lease was lost."""
    change = {
        "$set": {f"followups.$.{name}": value for name, value in fields.items()},
        "$unset": {f"followups.$.{name}": "" for name in ("lease", *gone)},
    }
    with store.operation():
        changed = store.collection(OUTREACH.collection).update_one(_ours(leased), change)
    return changed.matched_count == 1


def set_admitted(store: Store, batch: Sequence[LeasedFollowup]) -> None:
    """States on leased follow-ups that the sending limits have counted them, so that no other worker counts again."""
    _update(store, [(leased, {"$set": {"followups.$.admitted": True}}) for leased in batch])


def give_back(store: Store, batch: Sequence[tuple[LeasedFollowup, Collection[str]]]) -> None:
    """Queues leased follow-ups that were not begun again, as they were before, without the fields that each loses."""
    _update(store, [(leased, _as_before(leased, gone)) for leased, gone in batch])


def _as_before(leased: LeasedFollowup, gone: Collection[str]) -> Document:
    return {
        "$set": {"followups.$.state": QUEUED, "followups.$.not_before": leased.due},
        "$inc": {"followups.$.attempts": -1},
        "$unset": {f"followups.$.{name}": "" for name in ("lease", *gone)},
    }


def _find_due(store: Store, due: Query, timestamp: dt.datetime, max_count: int) -> dict[str, Document]:
    """Returns the due follow-up of each of the outreaches that have waited longest, by the outreach's id."""
    with store.operation():
        outreaches = store.collection(OUTREACH.collection)
        # Without a sort: the index has the states in the order of `not_before`.
        found = outreaches.find({"followups": {"$elemMatch": due}}, {"followups": 1}, limit=max_count)
        return {each["_id"]: _due_entry(each, due, timestamp) for each in found.max_time_ms(READ_MS)}


def _due_entry(outreach: Document, due: Query, timestamp: dt.datetime) -> Document:
    """Returns the first follow-up that is due: the one that `$` means in an update."""
    return next(
        each
        for each in outreach["followups"]
        if each["state"] == due["state"]
        and each["kind"] in due["kind"]["$in"]
        and each.get("not_before", dt.datetime.max) <= timestamp
    )


def _first_of_each_lease(found: Mapping[str, Document]) -> set[str]:
    """Returns the ids of the outreaches whose follow-up may have been sent under its lost lease."""
    first: dict[str, str] = {}
    for outreach_id in sorted(found):
        first.setdefault(found[outreach_id]["lease"], outreach_id)
    return set(first.values())


def _lease(
    store: Store, ids: Collection[str], due: Query, lease: str, ends: dt.datetime, counted: Document | None = None
) -> None:
    if not ids:
        return
    change = {
        "$set": {"followups.$.state": LEASED, "followups.$.not_before": ends, "followups.$.lease": lease},
        "$inc": {"followups.$.attempts": 1, **(counted or {})},
    }
    with store.operation():
        still_due = {"_id": {"$in": list(ids)}, "followups": {"$elemMatch": due}}
        store.collection(OUTREACH.collection).update_many(still_due, change)


def _read(store: Store, found: Mapping[str, Document], lease: str) -> list[LeasedFollowup]:
    """Returns the follow-ups that have the lease, in the order of their outreaches' ids."""
    with store.operation():
        query = {"_id": {"$in": list(found)}, "followups.lease": lease}
        outreaches = store.collection(OUTREACH.collection).find(query).sort("_id", ASCENDING).max_time_ms(READ_MS)
        return [
            LeasedFollowup(each, entry, found[each["_id"]]["not_before"])
            for each in outreaches
            for entry in each["followups"]
            if entry.get("lease") == lease
        ]


def _update(store: Store, changes: Sequence[tuple[LeasedFollowup, Document]]) -> None:
    """Makes each change, if the lease is still valid."""
    if changes:
        updates = [UpdateOne(_ours(leased), change) for leased, change in changes]
        with store.operation():
            store.collection(OUTREACH.collection).bulk_write(updates, ordered=False)


def _ours(leased: LeasedFollowup) -> Document:
    ours = {"_id": leased.followup["_id"], "lease": leased.lease}
    return {"_id": leased.outreach["_id"], "followups": {"$elemMatch": ours}}
