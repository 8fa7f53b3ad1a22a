"""examples/sync.py: after random posts, changes, deletions, merges and erasures the copy equals the server."""

import datetime as dt
import json
import random
import runpy
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database
from werkzeug.serving import make_server

from faults import processes
from faults.copies.run import Plan, run
from osdi.ids import id_before, now
from osdi.resources import API
from tests.support import factories
from tests.support.client import Client
from tests.support.examples import examples
from tests.support.fork_server import popen

SCRIPT = "examples/sync.py"
# The application, with a feed that shows deletions after SETTLED_SECONDS.
APPLICATION = "tests.deletions.quick_feed:app"
SEEDS = range(1, 1 + examples(2))
ACTIONS = examples(400)
SETTLED_SECONDS = 2
TABLES = ("people", "outreaches")


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The API of the tests' application, over HTTP."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}{API}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Shows deletions after two seconds; returns a function that waits until all of them are shown."""
    monkeypatch.setattr("osdi.deletions.feed.SETTLED", dt.timedelta(seconds=SETTLED_SECONDS))
    return lambda: time.sleep(SETTLED_SECONDS + 1.1)


@pytest.fixture
def database_file() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    yield connection
    connection.close()


@pytest.fixture
def copy(api: Client, address: str, database_file: sqlite3.Connection) -> Any:
    script = runpy.run_path(SCRIPT)
    return script["Copy"](address, database_file, script["http_get"](api.token))


def on_server(api: Client, address: str) -> dict[str, dict[str, Any]]:
    """Returns all people and outreaches by their own identifiers."""
    found: dict[str, dict[str, Any]] = {}
    for table in TABLES:
        found[table], link = {}, f"/{table}?per_page=100"
        while link:
            page = json.loads(api.get(link, base_url=address.removesuffix(API)).get_data())
            found[table] |= {each["identifiers"][0]: each for each in page["_embedded"][f"osdi:{table}"]}
            link = page["_links"].get("next", {}).get("href", "")
    return found


def in_copy(connection: sqlite3.Connection) -> dict[str, dict[str, Any]]:
    rows = {table: connection.execute(f"SELECT id, resource FROM {table}") for table in TABLES}
    return {table: {row[0]: json.loads(row[1]) for row in found} for table, found in rows.items()}


class RandomLoad:
    """Random requests of one client; `done` counts them by kind."""

    def __init__(self, api: Client, seed: int) -> None:
        self._api = api
        self._random = random.Random(seed)
        self._people: list[str] = []
        self._outreaches: list[str] = []
        self._campaigns = [api.campaign_id]
        self.done: dict[str, int] = {}

    def act(self) -> None:
        """Does one random thing. Something else may have deleted its object: then the server says so."""
        kinds = [self.post] * 8 + [self.change] * 3
        kinds += [self.delete, self.delete_outreach, self.merge, self.erase, self.campaign]
        kind = self._random.choice(kinds)
        status = kind()
        assert status in (200, 301, 400, 404, 409), (kind.__name__, status)
        if status == 200:
            self.done[kind.__name__] = self.done.get(kind.__name__, 0) + 1

    def post(self) -> int:
        body = factories.by_email(f"{self._random.randrange(40)}@example.com")
        response = self._api.record(body, campaign=self._random.choice(self._campaigns))
        if response.status_code == 200:
            self._people.append(response.json["_links"]["osdi:person"]["href"])
            self._outreaches.append(response.json["_links"]["self"]["href"])
        return int(response.status_code)

    def change(self) -> int:
        return self._put(self._person(), {"given_name": f"Jane {self._random.random()}"})

    def delete(self) -> int:
        return self._deleted(self._person())

    def delete_outreach(self) -> int:
        return self._deleted(self._random.choice(self._outreaches or ["/none"]))

    def merge(self) -> int:
        link = {"_links": {"osdi:person": {"href": self._person()}}}
        return int(self._api.post(f"{self._person()}/merge", link).status_code)

    def erase(self) -> int:
        outreaches = self._random.choice(("anonymise", "keep", "delete"))
        return self._deleted(f"{self._person()}?erase=true&outreaches={outreaches}")

    def campaign(self) -> int:
        """Deletes a campaign with its outreaches, and creates another one."""
        status = self._deleted(f"/advocacy_campaigns/{self._campaigns.pop(0)}?force=true")
        made = self._api.created("/advocacy_campaigns", {"title": "Another"})
        self._campaigns.append(made["_links"]["self"]["href"].rsplit("/", 1)[1])
        return status

    def _person(self) -> str:
        return self._random.choice(self._people or ["/people/none"])

    def _put(self, address: str, body: dict[str, Any]) -> int:
        return int(self._api.put(address, body).status_code)

    def _deleted(self, address: str) -> int:
        return int(self._api.delete(address).status_code)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_the_copy_equals_the_server_after_random_load(
    api: Client, address: str, copy: Any, database_file: sqlite3.Connection, settled: Callable[[], None], seed: int
) -> None:
    load = RandomLoad(api, seed)
    for _ in range(20):
        load.act()

    def act_repeatedly() -> None:
        for _ in range(ACTIONS):
            load.act()

    worker = threading.Thread(target=act_repeatedly)
    worker.start()
    while worker.is_alive():
        copy.sync()
        time.sleep(0.3)
    worker.join()
    settled()
    copy.sync()

    assert set(load.done) >= {"post", "change", "delete", "delete_outreach", "merge", "erase", "campaign"}
    assert sum(load.done.values()) > ACTIONS / 2
    assert in_copy(database_file) == on_server(api, address)


