"""`import osdi` from a second instance of this application, and from untrustworthy servers."""

import datetime as dt
import json
import re
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest
from click.testing import Result
from flask import Flask
from pymongo.database import Database
from werkzeug.serving import make_server

from app import create_app
from blueprints.http.context import EXTENSION
from blueprints.http.rate_limits import EXTENSION as RATE_LIMITS
from osdi.access.tokens import new_token
from osdi.ids import now
from osdi.importing import osdi_client
from osdi.importing.batches import row_batches
from osdi.importing.osdi_client import Remote, RemoteBusy, RemoteError
from osdi.settings import Settings
from osdi.store import Insert
from osdi.store.indexes import TOKENS
from tests.support import factories
from tests.support.client import Client
from tests.support.databases import own_database

RELATION = "osdi:people"
SINCE = re.compile(r"/people\?filter=modified_date ge '([^'Z]+)Z?'")


@pytest.fixture
def elsewhere(settings: Settings) -> Iterator[tuple[str, Client]]:
    """Yields the address of a second instance with its own database, and a client of it."""
    with own_database(settings.mongodb_uri, "osdi_elsewhere") as (store, _):
        uri = store.uri
    other = create_app(Settings(mongodb_uri=uri, cache_seconds=0, namespace="elsewhere", **factories.UNLIMITED))
    store = other.extensions[EXTENSION].store
    secret, document = new_token("pull")
    store.write(Insert(TOKENS, document))
    server = make_server("127.0.0.1", 0, other, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/api/v1", Client(other.test_client(), secret)
    server.shutdown()
    thread.join(10)
    server.server_close()
    other.extensions[RATE_LIMITS].close()
    store.close()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns the working directory, where the command writes rejected documents."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pull(app: Flask, url: str, token: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setenv("PULL_TOKEN", token)
    return app.test_cli_runner().invoke(args=["import", "osdi", url, "--token-env", "PULL_TOKEN"])


class TestSecondInstance:
    """An import from a second instance of this application."""

    def test_everything_is_imported_once_with_its_identifiers(
        self,
        app: Flask,
        api: Client,
        database: Database,
        elsewhere: tuple[str, Client],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        url, other = elsewhere
        campaign = other.created("/advocacy_campaigns", {"title": "Theirs", "identifiers": ["crm:campaign"]})
        other.campaign_id = campaign["_links"]["self"]["href"].rsplit("/", 1)[1]
        recorded = [other.recorded(factories.outreach(identifiers=[f"crm:{number}"])) for number in range(60)]

        first = pull(app, url, other.token, monkeypatch)
        before = {name: list(database[name].find()) for name in ("people", "outreaches")}
        second = pull(app, url, other.token, monkeypatch)

        assert first.exit_code == second.exit_code == 0, first.output + second.output
        found = list(database.outreaches.find())
        assert {each for outreach in found for each in outreach["identifiers"]} == {
            each for outreach in recorded for each in outreach["identifiers"]
        }
        people = {person["_id"]: person for person in database.people.find()}
        assert len(people) == len({outreach["person_id"] for outreach in found}) == 60
        assert all(any(each.startswith("elsewhere:") for each in person["identifiers"]) for person in people.values())
        assert {name: list(database[name].find()) for name in before} == before

    def test_a_person_who_is_erased_meanwhile_is_not_created_again(
        self,
        app: Flask,
        api: Client,
        database: Database,
        elsewhere: tuple[str, Client],
        monkeypatch: pytest.MonkeyPatch,
        folder: Path,
    ) -> None:
        """The person is erased after a batch has read them, and before it is stored."""
        url, other = elsewhere
        body = factories.person()
        other.created("/people", body)
        person = api.created("/people", body)
        original = row_batches.read_ahead

        def erase_then(*given: Any) -> None:
            original(*given)
            assert api.delete(f"{person['_links']['self']['href']}?erase=true").status_code in (200, 404)

        monkeypatch.setattr(row_batches, "read_ahead", erase_then)
        result = pull(app, url, other.token, monkeypatch)

        assert result.exit_code == 0, result.output
        assert b'"erased"' in (folder / "osdi-people.rejected.ndjson").read_bytes()
        assert database.people.count_documents({}) == 0

    def test_an_import_that_begins_while_the_database_is_unavailable_waits_for_it(
        self,
        app: Flask,
        api: Client,
        database: Database,
        elsewhere: tuple[str, Client],
        monkeypatch: pytest.MonkeyPatch,
        fail: Callable[..., None],
    ) -> None:
        url, other = elsewhere
        other.created("/people", factories.person())
        monkeypatch.setattr("osdi.retry.PAUSE_SECONDS", 0)
        fail({"times": 3}, ["find"], errorCode=50, namespace="osdi.imports")

        result = pull(app, url, other.token, monkeypatch)

        assert result.exit_code == 0, result.output
        assert database.people.count_documents({}) == 1

    def test_the_next_import_requests_only_changes(
        self,
        app: Flask,
        api: Client,
        database: Database,
        elsewhere: tuple[str, Client],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        url, other = elsewhere
        other.created("/people", factories.person())
        began = now()
        assert pull(app, url, other.token, monkeypatch).exit_code == 0
        state = database.imports.find_one()
        assert state is not None
        assert state["parts"]["people"]["next"] is None
        requests: list[str] = []
        get = Remote.get
        monkeypatch.setattr(Remote, "get", lambda self, address: requests.append(address) or get(self, address))

        assert pull(app, url, other.token, monkeypatch).exit_code == 0

        (since,) = (each for address in requests for each in SINCE.findall(unquote_plus(address)))
        # The import requests again the documents that were written while the first one ran.
        assert dt.timedelta(seconds=110) < began - dt.datetime.fromisoformat(since) <= dt.timedelta(seconds=125)

    def test_an_interrupted_import_continues_at_the_next_page(
        self,
        app: Flask,
        api: Client,
        database: Database,
        elsewhere: tuple[str, Client],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        url, other = elsewhere
        for _ in range(60):
            other.created("/people", factories.person())
        get = Remote.get

        def failing(self: Remote, address: str) -> Any:
            if "page=3" in address:
                raise RemoteBusy("It went away.")
            return get(self, address)

        monkeypatch.setattr(Remote, "get", failing)
        broken = pull(app, url, other.token, monkeypatch)
        assert broken.exit_code == 1
        assert "It went away." in broken.output
        assert database.people.count_documents({}) == 50

        requests: list[str] = []
        monkeypatch.setattr(Remote, "get", lambda self, address: requests.append(address) or get(self, address))
        assert pull(app, url, other.token, monkeypatch).exit_code == 0
        assert database.people.count_documents({}) == 60
        assert "page=3" in next(address for address in requests if "/people" in address)

    def test_a_wrong_token_is_an_error_that_does_not_show_it(
        self, app: Flask, api: Client, elsewhere: tuple[str, Client], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        result = pull(app, elsewhere[0], "osdi_wrong", monkeypatch)

        assert result.exit_code == 1
        assert "401: the token is invalid" in result.output
        assert "osdi_wrong" not in result.output


Answer = Callable[[str, int], tuple[int, dict[str, str], bytes]]


@contextmanager
def dripping(drip: Callable[[socket.socket], None]) -> Iterator[str]:
    """Yields the address of a server that calls `drip` for each connection."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65_536)
            with suppress(OSError):
                drip(self.request)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/api"
        server.shutdown()
        thread.join(10)


@contextmanager
def misbehaving(response: Answer) -> Iterator[tuple[str, list[str]]]:
    """Yields the address of a server that responds with `answer(path, number of the request)`, and the paths so far."""
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            status, headers, body = response(self.path, len(requests))
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Keeps the test's output free of the server's log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api", requests
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def page(documents: list[Any], following: str | None = None) -> bytes:
    links = {"next": {"href": following}} if following else {}
    return json.dumps({"_links": links, "_embedded": {RELATION: documents}}).encode()


def read(url: str, **options: Any) -> list[Any]:
    """Returns all documents of the collection at an address."""
    remote = Remote(url, "token", first_wait=0.001, **options)
    try:
        return [each for found in remote.pages(url, RELATION) for each in found.documents]
    finally:
        remote.close()


class TestMisbehaving:
    """An import from a misbehaving server ends, stays small, and sends the token to no other host."""

    @pytest.mark.parametrize(
        ("response", "message", "most"),
        [
            (lambda path, _: (200, {}, page([{"a": 1}], path)), "loop", 3),
            (lambda _, n: (200, {}, page([{"a": 1}], f"/api?page={n}")), "loop", 3),
            (lambda _, n: (200, {}, page([], f"/api?page={n}")), "loop", 4),
            (lambda *_: (200, {}, page([{"a": 1}], "http://127.0.0.2/api")), "another host", 1),
            (lambda *_: (200, {}, page([{"a": 1}], "https://127.0.0.1/api")), "another host", 1),
            (lambda *_: (200, {}, page([{"a": 1}], "file:///etc/passwd")), "Not an address", 1),
            (lambda *_: (200, {}, page([{"a": 1}], "http://[")), "Not an address", 1),
            (lambda *_: (200, {}, page([json.loads("[" * 300 + "]" * 300)])), "nested too deep", 1),
            (lambda *_: (302, {"Location": "http://127.0.0.2/"}, b""), "redirects .302", 1),
            (lambda *_: (500, {}, b""), "responds with 500", osdi_client.MAX_ATTEMPTS),
            (lambda *_: (404, {}, b""), "responds with 404", 1),
            (lambda *_: (403, {}, b""), "lacks permission", 1),
            (lambda *_: (200, {}, b"<html>"), "not JSON", 1),
            (lambda *_: (200, {}, b"[]"), "not a JSON object", 1),
            (lambda *_: (200, {"Content-Length": "99"}, b"{}"), "cannot be reached", osdi_client.MAX_ATTEMPTS),
        ],
    )  # fmt: skip
    def test_is_an_error_after_few_requests(self, response: Answer, message: str, most: int) -> None:
        with misbehaving(response) as (url, requests), pytest.raises(RemoteError, match=message):
            read(url)

        assert len(requests) <= most

    def test_a_response_is_read_up_to_a_maximum_size(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(osdi_client, "MAX_RESPONSE_BYTES", 100_000)
        with (
            misbehaving(lambda *_: (200, {}, b" " * 5_000_000)) as (url, requests),
            pytest.raises(RemoteError, match="more than 100,000 bytes"),
        ):
            read(url)

        assert len(requests) == 1

    def test_a_silent_server_is_an_error(self) -> None:
        gone = threading.Event()

        def response(*_: object) -> tuple[int, dict[str, str], bytes]:
            gone.wait(5)
            return 200, {}, b"{}"

        with misbehaving(response) as (url, _):
            with pytest.raises(RemoteError, match=r"cannot be reached|too slowly"):
                read(url, seconds=0.05)
            gone.set()

    @pytest.mark.parametrize("headers", [b"", b"Content-Length: 100000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
    def test_a_slow_response_is_an_error(self, headers: bytes) -> None:
        gone = threading.Event()

        def drip(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\n" + headers)
            while not gone.wait(0.02):
                connection.sendall(b"1\r\n \r\n" if b"chunked" in headers else b"X")

        with dripping(drip) as url:
            begun = time.monotonic()
            with pytest.raises(RemoteError, match="too slowly"):
                read(url, seconds=0.3)
            assert time.monotonic() - begun < 0.3 * osdi_client.MAX_ATTEMPTS + 3
            gone.set()

    def test_a_request_is_repeated_until_the_server_recovers(self) -> None:
        def response(_: str, requests: int) -> tuple[int, dict[str, str], bytes]:
            return (503 if requests < 3 else 200), {}, page([{"a": 1}])

        with misbehaving(response) as (url, requests):
            assert read(url) == [{"a": 1}]

        assert len(requests) == 3

    @pytest.mark.parametrize(
        ("status", "retry_after", "least", "most"),
        [(429, "7", 7, 7), (503, "7", 7, 7), (503, "86400", 300, 300), (503, "0", 0, 1), (429, "soon", 0, 1)],
    )
    def test_a_request_is_repeated_after_retry_after(
        self, monkeypatch: pytest.MonkeyPatch, status: int, retry_after: str, least: float, most: float
    ) -> None:
        slept: list[float] = []
        own, sleep = threading.get_ident(), time.sleep
        monkeypatch.setattr("time.sleep", lambda for_: (slept.append if threading.get_ident() == own else sleep)(for_))

        def response(_: str, requests: int) -> tuple[int, dict[str, str], bytes]:
            return (status if requests < 2 else 200), {"Retry-After": retry_after}, page([{"a": 1}])

        with misbehaving(response) as (url, _):
            assert read(url) == [{"a": 1}]

        (seconds,) = slept
        assert least <= seconds <= most


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 -0100", "Fri, 99 Dec 2024 00:00:00 GMT", "today", ""])
def test_an_invalid_date_header_is_replaced_by_the_present_time(date: str) -> None:
    with misbehaving(lambda *_: (200, {"Date": date}, page([]))) as (url, _):
        (found,) = Remote(url, None).pages(url, RELATION)

    assert abs(found.timestamp - now()) < dt.timedelta(minutes=1)


class TestAnotherKindOfServer:
    """A server with relative links and with documents without identifiers."""

    @pytest.fixture
    def server(self) -> Iterator[tuple[str, list[str], dict[str, Any]]]:
        """Yields the server's address, the requested paths, and its documents by path, which a test may change."""
        has: dict[str, Any] = {
            "/api": {"_links": {"osdi:people": {"href": "api/people"}, "osdi:advocacy_campaigns": {"href": "api/c"}}},
            "/api/c": collection(
                "osdi:advocacy_campaigns",
                {"title": "Theirs", "_links": {"self": {"href": "/api/c/7"}, "osdi:outreaches": {"href": "c/7/o"}}},
                {"title": "Without links", "_links": [1], "identifiers": ["crm:2"]},
            ),
            "/api/people": collection(RELATION, {"identifiers": ["crm:1"], "given_name": "A"}, following="?page=2"),
            "/api/people?page=2": collection(RELATION, {"identifiers": ["crm:2"]}, {"given_name": "Nobody"}),
            "/api/c/7/o": collection(
                "osdi:outreaches",
                {"type": "phone", "person": {"identifiers": ["crm:1"]}, "_links": {"self": {"href": "/api/o/1"}}},
                {"type": "phone", "_links": {"self": {"href": "/api/o/2"}}},
            ),
        }

        def response(path: str, _: int) -> tuple[int, dict[str, str], bytes]:
            found = has.get(path.partition("?filter")[0].partition("&filter")[0])
            return (200, {}, json.dumps(found).encode()) if found is not None else (404, {}, b"")

        with misbehaving(response) as (url, requests):
            yield url, requests, has

    def test_everything_is_imported_once(
        self,
        app: Flask,
        api: Client,
        database: Database,
        server: tuple[str, list[str], dict[str, Any]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        url, _, has = server

        first = pull(app, url, "t", monkeypatch)
        before = {name: list(database[name].find()) for name in ("people", "outreaches", "advocacy_campaigns")}
        has["/api/c/7/o"]["_embedded"]["osdi:outreaches"][0]["modified_date"] = "2024-12-31T00:00:00Z"
        second = pull(app, url, "t", monkeypatch)

        assert first.exit_code == second.exit_code == 0, first.output + second.output
        assert sorted(each["title"] for each in before["advocacy_campaigns"] if each["_id"] != api.campaign_id) == [
            "Theirs",
            "Without links",
        ]
        assert {each["identifiers"][0] for each in before["people"]} == {"crm:1", "crm:2"}
        (outreach,) = before["outreaches"]
        campaign = next(each for each in before["advocacy_campaigns"] if each["title"] == "Theirs")
        assert outreach["advocacy_campaign_id"] == campaign["_id"]
        assert {name: list(database[name].find()) for name in before} == before

    def test_rejected_documents_are_written_by_kind_and_can_be_imported_after_correction(
        self,
        app: Flask,
        api: Client,
        database: Database,
        folder: Path,
        server: tuple[str, list[str], dict[str, Any]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        output = pull(app, server[0], "t", monkeypatch).output

        assert "The rejected people are in osdi-people.rejected.ndjson." in output
        assert "The rejected outreaches are in osdi-outreaches.rejected.ndjson." in output
        corrected = folder / "osdi-people.rejected.ndjson"
        corrected.write_text(corrected.read_text().replace('"given_name"', '"identifiers":["crm:3"],"given_name"'))
        result = app.test_cli_runner().invoke(args=["import", "people", corrected.name])
        assert result.exit_code == 0, result.output
        assert database.people.count_documents({"identifiers": "crm:3"}) == 1

    def test_another_token_requests_everything_again(
        self,
        app: Flask,
        api: Client,
        server: tuple[str, list[str], dict[str, Any]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        url, requests, _ = server
        pull(app, url, "one", monkeypatch)
        requests.clear()

        pull(app, url, "one", monkeypatch)
        pull(app, url, "another", monkeypatch)

        people = [path for path in requests if path.startswith("/api/people") and "page=2" not in path]
        assert len(people) == 2
        assert "filter" in people[0]
        assert "filter" not in people[1]

    def test_after_a_missing_next_page_the_collection_is_read_from_the_beginning(
        self,
        app: Flask,
        api: Client,
        database: Database,
        server: tuple[str, list[str], dict[str, Any]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        url, _, has = server
        gone = has.pop("/api/people?page=2")

        assert "responds with 404" in pull(app, url, "t", monkeypatch).output
        del has["/api/people"]["_links"]["next"]
        has["/api/people"]["_embedded"][RELATION] += gone["_embedded"][RELATION]
        again = pull(app, url, "t", monkeypatch)

        assert again.exit_code == 0, again.output
        assert database.people.count_documents({}) == 2


def collection(relation: str, *documents: Any, following: str | None = None) -> dict[str, Any]:
    links = {"next": {"href": following}} if following else {}
    return {"_links": links, "_embedded": {relation: list(documents)}}


def test_an_invalid_address_is_a_usage_error(app: Flask, api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    result = pull(app, "example.org", "t", monkeypatch)

    assert result.exit_code == 2
    assert "continues" not in result.output


@pytest.mark.parametrize(
    "url",
    ["ftp://example.org/api", "file:///etc/passwd", "example.org", "https://", "https://me:secret@example.org/api"],
)
def test_only_http_addresses_are_accepted(url: str) -> None:
    with pytest.raises(RemoteError, match="Not an address"):
        Remote(url, "token")


def test_a_token_is_not_sent_unencrypted() -> None:
    with pytest.raises(RemoteError, match="unencrypted"):
        Remote("http://example.org/api", "token")
