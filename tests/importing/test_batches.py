"""An import in batches stores and reports the same as an import row by row, also while other clients write.

It makes no difference if a second process loads the rows.
"""

import csv
import random
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from flask import Flask
from pymongo.database import Database

from dev.mongod import Mongod
from osdi import ids
from osdi.access.signing_keys import SUPPRESSION, signing_key
from osdi.errors import DatabaseUnavailable, DuplicateKey, WriteConflict
from osdi.importing import file_import
from osdi.importing.batches import batch_store, row_batches
from osdi.importing.batches.batch_store import BatchStore
from osdi.importing.batches.row_batches import RowBatches
from osdi.importing.batches.single_rows import one_by_one
from osdi.importing.csv_files.column_mapping import OUTREACHES, PEOPLE
from osdi.importing.csv_files.encoding import survey
from osdi.importing.dry_run_store import DryRunStore
from osdi.importing.importer import Choices, row_importers
from osdi.importing.rejected_rows import RejectedFile
from osdi.importing.report import Report
from osdi.importing.sources import CsvChoices, CsvSource
from osdi.settings import Settings
from osdi.store import Insert, Store, Update
from osdi.store.indexes import SIGNING_KEYS
from schemas.import_bodies import load_body
from tests.support import factories
from tests.support.client import Client
from tests.support.databases import own_database

PEOPLE_COLUMNS = (
    *("given_name", "family_name", "email", "email2", "phone", "postal_code", "tags", "lists", "identifiers"),
    *("status", "do_not_call", "opted_out", "fish"),
)
OUTREACH_COLUMNS = (*PEOPLE_COLUMNS[:8], "action_date", "subject", "outreach", "advocacy_campaign_id")
MAPPED = {
    PEOPLE: {"email2": "email_addresses[1].address", "status": "email_addresses[0].status", "opted_out": "opted_out"},
    OUTREACHES: {"email2": "person.email_addresses[1].address", "outreach": "identifiers"},
}
ROWS, PEOPLE_OF_FILE = 80, 10
CAMPAIGN = "the-river"


class Imported(NamedTuple):
    """The results of an import: all documents, the report, the rejected rows, the tags that it has created."""

    documents: dict[str, list[Any]]
    report: dict[str, Any]
    rejected: str
    tags: list[str]


def rows(kind: str, seed: int) -> Iterator[list[str]]:
    """Rows of few people, who share addresses, phones, names and identifiers; some rows are invalid."""
    rng = random.Random(seed)
    earlier: list[list[str]] = []

    def one(*values: str) -> str:
        return rng.choice(values)

    for number in range(ROWS):
        person = rng.randrange(PEOPLE_OF_FILE)
        email = one(
            f"p{person}@example.com", f"P{person}@example.com", "", f"p{rng.randrange(PEOPLE_OF_FILE)}@example.com"
        )
        phone = one("", "", f"+1202555{person:04}", f"+1202555{person // 4:04}", "12")
        row = [
            *(one("Ann", "Bo", f"Given{person}", ""), one("Doe", f"Family{person}", "")),
            one(email, email, email, "nobody at example.com"),
            one("", "", f"q{rng.randrange(PEOPLE_OF_FILE)}@example.com", "planted@example.com"),
            *(phone, one("", "10011", f"{person:05}"), one("", "river", "dam; river", "new"), one("", "news", "none")),
        ]
        if kind == PEOPLE:
            row += [one("", f"crm:{person}", f"crm:{person}", f"crm:{rng.randrange(PEOPLE_OF_FILE)}", "crm:undefined")]
            row += [one("", "", "", "subscribed", "unsubscribed", "bouncing", "perhaps")]
            row += [one("", "", "yes", "no"), one("", "", "", "", "yes"), one("", "salmon", f"trout {number}")]
        else:
            row += [one("2024-05-06", "2024-05-06", ""), one("", "The dam", "The river")]
            row += [one("", f"crm:o{rng.randrange(60)}", "crm:known"), one("", "", CAMPAIGN)]
        row = rng.choice(earlier) if earlier and rng.random() < 0.15 else row
        earlier.append(row)
        yield row


