"""Uploads through real gunicorn: a thread receives them, for members only, and the others are served meanwhile."""

import io
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from pymongo import MongoClient
from pymongo.database import Database
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from blueprints.staff.long_forms import MAX_UPLOADS
from dev.mongod import Mongod
from osdi.access.tokens import READ
from osdi.ids import now
from osdi.operations.serving.incoming_request import Bounds
from osdi.staff.members import add_member
from osdi.staff.sessions import begin_session
from osdi.store import Store
from tests.staff.conftest import TOKEN
from tests.support.live import Live

COOKIE = "osdi_staff_loopback"
# Shorter than a slow upload takes.
BOUNDS = Bounds(head_seconds=2, body_seconds=1, silence_seconds=1.5)
MAX_IMPORT_BYTES = 3_000_000
CONTENT = ("email\n" + "".join(f"ann{number}@example.com\n" for number in range(60_000))).encode()

Stored = Database[dict[str, Any]]


@dataclass(frozen=True)
class Site:
    """A server, its database, and the browser's secret of a member."""

    live: Live
    store: Store
    database: Stored
    secret: str

    def head(self, length: int, secret: str | None = None, *, path: str = "/staff/imports", more: str = "") -> bytes:
        """The head of an upload from a page of this server."""
        cookie = f"Cookie: {COOKIE}={self.secret if secret is None else secret}\r\n"
        lines = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.live.port}\r\nSec-Fetch-Site: same-origin\r\n{cookie}"
        kind = "Content-Type: multipart/form-data; boundary=b\r\n"
        return f"{lines}{kind}Content-Length: {length}\r\n{more}\r\n".encode()

    def form(self, content: bytes = CONTENT, **fields: str) -> bytes:
        """The body of an upload."""
        page = requests.get(f"{self.live.url}/staff/devices", cookies={COOKIE: self.secret}, timeout=20).text
        found = TOKEN.search(page)
        assert found
        values: dict[str, Any] = {"form_token": found[1], "kind": "people", **fields}
        return encode_multipart({**values, "file": FileStorage(io.BytesIO(content), "people.csv")}, boundary="b")[1]

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.live.port), timeout=20)


@pytest.fixture(scope="module")
def server(mongod: Mongod) -> Iterator[tuple[Live, Store, Stored]]:
    uri = mongod.uri.replace("/osdi?", "/long_forms?")
    bounds = {name.upper(): str(seconds) for name, seconds in BOUNDS._asdict().items()}
    environment = {"MONGODB_URI": uri, "MAX_IMPORT_BYTES": str(MAX_IMPORT_BYTES), **bounds}
    with ExitStack() as stack:
        client = stack.enter_context(MongoClient[dict[str, Any]](uri))
        client.drop_database("long_forms")
        store = stack.enter_context(closing(Store(uri)))
        store.create_indexes()
        live = stack.enter_context(Live(environment, threads=MAX_UPLOADS + 1))
        yield live, store, client.get_default_database()
        client.drop_database("long_forms")


@pytest.fixture
def site(server: tuple[Live, Store, Stored]) -> Site:
    live, store, database = server
    for name in ("import_jobs", "import_parts", "staff"):
        database[name].delete_many({})
    return Site(live, store, database, session_of(store))


def session_of(store: Store, email: str = "ada@example.org", **rights: Any) -> str:
    return begin_session(store, add_member(store, email, **rights), "Chrome on Linux", now())[0]


def response(connection: socket.socket) -> tuple[int, str]:
    """The status and the text of the response."""
    received = b""
    while more := connection.recv(65_536):
        received += more
    text = received.decode(errors="replace")
    found = re.match(r"HTTP/1.1 (\d+)", text)
    assert found, text
    return int(found[1]), text


