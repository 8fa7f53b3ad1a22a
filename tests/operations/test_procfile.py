"""The Procfile as a platform runs it, by honcho: web answers, the worker sends, a stop in the middle loses nothing."""

import itertools
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import PyMongoError

from dev.mongod import PORTS_GIVEN, Mongod, free_port
from osdi.resources import API
from osdi.sample import CAMPAIGN_ID, create_sample
from osdi.store import Store
from tests.support import factories
from tests.support.fork_server import popen
from tests.support.live import ROOT, Live, Worker
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import eventually

HELPER = f"{API}/advocacy_campaigns/{CAMPAIGN_ID}/record_outreach_helper"
SECONDS = 60
POSTS = 20
CLIENTS = 4
LEASE_SECONDS = 5


class Platform:
    """honcho with processes of the Procfile: `with Platform(environment, "web", "worker") as platform: ...`."""

    def __init__(self, environment: dict[str, str], *processes: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._processes = processes
        # The Procfile names programs, which a platform has on PATH.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._environment = {**os.environ, **environment, "PATH": path, "PORT": str(self.port)}
        self._output = tempfile.NamedTemporaryFile(prefix="osdi-honcho-", suffix=".log")  # noqa: SIM115  # kept open

    @property
    def output(self) -> str:
        return Path(self._output.name).read_text(errors="replace")

    def start(self) -> "Platform":
        """Start the processes, none of which reads a developer's .env."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "honcho", "start", "--env", os.devnull, *self._processes],
            cwd=ROOT,
            env=self._environment,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        return self

    def stop(self) -> int:
        """SIGTERM, as the platform sends it; honcho's exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)

    def __enter__(self) -> "Platform":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._output.close()


@pytest.fixture
def environment(mongod: Mongod, sink: SmtpSink) -> Iterator[dict[str, str]]:
    """The settings of an operator on a platform, with a separate database."""
    uri = mongod.uri.replace("/osdi?", "/procfile?")
    yield {
        "MONGODB_URI": uri,
        "PUBLIC_URL": "https://osdi.example.org",
        "HOST": "127.0.0.1",
        "SMTP_URL": sink.url,
        "MAIL_FROM": "The River <hello@river.example.org>",
        "WEB_CONCURRENCY": "1",
        "FOLLOWUP_LEASE_SECONDS": str(LEASE_SECONDS),
        **{name.upper(): str(value) for name, value in factories.UNLIMITED.items()},
    }
    with MongoClient(uri) as client:
        client.drop_database("procfile")


@pytest.fixture
def database(environment: dict[str, str]) -> Iterator[Database]:
    with MongoClient(environment["MONGODB_URI"]) as client:
        yield client.get_default_database()


def is_ready(platform: Platform) -> bool:
    try:
        return requests.get(f"{platform.url}/readyz", timeout=SECONDS).ok
    except requests.ConnectionError:
        return False


def post(server: Platform | Live, number: int) -> bool:
    """Record somebody's outreach, who is thanked by mail; whether it was acknowledged. It may be sent again."""
    body = factories.by_email(f"person{number}@example.com") | {
        "identifiers": [f"page:{number}"],
        "triggers": {"autoresponse": {"enabled": True}},
    }
    try:
        return requests.post(server.url + HELPER, json=body, timeout=SECONDS).ok
    except requests.ConnectionError:
        return False


def post_until_it_is_stopped(platform: Platform, numbers: Iterator[int], acknowledged: set[int]) -> int:
    """Record one outreach after another; the number of the one that was rejected."""
    ends = time.monotonic() + SECONDS
    for number in numbers:
        if not post(platform, number):
            return number
        acknowledged.add(number)
        assert time.monotonic() < ends
    raise AssertionError("numbers have no end")


@pytest.mark.slow
def test_a_restart_in_the_middle_loses_nothing(environment: dict[str, str], database: Database, sink: SmtpSink) -> None:
    with Platform(environment, "release") as release:
        assert release.process.wait(SECONDS) == 0, release.output
        assert "The database has schema_version" in release.output
    store = Store(environment["MONGODB_URI"])
    create_sample(store, "osdi_outreach")
    store.close()

    sink.reply_seconds = 0.1  # so that the end comes while mails wait
    numbers, acknowledged = itertools.count(), {0}
    with Platform(environment, "web", "worker") as platform, ThreadPoolExecutor(CLIENTS) as pool:
        assert eventually(lambda: is_ready(platform)), platform.output
        assert post(platform, next(numbers))
        assert eventually(lambda: bool(sink.envelopes)), platform.output
        clients = [pool.submit(post_until_it_is_stopped, platform, numbers, acknowledged) for _ in range(CLIENTS)]
        assert eventually(lambda: len(acknowledged) >= POSTS), platform.output
        platform.stop()
        rejected = {client.result() for client in clients}

    posted, sent = next(numbers), len(sink.envelopes)
    assert acknowledged <= recorded(database)
    assert acknowledged | rejected == set(range(posted))
    assert 0 < sent < len(acknowledged), "it was stopped while mails were waiting"

    # The same processes, which start more quickly without honcho.
    with Live(environment) as live, Worker(environment) as worker:
        assert all(post(live, number) for number in rejected)
        assert eventually(lambda: states(database) == {"sent": posted}), (states(database), worker.output)

    assert recorded(database) == set(range(posted))
    assert (database.people.count_documents({}), database.outreaches.count_documents({})) == (posted, posted)
    leases_lost = sum(each.get("leases_lost", 0) for found in database.outreaches.find() for each in found["followups"])
    deliveries = Counter(to for _, to, _ in sink.envelopes)
    assert set(deliveries) == {f"person{number}@example.com" for number in range(posted)}
    assert deliveries.total() <= posted + leases_lost


def recorded(database: Database) -> set[int]:
    """Returns the numbers of the people with an outreach."""
    found = database.people.find({"_id": {"$in": database.outreaches.distinct("person_id")}})
    return {int(each["email_addresses"][0]["address"].removeprefix("person").partition("@")[0]) for each in found}


def test_the_database_alone_prints_its_uri_and_stops_on_sigterm(mongod_folder: Path) -> None:
    folder = mongod_folder / "alone"
    folder.mkdir()
    printed = folder / "printed"
    with printed.open("wb") as file:
        alone = popen("dev.mongod", env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=file, cwd=folder)
    try:
        assert eventually(lambda: "\nexport " in printed.read_text() or alone.poll() is not None)
        uri = re.search(r"^export MONGODB_URI='(.+)'$", printed.read_text(), flags=re.MULTILINE)
        assert uri
        with MongoClient(uri[1], serverSelectionTimeoutMS=1_000) as client:
            assert client.admin.command("hello")["setName"] == "rs0"
            alone.terminate()
            assert alone.wait(SECONDS) == 0
            with pytest.raises(PyMongoError):
                client.admin.command("ping")
    finally:
        alone.terminate()
        alone.wait(SECONDS)


@pytest.mark.skipif(not PORTS_GIVEN.exists(), reason="this machine does not say which ports connections get")
def test_a_free_port_is_given_to_no_outgoing_connection() -> None:
    """While a server restarts on its port, no other process takes it."""
    first = int(PORTS_GIVEN.read_text().split()[0])

    assert all(free_port() < first for _ in range(20))


def states(database: Database) -> Counter[str]:
    return Counter(each["state"] for found in database.outreaches.find() for each in found["followups"])
