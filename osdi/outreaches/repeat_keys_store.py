"""Removes the keys by which double clicks were recognised, once they no longer count: the worker's task.

So the index of match keys holds those of the last minute only, and no digest of a sender stays in an outreach.
"""

import time
from typing import Final

from osdi.outreaches.idempotency import REPEAT, oldest_repeat
from osdi.resources import OUTREACH
from osdi.store import Store
from osdi.store.indexes import MATCH_KEYS

BATCH: Final = 500
PAUSE_SECONDS: Final = 30.0
IS_REPEAT: Final = {"$regex": f"^{REPEAT}"}


class RepeatKeys:
    """Removes expired repeat keys, a batch at a time."""

    def __init__(self, store: Store, repeat_seconds: float) -> None:
        self._store = store
        self._repeat_seconds = repeat_seconds
        self._next = 0.0

    def do_next(self) -> bool:
        """Removes a batch of keys every PAUSE_SECONDS; returns True if there may be more. Raises OsdiError 503."""
        if time.monotonic() < self._next:
            return False
        removed = self.remove_expired()
        if removed < BATCH:
            self._next = time.monotonic() + PAUSE_SECONDS
        return removed == BATCH

    def remove_expired(self) -> int:
        """Removes at most BATCH keys; returns their number. Clients do not see the keys, so the version stays."""
        old = {"match_keys": IS_REPEAT, "_id": {"$lt": oldest_repeat(self._repeat_seconds)}}
        with self._store.operation():
            outreaches = self._store.collection(OUTREACH.collection)
            # Without the hint the database might read all old outreaches in the order of their ids.
            found = outreaches.find(old, {"_id": 1}).hint([(field, 1) for field in MATCH_KEYS.fields]).limit(BATCH)
            ids = [each["_id"] for each in found]
            if ids:
                outreaches.update_many({"_id": {"$in": ids}}, {"$pull": {"match_keys": IS_REPEAT}})
        return len(ids)
