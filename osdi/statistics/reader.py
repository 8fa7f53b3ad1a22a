"""Reads a campaign's statistics: each day is counted once, and later outreaches are added when it is read.

The process: the campaign's invalidations are applied. The rollups of the days and of their range are loaded, and those
that are not stored are counted by the database. Outreaches behind a rollup's last id are read and added to it. When
they are many the rollups are saved, but never to within SETTLED of now, since ids are given before they are committed
(see osdi.crud.totals_store). So no outreach pays for being counted. docs/decisions/0017-statistics.md has the reasons.
"""

import datetime as dt
import time
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Final

from osdi.documents import Document
from osdi.errors import OsdiError, unavailable
from osdi.ids import id_before, now
from osdi.resources import OUTREACH
from osdi.statistics import rollup_store
from osdi.statistics.days import Interval
from osdi.statistics.invalidation import COUNTED
from osdi.statistics.invalidation_store import HOURS, apply_invalidations
from osdi.statistics.range_cache import RangeCache
from osdi.statistics.rollups import DAY, RANGE, Reading, Rollup
from osdi.statistics.tally import Tally
from osdi.store import Store
from osdi.store.store import SETTLED

# The number of later outreaches that are read at once, and from which on the rollups are saved with them.
AT_ONCE: Final = 5_000
SAVED_FROM: Final = 500

# The number of rollups that are counted before they are saved; that may take a second.
COUNTED_AT_ONCE: Final = 10

# The first reading of a large campaign stops after this time; a repeat goes on with what was saved.
SECONDS: Final = 12.0

Earlier = Mapping[str, Sequence[Document]]


