"""When a token ends, and when it was last used: known to the minute, without a write for each request."""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from pymongo import monitoring
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION
from osdi.ids import now
from osdi.settings import Settings
from osdi.store import Store
from osdi.store.indexes import TOKENS
from tests.store.test_durability import Listener
from tests.support import factories
from tests.support.client import Client


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Listener:
    """Hears every client of the database that is made from now on."""
    listener = Listener()
    monkeypatch.setattr("pymongo.monitoring._LISTENERS", monitoring._Listeners([listener], [], [], [], []))
    return listener


@pytest.fixture
def process(settings: Settings, heard: Listener, api: Client) -> Iterator[Callable[..., Client]]:
    """Makes what each of gunicorn's processes is: an application with a memory of its own."""
    apps: list[Flask] = []

    def make(cache_seconds: float = 60.0) -> Client:
        apps.append(create_app(replace(settings, cache_seconds=cache_seconds)))
        return Client(apps[-1].test_client(), api.token)

    yield make
    for app in apps:
        app.extensions[EXTENSION].store.close()


class Clock:
    """The time as the application reads it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.timestamp = now()
        monkeypatch.setattr("osdi.access.authentication.now", lambda: self.timestamp)

    def advance(self, **by: float) -> None:
        self.timestamp += dt.timedelta(**by)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class TestATokenThatExpires:
    """Is valid until its time is over, in every process at that moment."""

    def test_is_401_from_then_on(self, api: Client, store: Store) -> None:
        ends = now() + dt.timedelta(hours=1)

        assert api.get("/people", token=factories.token(store, expires_date=ends)).status_code == 200
        refused = api.get("/people", token=factories.token(store, expires_date=ends - dt.timedelta(hours=1)))

        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].startswith("OSDI-API-Token")
        assert "expired" in refused.json["error"]

    def test_is_401_also_where_it_is_remembered(
        self, process: Callable[..., Client], store: Store, clock: Clock, heard: Listener
    ) -> None:
        token = factories.token(store, expires_date=clock.timestamp + dt.timedelta(seconds=10))
        client = process()
        assert client.get("/people", token=token).status_code == 200
        heard.commands.clear()

        clock.advance(seconds=9)
        assert client.get("/people", token=token).status_code == 200
        clock.advance(seconds=1)
        assert client.get("/people", token=token).status_code == 401

        assert [command for _, command in heard.commands if TOKENS in command.values()] == []


class TestLastUse:
    """Is known to the minute without a write for each request."""

    def marks(self, heard: Listener) -> list[dict[str, Any]]:
        """The writes to tokens that the driver sent, in order."""
        return [command for _, command in heard.named({"update"}) if command["update"] == TOKENS]

    def eventually(self, database: Database, token: str, minute: dt.datetime) -> bool:
        """Whether a token comes to have been used last in this minute; nobody waits for that write."""
        for _ in range(100):
            if database.tokens.find_one({"name": token}).get("last_used_date") == minute:
                return True
            time.sleep(0.02)
        return False

    @pytest.mark.parametrize("cache_seconds", [0.0, 60.0])
    def test_takes_one_write_a_minute_and_process(
        self, process: Callable[..., Client], clock: Clock, heard: Listener, cache_seconds: float
    ) -> None:
        clock.advance(days=1)
        client = process(cache_seconds)

        written = []
        for seconds in (0, 1, 29, 29, 1, 59, 1):
            clock.advance(seconds=seconds)
            for _ in range(5):
                assert client.get("/people").status_code == 200
            written.append(len(self.marks(heard)))

        assert written == [1, 1, 1, 1, 2, 2, 3]

    def test_is_not_waited_for(self, process: Callable[..., Client], clock: Clock, heard: Listener) -> None:
        clock.advance(hours=1)

        assert process().get("/people").status_code == 200

        assert [mark["writeConcern"] for mark in self.marks(heard)] == [{"w": 0}]

    def test_is_stored_to_the_minute(
        self, process: Callable[..., Client], clock: Clock, store: Store, database: Database
    ) -> None:
        clock.timestamp = dt.datetime(2026, 3, 18, 11, 2, 15)

        assert process().get("/people", token=factories.token(store, name="mine")).status_code == 200

        assert self.eventually(database, "mine", dt.datetime(2026, 3, 18, 11, 2))

    def test_takes_no_write_where_another_process_was_first(
        self, process: Callable[..., Client], clock: Clock, store: Store, heard: Listener
    ) -> None:
        minute = clock.timestamp.replace(second=0)
        token = factories.token(store, last_used_date=minute)
        clock.timestamp = minute + dt.timedelta(seconds=59)

        assert process().get("/people", token=token).status_code == 200

        assert self.marks(heard) == []

    def test_never_goes_back(
        self, process: Callable[..., Client], clock: Clock, store: Store, database: Database
    ) -> None:
        """A process that remembers an old document writes after one that knows better."""
        minute = clock.timestamp.replace(second=0)
        token = factories.token(store, name="mine")
        slow, quick = process(), process()
        assert slow.get("/people", token=token).status_code == 200
        clock.advance(hours=2)
        assert quick.get("/people", token=token).status_code == 200
        assert self.eventually(database, "mine", minute + dt.timedelta(hours=2))

        clock.advance(hours=-1)
        assert slow.get("/people", token=token).status_code == 200
        later = factories.token(store, name="later")
        assert slow.get("/people", token=later).status_code == 200

        assert self.eventually(database, "later", minute + dt.timedelta(hours=1)), "the earlier write has arrived"
        assert database.tokens.find_one({"name": "mine"})["last_used_date"] == minute + dt.timedelta(hours=2)

    def test_of_a_token_that_was_revoked_makes_no_document(
        self, process: Callable[..., Client], clock: Clock, database: Database
    ) -> None:
        client = process()
        client.get("/people")
        database.tokens.delete_many({})
        clock.advance(hours=1)

        assert client.get("/people").status_code == 200

        assert database.tokens.count_documents({}) == 0

    def test_that_cannot_be_written_fails_no_request(self, process: Callable[..., Client], clock: Clock) -> None:
        client = process()
        assert client.get("/").status_code == 200
        store: Store = client.http.application.extensions[EXTENSION].store
        store.uri = "mongodb://127.0.0.1:1/osdi"  # nobody listens there
        store.close()
        clock.advance(hours=1)
        began = time.monotonic()

        assert client.get("/").status_code == 200

        assert time.monotonic() - began < 2

    def test_is_noted_without_a_database_server(self) -> None:
        app = create_app(Settings(mongodb_uri="mongomock://"))
        store: Store = app.extensions[EXTENSION].store
        client = Client(app.test_client(), factories.token(store))

        assert client.get("/people").status_code == 200

        assert store.find_one(TOKENS, {})["last_used_date"].second == 0
