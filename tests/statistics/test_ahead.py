"""The worker counts statistics before somebody reads them, so that no reading has much to count."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from osdi.crud.delete import delete
from osdi.crud.totals_store import recount
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH
from osdi.statistics import ahead, invalidation_store, reader, rollup_store
from osdi.statistics.ahead import StatisticsAhead
from osdi.statistics.query import read_statistics
from osdi.statistics.reader import NotReady, StatisticsReader
from osdi.store import Insert, Store
from osdi.store.indexes import STATISTICS
from tests.statistics.test_reader import CAMPAIGN, Clock, empty, record

UTC, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")
LARGE = 5
NOON = dt.datetime(2026, 11, 20, 12)


class Machine:
    """The clock by which the worker makes its pauses."""

    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (ahead, reader, invalidation_store):
        monkeypatch.setattr(module, "now", clock.now)
    monkeypatch.setattr("osdi.statistics.invalidation.new_id", clock.new_id)
    monkeypatch.setattr("osdi.statistics.query.time_in", lambda zone: clock.timestamp.replace(tzinfo=zone))
    monkeypatch.setattr(ahead, "SAVED_FROM", LARGE - 1)
    return clock


@pytest.fixture
def store(mongod: Any) -> Iterator[Store]:
    store = Store(mongod.uri.replace("/osdi?", "/statistics_ahead?"))
    store.create_indexes()
    empty(store)
    store.delete_many(ADVOCACY_CAMPAIGN.collection, {})
    for campaign_id in (CAMPAIGN, "small"):
        store.write(
            Insert(ADVOCACY_CAMPAIGN.collection, {"_id": campaign_id, "version": 1, "match_keys": [campaign_id]})
        )
    yield store
    store.close()


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def worker(store: Store, machine: Machine) -> StatisticsAhead:
    return StatisticsAhead(store, BERLIN, clock=machine)


def recorded(store: Store, clock: Clock, number: int = LARGE) -> list[str]:
    """Records outreaches of as many people on two days, and waits until they are settled; returns their ids."""
    ids = [record(store, clock, NOON + dt.timedelta(days=each % 2), f"person-{each}")["_id"] for each in range(number)]
    clock.timestamp += dt.timedelta(seconds=300)
    return ids


def count_ahead(worker: StatisticsAhead, machine: Machine) -> int:
    """Lets the worker do all that is due after a while; returns how often it did something."""
    machine.seconds += 60
    for done in range(100):
        if not worker.do_next():
            return done
    raise AssertionError("The worker finds no end.")


def people(store: Store, zone: ZoneInfo = UTC) -> int:
    found: int = read_statistics(StatisticsReader(store, seconds=600), CAMPAIGN, None, None, zone)["total"]["people"]
    return found


def rollups(store: Store, campaign_id: str = CAMPAIGN) -> int:
    return len(store.find(STATISTICS, {"advocacy_campaign_id": campaign_id}))


@pytest.fixture
def only_by_worker(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Returns a function after which nothing can be counted anew."""

    def forbid() -> None:
        def count_anew(*_: Any) -> None:
            raise AssertionError("A reader counts a whole day.")

        monkeypatch.setattr(rollup_store, "count_anew", count_anew)

    return forbid


@pytest.mark.parametrize("zone", [UTC, BERLIN])
def test_a_reader_finds_all_days_counted(
    store: Store,
    clock: Clock,
    worker: StatisticsAhead,
    machine: Machine,
    only_by_worker: Callable[[], None],
    zone: ZoneInfo,
) -> None:
    recorded(store, clock)

    assert count_ahead(worker, machine) == 1

    only_by_worker()
    assert people(store, zone) == LARGE


def test_a_small_campaign_is_counted_when_it_is_read(
    store: Store, clock: Clock, worker: StatisticsAhead, machine: Machine
) -> None:
    recorded(store, clock, LARGE - 1)

    assert count_ahead(worker, machine) == 0
    assert rollups(store) == 0

    recorded(store, clock, 1)

    assert count_ahead(worker, machine) == 1
    assert rollups(store) > 0


def _delete_one(store: Store, ids: list[str]) -> None:
    delete(store, OUTREACH, ids[0])


def _recount(store: Store, ids: list[str]) -> None:
    recount(store)


@pytest.mark.parametrize(("change", "left"), [(_delete_one, LARGE - 1), (_recount, LARGE)])
def test_lost_days_are_counted_again(
    store: Store,
    clock: Clock,
    worker: StatisticsAhead,
    machine: Machine,
    only_by_worker: Callable[[], None],
    change: Callable[[Store, list[str]], None],
    left: int,
) -> None:
    ids = recorded(store, clock)
    count_ahead(worker, machine)

    change(store, ids)
    assert count_ahead(worker, machine) == 1

    only_by_worker()
    assert people(store) == left


def test_a_campaign_is_left_alone_for_a_while_after_it_was_read(
    store: Store, clock: Clock, worker: StatisticsAhead, machine: Machine
) -> None:
    recorded(store, clock)
    count_ahead(worker, machine)
    recorded(store, clock)
    machine.seconds += ahead.MIN_PAUSE_SECONDS / 2

    assert not worker.do_next()

    machine.seconds += ahead.MIN_PAUSE_SECONDS
    assert worker.do_next()


def test_an_interrupted_reading_goes_on(
    store: Store, clock: Clock, machine: Machine, monkeypatch: pytest.MonkeyPatch, only_by_worker: Callable[[], None]
) -> None:
    monkeypatch.setattr(ahead, "SLICE_SECONDS", -1.0)
    monkeypatch.setattr(reader, "COUNTED_AT_ONCE", 1)
    worker = StatisticsAhead(store, BERLIN, clock=machine)
    recorded(store, clock)

    assert count_ahead(worker, machine) > 2

    only_by_worker()
    assert people(store) == LARGE


def test_a_deleted_campaign_gets_no_rollups(
    store: Store, clock: Clock, worker: StatisticsAhead, machine: Machine
) -> None:
    recorded(store, clock)
    count_ahead(worker, machine)

    delete(store, ADVOCACY_CAMPAIGN, CAMPAIGN, force=True)
    recorded(store, clock)  # by a process that does not know it yet
    count_ahead(worker, machine)

    assert rollups(store) == 0


def test_two_workers_count_the_same(store: Store, clock: Clock, machine: Machine) -> None:
    recorded(store, clock)
    workers = [StatisticsAhead(store, BERLIN, clock=machine) for _ in range(2)]
    for each in workers:
        count_ahead(each, machine)

    assert people(store) == LARGE


def test_a_request_does_not_wait_for_a_large_count(store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """This is what the worker prevents."""
    monkeypatch.setattr(reader, "FIRST_READING_SECONDS", -1.0)
    monkeypatch.setattr(reader, "COUNTED_AT_ONCE", 1)
    recorded(store, clock)

    with pytest.raises(NotReady):
        read_statistics(StatisticsReader(store), CAMPAIGN, None, None, UTC)