def test_a_sync_that_ends_early_is_completed_by_the_next(
    api: Client, address: str, copy: Any, database_file: sqlite3.Connection, settled: Callable[[], None]
) -> None:
    load = RandomLoad(api, 3)
    for _ in range(30):
        load.act()
    get, calls = copy._get, iter(())

    def fails(link: str) -> Any:
        if next(calls, None) is None:
            raise ConnectionError
        return get(link)

    copy._get = fails
    for allowed in (1, 2, 3):
        calls = iter(range(allowed))
        with pytest.raises(ConnectionError):
            copy.sync()
        load.act()
    copy._get = get
    settled()

    copy.sync()
    settled()
    copy.sync()

    assert in_copy(database_file) == on_server(api, address)


def test_a_cursor_before_the_retention_leads_to_a_full_copy(
    api: Client, address: str, copy: Any, database_file: sqlite3.Connection, database: Database
) -> None:
    api.recorded(factories.by_email("jane@example.com"))
    api.recorded(factories.by_email("john@example.com"))
    copy.sync()
    old = id_before(now() - dt.timedelta(days=91))
    database_file.execute("UPDATE state SET value = ? WHERE name = 'cursor'", (old,))
    database.people.delete_one({"email_addresses.address": "jane@example.com"})  # no record: it has expired

    copy.sync()

    assert in_copy(database_file) == on_server(api, address)
    assert len(in_copy(database_file)["people"]) == 1


def test_the_script_runs_with_the_standard_library_only(api: Client, address: str, tmp_path: Path) -> None:
    api.recorded(factories.outreach())
    file = tmp_path / "copy.sqlite"
    run = [sys.executable, "-I", "-S", SCRIPT, address, str(file)]

    for options in ([], [], ["--full"]):
        subprocess.run([*run, *options], env={"OSDI_TOKEN": api.token}, check=True, timeout=60)

    connection = sqlite3.connect(file)
    assert in_copy(connection) == on_server(api, address)
    connection.close()


@pytest.mark.parametrize(
    ("environment", "message"), [({}, "Set OSDI_TOKEN"), ({"OSDI_TOKEN": "wrong"}, "responded with 401")]
)
def test_the_script_names_the_reason_of_a_failure(
    address: str, tmp_path: Path, environment: dict[str, str], message: str
) -> None:
    run = [sys.executable, "-I", "-S", SCRIPT, address, str(tmp_path / "copy.sqlite")]

    ended = subprocess.run(run, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode != 0
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_the_copy_equals_the_server_after_processes_were_killed(
    mongod_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small form of `python -m faults.copies`, which makes 10,000 changes with the usual feed."""
    monkeypatch.setattr(processes, "start", popen)
    plan = Plan(100, clients=2, seed=4, application=APPLICATION, settled=SETTLED_SECONDS, kills=3, sync_seconds=1)

    outcome = run(plan, mongod_folder / "copies")

    assert outcome.problems == []
    assert sum(outcome.done.values()) >= plan.changes
    assert sum(outcome.killed.values()) >= 2
    assert min(outcome.compared.values()) > 10