@contextmanager
def deployment(server: Mongod, name: str, documents: dict[str, list[Any]]) -> Iterator[tuple[Store, Database]]:
    with own_database(server.uri, name) as (store, database):
        for collection, found in documents.items():
            if found:
                database[collection].insert_many(found)
        yield store, database


@pytest.fixture
def one_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands still: two opt-outs of one address are of the same second in each import."""
    present = ids.timestamp()
    monkeypatch.setattr(ids, "timestamp", lambda: present)


@pytest.fixture
def before(api: Client, database: Database, settings: Settings) -> dict[str, list[Any]]:
    """A database with people of every kind: posted with and without a token, opted out, erased, with webhooks."""
    api.created("/tags", {"name": "river"})
    api.created("/lists", {"name": "news"})
    api.created("/webhooks", {"url": "https://example.org/hook", "events": ["person_created", "person_updated"]})
    body = {"email_addresses": [{"address": "p1@example.com", "status": "unsubscribed"}], "given_name": "Ann"}
    api.created("/people", {**body, "identifiers": ["crm:1"], "phone_numbers": [{"number": "+12025550001"}]})
    api.created("/people", factories.person(email_addresses=[{"address": "p2@example.com"}], identifiers=["crm:3"]))
    numbers = [{"number": "+12025550003", "do_not_call": True, "sms_capable": False}]
    api.created("/people", factories.person(email_addresses=[{"address": "q3@example.com"}], phone_numbers=numbers))
    erased = api.created("/people", factories.person(email_addresses=[{"address": "p4@example.com"}]))
    assert api.delete(f"{erased['_links']['self']['href']}?erase=true").status_code == 200
    gone = {"email_addresses": [{"address": "p5@example.com", "status": "unsubscribed"}]}
    assert api.delete(api.created("/people", gone)["_links"]["self"]["href"]).status_code == 200
    known = {**factories.by_email("p6@example.com"), "identifiers": ["crm:known"]}
    api.recorded(known)
    anonymous = factories.by_email("p7@example.com")
    anonymous["person"]["email_addresses"][0]["status"] = "bouncing"
    api.recorded(anonymous, token=None)
    database.advocacy_campaigns.update_one({}, {"$push": {"match_keys": f"id:{CAMPAIGN}"}})
    names = ("people", "outreaches", "suppressions", "tombstones", "signing_keys", "tags", "lists", "webhooks")
    return {name: list(database[name].find()) for name in (*names, "advocacy_campaigns")}


def import_file(store: Store, database: Database, file: Path, kind: str, choices: Choices, threads: int) -> Imported:
    """Imports the file as the command does."""
    settings = Settings(mongodb_uri=store.uri, cache_seconds=5)
    names = file.read_text().partition("\n")[0].split(",")
    mapped = {name: field for name, field in MAPPED[kind].items() if name in names}
    source = CsvSource(file, survey(file), kind, CsvChoices(mapped=mapped), "osdi_outreach", None)
    importer = row_importers(store, settings, load_body, choices, (kind,))[kind]
    rejected, report = RejectedFile(file.with_name(f"{database.name}.csv"), source.header, ","), Report()
    for _ in file_import.import_groups(source, importer, rejected, report, threads=threads):
        pass
    rejected.close()
    source.close()
    text = rejected.path.read_text() if rejected.path else ""
    return Imported(contents(database), report.kept(), text, list(importer.created_tags))


def contents(database: Database) -> dict[str, list[Any]]:
    """All documents in the order of their ids, which are replaced by their numbers, and without times."""
    found = {name: list(database[name].find().sort("_id")) for name in sorted(database.list_collection_names())}
    ids: dict[str, str] = {}

    def numbered(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: numbered(each) for name, each in value.items() if not name.endswith(("_date", "since"))}
        if isinstance(value, list):
            return [numbered(each) for each in value]
        if isinstance(value, str):
            return re.sub(
                r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", lambda m: ids.setdefault(m[0], f"#{len(ids)}"), value
            )
        return None if hasattr(value, "isoformat") else value

    return {name: numbered(each) for name, each in found.items() if each}


def written(path: Path, kind: str, seed: int) -> Path:
    with path.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(PEOPLE_COLUMNS if kind == PEOPLE else OUTREACH_COLUMNS)
        writer.writerows(rows(kind, seed))
    return path


def batches_of(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    for name in ("FIRST_ROWS", "MIN_ROWS", "MAX_ROWS"):
        monkeypatch.setattr(row_batches, name, rows)


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("kind", "seed", "size"), [(PEOPLE, 1, 7), (PEOPLE, 2, 512), (OUTREACHES, 3, 40), (OUTREACHES, 4, 512)]
)
def test_batches_store_and_report_the_same_as_single_rows(
    mongod: Mongod,
    before: dict[str, Any],
    one_second: None,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    started: list[int],
    tmp_path: Path,
    kind: str,
    seed: int,
    size: int,
) -> None:
    """Also the versions, events for webhooks, opt-outs, and the order of creation; only ids and times differ."""
    file = written(tmp_path / "people.csv", kind, seed)
    campaign = before["advocacy_campaigns"][0]["_id"]
    choices = Choices(campaign if seed % 2 else None, create_tags=bool(seed % 2), silent=seed in (2, 3))
    batches_of(monkeypatch, size)
    with deployment(mongod, "batches", before) as (store, database):
        in_batches = import_file(store, database, file, kind, choices, 4)
    assert started == []
    request.getfixturevalue("second_process")
    with deployment(mongod, "second_process", before) as (store, database):
        loaded_apart = import_file(store, database, file, kind, choices, 4)
    assert len(started) == 1
    monkeypatch.setattr(RowBatches, "imported", lambda self, items: one_by_one(items, self._importer, self._pool))
    with deployment(mongod, "single_rows", before) as (store, database):
        row_by_row = import_file(store, database, file, kind, choices, 1)

    for each in (in_batches, loaded_apart):
        assert each.report == row_by_row.report
        assert each.rejected == row_by_row.rejected
        assert each.tags == row_by_row.tags
        assert each.documents == row_by_row.documents
    expected = ("created", "changed", "unchanged") if kind == PEOPLE else ("created", "changed")
    assert all(in_batches.report["people"].get(each) for each in expected)
    assert in_batches.report["outreaches"].keys() == (set() if kind == PEOPLE else {"recorded", "known"})
    assert "erased" in {each["reason"] for each in in_batches.report["rejections"]}


@pytest.mark.parametrize(("kind", "seed"), [(PEOPLE, 6), (OUTREACHES, 7)])
def test_batches_that_cannot_be_stored_make_no_difference_to_those_that_are_imported_meanwhile(
    mongod: Mongod,
    before: dict[str, Any],
    one_second: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    kind: str,
    seed: int,
) -> None:
    """Of the batches of six rows every third fails. The next one has read what it has written, and begins again."""
    file = written(tmp_path / "people.csv", kind, seed)
    choices = Choices(before["advocacy_campaigns"][0]["_id"], create_tags=True)
    batches_of(monkeypatch, 6)
    calls = iter(range(1, 1_000))

    def fail_sometimes(store: Store, writes: Any) -> None:
        if next(calls) % 3 == 0:
            raise WriteConflict("Another client was first.")
        original(store, writes)

    original = Store.write_in_bulk
    with deployment(mongod, "batches", before) as (store, database), monkeypatch.context() as patch:
        patch.setattr(Store, "write_in_bulk", fail_sometimes)
        in_batches = import_file(store, database, file, kind, choices, 1)
    assert next(calls) > 10
    monkeypatch.setattr(RowBatches, "imported", lambda self, items: one_by_one(items, self._importer, self._pool))
    with deployment(mongod, "single_rows", before) as (store, database):
        row_by_row = import_file(store, database, file, kind, choices, 1)

    assert in_batches == row_by_row


@pytest.mark.parametrize("processes", [1, 2])
def test_a_check_of_a_file_reports_what_its_import_reports(
    mongod: Mongod,
    before: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    processes: int,
) -> None:
    if processes == 2:
        request.getfixturevalue("second_process")
    file = written(tmp_path / "people.csv", PEOPLE, 5)
    batches_of(monkeypatch, 30)
    with deployment(mongod, "batches", before) as (store, database):
        state = contents(database)
        with closing(DryRunStore(store.uri)) as trial:
            checked = import_file(trial, database, file, PEOPLE, Choices(create_tags=True), 1)
        assert checked.documents == state
        imported = import_file(store, database, file, PEOPLE, Choices(create_tags=True), 4)

    assert checked.report == imported.report
    assert checked.tags == imported.tags


def people_file(path: Path, count: int) -> Path:
    lines = (f"p{number}@example.com,Given,Family{number},yes\n" for number in range(count))
    path.write_text("email,given_name,family_name,from_file\n" + "".join(lines))
    return path


def imported_people(store: Store, database: Database, file: Path) -> dict[str, int]:
    found = import_file(store, database, file, PEOPLE, Choices(), 4)
    assert found.report["rejections"] == found.report["warnings"] == []
    return {name: count for name, count in found.report["people"].items() if count}


def after_reading(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Acts once, after the first batch has read ahead."""
    acts = iter([act])
    original = row_batches.read_ahead

    def read_ahead(*given: Any) -> None:
        original(*given)
        next(acts, lambda: None)()

    monkeypatch.setattr(row_batches, "read_ahead", read_ahead)


