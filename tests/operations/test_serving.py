"""The processes that an operator and a newcomer start: `gunicorn wsgi:app`, the flask commands, `make run`."""

import http.client
import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pymongo import MongoClient
from pymongo.database import Database

from dev.mongod import Mongod, free_port
from osdi.resources import API
from osdi.sample import CAMPAIGN_ID
from tests.support import factories
from tests.support.fork_server import run
from tests.support.live import Live
from tests.support.waiting import eventually

LIMIT = 1_000
HELPER = f"{API}/advocacy_campaigns/{CAMPAIGN_ID}/record_outreach_helper"
SECONDS = 30

needs_proc = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc to see child processes")


@pytest.fixture(scope="module")
def environment(mongod: Mongod) -> Iterator[dict[str, str]]:
    """Settings for a database of this module's own, prepared as an operator does it, with a small body limit."""
    uri = mongod.uri.replace("/osdi?", "/serving?")
    chosen = {"MONGODB_URI": uri, "MAX_BODY_BYTES": str(LIMIT)}
    flask("indexes", environment=chosen)
    flask("sample", environment=chosen)
    yield chosen
    with MongoClient(uri) as client:
        client.drop_database("serving")


@pytest.fixture(scope="module")
def live(environment: dict[str, str]) -> Iterator[Live]:
    with Live(environment) as started:
        yield started


@pytest.fixture
def served(environment: dict[str, str]) -> Iterator[Database]:
    """The database behind `live`, without people and outreaches."""
    with MongoClient(environment["MONGODB_URI"]) as client:
        database = client.get_default_database()
        for name in ("people", "outreaches"):
            database[name].delete_many({})
        yield database


@needs_proc
def test_gunicorn_starts_the_configured_number_of_workers(environment: dict[str, str]) -> None:
    with Live(environment, workers=3) as live:
        assert eventually(lambda: len(live.workers()) == 3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"MAX_PAGESIZE": "0", "NAMESPACE": "Bad Name", "MONGODB_URI": "http://x"},
        {"WEB_CONCURRENCY": "0", "BODY_SECONDS": "long", "PHONE_REGION": "UK"},
    ],
    ids=["of the application", "of gunicorn too"],
)
def test_gunicorn_does_not_start_with_wrong_settings_and_names_all_of_them(wrong: dict[str, str]) -> None:
    environment = {**os.environ, "HOST": "127.0.0.1", "PORT": str(free_port()), **wrong}
    ended = run("gunicorn", "wsgi:app", env=environment, timeout=SECONDS)

    printed = ended.stdout + ended.stderr
    assert ended.returncode == os.EX_CONFIG
    assert all(f"{name}: " in printed for name in wrong)
    assert "Listening at" not in printed
    assert "Traceback" not in printed


def test_a_token_is_printed_alone_on_the_last_line_and_works(live: Live, environment: dict[str, str]) -> None:
    token = flask("tokens", "create", "sync", environment=environment).splitlines()[-1]

    response = requests.get(f"{live.url}{API}/people", headers={"OSDI-API-Token": token}, timeout=SECONDS)

    assert response.status_code == 200


def test_a_token_with_a_scope_has_no_other(live: Live, environment: dict[str, str]) -> None:
    command = ("tokens", "create", "reader", "--scope", "read")
    token = flask(*command, environment=environment).splitlines()[-1]

    response = requests.post(
        f"{live.url}{API}/tags", json={"name": "x"}, headers={"OSDI-API-Token": token}, timeout=SECONDS
    )

    assert response.status_code == 403


def test_creating_the_indexes_can_be_repeated(environment: dict[str, str]) -> None:
    first = flask("indexes", environment=environment)

    assert flask("indexes", environment=environment) == first


def test_creating_the_sample_data_can_be_repeated(environment: dict[str, str]) -> None:
    assert flask("sample", environment=environment) == ""


def test_a_chunked_body_is_accepted(live: Live, served: Database) -> None:
    status, body = post_in_chunks(live, a_body(of_length=LIMIT))

    assert (status, body) == (200, {})
    assert served["outreaches"].count_documents({}) == 1


def test_a_chunked_body_over_the_limit_is_413_and_writes_nothing(live: Live, served: Database) -> None:
    status, body = post_in_chunks(live, a_body(of_length=LIMIT + 1))

    assert status == 413
    assert body["osdi:error"]["response_code"] == 413
    assert served["outreaches"].count_documents({}) == served["people"].count_documents({}) == 0


def test_a_body_whose_length_is_over_the_limit_is_413_and_writes_nothing(live: Live, served: Database) -> None:
    response = requests.post(live.url + HELPER, data=a_body(of_length=LIMIT + 1), timeout=SECONDS)

    assert response.status_code == 413
    assert response.json()["osdi:error"]["response_code"] == 413
    assert served["outreaches"].count_documents({}) == served["people"].count_documents({}) == 0


def test_a_request_that_is_under_way_is_finished_when_the_server_is_stopped(
    environment: dict[str, str], served: Database
) -> None:
    body = a_body(of_length=LIMIT)
    head = f"POST {HELPER} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    with Live(environment) as live, socket.create_connection(("127.0.0.1", live.port), SECONDS) as connection:
        connection.sendall(head.encode())
        # The response 100 Continue: the request has reached a worker.
        assert connection.recv(1000).startswith(b"HTTP/1.1 100")
        connection.sendall(body[:100])

        os.kill(live.pid, signal.SIGTERM)
        assert eventually(lambda: "Handling signal: term" in live.output)
        connection.sendall(body[100:])

        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        assert live.process
        assert live.process.wait(SECONDS) == 0
    assert served["outreaches"].count_documents({}) == 1


def flask(*arguments: str, environment: dict[str, str]) -> str:
    """Returns the output of a flask command of the application; the test fails unless the command succeeds."""
    done = run("flask", "--app", "wsgi", *arguments, env={**os.environ, **environment}, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def a_body(*, of_length: int) -> bytes:
    """A helper's body, which stays valid JSON wherever its blank end is cut off."""
    return json.dumps(factories.outreach()).encode().ljust(of_length)


def post_in_chunks(live: Live, body: bytes) -> tuple[int, Any]:
    """Post without a Content-Length, as a client that streams does."""
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=SECONDS)
    try:
        chunks = (body[start : start + 300] for start in range(0, len(body), 300))
        connection.request("POST", HELPER, chunks, {"Transfer-Encoding": "chunked"}, encode_chunked=True)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()
