"""`python -m bench.round_trip` succeeds with few people, and reports each difference after a restore."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

from bench import round_trip
from bench.imports import Run
from bench.round_trip import contents, missing_of_report
from dev.mongod import Mongod
from tests.support.fork_server import run

# A backup reads from a snapshot.
pytestmark = [pytest.mark.process, pytest.mark.usefixtures("snapshots")]

PEOPLE = 200
SECONDS = 60
NAMES = ("round_trip", "round_trip_restored")
REPORT = """200 rows
      190  people created
        0  people matched
        0    of them changed
        0    of them unchanged
       10  rows rejected
Rejected:
       10  A reason (lines 1, 2, 3, 4, 5, ...)""".splitlines()


@pytest.fixture
def uris(mongod: Mongod) -> Iterator[list[str]]:
    """Two databases of this test's own."""
    with MongoClient(mongod.uri) as client:
        for name in NAMES:
            client.drop_database(name)
        yield [mongod.uri.replace("/osdi?", f"/{name}?") for name in NAMES]
        for name in NAMES:
            client.drop_database(name)


@pytest.fixture
def _forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands start quickly, and their memory is not measured."""

    def command(uri: str, *words: str) -> round_trip.Done:
        done = run("flask", "--app", "wsgi", *words, env={**os.environ, "MONGODB_URI": uri}, timeout=SECONDS)
        assert done.returncode == 0, done.stderr
        return round_trip.Done(0, 0, done.stdout + done.stderr)

    monkeypatch.setattr(round_trip, "command", command)


@pytest.mark.usefixtures("_forked")
@pytest.mark.slow
def test_people_go_in_out_away_and_back(uris: list[str], tmp_path: Path) -> None:
    lines: list[str] = []

    assert round_trip.round_trip(*uris, tmp_path, PEOPLE, lines.append, erased=2) == []

    assert [line.split(":")[0] for line in lines if ":" in line] == [
        *("Import 1", "Import 2", "Backup", "Export", "2 people erased", "Restore"),
    ]


@pytest.mark.usefixtures("_forked")
@pytest.mark.slow
def test_a_missing_document_is_reported(uris: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = round_trip.command

    def lossy(uri: str, *words: str) -> round_trip.Done:
        done = real(uri, *words)
        if words[0] == "restore":
            with MongoClient(uri) as client:
                client.get_default_database().people.update_one({}, {"$unset": {"given_name": ""}})
        return done

    def imported(uri: str, file: Path, threads: int) -> Run:
        words = ("import", "people", str(file), "--create-tags", "--threads", str(threads))
        return Run(1, 0, 0, [], real(uri, *words).printed.splitlines())

    monkeypatch.setattr(round_trip, "command", lossy)
    monkeypatch.setattr(round_trip, "run_import", imported)

    assert round_trip.round_trip(*uris, tmp_path, 40, lambda _: None, erased=1) == [
        "The restored collection people differs from the backup.",
        "The export after the restore differs from the export before.",
    ]


def test_the_memory_of_a_command_is_its_own(uris: list[str]) -> None:
    ours = bytearray(300_000_000)

    done = round_trip.command(uris[0], "--version")

    assert 5 < done.megabytes < len(ours) / 1_000_000


def test_a_report_that_is_right_lacks_nothing() -> None:
    assert missing_of_report(REPORT, 200, {"A reason": 10}, again=False) == []


@pytest.mark.parametrize("line", [*range(6), 7])
def test_each_line_of_a_report_is_looked_for(line: int) -> None:
    lacking = [*REPORT[:line], *REPORT[line + 1 :]]

    assert len(missing_of_report(lacking, 200, {"A reason": 10}, again=False)) == 1


def test_documents_that_differ_have_other_contents(uris: list[str]) -> None:
    for uri, name in zip(uris, ("Jane", "Joan"), strict=True):
        with MongoClient(uri) as client:
            client.get_default_database().people.insert_one({"_id": "a", "given_name": name})

    assert contents(uris[0]) != contents(uris[1])
