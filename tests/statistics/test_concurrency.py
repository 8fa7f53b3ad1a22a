"""Statistics equal a recount after writers, readers and killed workers at the same time."""

import datetime as dt
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from osdi.crud.delete import delete
from osdi.crud.put import Change, put
from osdi.errors import OsdiError
from osdi.ids import new_id, now
from osdi.people.outreach_links_store import forget_person, move_outreaches
from osdi.resources import OUTREACH, PERSON
from osdi.statistics import invalidation_store, reader, recent_store, rollup_store
from osdi.statistics.days import Calendar
from osdi.statistics.invalidation_store import complete, invalidate_all
from osdi.statistics.reader import StatisticsReader
from osdi.store import Insert, Store
from tests.statistics.test_reader import CAMPAIGN, created, empty, everything, recount

UTC = ZoneInfo("UTC")
FIRST = dt.date(2026, 11, 1)
CALENDAR = Calendar(FIRST, FIRST + dt.timedelta(days=5), UTC)
PEOPLE = [f"person-{number}" for number in range(12)]
SECONDS = 3.0
# Each thread rests behind an act. Without that the writers use most of the time, and the readers read half as often.
PAUSE_SECONDS = 0.01
ROUNDS = 5
# Writers commit within this time here.
SETTLED = dt.timedelta(seconds=2)

# It imports no test: that would take longer than to count.
KILLED = f"""
import datetime, sys
from zoneinfo import ZoneInfo
from osdi.statistics import reader, rollup_store
from osdi.statistics.days import Calendar
from osdi.store import Store
reader.SAVED_FROM, reader.COUNTED_AT_ONCE = 3, 1
rollup_store.MAX_READ_OUTREACHES = 1
reader.SETTLED = {SETTLED!r}
first, last = {CALENDAR.first!r}, {CALENDAR.last!r}
calendar = Calendar(first, last, ZoneInfo("UTC"))
store = Store(sys.argv[1])
while True:
    reader.StatisticsReader(store, seconds=600).count({CAMPAIGN!r}, calendar)
    print("counted", flush=True)
"""


