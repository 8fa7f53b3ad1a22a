"""Reads a campaign's statistics: each day is counted once, and later outreaches are added when it is read.

The process: the campaign's invalidations are applied. The rollups of the days are loaded, and those that are not stored
are counted by the database. Outreaches behind a rollup's last id are read and added to it. When they are many the
rollups are saved, but never to within SETTLED of now, since ids are given before they are committed (see
osdi.crud.totals_store). So no outreach pays for being counted. docs/decisions/0017-statistics.md and 0046 have the
reasons.
"""

import datetime as dt
import time
from collections.abc import Sequence, Set
from typing import Final

from osdi.documents import Document
from osdi.errors import ErrorDescription, OsdiError
from osdi.ids import id_before, now
from osdi.resources import OUTREACH
from osdi.statistics import rollup_store
from osdi.statistics.days import Calendar, Interval
from osdi.statistics.invalidation import COUNTED
from osdi.statistics.invalidation_store import Included, apply_invalidations
from osdi.statistics.people import Acts, gaps
from osdi.statistics.range_cache import RangeCache
from osdi.statistics.rollups import Reading, Rollup
from osdi.statistics.tally import Tally
from osdi.store import Store
from osdi.store.store import SETTLED

# The number of later outreaches that are read at once, and from which on the rollups are saved with them.
BATCH: Final = 5_000
SAVED_FROM: Final = 500

# The number of rollups that are counted before they are saved; that may take a second.
COUNTED_AT_ONCE: Final = 10

# The first reading of a large campaign stops after this time; a repeat goes on with what was saved.
FIRST_READING_SECONDS: Final = 12.0


class NotReady(OsdiError):
    """There is more to count than one request can: 503. A repeat goes on with what was saved."""

    def __init__(self) -> None:
        message = "Statistics are still being computed; retry in 1 s."
        super().__init__(503, ErrorDescription("UNAVAILABLE", message), headers={"Retry-After": "1"})


