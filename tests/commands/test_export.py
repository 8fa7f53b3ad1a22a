"""`flask export`: the contents of the file, which exists only when it is complete; NDJSON equals the API's answers."""

import csv
import errno
import io
import os
import signal
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import Result
from flask import Flask
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION
from osdi.errors import unavailable
from osdi.exporting.export import EXPORTED
from osdi.resources import ENTRIES
from osdi.settings import Settings
from osdi.store import Store
from osdi.store.scan import scan
from tests.commands import command_runs
from tests.support import factories
from tests.support.client import Client

# MaxTimeMSExpired: the driver does not ask a second time by itself.
TOO_LONG = 50


def run(app: Flask, *arguments: str) -> Result:
    """Runs `export` and returns its result, with separate standard output and standard error."""
    return app.test_cli_runner().invoke(args=["export", *arguments])


def exported(app: Flask, *arguments: str) -> bytes:
    """Returns the standard output of `export`; the test fails unless the command succeeds."""
    result = run(app, *arguments)
    assert result.exit_code == 0, result.output
    return bytes(result.stdout_bytes)


def rows(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode(), newline=""), strict=True))


@pytest.fixture
def everything(api: Client) -> Client:
    """One or two of everything."""
    api.created("/tags", {"name": "volunteer"})
    api.created("/lists", {"name": "supporters"})
    question = api.created("/questions", {"question_type": "Paragraph", "identifiers": ["crm:why"]})
    wrapper = api.created("/wrappers", {"name": "plain", "footer": "Riverton"})
    message = factories.message(name="thanks", _links={"osdi:wrapper": wrapper["_links"]["self"]})
    api.created("/messages", message)
    for _ in range(2):
        api.recorded(
            factories.outreach(
                add_tags=["volunteer"],
                add_lists=["supporters"],
                add_questions_responses_uri=[{"question": question["_links"]["self"]["href"], "value": "river"}],
                targets=[{"family_name": "Smith"}, {"family_name": "Jones"}],
            )
        )
    return api


class TestNdjson:
    """A line for each resource, as the API answers it."""

    @pytest.mark.one_in(4)
    @pytest.mark.parametrize("what", EXPORTED)
    def test_equals_the_api(self, app: Flask, everything: Client, what: str) -> None:
        resource = EXPORTED[what]

        lines = [orjson.loads(line) for line in exported(app, what, "--format", "ndjson").splitlines()]

        assert lines
        for line in lines:
            # Besides, by name, what leads to another database's tags and lists in the links.
            named = {name: line.pop(name) for name in ("add_tags", "add_lists") if name in line}
            assert named == ({"add_tags": ["volunteer"], "add_lists": ["supporters"]} if what == "people" else {})
            assert line == everything.get(line["_links"]["self"]["href"]).json
        if resource not in ENTRIES:
            page = everything.get(f"/{resource.collection}").json
            assert lines == page["_embedded"][resource.collection_rel]

    def test_links_begin_with_the_public_url(self, everything: Client, deployed: Callable[..., Flask]) -> None:
        app = deployed(public_url="https://osdi.example.org")

        (line, _) = exported(app, "people", "--format", "ndjson").splitlines()

        assert orjson.loads(line)["_links"]["self"]["href"].startswith("https://osdi.example.org/api/v1/people/")

    def test_reports_a_missing_public_url(self, app: Flask, everything: Client) -> None:
        assert "PUBLIC_URL" in run(app, "tags", "--format", "ndjson").stderr