class StatisticsReader:
    """Reads the statistics of campaigns in one store; remembers sums of days between two readings.

    Threads may share it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._range_cache = RangeCache()

    def first_date(self, campaign_id: str, interval: Interval) -> dt.datetime | None:
        """Returns the earliest `action_date` (naive UTC) of the campaign's outreaches in the interval, or None."""
        query = Rollup(campaign_id, RANGE, interval).selected
        found = self._store.find_one(OUTREACH.collection, query, sort=("action_date",), fields=("action_date",))
        return found["action_date"] if found else None

    def count(self, campaign_id: str, days: Sequence[Interval]) -> tuple[list[Tally], Tally]:
        """Returns the outreaches and people of each of these days, which follow one another, and all numbers of all.

        Raises OsdiError 503 while there is more to count than one request can; a repeat goes on.
        """
        ends = time.monotonic() + SECONDS
        settled = id_before(now() - SETTLED)
        included = apply_invalidations(self._store, campaign_id, settled)
        reading = Reading.of(campaign_id, days)
        summed = self._recall(reading)
        if summed is None or not self._add_later(reading, settled, ends, may_save=False):
            reading = Reading.of(campaign_id, days)
            self._load(reading.rollups, settled, ends, included)
            self._remember(reading)
            summed = Tally()
            self._add_later(reading, settled, ends)
        whole = Tally(people=reading.whole.tally.people)
        for tally in (summed, *(day.tally for day in reading.days)):
            whole.plus(tally)
        return [day.tally for day in reading.days], whole

    def _recall(self, reading: Reading) -> Tally | None:
        """Loads the rollups without values, and returns the sum of their values if that is remembered, else None."""
        if not self._range_cache.knows(reading.whole.rollup_id):
            return None
        if rollup_store.load(self._store, reading.rollups, values=False):
            return None
        return self._range_cache.of(reading.whole.rollup_id, reading.revisions)

    def _remember(self, reading: Reading) -> None:
        """Remembers the sum of the days' values."""
        if not all(each.stored for each in reading.rollups):
            return
        summed = Tally()
        for day in reading.days:
            summed.plus(day.tally)
        summed.outreaches = 0  # each day's rollup has them
        self._range_cache.remember(reading.whole.rollup_id, reading.revisions, summed)

    def _load(self, rollups: Sequence[Rollup], settled: str, ends: float, included: list[str]) -> None:
        """Loads the rollups, and counts and saves those that are not stored. Raises OsdiError 503."""
        if self._store.in_memory:
            return  # mongomock cannot run the aggregations, so every outreach is added one by one
        missing = rollup_store.load(self._store, rollups)
        if not missing:
            return
        rollup_store.make_room(self._store, rollups[0].campaign_id, len(missing))
        for start in range(0, len(missing), COUNTED_AT_ONCE):
            several = missing[start : start + COUNTED_AT_ONCE]
            for each in several:
                each.invalidations = included[-HOURS:]
                rollup_store.count_anew(self._store, each, settled)
            rollup_store.save(self._store, several)
            if time.monotonic() > ends and start + COUNTED_AT_ONCE < len(missing):
                raise _not_ready()

    def _add_later(self, reading: Reading, settled: str, ends: float, *, may_save: bool = True) -> bool:
        """Adds the outreaches that the rollups have not counted, and saves the rollups if these are many and settled.

        Returns False, with some of them not added, if the rollups ought to be saved and `may_save` is False.
        """
        rollups, whole = reading.rollups, reading.whole
        if not rollups:
            return True
        counted_to = {each.rollup_id: each.through for each in rollups}
        latest = max(counted_to.values())
        after = min(counted_to.values())
        waiting = 0
        while True:
            later = self._later(whole.campaign_id, after)
            earlier = self._earlier(whole, later, latest)
            added = [each for each in later if each["_id"] <= settled]
            done = len(later) < AT_ONCE
            _add(added, rollups, whole, counted_to, earlier)
            waiting += len(added)
            if added and (waiting > SAVED_FROM or not done):
                if not may_save:
                    return False
                through = settled if len(added) < len(later) or done else added[-1]["_id"]
                rollup_store.save(self._store, rollups, through)
                waiting = 0
            _add(later[len(added) :], rollups, whole, counted_to, earlier)
            if done:
                return True
            if time.monotonic() > ends:
                raise _not_ready()
            after = later[-1]["_id"]

    def _later(self, campaign_id: str, after: str) -> list[Document]:
        """Returns the next outreaches of a campaign behind an id."""
        behind = {"advocacy_campaign_id": campaign_id, "_id": {"$gt": after}}
        return self._store.find(OUTREACH.collection, behind, sort=("_id",), limit=AT_ONCE, fields=COUNTED)

    def _earlier(self, whole: Rollup, later: Sequence[Document], through: str) -> Earlier:
        """Returns the other outreaches of these people in the range that a rollup may have counted, by person."""
        people = {each["person_id"] for each in later if "person_id" in each}
        found: dict[str, list[Document]] = {}
        if people and through:
            query = {"person_id": {"$in": list(people)}, "_id": {"$lte": through}} | whole.selected
            for each in self._store.find(OUTREACH.collection, query, fields=("person_id", "action_date")):
                found.setdefault(each["person_id"], []).append(each)
        return found


def _add(
    outreaches: Sequence[Document],
    rollups: Sequence[Rollup],
    whole: Rollup,
    counted_to: Mapping[str, str],
    earlier: Earlier,
) -> None:
    """Adds each outreach to the rollup of its day and to that of the range, unless they have counted it."""
    days = [each for each in rollups if each.kind == DAY]
    starts = [each.interval.start for each in days]
    for outreach in outreaches:
        timestamp = outreach.get("action_date")
        if timestamp is None or not whole.interval.start <= timestamp < whole.interval.end:
            continue
        for rollup in (days[bisect_right(starts, timestamp) - 1], whole):
            counted = counted_to[rollup.rollup_id]
            if outreach["_id"] > counted:
                rollup.add(outreach, new_person=_is_new(outreach.get("person_id"), rollup, counted, earlier))


def _is_new(person_id: str | None, rollup: Rollup, counted: str, earlier: Earlier) -> bool:
    """True if the rollup has not counted the person yet; it has from now on."""
    if person_id is None or person_id in rollup.seen:
        return False
    rollup.seen.add(person_id)
    interval = rollup.interval
    return not any(
        each["_id"] <= counted and interval.start <= each["action_date"] < interval.end
        for each in earlier.get(person_id, ())
    )


def _not_ready() -> OsdiError:
    return unavailable("Statistics are still being computed; retry in 1 s.", seconds=1)
