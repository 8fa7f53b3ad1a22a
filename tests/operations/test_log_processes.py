"""The log of a real gunicorn: a JSON line for each request, and nothing that clients sent."""

import json
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from pymongo import MongoClient

from dev.mongod import Mongod, free_port
from osdi.access.tokens import new_token
from osdi.resources import API
from osdi.sample import CAMPAIGN_ID
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS
from tests.support import factories
from tests.support.fork_server import run
from tests.support.live import Live

HELPER = f"{API}/advocacy_campaigns/{CAMPAIGN_ID}/record_outreach_helper"
SECONDS = 30
MARKER = "jane-marker"
ADDRESS = f"{MARKER}@example.com"


@pytest.fixture
def token(mongod: Mongod) -> Iterator[tuple[str, str]]:
    """A database of this module's own, and the secret of a token in it."""
    uri = mongod.uri.replace("/osdi?", "/logs?")
    store = Store(uri)
    store.create_indexes()
    secret, document = new_token("CRM sync")
    campaign = {"_id": CAMPAIGN_ID, "version": 1, "title": "x", "match_keys": ["id:x"], "identifiers": []}
    store.write(Insert(TOKENS, document), Insert("advocacy_campaigns", campaign))
    store.close()
    yield uri, secret
    with MongoClient(uri) as client:
        client.drop_database("logs")


def raw(port: int, request: str) -> bytes:
    """Sends bytes that an HTTP client would not send, and returns the response."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        connection.sendall(request.encode())
        return connection.recv(10_000)


def test_each_request_is_one_line_of_json_without_what_was_sent(
    token: tuple[str, str], fail: Callable[..., None]
) -> None:
    uri, secret = token
    # The most verbose log levels, also of gunicorn.
    environment = {
        "MONGODB_URI": uri,
        "LOG_LEVEL": "debug",
        "CACHE_SECONDS": "0",
        "GUNICORN_CMD_ARGS": "--access-logfile - --log-level debug",
    }
    person = {"given_name": MARKER, "email_addresses": [{"address": ADDRESS}]}
    with Live(environment) as live:

        def send(method: str, path: str, **options: Any) -> int:
            headers = {"OSDI-API-Token": secret, "User-Agent": MARKER, **options.pop("headers", {})}
            return requests.request(method, live.url + path, headers=headers, timeout=SECONDS, **options).status_code

        sent = [
            send("POST", HELPER, json=factories.outreach(person=person)),
            send("POST", HELPER, json=factories.outreach(person={"email_addresses": [{"address": MARKER}]})),
            send("POST", HELPER, data=f'{{"{MARKER}'),
            send("GET", f"{API}/people", params={"filter": f"email_address eq '{ADDRESS}'"}),
            send("GET", f"{API}/people", params={"osdi-api-token": MARKER}, headers={"OSDI-API-Token": None}),
            send("GET", f"{API}/people", params={"osdi-api-token": secret}, headers={"OSDI-API-Token": None}),
            send("GET", f"{API}/people/{ADDRESS}"),
            send("GET", f"/{ADDRESS}"),
        ]
        fail({"times": 1}, ["find"], errorCode=2)
        sent.append(send("POST", HELPER, json=factories.outreach(person=person)))
        fail({"times": 3}, ["find"], errorCode=50)
        sent.append(send("GET", f"{API}/people", params={"filter": f"email_address eq '{ADDRESS}'"}))
        # Requests that gunicorn itself rejects.
        for broken in (f"GET /{MARKER} {MARKER}\r\n\r\n", f"GET / HTTP/1.1\r\n{MARKER} {MARKER}\r\n\r\n"):
            assert raw(live.port, broken).startswith(b"HTTP/1.1 400")

    lines = [json.loads(line) for line in live.output.splitlines()]
    requested = [line for line in lines if line["event"] == "request"]
    started = len(requested) - len(sent)  # those by which Live saw that the server is up
    assert started > 0
    assert [line["status"] for line in requested[started:]] == sent
    assert sent == [200, 400, 400, 200, 401, 200, 404, 404, 500, 503]
    assert {line["caller"] for line in requested[started:]} == {"CRM sync", "anonymous"}
    assert [line["logger"] for line in lines if line["event"] == "Invalid request"] == ["gunicorn.error"] * 2
    assert MARKER not in live.output
    assert secret not in live.output


def test_a_wrong_setting_of_the_log_ends_the_start_with_its_name() -> None:
    wrong = {"LOG_FORMAT": "xml", "LOG_LEVEL": "loud"}
    environment = {**os.environ, "HOST": "127.0.0.1", "PORT": str(free_port()), **wrong}
    ended = run("gunicorn", "wsgi:app", env=environment, timeout=SECONDS)

    assert ended.returncode != 0
    assert "LOG_FORMAT" in ended.stderr
    assert "LOG_LEVEL" in ended.stderr