class TestCsv:
    """For spreadsheets."""

    @pytest.mark.one_in(4)
    @pytest.mark.parametrize("what", EXPORTED)
    def test_has_a_row_for_each_resource(self, app: Flask, everything: Client, database: Database, what: str) -> None:
        resource = EXPORTED[what]
        ids = [person["_id"] for person in database.people.find().sort("_id")] if what == "people" else None

        found = rows(exported(app, what))

        expected = {"outreaches": 4}.get(what, 2 if resource in ENTRIES or what == "people" else 1)
        assert len(found) == expected
        assert all(row["id"] for row in found)
        if ids:
            assert [row["id"] for row in found] == ids

    def test_equals_a_download(self, app: Flask, everything: Client) -> None:
        for what in ("people", "outreaches"):
            assert exported(app, what) == everything.get(f"/{what}.csv").get_data()

    def test_names_the_resources_of_entries(self, app: Flask, everything: Client) -> None:
        row = rows(exported(app, "taggings"))[0]

        assert (row["tag"], row["item_type"]) == ("volunteer", "osdi:person")
        assert row["person"].startswith("Given")
        assert row["tag_id"]

    def test_names_a_resource_again_after_it_left_the_cache(
        self, app: Flask, api: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """NAMES_KEPT limits the number of cached names, those of people included."""
        monkeypatch.setattr("osdi.exporting.export.NAMES_KEPT", 4)
        monkeypatch.setattr("osdi.exporting.export.PART", 2)
        for name in ("seldom", "often"):
            api.created("/tags", {"name": name})
        tags = ["seldom", "often", "often", "often", "often", "seldom", "often", "seldom"]
        for tag in tags:
            api.created("/people", {"person": factories.person(), "add_tags": [tag]})

        assert [row["tag"] for row in rows(exported(app, "taggings"))] == tags

    def test_has_the_same_count_as_the_api(self, app: Flask, everything: Client) -> None:
        assert rows(exported(app, "campaigns"))[0]["total_outreaches"] == "2"
        assert rows(exported(app, "lists"))[0]["total_items"] == "2"

    def test_leaves_cells_unchanged_with_the_option(self, app: Flask, api: Client) -> None:
        api.created("/tags", {"name": "=1+1"})

        assert rows(exported(app, "tags"))[0]["name"] == "'=1+1"
        assert rows(exported(app, "tags", "--plain"))[0]["name"] == "=1+1"

    def test_begins_with_a_byte_order_mark_with_the_option(self, app: Flask, api: Client) -> None:
        assert exported(app, "tags", "--bom").startswith(b"\xef\xbb\xbf")


class TestSelecting:
    """By the API's filters, and by campaign."""

    @pytest.mark.parametrize("form", ["csv", "ndjson"])
    def test_takes_a_filter(self, app: Flask, api: Client, form: str) -> None:
        for name in ("a", "b"):
            api.created("/tags", {"name": name})

        found = exported(app, "tags", "--format", form, "--filter", "name eq 'b'")

        assert (b"b" in found, len(found.splitlines())) == (True, 2 if form == "csv" else 1)

    def test_takes_a_campaign_and_a_filter(self, app: Flask, api: Client) -> None:
        other = api.created("/advocacy_campaigns", {"title": "Another"})["_links"]["self"]["href"].rsplit("/", 1)[1]
        for campaign, kind in ((other, "email"), (other, "phone"), (api.campaign_id, "email")):
            api.recorded(factories.outreach(type=kind), campaign=campaign)

        found = rows(exported(app, "outreaches", "--campaign", other, "--filter", "type eq 'email'"))

        assert [(row["advocacy_campaign_id"], row["type"]) for row in found] == [(other, "email")]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["nothing"], "is not one of"),
            (["people", "--filter", "nothing eq 1"], "Column 1"),
            (["taggings", "--filter", "created_date gt '2026-01-01'"], "cannot be filtered"),
            (["people", "--campaign", "x"], "--campaign is for outreaches"),
            (["outreaches", "--campaign", "none"], "No campaign has the id 'none'"),
            (["people", "--format", "ndjson", "--bom"], "for CSV"),
            (["people", "--format", "ndjson", "--plain"], "for CSV"),
            (["people", "-o", "/nowhere/people.csv"], "No such file"),
        ],
    )
    def test_rejects_invalid_options(self, app: Flask, api: Client, arguments: list[str], message: str) -> None:
        result = run(app, *arguments)

        assert result.exit_code != 0
        assert message in result.stderr
        assert result.stdout_bytes == b""


