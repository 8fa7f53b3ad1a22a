"""Keeping no longer than is said: texts of outreaches after RETAIN_MESSAGE_DAYS, what erasures have left, and what
statistics have counted of words that outreaches no longer say.

Workers do it from time to time, or the command `apply-retention`: in small batches, so that no request waits for it.
"""

import datetime as dt
import time
from typing import Final

from osdi import log
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

# So often all is looked through again, should outreaches have come with older ids, as by a restore.
AGAIN: Final = dt.timedelta(days=7)


class Retention:
    """Drops what is no longer to be kept, one batch at a time."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._rules = settings.match_key_rules
        self._days = settings.retain_message_days
        self._erasures_after = float("-inf")
        self._texts_after = float("-inf")

    def do_next(self) -> bool:
        """Do one batch where it is time; False where nothing is left. Raises OsdiError 503."""
        if time.monotonic() >= self._erasures_after:
            if finish_next_erasure(self._store, self._rules, now()):
                return True
            drop_stale_rollups(self._store)
            self._erasures_after = time.monotonic() + ERASURES_SECONDS
        if not self._days or time.monotonic() < self._texts_after:
            return False
        looked_at, dropped = drop_old_texts(self._store, self._days, now())
        if dropped:
            log.logger().info("retention", outreaches=dropped)
        if not looked_at:
            self._texts_after = time.monotonic() + TEXTS_SECONDS
        return looked_at > 0


def drop_old_texts(store: Store, days: int, timestamp: dt.datetime) -> tuple[int, int]:
    """Drop subject, message and notes of outreaches that came more than `days` ago: of one batch.

    Returns how many were looked at, none where all are done, and how many had some. Raises OsdiError 503.
    """
    marks = retention_store.marks(store)
    if marks is None:
        # What changes from now on has to be looked at again.
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
