"""`import osdi`: from a second instance of this application, and from servers that no one should trust."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from pymongo import MongoClient
from pymongo.database import Database
from werkzeug.serving import make_server

from app import create_app
from blueprints.deployment import EXTENSION
from blueprints.rate_limits import EXTENSION as RATE_LIMITS
from osdi.auth import new_token
from osdi.importing import remote as remote_module
from osdi.importing.remote import Remote, RemoteBusy, RemoteError
from osdi.settings import Settings
from osdi.store import Insert
from osdi.store.indexes import TOKENS
from tests import factories
from tests.client import Client

RELATION = "osdi:people"


@pytest.fixture
def elsewhere(settings: Settings) -> Iterator[tuple[str, Client]]:
    """A second instance on a database of its own: its address, and a client of it."""
    uri = settings.mongodb_uri.replace("/osdi?", "/osdi_elsewhere?")
    with MongoClient(uri) as client:
        client.drop_database("osdi_elsewhere")
    other = create_app(Settings(mongodb_uri=uri, cache_seconds=0, namespace="elsewhere", **factories.UNLIMITED))
    store = other.extensions[EXTENSION].store
    store.create_indexes()
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
    """Where the command leaves what it refuses."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pull(app: Flask, url: str, token: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setenv("PULL_TOKEN", token)
    return app.test_cli_runner().invoke(args=["import", "osdi", url, "--token-env", "PULL_TOKEN"])


class TestSecondInstance:
    """What the one has, the other has afterwards."""

    def test_all_comes_with_its_identifiers_and_only_once(
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

    def test_the_next_pull_asks_for_what_was_changed_only(
        self,
        app: Flask,
        api: Client,
        database: Database,
        elsewhere: tuple[str, Client],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        url, other = elsewhere
        other.created("/people", factories.person())
        assert pull(app, url, other.token, monkeypatch).exit_code == 0
        state = database.imports.find_one()
        assert state is not None
        assert state["parts"]["people"]["next"] is None
        asked: list[str] = []
        get = Remote.get
        monkeypatch.setattr(Remote, "get", lambda self, address: asked.append(address) or get(self, address))

        assert pull(app, url, other.token, monkeypatch).exit_code == 0

        assert any("/people?filter=modified_date+gt+%27" in address for address in asked)

    def test_a_pull_that_broke_off_goes_on_at_the_page_that_was_next(
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

        asked: list[str] = []
        monkeypatch.setattr(Remote, "get", lambda self, address: asked.append(address) or get(self, address))
        assert pull(app, url, other.token, monkeypatch).exit_code == 0
        assert database.people.count_documents({}) == 60
        assert "page=3" in next(address for address in asked if "/people" in address)

    def test_a_wrong_token_is_told_and_not_shown(
        self, app: Flask, api: Client, elsewhere: tuple[str, Client], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        result = pull(app, elsewhere[0], "osdi_wrong", monkeypatch)

        assert result.exit_code == 1
        assert "401: the token is not valid there" in result.output
        assert "osdi_wrong" not in result.output


Answer = Callable[[str, int], tuple[int, dict[str, str], bytes]]


@contextmanager
def misbehaving(answer: Answer) -> Iterator[tuple[str, list[str]]]:
    """A server that answers as it likes, by path and by how often it was asked; its address, and what was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, headers, body = answer(self.path, len(asked))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Nobody looks."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api", asked
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def page(documents: list[Any], following: str | None = None) -> bytes:
    links = {"next": {"href": following}} if following else {}
    return json.dumps({"_links": links, "_embedded": {RELATION: documents}}).encode()


def read(url: str, **options: Any) -> list[Any]:
    """All documents of the collection at an address."""
    remote = Remote(url, "token", first_wait=0.001, **options)
    try:
        return [each for found in remote.pages(url, RELATION) for each in found.documents]
    finally:
        remote.close()


class TestMisbehaving:
    """Nothing that a server does makes a pull endless, large, or send the token elsewhere."""

    @pytest.mark.parametrize(
        ("answer", "says", "most"),
        [
            (lambda path, _: (200, {}, page([{"a": 1}], path)), "circle", 3),
            (lambda _, n: (200, {}, page([{"a": 1}], f"/api?page={n}")), "circle", 3),
            (lambda _, n: (200, {}, page([], f"/api?page={n}")), "circle", 4),
            (lambda *_: (200, {}, page([{"a": 1}], "http://127.0.0.2/api")), "another host", 1),
            (lambda *_: (200, {}, page([{"a": 1}], "https://127.0.0.1/api")), "another host", 1),
            (lambda *_: (200, {}, page([{"a": 1}], "file:///etc/passwd")), "Not an address", 1),
            (lambda *_: (302, {"Location": "http://127.0.0.2/"}, b""), "302, which leads elsewhere", 1),
            (lambda *_: (500, {}, b""), "answers 500", remote_module.ATTEMPTS),
            (lambda *_: (404, {}, b""), "answers 404", 1),
            (lambda *_: (403, {}, b""), "not enough", 1),
            (lambda *_: (200, {}, b"<html>"), "not JSON", 1),
            (lambda *_: (200, {}, b"[]"), "no object", 1),
            (lambda *_: (200, {"Content-Length": "99"}, b"{}"), "cannot be reached", remote_module.ATTEMPTS),
        ],
    )  # fmt: skip
    def test_is_left_with_a_sentence(self, answer: Answer, says: str, most: int) -> None:
        with misbehaving(answer) as (url, asked), pytest.raises(RemoteError, match=says):
            read(url)

        assert len(asked) <= most

    def test_an_answer_of_any_size_is_read_up_to_a_bound(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(remote_module, "ANSWER_BYTES", 100_000)
        with (
            misbehaving(lambda *_: (200, {}, b" " * 5_000_000)) as (url, asked),
            pytest.raises(RemoteError, match="more than 100,000 bytes"),
        ):
            read(url)

        assert len(asked) == 1

    def test_a_server_that_says_nothing_is_left(self) -> None:
        gone = threading.Event()

        def answer(*_: object) -> tuple[int, dict[str, str], bytes]:
            gone.wait(5)
            return 200, {}, b"{}"

        with misbehaving(answer) as (url, _):
            with pytest.raises(RemoteError, match=r"cannot be reached|too slowly"):
                read(url, seconds=0.05)
            gone.set()

    def test_a_server_that_recovers_is_asked_again(self) -> None:
        def answer(_: str, asked: int) -> tuple[int, dict[str, str], bytes]:
            return (503 if asked < 3 else 200), {}, page([{"a": 1}])

        with misbehaving(answer) as (url, asked):
            assert read(url) == [{"a": 1}]

        assert len(asked) == 3


@pytest.mark.parametrize(
    "url",
    ["ftp://example.org/api", "file:///etc/passwd", "example.org", "https://", "https://me:secret@example.org/api"],
)
def test_only_http_addresses_are_asked(url: str) -> None:
    with pytest.raises(RemoteError, match="Not an address"):
        Remote(url, "token")


def test_a_token_never_goes_in_the_clear() -> None:
    with pytest.raises(RemoteError, match="for all to read"):
        Remote("http://example.org/api", "token")
