"""An import in batches of which many cannot be stored, and which is closed and resumed, stores the same as row by row.

Single rows, storing and reading ahead happen at the same time, so the failures are random.
"""

import csv
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.errors import DatabaseUnavailable, WriteConflict
from osdi.importing import file_import, importer
from osdi.importing.batches import row_batches
from osdi.importing.batches.batch_store import BatchStore, BatchTooLarge
from osdi.importing.batches.row_batches import RowBatches
from osdi.importing.batches.single_rows import one_by_one
from osdi.importing.csv_files.column_mapping import OUTREACHES, PEOPLE
from osdi.importing.csv_files.encoding import survey
from osdi.importing.importer import Choices, row_importers
from osdi.importing.rejected_rows import RejectedFile
from osdi.importing.report import Report
from osdi.importing.sources import CsvChoices, CsvSource, Item, NdjsonSource, Source
from osdi.settings import Settings
from osdi.store import Insert, Store, Update
from osdi.store.indexes import SUPPRESSIONS
from schemas.import_bodies import load_body
from tests.importing.test_batches import (  # noqa: F401  # `before` and `one_second` are fixtures
    before,
    contents,
    deployment,
    one_second,
)
from tests.support import factories
from tests.support.client import Client

COLUMNS = (
    "email",
    "email2",
    "phone",
    "postal_code",
    "tags",
    "identifiers",
    "status",
    "do_not_call",
    "opted_out",
    "fish",
)
MAPPED = {"email2": "email_addresses[1].address", "status": "email_addresses[0].status", "opted_out": "opted_out"}
BEFORE_STORING, AFTER_STORING, CONFLICT = "unavailable before storing", "unavailable after storing", "conflict"
EMAIL = {"email_addresses": [{"address": "a@example.com"}]}
TOO_LARGE, CLOSED = "too large", "closed"


def people_file(path: Path, seed: int) -> Path:
    """A file with 70 rows of eight people, who opt out and subscribe, and share addresses and identifiers."""
    rng = random.Random(seed)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for _ in range(70):
            person, other = rng.randrange(8), rng.randrange(8)
            choices = (
                (f"p{person}@example.com", f"p{person}@example.com", "", "x"),
                ("", f"q{other}@example.com"),
                ("", f"+1202555{person:04}"),
                ("", f"{person:05}"),
                ("", f"tag{rng.randrange(20)}"),
                ("", f"crm:{person}", f"crm:{other}"),
                ("", "", "", "subscribed", "unsubscribed"),
                ("", "", "yes"),
                ("", "", "", "yes"),
                ("", "trout", f"fish {rng.randrange(3)}"),
            )
            writer.writerow([rng.choice(each) for each in choices])
    return path


class Failures:
    """Failures of an import in a random order; `noted` has those that happened."""

    def __init__(self, seed: int) -> None:
        self._lock = threading.Lock()
        self.noted: list[str] = []
        self.is_storing = False
        rng = random.Random(seed)

        def shuffled(*failures: str, successes: int) -> Iterator[str | None]:
            return cycle(rng.sample([*failures, *[None] * successes], len(failures) + successes))

        self._of_storing = shuffled(CONFLICT, BEFORE_STORING, AFTER_STORING, successes=3)
        self._of_reading = shuffled(TOO_LARGE, successes=6)
        self._of_going_on = shuffled(CLOSED, successes=4)

    def next_of(self, failures: Iterator[str | None]) -> str | None:
        """Returns the next one of the failures, or None."""
        with self._lock:
            if (failure := next(failures)) is not None:
                self.noted.append(failure)
            return failure

    def closes(self) -> bool:
        """True if the import is closed now."""
        return self.next_of(self._of_going_on) is not None

    def install(self, patch: pytest.MonkeyPatch) -> None:
        write_in_bulk, read_ahead = Store.write_in_bulk, row_batches.read_ahead

        def write(store: Store, writes: Any) -> None:
            failure = self.next_of(self._of_storing)
            if failure == CONFLICT:
                raise WriteConflict
            if failure == BEFORE_STORING:
                raise DatabaseUnavailable
            self.is_storing = True
            try:
                write_in_bulk(store, writes)
            finally:
                self.is_storing = False
            if failure == AFTER_STORING:
                raise DatabaseUnavailable

        def read(*given: Any) -> None:
            if self.next_of(self._of_reading):
                raise BatchTooLarge
            read_ahead(*given)

        patch.setattr(Store, "write_in_bulk", write)
        patch.setattr(row_batches, "read_ahead", read)