class StatisticsReader:
    """Reads the statistics of campaigns in one store; remembers sums of days between two readings.

    Threads may share it.
    """

    def __init__(self, store: Store, *, seconds: float | None = None) -> None:
        """`seconds` is the time after which a reading stops that has much to count; default: FIRST_READING_SECONDS."""
        self._store = store
        self._seconds = seconds
        self._range_cache = RangeCache()

    def first_date(self, campaign_id: str, interval: Interval) -> dt.datetime | None:
        """Returns the earliest `action_date` (naive UTC) of the campaign's outreaches in the interval, or None."""
        query = Rollup(campaign_id, "", interval).selected
        found = self._store.find_one(OUTREACH.collection, query, sort=("action_date",), fields=("action_date",))
        return found["action_date"] if found else None

    def count(self, campaign_id: str, calendar: Calendar) -> tuple[list[Tally], Tally]:
        """Returns the outreaches and people of each day of a calendar, and all numbers of all days.

        Raises NotReady while there is more to count than one request can; a repeat goes on.
        """
        ends = time.monotonic() + (FIRST_READING_SECONDS if self._seconds is None else self._seconds)
        settled = id_before(now() - SETTLED)
        included = apply_invalidations(self._store, campaign_id, settled)
        reading = Reading.of(campaign_id, calendar)
        summed = self._recall(reading)
        if summed is None or not self._add_later(reading, settled, ends, may_save=False):
            reading = Reading.of(campaign_id, calendar)
            self._load(reading, settled, ends, included)
            self._remember(reading)
            summed = Tally()
            self._add_later(reading, settled, ends)
        whole = Tally(people=reading.people)
        for tally in (summed, *(day.tally for day in reading.days)):
            whole.plus(tally)
        return [day.tally for day in reading.days], whole

    def _recall(self, reading: Reading) -> Tally | None:
        """Loads the rollups without values, and returns the sum of their values if that is remembered, else None."""
        if not self._range_cache.knows(reading.reading_id):
            return None
        if rollup_store.load(self._store, reading.rollups, values=False):
            return None
        return self._range_cache.of(reading.reading_id, reading.revisions)

    def _remember(self, reading: Reading) -> None:
        """Remembers the sum of the days' values."""
        if not all(each.stored for each in reading.rollups):
            return
        summed = Tally()
        for day in reading.days:
            summed.plus(day.tally)
        summed.outreaches = 0  # each day's rollup has them
        self._range_cache.remember(reading.reading_id, reading.revisions, summed)

    def _load(self, reading: Reading, settled: str, ends: float, included: Included) -> None:
        """Loads the rollups, and counts and saves those that are not stored. Raises NotReady."""
        if self._store.in_memory:
            return  # mongomock cannot run the aggregations, so every outreach is added one by one
        missing = rollup_store.load(self._store, reading.rollups)
        if not missing:
            return
        rollup_store.make_room(self._store, reading.campaign_id, len(missing))
        for start in range(0, len(missing), COUNTED_AT_ONCE):
            several = missing[start : start + COUNTED_AT_ONCE]
            for each in several:
                each.invalidations = included.within(each.interval)
                rollup_store.count_anew(self._store, each, settled, reading.calendar)
            rollup_store.save(self._store, several)
            if time.monotonic() > ends and start + COUNTED_AT_ONCE < len(missing):
                raise NotReady()

    def _add_later(self, reading: Reading, settled: str, ends: float, *, may_save: bool = True) -> bool:
        """Adds the outreaches that the rollups have not counted, and saves the rollups if these are many and settled.

        Returns False, with some of them not added, if the rollups ought to be saved and `may_save` is False.
        """
        rollups = reading.rollups
        if not rollups:
            return True
        adding = _Adding(self._store, reading)
        after = min(each.through for each in rollups)
        waiting = 0
        while True:
            later = self._later(reading.campaign_id, after)
            settled_ones = [each for each in later if each["_id"] <= settled]
            done = len(later) < BATCH
            adding.add(settled_ones)
            waiting += len(settled_ones)
            if settled_ones and (waiting > SAVED_FROM or not done):
                if not may_save:
                    return False
                through = settled if len(settled_ones) < len(later) or done else settled_ones[-1]["_id"]
                rollup_store.save(self._store, rollups, through)
                waiting = 0
            adding.add(later[len(settled_ones) :])
            if done:
                return True
            if time.monotonic() > ends:
                raise NotReady()
            after = later[-1]["_id"]

    def _later(self, campaign_id: str, after: str) -> list[Document]:
        """Returns the next outreaches of a campaign behind an id."""
        behind = {"advocacy_campaign_id": campaign_id, "_id": {"$gt": after}}
        return self._store.find(OUTREACH.collection, behind, sort=("_id",), limit=BATCH, fields=COUNTED)


class _Adding:
    """Adds outreaches to the rollups of a reading that have not counted them, batch by batch in the order of ids."""

    def __init__(self, store: Store, reading: Reading) -> None:
        self._store = store
        self._reading = reading
        # Up to which ids the rollups had counted when they were loaded, and the later ids that were added since.
        self._counted_to = {number: each.through for number, each in reading.by_number.items() if each.lasts}
        self._added: set[str] = set()

    def add(self, outreaches: Sequence[Document]) -> None:
        """Adds a batch."""
        people = set()
        for each in outreaches:
            number = self._reading.calendar.number_of(each.get("action_date"))
            if number is None:
                continue
            if number in self._counted_to and each["_id"] > self._counted_to[number]:
                self._reading.by_number[number].add(each)
            if "person_id" in each:
                people.add(each["person_id"])
        batch = {each["_id"] for each in outreaches}
        acts = rollup_store.acts_of(self._store, self._reading.campaign_id, sorted(people), self._reading.calendar)
        self._add_people(acts, batch)
        self._added |= batch

    def _add_people(self, acts: Acts, batch: Set[str]) -> None:
        """Counts people with the outreaches of a batch, besides those that the rollups had counted and `_added`."""
        for through in set(self._counted_to.values()):
            for theirs in acts.values():
                known = [number for each, number in theirs if each <= through or each in self._added]
                new = [number for each, number in theirs if each > through and each in batch]
                if new:
                    self._move_person(through, gaps(known), gaps([*known, *new]))

    def _move_person(self, through: str, before: dict[int, int], after: dict[int, int]) -> None:
        for number, gap in after.items():
            if self._counted_to.get(number) == through:
                self._reading.by_number[number].move_person(before.get(number), gap)