@pytest.fixture
def store(mongod: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    for module in (reader, recent_store):
        monkeypatch.setattr(module, "SETTLED", SETTLED)
    monkeypatch.setattr(reader, "SAVED_FROM", 3)
    monkeypatch.setattr(recent_store, "EXTENDED_FROM", 3)
    monkeypatch.setattr(reader, "COUNTED_AT_ONCE", 1)
    monkeypatch.setattr(rollup_store, "MAX_READ_OUTREACHES", 1)
    store = Store(mongod.uri.replace("/osdi?", "/statistics_concurrency?"))
    store.create_indexes()
    empty(store)
    yield store
    store.close()


class Writer:
    """Records, changes, deletes and moves outreaches at random."""

    def __init__(self, store: Store, seed: int) -> None:
        self._store = store
        self._rng = random.Random(seed)
        self._ids: list[str] = []

    def __call__(self) -> None:
        acts = (self._record, self._record, self._record, self._change, self._delete, self._move, self._forget)
        self._rng.choices(acts, (40, 40, 40, 20, 20, 3, 1))[0]()

    def _date(self) -> dt.datetime:
        return dt.datetime.combine(FIRST, dt.time()) + dt.timedelta(hours=self._rng.randrange(-24, 7 * 24))

    def _record(self) -> None:
        outreach_id, timestamp = new_id(), now()
        outreach = {
            "_id": outreach_id,
            "version": 1,
            "advocacy_campaign_id": CAMPAIGN,
            "person_id": self._rng.choice(PEOPLE),
            "created_date": timestamp,
            "modified_date": timestamp,
            "action_date": self._date(),
            "match_keys": [f"id:osdi_outreach:{outreach_id}"],
            "type": self._rng.choice(("email", "phone")),
        }
        self._store.write(Insert(OUTREACH.collection, outreach))
        self._ids.append(outreach_id)

    def _change(self) -> None:
        from tests.support.factories import RULES

        if self._ids:
            fields: dict[str, Any] = {"type": self._rng.choice(("email", "fax"))}
            if self._rng.random() < 0.7:
                fields["action_date"] = self._date()
            put(self._store, OUTREACH, self._rng.choice(self._ids), Change(fields), RULES)

    def _delete(self) -> None:
        if self._ids:
            delete(self._store, OUTREACH, self._ids.pop(self._rng.randrange(len(self._ids))))

    def _move(self) -> None:
        move_outreaches(self._store, *self._rng.sample(PEOPLE, 2), now())

    def _forget(self) -> None:
        person = self._rng.choice(PEOPLE)
        invalidated = invalidate_all(self._store, {"person_id": person})
        forget_person(self._store, person, now())
        complete(self._store, invalidated)


def repeat(act: Callable[[], object], until: float, failures: list[BaseException]) -> None:
    while time.monotonic() < until:
        time.sleep(PAUSE_SECONDS)
        try:
            act()
        except OsdiError as error:  # a conflict with another writer
            if error.status not in (404, 409, 503):
                failures.append(error)
                return
        except Exception as error:
            failures.append(error)
            return


def at_the_same_time(acts: Sequence[Callable[[], object]], failures: list[BaseException]) -> None:
    """Repeats each act in a thread of its own for SECONDS."""
    until = time.monotonic() + SECONDS
    threads = [threading.Thread(target=repeat, args=(each, until, failures)) for each in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def compare(store: Store) -> None:
    """Compares twice: what a new reader reads, and what it has remembered."""
    days, everybody, by = recount(everything(store), UTC, CALENDAR.first, CALENDAR.last)
    found = StatisticsReader(store, seconds=600)
    for _ in range(2):
        tallies, whole = found.count(CAMPAIGN, CALENDAR)
        numbers = [days.get(dt.date.fromordinal(number), (0, 0)) for number in CALENDAR.numbers]
        assert [(each.outreaches, each.people) for each in tallies] == numbers
        assert (whole.people, whole.by) == (everybody, by)
    assert recent_store.outreaches_within(store, [CAMPAIGN], [CALENDAR])[CAMPAIGN] == [sum(each for each, _ in numbers)]
    today = Calendar(now().date(), now().date(), UTC)
    for resource in (OUTREACH, PERSON):
        assert recent_store.created_within(store, resource.collection, [today]) == [
            created(everything(store, resource.collection), today)
        ]


@pytest.mark.slow
def test_are_right_after_writers_and_readers_at_the_same_time(store: Store) -> None:
    readers = [StatisticsReader(store) for _ in range(2)]
    today = Calendar(now().date(), now().date(), UTC)
    acts: list[Callable[[], object]] = [
        *(Writer(store, seed) for seed in range(3)),
        *(lambda each=each: each.count(CAMPAIGN, CALENDAR) for each in readers),  # type: ignore[misc]
        lambda: recent_store.outreaches_within(store, [CAMPAIGN], [CALENDAR]),
        lambda: recent_store.created_within(store, OUTREACH.collection, [today]),
        lambda: invalidation_store.drop_stale_rollups(store),
    ]
    failures: list[BaseException] = []
    # On a busy machine the readers have stored no rollup after the first round, and there would be nothing to compare.
    for _ in range(ROUNDS):
        at_the_same_time(acts, failures)
        if rollup := store.find_one("statistics", {"advocacy_campaign_id": CAMPAIGN}):
            break

    assert failures == []
    assert rollup is not None
    compare(store)
    time.sleep(SETTLED.total_seconds() + 1)
    compare(store)


@pytest.mark.slow
@pytest.mark.process
def test_are_right_after_killed_processes(store: Store) -> None:
    writer, failures = Writer(store, 1), list[BaseException]()
    for _ in range(3):
        command = [sys.executable, "-c", KILLED, store.uri]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "counted\n"
            repeat(writer, time.monotonic() + random.Random(process.pid).uniform(0.2, 1.0), failures)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        assert failures == []
        compare(store)