def imported(
    store: Store, database: Database, file: Path, threads: int, failures: Failures | None = None
) -> tuple[dict[str, Any], str, dict[str, list[Any]]]:
    """Returns the report, the rejected rows and all documents; with failures the import is closed and resumed."""
    report, rejected = Report(), RejectedFile(file.with_name(f"{database.name}.csv"), list(COLUMNS), ",")
    ended = False
    while not ended:
        source = CsvSource(file, survey(file), PEOPLE, CsvChoices(mapped=MAPPED), "osdi_outreach", None)
        settings = Settings(mongodb_uri=store.uri, cache_seconds=5)
        rows = row_importers(store, settings, load_body, Choices(create_tags=True), (PEOPLE,))[PEOPLE]
        rows.wait_seconds = 0
        groups = file_import.import_groups(source, rows, rejected, report, threads=threads)
        ended = True
        for _ in groups:
            assert failures is None or not failures.is_storing
            if failures and failures.closes():
                ended = False
                break
        groups.close()
        assert not [each.name for each in threading.enumerate() if each.name.startswith("import")]
        source.close()
    rejected.close()
    return report.kept(), rejected.path.read_text() if rejected.path else "", contents(database)


@pytest.mark.parametrize(("seed", "size", "threads"), [(1, 2, 1), (2, 5, 4), (3, 8, 4)])
def test_failures_make_no_difference(
    mongod: Mongod,
    before: dict[str, Any],  # noqa: F811
    one_second: None,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    seed: int,
    size: int,
    threads: int,
) -> None:
    for name, rows in (("FIRST_ROWS", size), ("MIN_ROWS", 2), ("MAX_ROWS", size)):
        monkeypatch.setattr(row_batches, name, rows)
    file, failures = people_file(tmp_path / "a.csv", seed), Failures(seed)
    with deployment(mongod, "batches", before) as (store, database), monkeypatch.context() as patch:
        failures.install(patch)
        in_batches = imported(store, database, file, threads, failures)
    monkeypatch.setattr(RowBatches, "imported", lambda self, items: one_by_one(items, self._importer, self._pool))
    with deployment(mongod, "single_rows", before) as (store, database):
        row_by_row = imported(store, database, file, 1)

    assert in_batches == row_by_row
    assert {CONFLICT, BEFORE_STORING, AFTER_STORING, TOO_LARGE, CLOSED} == set(failures.noted)


def import_all(
    store: Store, source: Source, kind: str, report: Report, campaign_id: str | None = None, *, threads: int = 1
) -> None:
    settings = Settings(mongodb_uri=store.uri, cache_seconds=5)
    rows = row_importers(store, settings, load_body, Choices(campaign_id), (kind,))[kind]
    rows.wait_seconds = 1
    rejected = RejectedFile(Path("/dev/null/no row is rejected"), None, ",")
    for _ in file_import.import_groups(source, rows, rejected, report, threads=threads):
        pass


def csv_source(path: Path, text: str) -> CsvSource:
    path.write_text(text)
    return CsvSource(path, survey(path), PEOPLE, CsvChoices(mapped={}), "osdi_outreach", None)


