"""Applies retention: deletes old texts of outreaches, completes erasures and deletions, drops stale rollups.

Workers do this regularly, and the command `apply-retention` does it once. Batches are small, so that requests do not
wait for them.
"""

import datetime as dt
import time
from typing import Final

from osdi import log
from osdi.crud.delete import complete_next_deletion
from osdi.ids import id_before, now
from osdi.privacy import retention_store
from osdi.privacy.erasure import finish_next_erasure
from osdi.settings import Settings
from osdi.statistics.invalidation_store import drop_stale_rollups
from osdi.store import Store
from osdi.store.store import SETTLED

TEXTS_SECONDS: Final = 3_600.0
ERASURES_SECONDS: Final = 30.0
BATCH: Final = 500

# Interval of a full pass over all outreaches: a restore, for instance, adds outreaches with older ids.
AGAIN: Final = dt.timedelta(days=7)


class Retention:
    """Applies retention, one batch at a time."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._rules = settings.match_key_rules
        self._days = settings.retain_message_days
        self._erasures_after = float("-inf")
        self._texts_after = float("-inf")

    def do_next(self) -> bool:
        """Processes one batch if one is due; False if nothing is left. Raises OsdiError 503."""
        if time.monotonic() >= self._erasures_after:
            if finish_next_erasure(self._store, self._rules, now()) or complete_next_deletion(self._store, now()):
                return True
            drop_stale_rollups(self._store)
            self._erasures_after = time.monotonic() + ERASURES_SECONDS
        if not self._days or time.monotonic() < self._texts_after:
            return False
        checked, dropped = drop_old_texts(self._store, self._days, now())
        if dropped:
            log.logger().info("retention", outreaches=dropped)
        if not checked:
            self._texts_after = time.monotonic() + TEXTS_SECONDS
        return checked > 0


def drop_old_texts(store: Store, days: int, timestamp: dt.datetime) -> tuple[int, int]:
    """Deletes subject, message and notes of one batch of outreaches that were recorded more than `days` ago.

    Returns the number of checked outreaches (0 if all are done) and the number of changed ones. Raises OsdiError 503.
    """
    marks = retention_store.marks(store)
    if marks is None:
        # Outreaches that change from now on are checked again.
        marks = {"began": timestamp, "through": "", "changed": {"date": timestamp, "id": ""}}
        retention_store.move_marks(store, marks)
    oldest_kept = id_before(timestamp - dt.timedelta(days=days))
    ids = retention_store.outreaches_between(store, marks["through"], oldest_kept, BATCH)
    if ids:
        dropped = retention_store.drop_texts(store, ids, timestamp)
        retention_store.move_marks(store, {"through": ids[-1]})
        return len(ids), dropped
    since, after = marks["changed"]["date"], marks["changed"]["id"]
    changed = retention_store.outreaches_changed(store, since, after, timestamp - SETTLED, BATCH)
    if not changed and timestamp - marks["began"] >= AGAIN:
        retention_store.move_marks(store, {"began": timestamp, "through": ""})
        return drop_old_texts(store, days, timestamp)
    if not changed:
        return 0, 0
    dropped = retention_store.drop_texts(store, [each for _, each in changed if each < oldest_kept], timestamp)
    retention_store.move_marks(store, {"changed": {"date": changed[-1][0], "id": changed[-1][1]}})
    return len(changed), dropped
