"""A database that is away for longer than an election: who asks is told at once, until it is back."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.errors import OsdiError, RaceLost
from osdi.store import Insert, Store, Update, deadline
from tests.databases import SMALL_JOURNAL

PATIENCE_MS = 1_500
AT_ONCE_SECONDS = 0.5
SECONDS = 30

# A process that is in the middle of a transaction until it is killed.
IN_A_TRANSACTION = """
import sys, time
from osdi.store import Store, Update
store = Store(sys.argv[1])
with store._session() as session:
    store._apply(Update("people", "jane", 1, {"given_name": "Abandoned"}), session)
    print("has written", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def own(mongod_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A mongod that a test may end, and which keeps the locks of a lost transaction as long as MongoDB's default."""
    folder = mongod_folder / tmp_path_factory.mktemp("own").name
    with Mongod(folder, transaction_seconds=60, options=SMALL_JOURNAL) as mongod:
        yield mongod


@pytest.fixture
def own_store(own: Mongod, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr("osdi.store.driver.SERVER_SELECTION_TIMEOUT_MS", PATIENCE_MS)
    store = Store(own.uri)
    store.write(Insert("people", {"_id": "jane", "version": 1}))
    yield store
    store.close()


def seconds_until_refused(store: Store) -> float:
    """How long an operation took to be refused with 503."""
    began = time.monotonic()
    with pytest.raises(OsdiError) as caught:
        store.get("people", "jane")
    assert (caught.value.status, "Retry-After" in caught.value.headers) == (503, True)
    return time.monotonic() - began


def eventually(condition: Callable[[], bool]) -> bool:
    ends = time.monotonic() + SECONDS
    while not (found := condition()) and time.monotonic() < ends:
        time.sleep(0.1)
    return found


def is_back(store: Store) -> bool:
    try:
        return store.get("people", "jane") is not None
    except OsdiError:
        return False


def test_the_first_waits_those_behind_are_told_at_once_and_it_goes_on_when_the_database_is_back(
    own: Mongod, own_store: Store
) -> None:
    own.stop()

    first = seconds_until_refused(own_store)
    assert AT_ONCE_SECONDS < first < PATIENCE_MS / 1000 + 3
    assert eventually(lambda: seconds_until_refused(own_store) < AT_ONCE_SECONDS)
    assert max(seconds_until_refused(own_store) for _ in range(20)) < AT_ONCE_SECONDS

    own.start()
    assert eventually(lambda: is_back(own_store))


def test_an_outage_that_is_shorter_than_the_patience_is_not_noticed(
    own: Mongod, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(own.uri)
    try:
        store.write(Insert("people", {"_id": "jane", "version": 1}))
        own.stop()
        own.start()

        assert is_back(store)
    finally:
        store.close()


def test_locks_of_a_process_that_was_killed_in_a_transaction_are_ended(own: Mongod, own_store: Store) -> None:
    assert own_store.commits_together
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
    """Whether a transaction about the person whom the other one has changed went through."""
    try:
        store.write(
            Update("people", "jane", 1, {"given_name": "Jane"}), Insert("people", {"_id": "john", "version": 1})
        )
    except RaceLost:
        return False
    return True


def test_a_transaction_that_goes_on_is_left_alone(own_store: Store) -> None:
    with own_store._session() as session:
        own_store._apply(Update("people", "jane", 1, {"given_name": "First"}), session)
        assert not has_written_jane_and_john(own_store)

    assert own_store.get("people", "jane") == {"_id": "jane", "version": 2, "given_name": "First"}


class TestARequestThatHasWaited:
    """Is answered by a moment, however many operations it goes on with."""

    @pytest.fixture(autouse=True)
    def soon(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setattr(deadline, "SLOW_SECONDS", 0.1)
        monkeypatch.setattr(deadline, "ANSWER_SECONDS", 0.6)
        yield
        deadline.end()

    def test_waits_no_longer_than_what_is_left(
        self, mongod: Mongod, database: Database, fail: Callable[..., None]
    ) -> None:
        store = Store(mongod.uri)
        try:
            assert store.get("people", "jane") is None
            fail("alwaysOn", ["find"], blockConnection=True, blockTimeMS=3_000)
            deadline.begin()
            time.sleep(0.2)

            assert seconds_until_refused(store) < 1.5
        finally:
            store.close()

    def test_while_whoever_asks_without_a_request_takes_their_time(
        self, mongod: Mongod, database: Database, fail: Callable[..., None]
    ) -> None:
        store = Store(mongod.uri)
        try:
            assert store.get("people", "jane") is None
            fail({"times": 1}, ["find"], blockConnection=True, blockTimeMS=1_500)
            deadline.begin()
            deadline.end()
            time.sleep(0.2)

            assert store.get("people", "jane") is None
        finally:
            store.close()