def batches_of(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    for name in ("FIRST_ROWS", "MIN_ROWS", "MAX_ROWS"):
        monkeypatch.setattr(row_batches, name, rows)


def before_reading(monkeypatch: pytest.MonkeyPatch, batch: int, act: Callable[[], Any]) -> None:
    """Acts once, before the batch with this number reads ahead."""
    numbers, original = iter(range(1_000)), row_batches.read_ahead

    def read_ahead(*given: Any) -> None:
        if next(numbers) == batch:
            act()
        original(*given)

    monkeypatch.setattr(row_batches, "read_ahead", read_ahead)


def test_a_match_key_that_moves_between_two_readings_does_not_end_the_import(
    api: Client, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The first batch has read the address at one person, the second one at another."""

    def person(*names: str) -> dict[str, Any]:
        return api.created("/people", {"email_addresses": [{"address": f"{name}@example.com"} for name in names]})

    def move() -> None:
        assert api.delete(one["_links"]["self"]["href"]).status_code == 200
        person("b", "moved")

    batches_of(monkeypatch, 2)
    one, _ = person("a", "moved"), person("b")
    before_reading(monkeypatch, 1, move)
    text = "email,fish\na@example.com,1\nc@example.com,2\nb@example.com,3\nd@example.com,4\n"

    with closing(csv_source(tmp_path / "a.csv", text)) as source:
        import_all(store, source, PEOPLE, Report())

    found = {each["email_addresses"][0]["address"][0]: each["custom_fields"]["fish"] for each in database.people.find()}
    assert found == {"a": "1", "b": "3", "c": "2", "d": "4"}


def test_rows_that_were_read_before_a_late_commit_are_imported_again(
    api: Client, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The first batch changes a person, and the third one changes them back. The commit of the first one takes long."""
    held: list[Any] = []
    has_read = threading.Event()
    write_in_bulk, was_flushed, read_ahead = store.write_in_bulk, BatchStore.was_flushed, row_batches.read_ahead

    def write(writes: Any) -> None:
        if not held:
            held.append(writes)
            raise DatabaseUnavailable
        write_in_bulk(writes)

    def look(batch: BatchStore) -> bool:
        assert has_read.wait(10)
        write_in_bulk(held[0])
        return was_flushed(batch)

    def read(batch: BatchStore, rows: Any, tombstone_ids: Any) -> None:
        read_ahead(batch, rows, tombstone_ids)
        if held:
            has_read.set()

    batches_of(monkeypatch, 1)
    api.created("/people", {**EMAIL, "custom_fields": {"fish": "old"}})
    monkeypatch.setattr(store, "write_in_bulk", write)
    monkeypatch.setattr(BatchStore, "was_flushed", look)
    monkeypatch.setattr(row_batches, "read_ahead", read)
    text = "email,fish\na@example.com,new\nb@example.com,other\na@example.com,old\n"

    with closing(csv_source(tmp_path / "a.csv", text)) as source:
        import_all(store, source, PEOPLE, report := Report())

    assert {name: count for name, count in report.kept()["people"].items() if count} == {"created": 1, "changed": 2}
    found = database.people.find_one({"match_keys": "email:a@example.com"})
    assert found is not None
    assert found["custom_fields"] == {"fish": "old"}


def test_a_link_is_to_the_person_that_the_second_attempt_has_created(
    api: Client, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The first attempt, in a batch that is not stored, has created the person with another id."""

    def fail(writes: Any) -> None:
        raise WriteConflict

    batches_of(monkeypatch, 2)
    monkeypatch.setattr(store, "write_in_bulk", fail)
    namespace = Settings(mongodb_uri=store.uri).match_key_rules.namespace
    first = {**factories.by_email("a@example.com"), "identifiers": ["crm:1"]}
    first["person"]["identifiers"] = [f"{namespace}:77"]
    link = {"osdi:person": {"href": "https://osdi.example.org/api/v1/people/77"}}
    file = tmp_path / "a.ndjson"
    file.write_text("".join(json.dumps(each) + "\n" for each in (first, {"identifiers": ["crm:2"], "_links": link})))

    with closing(NdjsonSource(file, OUTREACHES)) as source:
        import_all(store, source, OUTREACHES, report := Report(), api.campaign_id)

    assert report.kept()["rejections"] == []
    (person,) = database.people.find()
    assert [each["person_id"] for each in database.outreaches.find()] == [person["_id"]] * 2


def test_the_rows_of_a_batch_that_cannot_be_stored_are_imported_in_their_order(
    api: Client, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Also two rows of one person that share no match key."""

    def fail(writes: Any) -> None:
        raise WriteConflict

    def slow_at_first(store: Store, find: Any, body: Any, *given: Any, **named: Any) -> Any:
        if "email_addresses" in body["person"]:
            time.sleep(0.3)
        return sign_up(store, find, body, *given, **named)

    sign_up = importer.sign_up
    monkeypatch.setattr(store, "write_in_bulk", fail)
    monkeypatch.setattr(importer, "sign_up", slow_at_first)
    api.created("/people", {**EMAIL, "phone_numbers": [{"number": "+12025550001"}]})
    text = "email,phone,fish\na@example.com,,first\n,+12025550001,second\n"

    with closing(csv_source(tmp_path / "a.csv", text)) as source:
        import_all(store, source, PEOPLE, Report(), threads=4)

    (person,) = database.people.find()
    assert person["custom_fields"] == {"fish": "second"}


def test_what_was_stored_before_the_source_fails_is_counted(
    store: Store, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    batches_of(monkeypatch, 2)
    source = csv_source(tmp_path / "a.csv", "email\n" + "".join(f"p{number}@example.com\n" for number in range(20)))
    items = source.items

    def failing() -> Iterator[Item]:
        for number, item in enumerate(items()):
            if number == 9:
                raise OSError("The disk fails.")
            yield item

    monkeypatch.setattr(source, "items", failing)
    report = Report()

    with closing(source), pytest.raises(OSError, match="The disk fails"):
        import_all(store, source, PEOPLE, report)

    assert report.rows == database.people.count_documents({}) > 0


class TestWasFlushed:
    """`was_flushed` tells if a flush of unknown outcome has stored the writes."""

    def test_an_opt_out_of_another_client_says_nothing(self, store: Store) -> None:
        batch = BatchStore(store)
        batch.write(Insert(SUPPRESSIONS, {"_id": "digest", "version": 1, "history": ["file"]}))
        store.write(Insert(SUPPRESSIONS, {"_id": "digest", "version": 1, "history": ["client"]}))
        assert not batch.was_flushed()
        batch.write(Insert("people", {"_id": "person", "version": 1}))
        assert not batch.was_flushed()

    def test_an_own_opt_out_tells(self, store: Store) -> None:
        batch = BatchStore(store)
        batch.write(Insert(SUPPRESSIONS, {"_id": "digest", "version": 1, "history": ["file"]}))
        batch.flush()
        assert batch.was_flushed()

    def test_an_update_tells(self, store: Store, database: Database) -> None:
        store.write(Insert("people", {"_id": "person", "version": 1, "name": "Ann"}))
        batch = BatchStore(store)
        batch.write(Update("people", "person", 1, {"name": "Bo"}))
        assert not batch.was_flushed()
        batch.flush()
        assert batch.was_flushed()
        database.people.update_one({}, {"$set": {"webhook_events": []}})  # the worker has sent them
        assert batch.was_flushed()
