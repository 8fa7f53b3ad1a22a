"""Writes of several threads at once are done in groups, and each thread gets the result of its own."""

import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from pymongo import monitoring
from pymongo.client_session import ClientSession

from dev.mongod import Mongod
from osdi.errors import DatabaseUnavailable, DuplicateKey, OsdiError, WriteConflict
from osdi.store import Insert, Store, Update, Write, request_deadline
from osdi.store.transactions import group_commit
from osdi.store.transactions.group_commit import MAX_GROUP, GroupCommit, Writes
from tests.support.databases import own_database
from tests.support.waiting import eventually

THREADS = 12


def insert(document_id: str, *match_keys: str, collection: str = "people", **fields: Any) -> Insert:
    return Insert(collection, {"_id": document_id, "version": 1, "match_keys": [document_id, *match_keys], **fields})


def with_outreach(write: Insert | Update) -> tuple[Write, ...]:
    """Returns a write of a person, and one of an outreach."""
    return write, insert(f"of-{write.document_id}", collection="outreaches")


class Recorder:
    """Records writes in place of a database. `begun` is set by each, and each waits for `released`."""

    def __init__(self) -> None:
        self.alone: list[Writes] = []
        self.groups: list[list[Writes]] = []
        self.begun = threading.Event()
        self.released = threading.Event()
        self.error: BaseException | None = None
        self.commit = GroupCommit(self.write_one, self.write_group)

    def write_one(self, writes: Writes) -> None:
        self.alone.append(writes)
        self.begun.set()
        assert self.released.wait(60)

    def write_group(self, group: Sequence[Writes]) -> None:
        self.groups.append(list(group))
        assert self.released.wait(60)
        if self.error is not None:
            raise self.error


def named(name: str) -> Writes:
    return (insert(name),)


def end_thread(*_: object) -> None:
    raise KeyboardInterrupt


@contextmanager
def writing(recorder: Recorder, names: Sequence[str]) -> Iterator[dict[str, Future[None]]]:
    """Yields the results of writes that wait for a first one, which ends with the block."""
    with ThreadPoolExecutor(len(names) + 1) as threads:
        results = {"first": threads.submit(recorder.commit.write, named("first"))}
        assert recorder.begun.wait(60)
        for number, name in enumerate(names, start=1):
            results[name] = threads.submit(recorder.commit.write, named(name))
            assert eventually(lambda number=number: recorder.commit.waiting == number)  # type: ignore[misc]
        try:
            yield results
        finally:
            recorder.released.set()


