"""While the database is unavailable for longer than an election, requests fail fast; then they succeed again."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.errors import OsdiError, WriteConflict
from osdi.store import Insert, Store, Update, request_deadline
from tests.support.databases import SMALL_JOURNAL
from tests.support.waiting import eventually

WAIT_MS = 1_500
FAST_SECONDS = 1.0

# A process that stays inside a transaction until it is killed.
IN_A_TRANSACTION = """
import sys, time
from osdi.store import Store, Update
store = Store(sys.argv[1])
with store.transaction() as options:
    store.apply(Update("people", "jane", 1, {"given_name": "Abandoned"}), options)
    print("has written", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def own(mongod_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A mongod that a test may stop, with MongoDB's default lifetime of transactions."""
    folder = mongod_folder / tmp_path_factory.mktemp("own").name
    with Mongod(folder, transaction_seconds=60, options=SMALL_JOURNAL) as mongod:
        yield mongod


@pytest.fixture
def own_store(own: Mongod, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr("osdi.store.driver.SERVER_SELECTION_TIMEOUT_MS", WAIT_MS)
    store = Store(own.uri)
    store.write(Insert("people", {"_id": "jane", "version": 1}))
    yield store
    store.close()


def seconds_until_503(store: Store) -> float:
    """Returns the seconds until an operation failed with 503."""
    began = time.monotonic()
    with pytest.raises(OsdiError) as caught:
        store.get("people", "jane")
    assert (caught.value.status, "Retry-After" in caught.value.headers) == (503, True)
    return time.monotonic() - began


def is_back(store: Store) -> bool:
    try:
        return store.get("people", "jane") is not None
    except OsdiError:
        return False


def test_requests_fail_fast_while_the_database_is_down_and_recover(own: Mongod, own_store: Store) -> None:
    own.stop()

    first = seconds_until_503(own_store)
    assert FAST_SECONDS < first < WAIT_MS / 1000 + 10
    assert eventually(lambda: seconds_until_503(own_store) < FAST_SECONDS)
    assert max(seconds_until_503(own_store) for _ in range(20)) < FAST_SECONDS

    own.start()
    assert eventually(lambda: is_back(own_store))


def test_a_short_outage_causes_no_error(own: Mongod, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(own.uri)
    try:
        store.write(Insert("people", {"_id": "jane", "version": 1}))
        own.stop()
        own.start()

        assert is_back(store)
    finally:
        store.close()


@pytest.mark.slow
def test_locks_of_a_killed_process_are_released(own: Mongod, own_store: Store) -> None:
    assert own_store.supports_transactions
    killed = subprocess.Popen([sys.executable, "-c", IN_A_TRANSACTION, own.uri], stdout=subprocess.PIPE, text=True)
    try:
        assert killed.stdout is not None
        assert killed.stdout.readline() == "has written\n"
    finally:
        killed.kill()
        killed.communicate()

    assert eventually(lambda: has_written_jane_and_john(own_store))
    assert own_store.get("people", "jane") == {"_id": "jane", "version": 2, "given_name": "Jane"}


def has_written_jane_and_john(store: Store) -> bool:
    """True if a transaction succeeded that updates the person of the other transaction."""
    try:
        store.write(
            Update("people", "jane", 1, {"given_name": "Jane"}), Insert("people", {"_id": "john", "version": 1})
        )
    except WriteConflict:
        return False
    return True


def test_an_active_transaction_is_not_ended(own_store: Store) -> None:
    with own_store.transaction() as options:
        own_store.apply(Update("people", "jane", 1, {"given_name": "First"}), options)
        assert not has_written_jane_and_john(own_store)

    assert own_store.get("people", "jane") == {"_id": "jane", "version": 2, "given_name": "First"}


class TestARequestThatHasWaited:
    """A request that has waited gets its response before its deadline, with any number of further operations."""

    @pytest.fixture(autouse=True)
    def short_deadline(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setattr(request_deadline, "SLOW_SECONDS", 0.1)
        monkeypatch.setattr(request_deadline, "RESPONSE_SECONDS", 0.6)
        yield
        request_deadline.end()

    def test_an_operation_waits_for_the_remaining_time_only(
        self, mongod: Mongod, database: Database, fail: Callable[..., None]
    ) -> None:
        store = Store(mongod.uri)
        try:
            assert store.get("people", "jane") is None
            fail("alwaysOn", ["find"], blockConnection=True, blockTimeMS=3_000)
            request_deadline.begin()
            time.sleep(0.2)

            assert seconds_until_503(store) < 2.5
        finally:
            store.close()

    def test_an_operation_outside_a_request_has_no_deadline(
        self, mongod: Mongod, database: Database, fail: Callable[..., None]
    ) -> None:
        store = Store(mongod.uri)
        try:
            assert store.get("people", "jane") is None
            fail({"times": 1}, ["find"], blockConnection=True, blockTimeMS=1_500)
            request_deadline.begin()
            request_deadline.end()
            time.sleep(0.2)

            assert store.get("people", "jane") is None
        finally:
            store.close()