def test_a_slow_upload_arrives_whole_after_longer_than_other_bodies_may_take(site: Site) -> None:
    body = site.form()
    pieces = 5
    with site.connect() as connection:
        connection.sendall(site.head(len(body)))
        for number in range(pieces):
            time.sleep(0.5)
            connection.sendall(body[number * len(body) // pieces : (number + 1) * len(body) // pieces])
        status, text = response(connection)

    assert status == 303, text
    job = site.database.import_jobs.find_one()
    assert job is not None
    parts = [site.database.import_parts.find_one(each)["data"] for each in job["file_parts"]]
    assert len(parts) > 1
    assert b"".join(parts) == CONTENT


def test_a_client_that_waits_for_a_continue_gets_it(site: Site) -> None:
    body = site.form()
    with site.connect() as connection:
        connection.sendall(site.head(len(body), more="Expect: 100-continue\r\n"))
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(body)

        assert response(connection)[0] == 303


@pytest.mark.parametrize(
    ("secret", "length", "status", "sentence"),
    [
        (lambda _: "", 1_000_000, 401, "You are signed out"),
        (lambda _: "unknown", 1_000_000, 401, "You are signed out"),
        (lambda store: session_of(store, "r@example.org", scopes=[READ]), 1_000_000, 403, "does not include this page"),
        (
            lambda store: session_of(store, "c@example.org", advocacy_campaign_id="c1"),
            1_000_000,
            403,
            "does not include this page",
        ),
        (lambda _: None, MAX_IMPORT_BYTES * 2, 413, "The form has more than"),
    ],
    ids=["no session", "ended session", "read only", "campaign-scoped", "too long"],
)
def test_the_head_alone_decides_who_may_upload(
    site: Site, secret: Callable[[Store], str | None], length: int, status: int, sentence: str
) -> None:
    began = time.monotonic()
    with site.connect() as connection:
        connection.sendall(site.head(length, secret(site.store)))
        found, text = response(connection)

    assert (found, sentence in text) == (status, True), text
    assert time.monotonic() - began < BOUNDS.silence_seconds + 5


def test_a_forged_upload_stores_nothing(site: Site) -> None:
    body = site.form(form_token="0" * 64)
    with site.connect() as connection:
        connection.sendall(site.head(len(body)) + body)

        assert response(connection)[0] == 403

    assert site.database.import_jobs.count_documents({}) == site.database.import_parts.count_documents({}) == 0


def test_silent_uploads_leave_a_thread_for_the_others_and_end(site: Site) -> None:
    body = site.form()
    with ExitStack() as stack:
        silent = [stack.enter_context(site.connect()) for _ in range(MAX_UPLOADS)]
        for each in silent:
            each.sendall(site.head(len(body)) + body[:1_000])
        time.sleep(0.3)
        rejected = stack.enter_context(site.connect())
        rejected.sendall(site.head(len(body)))
        assert response(rejected)[0] == 429
        assert requests.get(f"{site.live.url}/staff/sign-in", timeout=5).status_code == 200

        assert [response(each)[0] for each in silent] == [400] * MAX_UPLOADS

    with site.connect() as connection:
        connection.sendall(site.head(len(body)) + body)
        assert response(connection)[0] == 303


def test_a_table_of_postal_codes_may_be_longer_than_other_bodies(site: Site) -> None:
    campaign = {"_id": "c1", "title": "River", "match_keys": ["id:c1"], "target_list": [{"family_name": "Smith"}]}
    site.database.advocacy_campaigns.replace_one({"_id": "c1"}, campaign, upsert=True)
    table = "postal_code,target\n" + "".join(f"{number:05d},1\n" for number in range(50_000))
    assert len(table) > 262_144
    body = site.form(table.encode(), act="check")
    with site.connect() as connection:
        connection.sendall(site.head(len(body), path="/staff/campaigns/c1/postal-codes") + body)
        status, text = response(connection)

    assert status == 200
    assert "The table can be stored" in text


@pytest.mark.parametrize("path", ["/api/v1/people", "/staffing", "/act/river"])
def test_a_long_body_elsewhere_is_not_awaited(site: Site, path: str) -> None:
    with site.connect() as connection:
        connection.sendall(site.head(1_000_000, path=path))
        began = time.monotonic()

        assert response(connection)[0] in (401, 404, 413)

    assert time.monotonic() - began < BOUNDS.silence_seconds + 5