@pytest.fixture
def one_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets one group be written at once, and threads wait for it as long as a test takes."""
    monkeypatch.setattr(group_commit, "MAX_GROUPS", 1)
    monkeypatch.setattr(group_commit, "MAX_WAIT_SECONDS", 60)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.mark.usefixtures("one_at_once")
class TestOneGroupAtOnce:
    def test_a_write_without_others_is_done_alone_at_once(self, recorder: Recorder) -> None:
        recorder.released.set()

        recorder.commit.write(named("a"))
        recorder.commit.write(named("b"))

        assert (recorder.alone, recorder.groups) == ([named("a"), named("b")], [])

    def test_writes_that_come_meanwhile_are_done_together_in_their_order(self, recorder: Recorder) -> None:
        with writing(recorder, ["a", "b", "c"]):
            assert (recorder.alone, recorder.groups) == ([named("first")], [])

        assert recorder.groups == [[named("a"), named("b"), named("c")]]
        assert recorder.alone == [named("first")]

    def test_a_group_is_bounded(self, recorder: Recorder) -> None:
        names = [f"{number:02}" for number in range(MAX_GROUP + 2)]

        with writing(recorder, names):
            pass

        assert [len(each) for each in recorder.groups] == [MAX_GROUP, 2]

    def test_the_next_write_after_a_group_is_done_alone(self, recorder: Recorder) -> None:
        with writing(recorder, ["a", "b"]):
            pass

        recorder.commit.write(named("c"))

        assert recorder.alone == [named("first"), named("c")]
        assert recorder.commit.waiting == 0

    @pytest.mark.parametrize("error", [WriteConflict(), DuplicateKey(), OsdiError(413)])
    def test_a_group_that_is_rejected_is_written_by_each_alone(self, recorder: Recorder, error: Exception) -> None:
        recorder.error = error

        with writing(recorder, ["a", "b"]) as results:
            pass

        assert sorted(map(str, recorder.alone)) == sorted(map(str, map(named, ["a", "b", "first"])))
        assert all(each.exception() is None for each in results.values())

    @pytest.mark.parametrize("error", [DatabaseUnavailable(), OsdiError(500), MemoryError(), ValueError()])
    def test_after_any_other_error_nothing_is_written_again(self, recorder: Recorder, error: Exception) -> None:
        recorder.error = error

        with writing(recorder, ["a", "b"]) as results:
            pass

        assert recorder.alone == [named("first")]
        assert [type(results[name].exception()) for name in "ab"] == [DatabaseUnavailable] * 2
        assert results["a"].exception() is not results["b"].exception()
        assert all(getattr(results[name].exception(), "__cause__", None) is error for name in "ab")

    def test_a_thread_that_ends_amid_its_group_leaves_the_others_an_unknown_outcome(self, recorder: Recorder) -> None:
        recorder.error = SystemExit()

        with writing(recorder, ["a", "b"]) as results:
            pass

        # The last one of a group writes for all.
        assert [type(results[name].exception()) for name in "ab"] == [DatabaseUnavailable, SystemExit]
        recorder.commit.write(named("c"))
        assert recorder.alone == [named("first"), named("c")]

    def test_a_thread_that_is_ended_while_it_waits_leaves_the_others_to_themselves(
        self, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with writing(recorder, ["a"]) as results:
            monkeypatch.setattr(recorder.commit, "_wait", end_thread)
            with pytest.raises(KeyboardInterrupt):
                recorder.commit.write(named("ended"))
            assert recorder.commit.waiting == 1

        assert results["a"].exception() is None
        assert recorder.alone == [named("first"), named("a")]

    def test_a_thread_that_is_ended_when_it_should_write_for_a_group_lets_each_write_alone(
        self, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waits = recorder.commit._wait

        def wait_and_end(pending: Any) -> None:
            waits(pending)
            if pending.group and pending.writes == named("b"):
                end_thread()

        monkeypatch.setattr(recorder.commit, "_wait", wait_and_end)
        with writing(recorder, ["a", "b"]) as results:
            pass

        assert [type(results[name].exception()) for name in "ab"] == [type(None), KeyboardInterrupt]
        assert recorder.alone == [named("first"), named("a")]
        recorder.commit.write(named("c"))

    def test_an_error_of_a_write_alone_lets_the_next_one_begin(self, recorder: Recorder) -> None:
        def reject(writes: Writes) -> None:
            raise WriteConflict

        commit = GroupCommit(reject, recorder.write_group)

        for _ in range(2):
            with pytest.raises(WriteConflict):
                commit.write(named("a"))


def test_a_second_group_begins_meanwhile_once_two_threads_wait(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MAX_WAIT_SECONDS", 60)
    with ThreadPoolExecutor(6) as threads:
        threads.submit(recorder.commit.write, named("first"))
        assert recorder.begun.wait(60)
        threads.submit(recorder.commit.write, named("a"))
        assert eventually(lambda: recorder.commit.waiting == 1)
        threads.submit(recorder.commit.write, named("b"))
        assert eventually(lambda: recorder.groups == [[named("a"), named("b")]])
        for number, name in enumerate("cde", start=1):
            threads.submit(recorder.commit.write, named(name))
            assert eventually(lambda number=number: recorder.commit.waiting == number)  # type: ignore[misc]
        assert len(recorder.groups) == 1
        recorder.released.set()

    assert recorder.groups[1:] == [[named("c"), named("d"), named("e")]]
    assert recorder.alone == [named("first")]


def test_a_thread_that_waits_for_long_writes_alone(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MAX_WAIT_SECONDS", 0.05)
    with ThreadPoolExecutor(2) as threads:
        results = [threads.submit(recorder.commit.write, named(each)) for each in ("a", "b")]
        assert eventually(lambda: len(recorder.alone) == 2)
        recorder.released.set()

    assert all(each.exception() is None for each in results)
    assert (recorder.groups, recorder.commit.waiting) == ([], 0)


def test_a_request_that_is_late_waits_for_no_other(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_deadline, "left", lambda: 0.5)
    with ThreadPoolExecutor(2) as threads:
        for each in ("a", "b"):
            threads.submit(recorder.commit.write, named(each))
        assert eventually(lambda: len(recorder.alone) == 2)
        recorder.released.set()

    assert recorder.groups == []


class Commands(monitoring.CommandListener):
    """Counts the commands that are sent."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.sent[event.command_name] += 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Does nothing: the tests count sent commands only."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Does nothing: the tests count sent commands only."""


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Counts the commands of each store that the test makes."""
    recorded = Commands()
    monkeypatch.setattr(monitoring, "_LISTENERS", monitoring._LISTENERS._replace(command_listeners=[recorded]))
    return recorded


@pytest.fixture
def store(mongod: Mongod, commands: Commands) -> Iterator[Store]:
    with own_database(mongod.uri, "group_commit") as (store, _):
        assert store.supports_transactions
        commands.sent.clear()
        yield store