class TestTheFile:
    """It exists only when it is complete, and only its owner can read it."""

    def test_is_readable_by_its_owner_only(self, app: Flask, api: Client, tmp_path: Path) -> None:
        file = tmp_path / "people.csv"
        assert run(app, "people", "-o", str(file)).exit_code == 0

        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_bytes().startswith(b"id,")
        assert os.listdir(tmp_path) == ["people.csv"]

    def test_is_unchanged_if_the_export_fails(
        self, app: Flask, api: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        api.created("/people", factories.person())
        file = tmp_path / "people.csv"
        file.write_text("of yesterday")

        def fail(*_: object) -> None:
            raise unavailable("The database does not respond at the moment.")

        monkeypatch.setattr("osdi.exporting.export.Names.look_up", fail)
        result = run(app, "people", "-o", str(file))

        assert result.exit_code == 1
        assert "does not respond" in result.stderr
        assert file.read_text() == "of yesterday"
        assert os.listdir(tmp_path) == ["people.csv"]

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_is_not_created_if_the_export_is_interrupted(
        self, app: Flask, api: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
    ) -> None:
        monkeypatch.setattr("osdi.exporting.export.custom_names", lambda _: signal.raise_signal(number))
        # As in a terminal: a test run in the background may ignore Ctrl-C.
        usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        before = signal.signal(number, usual)
        try:
            ended = command_runs.run(app, "export", "people", "-o", str(tmp_path / "people.csv"))
            assert ended.code == 128 + number

            assert os.listdir(tmp_path) == []
            assert signal.getsignal(number) == usual
        finally:
            signal.signal(number, before)

    def test_is_not_created_if_the_disk_is_full(
        self, app: Flask, api: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr("osdi.commands.output.os.fsync", fail)

        assert "No space left" in run(app, "people", "-o", str(tmp_path / "people.csv")).stderr

        assert os.listdir(tmp_path) == []


class TestUnavailableDatabase:
    """The export retries each of its queries."""

    @pytest.mark.parametrize("rows", ["people", "outreaches", "advocacy_campaigns", "tags"])
    def test_is_retried(
        self, app: Flask, everything: Client, fail: Callable[..., None], monkeypatch: pytest.MonkeyPatch, rows: str
    ) -> None:
        monkeypatch.setattr("osdi.retry.PAUSE_SECONDS", 0)
        whole = exported(app, "outreaches")
        fail({"times": 2}, ["find"], errorCode=TOO_LONG, namespace=f"osdi.{rows}")

        assert exported(app, "outreaches") == whole

    @pytest.mark.parametrize("what", ["campaigns", "lists"])
    def test_is_retried_for_counts(
        self, app: Flask, everything: Client, fail: Callable[..., None], monkeypatch: pytest.MonkeyPatch, what: str
    ) -> None:
        monkeypatch.setattr("osdi.retry.PAUSE_SECONDS", 0)
        whole = exported(app, what, "--format", "ndjson")
        fail({"times": 2}, ["aggregate", "count"], errorCode=TOO_LONG)

        assert exported(app, what, "--format", "ndjson") == whole

    def test_of_a_newer_program_is_not_retried(self, deployed: Callable[..., Flask], database: Database) -> None:
        database.schema.insert_one({"_id": "schema", "schema_version": 1_000})

        assert "schema_version 1000" in run(deployed(), "people").stderr


class TestReadingInOrder:
    """`scan`, by which everything is read."""

    @pytest.fixture
    def many(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        monkeypatch.setattr("osdi.store.scan.BATCH", 3)
        monkeypatch.setattr("osdi.retry.PAUSE_SECONDS", 0)
        ids = [f"{number:03}" for number in range(10)]
        database.tags.insert_many([{"_id": each, "match_keys": [each]} for each in reversed(ids)])
        return ids

    def test_yields_each_document_once_by_id(self, store: Store, many: list[str]) -> None:
        assert [each["_id"] for each in scan(store, "tags", {})] == many

    def test_ends_after_an_exactly_full_batch(self, store: Store, many: list[str]) -> None:
        assert [each["_id"] for each in scan(store, "tags", {"_id": {"$lt": "003"}})] == many[:3]

    @pytest.mark.waits
    @pytest.mark.parametrize("selected", [[1, 2, 3, 7], [0, 9], [], list(range(10))])
    def test_scans_in_parts_without_an_index(
        self, store: Store, many: list[str], monkeypatch: pytest.MonkeyPatch, selected: list[int]
    ) -> None:
        """The server gives up what takes longer than seconds, however often it is asked for it."""
        monkeypatch.setattr("osdi.store.scan.READ_MS", 700)
        monkeypatch.setattr("osdi.store.scan.WINDOW", 2)
        wanted = [many[number] for number in selected]
        # 0.1 s for each document: too long for all of them, and not for a part.
        query = {"$where": f"sleep(100) || {wanted}.includes(this._id)"}

        assert [each["_id"] for each in scan(store, "tags", query)] == wanted

    @pytest.mark.waits
    def test_resumes_after_a_failover(self, store: Store, many: list[str], fail: Callable[..., None]) -> None:
        found = scan(store, "tags", {}, wait_seconds=30)
        begun = [next(found)["_id"] for _ in range(4)]
        # The driver repeats the query once by itself.
        fail({"times": 6}, ["find", "getMore"], errorCode=11600, namespace="osdi.tags")

        assert begun + [each["_id"] for each in found] == many

    def test_gives_up_at_once_without_wait_seconds(
        self, store: Store, many: list[str], fail: Callable[..., None]
    ) -> None:
        found = scan(store, "tags", {})
        next(found)
        fail("alwaysOn", ["find"], errorCode=TOO_LONG, namespace="osdi.tags")

        with pytest.raises(Exception, match="does not respond"):
            list(found)


@pytest.fixture
def deployed(settings: Settings) -> Iterator[Callable[..., Flask]]:
    """Makes an application on the tests' database with other settings."""
    made: list[Flask] = []

    def make(**changes: Any) -> Flask:
        made.append(create_app(replace(settings, **changes)))
        return made[-1]

    yield make
    for app in made:
        app.extensions[EXTENSION].store.close()
