"""A folder of dated backups: writing, keeping, checking, and the drill that restores the newest one."""

import datetime as dt
import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from pymongo import MongoClient
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.backup.backup_folder import backups_in, delete_old, file_for, newest_in
from osdi.backup.drill import SCRATCH
from osdi.operations.database_gauges import read_queue_gauges
from osdi.store import Store
from osdi.store.driver import with_database
from tests.support import factories
from tests.support.client import Client

# A backup reads from a snapshot.
pytestmark = pytest.mark.usefixtures("snapshots")

MARCH = dt.datetime(2026, 3, 18, 11, 2, 15)
Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask) -> Run:
    return lambda *arguments: app.test_cli_runner().invoke(args=[str(each) for each in arguments])


@pytest.fixture
def folder(tmp_path: Path, api: Client) -> Path:
    """An empty folder, beside a database with three outreaches."""
    for _ in range(3):
        api.recorded(factories.outreach())
    return tmp_path


def days(folder: Path, *numbers: int) -> list[Path]:
    """Puts a file with the name of a backup there for each day of March."""
    files = [file_for(folder, MARCH.replace(day=number)) for number in numbers]
    for each in files:
        each.touch()
    return files


class TestTheFolder:
    def test_knows_its_newest_backup_by_the_name(self, tmp_path: Path) -> None:
        second, third, first = days(tmp_path, 2, 3, 1)
        os.utime(first)

        assert backups_in(tmp_path) == [first, second, third]
        assert newest_in(tmp_path) == third

    def test_can_be_empty(self, tmp_path: Path) -> None:
        assert newest_in(tmp_path) is None
        assert delete_old(tmp_path, 3) == []

    @pytest.mark.parametrize("keep", [1, 2, 3, 4])
    def test_keeps_the_newest(self, tmp_path: Path, keep: int) -> None:
        files = days(tmp_path, 1, 2, 3)

        assert delete_old(tmp_path, keep) == files[:-keep]
        assert backups_in(tmp_path) == files[-keep:]

    @pytest.mark.parametrize(
        "name",
        [
            "notes.txt",
            "osdi-2026-03-18.backup.gz",
            "before-upgrade.backup.gz",
            ".osdi-20260318T110215Z.backup.gz.7.part",
        ],
    )
    def test_leaves_other_files_alone(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).touch()
        days(tmp_path, 1, 2)

        delete_old(tmp_path, 1)

        assert (tmp_path / name).exists()


class TestKeep:
    def test_writes_a_file_with_the_date_and_deletes_the_oldest(self, run: Run, folder: Path) -> None:
        oldest, older = days(folder, 1, 2)

        result = run("backup", "--keep", 2, folder)

        assert result.exit_code == 0, result.output
        assert f"Deleted {oldest}." in result.stdout
        kept = backups_in(folder)
        assert kept[0] == older
        assert f"to {kept[1]}." in result.stdout

    def test_deletes_nothing_if_the_backup_fails(self, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        files = days(folder, 1, 2)

        def fail(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("osdi.commands.backup.write_backup", fail)

        result = run("backup", "--keep", 1, folder)

        assert (result.exit_code, "No space left on device" in result.stderr) == (1, True)
        assert backups_in(folder) == files

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (("--keep", "2", "{folder}/nothing"), "is not a folder"),
            (("{folder}",), "is a folder. Add --keep NUMBER"),
            (("--keep", "0", "{folder}"), "not in the range"),
            (("{folder}/nothing/file",), "No such file or directory"),
            (("--check", "{folder}"), "There is no backup"),
            (("--check", "{folder}/nothing"), "There is no backup"),
        ],
    )
    def test_says_in_a_sentence_why_a_path_cannot_be_used(
        self, run: Run, folder: Path, arguments: tuple[str, ...], sentence: str
    ) -> None:
        result = run("backup", *(each.format(folder=folder) for each in arguments))

        assert result.exit_code in (1, 2)
        assert sentence in result.stderr
        assert "Traceback" not in result.output