@pytest.mark.usefixtures("one_at_once")
class TestOnMongod:
    def together(self, store: Store, *calls: tuple[Write, ...]) -> list[BaseException | None]:
        """Makes the calls of `Store.write` while another one is being done; returns the error of each."""
        begun, released = threading.Event(), threading.Event()
        write_one = store._group_commit._write_one

        def hold_the_first(writes: Writes) -> None:
            if writes == first:
                begun.set()
                assert released.wait(60)
            write_one(writes)

        first = with_outreach(insert("first"))
        store._group_commit._write_one = hold_the_first  # type: ignore[method-assign]
        with ThreadPoolExecutor(len(calls) + 1) as threads:
            results = [threads.submit(store.write, *first)]
            assert begun.wait(60)
            for number, call in enumerate(calls, start=1):
                results.append(threads.submit(store.write, *call))
                assert eventually(lambda number=number: store._group_commit.waiting == number)  # type: ignore[misc]
            released.set()
            error, *errors = [each.exception() for each in results]
        assert error is None
        return errors

    def test_a_group_is_one_transaction(self, store: Store, commands: Commands) -> None:
        assert self.together(store, *[with_outreach(insert(name)) for name in "abc"]) == [None] * 3

        assert (store.count("people", {}), store.count("outreaches", {})) == (4, 4)
        # Those of the first write, and those of the group.
        assert (commands.sent["insert"], commands.sent["commitTransaction"]) == (2 + 2, 1 + 1)

    def test_single_writes_are_in_no_group(self, store: Store, commands: Commands) -> None:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(store.write, [insert(name, collection="outreaches") for name in "abcd"]))

        assert (commands.sent["insert"], commands.sent["commitTransaction"]) == (4, 0)

    CASES = {
        "a known match key": (insert("b", "taken"), DuplicateKey),
        "another version": (Update("people", "known", 7, {}), WriteConflict),
        "a person who is gone": (Update("people", "gone", 1, {}), WriteConflict),
        "a person who is too large": (Update("people", "known", 1, {"a": "x" * 17_000_000}), OsdiError),
        "a large new person": (insert("b", text="x" * 17_000_000), OsdiError),
    }

    @pytest.mark.parametrize(("wrong", "error"), CASES.values(), ids=CASES)
    def test_writes_that_are_rejected_cost_the_others_nothing(
        self, store: Store, wrong: Write, error: type[Exception]
    ) -> None:
        store.write(insert("known", "taken"))

        results = self.together(store, *[with_outreach(each) for each in (insert("a"), wrong, insert("c"))])

        assert [type(each) for each in results] == [type(None), error, type(None)]
        assert {each["_id"] for each in store.find("people", {})} == {"known", "first", "a", "c"}
        assert {each["_id"] for each in store.find("outreaches", {})} == {"of-first", "of-a", "of-c"}

    def test_after_an_error_that_came_when_the_group_was_stored_nothing_is_written_again(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commit = ClientSession.commit_transaction

        def fail_afterwards(session: ClientSession) -> None:
            commit(session)
            if store.count("people", {}) > 1:
                raise MemoryError

        monkeypatch.setattr(ClientSession, "commit_transaction", fail_afterwards)

        results = self.together(store, *[with_outreach(insert(name)) for name in "ab"])

        assert [type(each) for each in results] == [DatabaseUnavailable] * 2
        assert [type(each.__cause__) for each in results if each] == [MemoryError] * 2
        assert (store.count("people", {}), store.count("outreaches", {})) == (3, 3)

    def test_two_changes_of_one_version_conflict(self, store: Store) -> None:
        store.write(insert("jane"))

        changes = [Update("people", "jane", 1, {"number": number}) for number in range(3)]

        results = self.together(
            store, *[(each, insert(f"of-{each.fields}", collection="outreaches")) for each in changes]
        )

        assert sorted(type(each).__name__ for each in results) == ["NoneType", "WriteConflict", "WriteConflict"]
        assert (store.get("people", "jane") or {})["version"] == 2


def test_of_many_threads_each_gets_the_result_of_its_own_writes(store: Store) -> None:
    """Random writes about few people: the database contains what was acknowledged, and nothing else."""
    stored: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    lock = threading.Lock()

    def work(number: int) -> None:
        chance = random.Random(number)
        for step in range(40):
            name, outreach = f"person-{chance.randrange(60)}", f"outreach-{number}-{step}"
            person = store.get("people", name)
            change = (
                Update("people", name, person["version"], {"by": outreach}) if person else insert(name, by=outreach)
            )
            with_person = chance.random() < 0.6
            writes = [insert(outreach, collection="outreaches"), *([change] if with_person else [])]
            try:
                store.write(*writes)
            except WriteConflict:
                rejected[outreach] += 1
                continue
            with lock:
                stored[outreach] += 1
                if with_person:
                    stored[name] += 1

    with ThreadPoolExecutor(THREADS) as threads:
        assert [each.exception() for each in [threads.submit(work, number) for number in range(THREADS)]] == [
            None
        ] * THREADS

    assert {each["_id"] for each in store.find("outreaches", {})} == {each for each in stored if "outreach" in each}
    versions = {each["_id"]: each["version"] for each in store.find("people", {})}
    assert versions == {name: count for name, count in stored.items() if "person" in name}
    assert rejected, "no two threads changed a person at once"
