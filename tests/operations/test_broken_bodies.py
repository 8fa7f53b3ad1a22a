"""A body whose chunks are broken gets a clear 4xx from each kind of view, and no error in the log."""

import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.followups.unsubscribe import PATH as UNSUBSCRIBE
from osdi.followups.unsubscribe import link, signer
from osdi.resources import API
from osdi.store import Store
from tests.support.live import Live

JSON = ("application/json", '{"given_name":')
FORM = ("application/x-www-form-urlencoded", "a=")
MULTIPART = ("multipart/form-data; boundary=x", "--x\r\n")

BODIES = {"JSON": JSON, "a form": FORM, "a form in parts": MULTIPART}
BREAKS = {"no size": "ZZ\r\nabc\r\n", "no end": "5\r\nabc", "a broken trailer": "0\r\nbroken trailer\r\n\r\n"}
PATHS = (
    f"{API}/people",
    f"{API}/advocacy_campaigns/none/record_outreach_helper",
    f"{API}/people?osdi-api-token=none",
    "/act/none",
    "/staff/sign-in",
    "/staff/sign-in/code",
    "/staff/link/none",
    f"{UNSUBSCRIBE}/undo",
    f"{UNSUBSCRIBE}/none",
)


@pytest.fixture(scope="module")
def live(mongod: Mongod, app: Flask) -> Iterator[Live]:
    with Live({"MONGODB_URI": mongod.uri, "LOG_FORMAT": "json", "BODY_SECONDS": "1"}) as live:
        yield live


def post(live: Live, path: str, content_type: str, chunks: str) -> int:
    """Posts a chunked body as it is; returns the status."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\nSec-Fetch-Site: same-origin\r\n"
    with socket.create_connection(("127.0.0.1", live.port), timeout=60) as connection:
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n{chunks}".encode())
        received = b""
        while b"\r\n" not in received and (more := connection.recv(65_536)):
            received += more
    return int(received.split()[1])


@pytest.mark.parametrize("broken", BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize(("content_type", "begin"), BODIES.values(), ids=BODIES)
def test_a_broken_chunk_is_rejected(live: Live, content_type: str, begin: str, broken: str) -> None:
    chunks = f"{len(begin):x}\r\n{begin}\r\n{broken}"

    found = {path: post(live, path, content_type, chunks) for path in PATHS}

    assert all(400 <= status < 500 for status in found.values()), found
    lines = [json.loads(line) for line in live.output.splitlines()]
    assert [line for line in lines if line["level"] == "error"] == []


def test_an_unsubscribe_with_a_broken_body_counts(live: Live, database: Database, mongod: Mongod) -> None:
    store = Store(mongod.uri)
    try:
        path = urlsplit(link(signer(store), live.url, "jane@example.com")).path
        status = post(live, path, FORM[0], "2\r\na=\r\nZZ\r\n")
    finally:
        store.close()

    assert status == 200
    assert database.suppressions.count_documents({}) == 1
