"""Processes that start before MongoDB: the web process reports it and serves later; the release step waits for it."""

import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from dev.mongod import Mongod, free_port
from osdi.resources import API
from osdi.sample import CAMPAIGN_ID
from osdi.store.driver import database_hosts
from osdi.version import VERSION
from tests.support import factories
from tests.support.databases import SMALL_JOURNAL
from tests.support.fork_server import popen, run
from tests.support.live import Live
from tests.support.waiting import eventually

SECONDS = 60
HELPER = f"{API}/advocacy_campaigns/{CAMPAIGN_ID}/record_outreach_helper"
THREADS = 2


@pytest.fixture
def later(mongod_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Mongod:
    """A mongod that is not started yet, with a port that it will have."""
    return Mongod(mongod_folder / tmp_path_factory.mktemp("later").name, port=free_port(), options=SMALL_JOURNAL)


def flask(uri: str, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Runs a flask command to its end."""
    environment = {**os.environ, "MONGODB_URI": uri, **settings}
    return run("flask", "--app", "wsgi", *arguments, env=environment, timeout=SECONDS)


@pytest.mark.slow
def test_web_starts_without_a_database_and_serves_when_it_is_available(later: Mongod) -> None:
    with Live({"MONGODB_URI": later.uri}, workers=1, threads=THREADS) as live:

        def missing() -> str:
            response = requests.get(f"{live.url}/readyz", timeout=SECONDS)
            assert response.status_code == (503 if "missing" in response.json() else 200)
            return json.dumps(response.json().get("missing"))

        assert "does not respond" in missing()
        assert requests.get(f"{live.url}/healthz", timeout=SECONDS).json() == {"status": "alive", "version": VERSION}

        with later:
            assert eventually(lambda: "Unique indexes" in missing())
            for name in ("indexes", "sample"):
                done = flask(later.uri, name)
                assert done.returncode == 0, done.stdout + done.stderr
            assert missing() == "null"

            response = requests.post(live.url + HELPER, json=factories.outreach(), timeout=SECONDS)
            assert (response.status_code, response.json()) == (200, {})
        assert eventually(lambda: "does not respond" in missing())


def test_probes_without_a_database_release_their_thread_soon(later: Mongod) -> None:
    with Live({"MONGODB_URI": later.uri}, workers=1, threads=THREADS) as live, ThreadPoolExecutor() as clients:
        began = time.monotonic()
        probes = [clients.submit(requests.get, f"{live.url}/readyz", timeout=SECONDS) for _ in range(THREADS)]
        alive = requests.get(f"{live.url}/healthz", timeout=SECONDS)

        assert [probe.result().status_code for probe in probes] == [503] * THREADS
        assert alive.ok
        assert time.monotonic() - began < 15


def test_the_release_step_waits_for_the_database_and_reports_that(later: Mongod, tmp_path: Path) -> None:
    output, errors = tmp_path / "output", tmp_path / "errors"
    environment = {**os.environ, "MONGODB_URI": later.uri}
    with output.open("wb") as out, errors.open("wb") as err:
        release = popen("flask", "--app", "wsgi", "indexes", env=environment, stdout=out, stderr=err)
    waits = "The database does not respond. Waiting 60 s for it.\n"
    assert eventually(lambda: waits in errors.read_text() or release.poll() is not None)

    with later:
        code = release.wait(SECONDS)

    assert (code, errors.read_text()) == (0, waits)
    assert " indexes: " in output.read_text()


def test_the_release_step_fails_with_a_message_after_its_time_out(later: Mongod) -> None:
    began = time.monotonic()

    release = flask(later.uri, "indexes", "--wait", "3")

    assert (release.returncode, release.stdout) == (1, "")
    assert release.stderr.splitlines()[-1] == (
        f"Error: The database did not respond within 3 s. The address in MONGODB_URI is {database_hosts(later.uri)}."
    )
    assert 3 < time.monotonic() - began < 30


@pytest.mark.parametrize("arguments", ["indexes", "release", "tokens create sync", "followups", "recount"])
def test_a_command_without_database_access_fails_at_once_with_a_message(mongod: Mongod, arguments: str) -> None:
    done = flask(mongod.uri.replace("://", "://somebody:wrong@"), *arguments.split())

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: The database rejects the user of MONGODB_URI: check its name, password and write permission. "
        f"The address in MONGODB_URI is 127.0.0.1:{mongod.port}.\n"
    )


def test_a_command_does_not_report_unused_counters(mongod: Mongod) -> None:
    release = flask(mongod.uri, "indexes", RATE_LIMIT_STORAGE="mongodb")

    assert (release.stderr, release.returncode) == ("", 0)
