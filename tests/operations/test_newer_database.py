"""gunicorn on a database that a newer program has migrated: it does not start; once it serves it goes on."""

import datetime as dt
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from pymongo import MongoClient
from pymongo.database import Database

from dev.mongod import Mongod, free_port
from osdi.access.tokens import new_token
from osdi.resources import API
from osdi.store.indexes import TOKENS
from osdi.store.schema_version import SCHEMA_VERSION
from tests.support.databases import SMALL_JOURNAL
from tests.support.live import Live
from tests.support.waiting import eventually

SAYS = f"The database has schema_version {SCHEMA_VERSION + 1}, and this program knows {SCHEMA_VERSION} at most"
NEWER = {"_id": "schema", "schema_version": SCHEMA_VERSION + 1}
SECONDS = 30


@pytest.fixture
def uri(mongod: Mongod) -> Iterator[str]:
    """A database of this test's own."""
    uri = mongod.uri.replace("/osdi?", "/newer_web?")
    with MongoClient(uri) as client:
        client.drop_database("newer_web")
        yield uri
        client.drop_database("newer_web")


@pytest.fixture
def database(uri: str) -> Iterator[Database]:
    with MongoClient(uri) as client:
        yield client.get_default_database()


def test_the_server_does_not_start_and_reports_the_reason(uri: str, database: Database) -> None:
    database.schema.insert_one(NEWER)
    live = Live({"MONGODB_URI": uri}, workers=2)

    with pytest.raises(RuntimeError, match=SAYS):
        live.start()

    assert live.process is not None
    assert live.process.returncode == os.EX_CONFIG
    assert "Listening at" not in live.output
    assert "Traceback" not in live.output


def test_the_server_starts_during_a_restore_and_returns_503(uri: str, database: Database) -> None:
    database.schema.insert_one({**NEWER, "schema_version": SCHEMA_VERSION, "restoring": dt.datetime(2026, 3, 18)})

    with Live({"MONGODB_URI": uri}) as live:
        response = requests.get(f"{live.url}/readyz", timeout=SECONDS)

    assert response.status_code == 503
    assert "A restore into this database was begun" in response.text


def test_the_server_starts_without_a_database_and_returns_503_if_it_is_newer(
    mongod_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    later = Mongod(mongod_folder / tmp_path_factory.mktemp("newer").name, port=free_port(), options=SMALL_JOURNAL)
    secret, token = new_token("reader")
    with Live({"MONGODB_URI": later.uri}) as live, later, MongoClient(later.uri) as client:
        client.osdi.schema.insert_one(NEWER)
        client.osdi[TOKENS].insert_one(token)

        def people() -> requests.Response:
            return requests.get(f"{live.url}{API}/people", headers={"OSDI-API-Token": secret}, timeout=SECONDS)

        assert eventually(lambda: SAYS in people().text), people().text
        assert people().status_code == 503
        assert live.process is not None
        assert live.process.poll() is None


def test_a_running_server_and_its_new_workers_continue_after_a_migration(uri: str, database: Database) -> None:
    """A release runs while the version before serves; one of its workers that dies takes nobody else along."""
    with Live({"MONGODB_URI": uri}, workers=2) as live:
        assert eventually(lambda: len(live.workers()) == 2)
        workers = live.workers()
        database.schema.insert_one(NEWER)
        os.kill(workers[0], signal.SIGKILL)

        assert eventually(lambda: len(live.workers()) == 2 and workers[0] not in live.workers())
        assert requests.get(f"{live.url}{API}/", timeout=SECONDS).ok
        assert workers[1] in live.workers()