class TestCheck:
    def test_reads_the_newest_backup(self, run: Run, folder: Path) -> None:
        run("backup", "--keep", 2, folder)

        result = run("backup", "--check", folder)

        assert result.exit_code == 0, result.output
        assert "is complete: " in result.stdout
        assert "3 outreaches" in result.stdout

    def test_names_a_damaged_backup(self, run: Run, folder: Path) -> None:
        run("backup", "--keep", 2, folder)
        file = newest_in(folder)
        assert file
        file.write_bytes(file.read_bytes()[:-20])

        result = run("backup", "--check", folder)

        assert result.exit_code == 1
        assert result.stderr.startswith(f"Error: {file}: The file is")


def test_a_backup_to_standard_output_is_a_whole_file(run: Run, folder: Path) -> None:
    result = run("backup", "-")

    assert result.exit_code == 0, result.stderr
    assert gzip.decompress(result.stdout_bytes).startswith(b'{"osdi_backup":')
    assert "to standard output." in result.stderr


def test_the_metrics_have_the_age_of_the_last_backup(run: Run, folder: Path, store: Store) -> None:
    assert read_queue_gauges(store).backup_age is None

    run("backup", "--keep", 2, folder)

    age = read_queue_gauges(store).backup_age
    assert age is not None
    assert 0 <= age < 60


class TestTheDrill:
    def test_restores_the_newest_backup_and_leaves_no_trace(
        self, run: Run, folder: Path, database: Database, mongod: Mongod
    ) -> None:
        run("backup", "--keep", 2, folder)
        before = {name: database[name].count_documents({}) for name in database.list_collection_names()}

        result = run("restore", "--drill", folder)

        assert result.exit_code == 0, result.output
        assert "can be restored." in result.stdout
        outreaches = next(line.split() for line in result.stdout.splitlines() if line.startswith("outreaches"))
        assert outreaches == ["outreaches", "3", "3", "3"]
        assert {name: database[name].count_documents({}) for name in database.list_collection_names()} == before
        with MongoClient(mongod.uri) as client:
            assert [name for name in client.list_database_names() if name.startswith(SCRATCH)] == []

    def test_fails_if_a_document_is_missing(
        self, run: Run, folder: Path, mongod: Mongod, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run("backup", "--keep", 2, folder)
        monkeypatch.setattr("osdi.backup.drill.document_counts", lambda _: {"people": 2, "outreaches": 3})

        result = run("restore", "--drill", folder)

        assert result.exit_code == 1
        assert "Numbers differ: people" in result.stderr
        with MongoClient(mongod.uri) as client:
            assert [name for name in client.list_database_names() if name.startswith(SCRATCH)] == []


@pytest.mark.parametrize(
    ("uri", "other"),
    [
        ("mongodb://localhost", "mongodb://localhost/x"),
        ("mongodb://localhost/", "mongodb://localhost/x"),
        ("mongodb://a:1,b:2/osdi?replicaSet=rs0", "mongodb://a:1,b:2/x?replicaSet=rs0"),
        ("mongodb://[::1]:1,[::2]:2/osdi", "mongodb://[::1]:1,[::2]:2/x"),
        ("mongodb://u:p@a/osdi", "mongodb://u:p@a/x?authSource=osdi"),
        ("mongodb://u:p@a", "mongodb://u:p@a/x?authSource=admin"),
        ("mongodb://u:p@a/osdi?authSource=admin&tls=true", "mongodb://u:p@a/x?authSource=admin&tls=true"),
        ("mongodb+srv://u:p@cluster.example.org/osdi?w=1", "mongodb+srv://u:p@cluster.example.org/x?w=1"),
    ],
)
def test_another_database_keeps_the_login(uri: str, other: str) -> None:
    assert with_database(uri, "x") == other
