"""Counts statistics before somebody reads them: the worker's part, which keeps every reading short.

The worker notices which campaigns have many outreaches that no rollup has counted, and the rollups of which large
campaigns an invalidation or `recount` has deleted. It reads their statistics as a client would, in UTC and in the
deployment's zone, and so stores the rollups. If it does not run, or dies in between, the numbers are the same: a reader
counts what is missing.
"""

import time
from collections import Counter
from collections.abc import Callable
from typing import Final
from zoneinfo import ZoneInfo

from osdi.ids import id_before, now
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.statistics.invalidation_store import latest_invalidations
from osdi.statistics.query import read_statistics
from osdi.statistics.reader import SAVED_FROM, NotReady, StatisticsReader
from osdi.statistics.recent_store import outreaches_between, outreaches_of_each
from osdi.statistics.rollup_store import campaigns_with_rollups
from osdi.store import Store
from osdi.store.store import SETTLED

LOOK_SECONDS: Final = 5.0
# After a longer time without a look, the outreaches of each campaign are counted anew.
MAX_SECONDS: Final = 600.0
# A reading is interrupted after this time, so that the worker can stop.
SLICE_SECONDS: Final = 5.0
# The pause after a campaign's statistics were read: as a multiple of the time that this took, and at least.
PAUSE: Final = 20.0
MIN_PAUSE_SECONDS: Final = 10.0


class StatisticsAhead:
    """Reads the statistics of campaigns for which this is due. Only one thread may use it."""

    def __init__(self, store: Store, zone: ZoneInfo, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._zones = tuple(dict.fromkeys((ZoneInfo("UTC"), zone)))
        self._reader = StatisticsReader(store, seconds=SLICE_SECONDS)
        self._clock = clock
        self._looked_at = float("-inf")
        # The id up to which outreaches were noticed, and how many came to each campaign since its last reading.
        self._noticed = ""
        self._waiting: Counter[str] = Counter()
        self._invalidations: dict[str, str] = {}
        # When the statistics of each large campaign may be read again, and those that shall be.
        self._not_before: dict[str, float] = {}
        self._due: set[str] = set()

    def do_next(self) -> bool:
        """Reads the statistics of one campaign; False if none is due. Raises OsdiError 503."""
        if self._clock() >= self._looked_at + LOOK_SECONDS:
            self._look()
        due = (each for each in sorted(self._due) if self._clock() >= self._not_before.get(each, 0.0))
        campaign_id = next(due, None)
        if campaign_id is None:
            return False
        if self._store.get(ADVOCACY_CAMPAIGN.collection, campaign_id) is None:
            self._forget(campaign_id)
            return True
        began = self._clock()
        try:
            for zone in self._zones:
                read_statistics(self._reader, campaign_id, None, None, zone)
        except NotReady:
            return True
        self._due.discard(campaign_id)
        self._waiting[campaign_id] = 0
        ended = self._clock()
        self._not_before[campaign_id] = ended + max(MIN_PAUSE_SECONDS, PAUSE * (ended - began))
        return True

    def _look(self) -> None:
        """Notices which campaigns are due: many outreaches came to them, or a large one has lost rollups."""
        settled = id_before(now() - SETTLED)
        if self._clock() > self._looked_at + MAX_SECONDS:
            self._waiting = outreaches_of_each(self._store, settled, max_count=SAVED_FROM + 1)
        else:
            self._waiting.update(outreaches_between(self._store, self._noticed, settled))
        self._noticed, self._looked_at = settled, self._clock()
        self._due.update(each for each, number in self._waiting.items() if number > SAVED_FROM)
        invalidations = latest_invalidations(self._store)
        for each in {*invalidations, *self._invalidations} & self._not_before.keys():
            if invalidations.get(each) != self._invalidations.get(each):
                self._due.add(each)
        self._invalidations = invalidations
        self._due.update(self._not_before.keys() - campaigns_with_rollups(self._store))

    def _forget(self, campaign_id: str) -> None:
        """Forgets a campaign that was deleted."""
        self._due.discard(campaign_id)
        self._waiting.pop(campaign_id, None)
        self._not_before.pop(campaign_id, None)