def posted(number: int, **fields: Any) -> dict[str, Any]:
    """A body about a person of `people_file`."""
    return {"email_addresses": [{"address": f"p{number}@example.com"}], **fields}


class TestOtherClients:
    """The unique index and the versions decide between a batch and a client that writes at the same time."""

    def test_a_person_who_was_created_meanwhile_is_matched(
        self, api: Client, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        batches_of(monkeypatch, 20)
        after_reading(monkeypatch, lambda: api.created("/people", posted(7, additional_name="Live")))

        assert imported_people(store, database, people_file(tmp_path / "a.csv", 20)) == {"created": 19, "changed": 1}

        (person,) = database.people.find({"match_keys": "email:p7@example.com"})
        assert (person["additional_name"], person["family_name"]) == ("Live", "Family7")
        assert database.people.count_documents({}) == 20

    def test_a_person_who_was_changed_meanwhile_keeps_the_change(
        self, api: Client, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        api.created("/people", posted(7, additional_name="Before"))
        after_reading(monkeypatch, lambda: api.created("/people", posted(7, additional_name="Live")))

        assert imported_people(store, database, people_file(tmp_path / "a.csv", 20)) == {"created": 19, "changed": 1}

        (person,) = database.people.find({"match_keys": "email:p7@example.com"})
        assert (person["additional_name"], person["family_name"], person["version"]) == ("Live", "Family7", 3)

    def test_an_address_that_unsubscribes_meanwhile_stays_unsubscribed(
        self, api: Client, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        subscribed, unsubscribed = (
            {"email_addresses": [{"address": "p7@example.com", "status": status}]}
            for status in ("subscribed", "unsubscribed")
        )
        api.created("/people", subscribed)
        after_reading(monkeypatch, lambda: api.created("/people", unsubscribed))
        file = tmp_path / "a.csv"
        file.write_text("email,family_name,status\np7@example.com,Family,subscribed\n")

        import_file(store, database, file, PEOPLE, Choices(), 4)

        (person,) = database.people.find()
        assert person["email_addresses"] == [{"address": "p7@example.com", "status": "unsubscribed"}]
        assert person["family_name"] == "Family"

    def test_an_outreach_that_was_recorded_meanwhile_is_known(
        self, api: Client, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        body = {**factories.by_email("p7@example.com"), "identifiers": ["crm:7"]}
        after_reading(monkeypatch, lambda: api.recorded(body))
        file = tmp_path / "a.csv"
        lines = (f"p{number}@example.com,crm:{number},2024-05-06\n" for number in range(20))
        file.write_text("email,outreach,action_date\n" + "".join(lines))

        found = import_file(store, database, file, OUTREACHES, Choices(api.campaign_id), 4)

        assert found.report["outreaches"] == {"recorded": 19, "known": 1}
        assert database.outreaches.count_documents({}) == database.people.count_documents({}) == 20

    def test_nothing_of_either_is_lost_or_doubled(
        self, app: Flask, api: Client, store: Store, database: Database, tmp_path: Path
    ) -> None:
        """Four clients record outreaches of the people of the file while it is imported."""
        people, each = 60, 20
        file = people_file(tmp_path / "a.csv", people)

        def post(client: int) -> None:
            live = Client(app.test_client(), api.token)
            live.campaign_id = api.campaign_id
            for number in random.Random(client).sample(range(people), each):
                person = posted(number, custom_fields={f"client{client}": "yes"})
                live.recorded({"person": person, "identifiers": [f"crm:{client}-{number}"]})

        with ThreadPoolExecutor(4) as pool:
            posts = [pool.submit(post, client) for client in range(4)]
            counts = imported_people(store, database, file)
            for one in posts:
                one.result()

        assert sum(counts.values()) == people
        found = list(database.people.find())
        assert sorted(person["email_addresses"][0]["address"] for person in found) == sorted(
            f"p{number}@example.com" for number in range(people)
        )
        assert all(person["custom_fields"]["from_file"] == "yes" for person in found)
        assert database.outreaches.count_documents({}) == 4 * each
        marks = [name for person in found for name in person["custom_fields"] if name.startswith("client")]
        assert len(marks) == 4 * each


def test_an_owner_that_was_not_read_is_found_when_the_batch_is_stored(store: Store, database: Database) -> None:
    store.write(Insert("people", {"_id": "owner", "version": 1, "match_keys": ["email:a"]}))
    batch = BatchStore(store)
    batch.write(Insert("tags", {"_id": "tag", "version": 1, "match_keys": ["name:a"]}))
    batch.write(Insert("people", {"_id": "other", "version": 1, "match_keys": ["id:b", "email:a"]}))

    with pytest.raises(DuplicateKey):
        batch.flush(unchanged=("tombstones",))

    assert [each["_id"] for each in database.people.find()] == ["owner"]
    assert database.tags.count_documents({}) == 0


def test_a_signing_key_that_another_process_stores_first_is_used(store: Store, database: Database) -> None:
    database.signing_keys.delete_many({})
    batch = BatchStore(store)
    assert batch.get(SIGNING_KEYS, SUPPRESSION) is None
    key = signing_key(store, SUPPRESSION)

    with pytest.raises(DuplicateKey):
        batch.write(Insert(SIGNING_KEYS, {"_id": SUPPRESSION, "key": "other"}))

    assert signing_key(batch, SUPPRESSION) == key


def test_a_batch_reads_the_people_of_the_batch_before_it_as_that_has_stored_them(
    store: Store, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It reads ahead before that batch is stored: a single thread does one after the other. No batch is divided."""
    batches_of(monkeypatch, 4)
    sizes: list[int] = []
    original = store.write_in_bulk

    def noted(writes: Any) -> None:
        original(writes)
        sizes.append(len(writes))

    monkeypatch.setattr(store, "write_in_bulk", noted)
    file = tmp_path / "a.csv"
    lines = (f"p{number % 4}@example.com,Given,Family,{number % 4:05},text {number}\n" for number in range(12))
    file.write_text("email,given_name,family_name,postal_code,fish\n" + "".join(lines))

    found = import_file(store, database, file, PEOPLE, Choices(), 1)

    assert found.report["people"] == {"created": 4, "changed": 8}
    assert sizes == [4, 4, 4]
    assert sorted(person["custom_fields"]["fish"] for person in database.people.find()) == [
        f"text {number}" for number in (10, 11, 8, 9)
    ]


def test_a_key_that_the_batch_before_has_given_up_has_no_owner(store: Store, database: Database) -> None:
    store.write(Insert("people", {"_id": "one", "version": 1, "match_keys": ["id:a", "id:b"]}))
    first, second = BatchStore(store), BatchStore(store)
    assert [each["_id"] for each in second.by_match_keys("people", ["id:a", "id:b", "id:c"])] == ["one"]
    first.write(Update("people", "one", 1, {"match_keys": ["id:b", "id:c"]}))
    first.flush()

    second.adopt(first)

    owners = {key: second.by_match_keys("people", [key]) for key in ("id:a", "id:b", "id:c")}
    assert {key: [each["_id"] for each in found] for key, found in owners.items()} == {
        "id:a": [],
        "id:b": ["one"],
        "id:c": ["one"],
    }
    assert owners["id:b"] == list(database.people.find({"_id": "one"}))


class TestFailures:
    """A batch that cannot be stored, or of which nobody knows if it is stored."""

    def test_a_batch_of_which_the_commit_has_no_reply_is_counted_once(
        self, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        original = store.write_in_bulk

        def write_without_reply(writes: Any) -> None:
            original(writes)
            raise DatabaseUnavailable

        monkeypatch.setattr(store, "write_in_bulk", write_without_reply)

        assert imported_people(store, database, people_file(tmp_path / "a.csv", 40)) == {"created": 40}
        assert database.people.count_documents({}) == 40

    def test_a_batch_that_could_not_read_ahead_reads_again(
        self, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        batches_of(monkeypatch, 10)
        readings = iter([True, False])
        original = row_batches.read_ahead

        def read_ahead(*given: Any) -> None:
            if not next(readings, True):
                raise DatabaseUnavailable
            original(*given)

        monkeypatch.setattr(row_batches, "read_ahead", read_ahead)

        assert imported_people(store, database, people_file(tmp_path / "a.csv", 40)) == {"created": 40}

    def test_a_batch_that_is_never_stored_is_imported_row_by_row(
        self, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        def fail(writes: Any) -> None:
            raise DatabaseUnavailable

        monkeypatch.setattr(store, "write_in_bulk", fail)

        assert imported_people(store, database, people_file(tmp_path / "a.csv", 40)) == {"created": 40}

    def test_a_batch_of_large_people_is_divided(
        self, api: Client, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        for number in range(0, 40, 4):
            api.created("/people", posted(number, custom_fields={"text": "x" * 10_000}))
        monkeypatch.setattr(batch_store, "MAX_BYTES", 25_000)

        found = imported_people(store, database, people_file(tmp_path / "a.csv", 40))

        assert found == {"created": 30, "changed": 10}

    def test_a_batch_on_a_standalone_is_imported_row_by_row(self, standalone: Mongod, tmp_path: Path) -> None:
        with own_database(standalone.uri, "batches") as (store, database):
            assert imported_people(store, database, people_file(tmp_path / "a.csv", 30)) == {"created": 30}


@pytest.mark.parametrize("kind", [PEOPLE, OUTREACHES])
def test_the_number_of_commands_of_a_batch_does_not_grow_with_its_rows(
    api: Client, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    """Of new rows and of known ones: each row finds what it reads among what the batch has read ahead."""
    silent = Store(store.uri, cache_seconds=5, queues_events=False)
    calls: list[str] = []
    for name in ("get", "by_ids", "by_match_keys", "by_match_keys_and_ids", "find", "find_one", "write"):
        noted = partial(note_call, calls, name, getattr(silent, name))
        monkeypatch.setattr(silent, name, noted)
    batches_of(monkeypatch, 512)
    found = []
    for count in (20, 60, 60):
        file = tmp_path / f"{count}.csv"
        lines = (
            f"r{n}@example.com,Given,Family{n},+1202555{n:04},100{n:02},2024-05-06,crm:{n}\n" for n in range(count)
        )
        header = "email,given_name,family_name,phone,postal_code"
        header += ",action_date,outreach\n" if kind == OUTREACHES else ",birthdate,identifiers\n"
        file.write_text(header + "".join(lines))
        calls.clear()
        import_file(silent, database, file, kind, Choices(api.campaign_id if kind == OUTREACHES else None), 4)
        found.append(len(calls))

    silent.close()
    assert max(found) < 20, calls


def note_call(calls: list[str], name: str, call: Callable[..., Any], *given: Any, **named: Any) -> Any:
    calls.append(name)
    return call(*given, **named)
