"""Expiry and last use of tokens; the last use is stored by the minute, without a write for each request."""

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
from tests.support.waiting import eventually


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Listener:
    """Listens to every database client that is created after it."""
    listener = Listener()
    monkeypatch.setattr("pymongo.monitoring._LISTENERS", monitoring._Listeners([listener], [], [], [], []))
    return listener


@pytest.fixture
def process(settings: Settings, listener: Listener, api: Client) -> Iterator[Callable[..., Client]]:
    """Creates applications with a cache of their own, like the processes of gunicorn."""
    apps: list[Flask] = []

    def make(cache_seconds: float = 60.0) -> Client:
        apps.append(create_app(replace(settings, cache_seconds=cache_seconds)))
        return Client(apps[-1].test_client(), api.token)

    yield make
    for app in apps:
        app.extensions[EXTENSION].store.close()


class Clock:
    """The clock that the application reads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.timestamp = now()
        monkeypatch.setattr("osdi.access.authentication.now", lambda: self.timestamp)

    def advance(self, **by: float) -> None:
        self.timestamp += dt.timedelta(**by)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class TestTokenWithExpiryDate:
    """The token is valid until its expiry date, at the same time in every process."""

    def test_it_is_401_after_the_expiry_date(self, api: Client, store: Store) -> None:
        ends = now() + dt.timedelta(hours=1)

        assert api.get("/people", token=factories.token(store, expires_date=ends)).status_code == 200
        rejected = api.get("/people", token=factories.token(store, expires_date=ends - dt.timedelta(hours=1)))

        assert rejected.status_code == 401
        assert rejected.headers["WWW-Authenticate"].startswith("OSDI-API-Token")
        assert "expired" in rejected.json["error"]

    def test_it_is_401_also_if_a_process_has_cached_it(
        self, process: Callable[..., Client], store: Store, clock: Clock, listener: Listener
    ) -> None:
        token = factories.token(store, expires_date=clock.timestamp + dt.timedelta(seconds=10))
        client = process()
        assert client.get("/people", token=token).status_code == 200
        listener.commands.clear()

        clock.advance(seconds=9)
        assert client.get("/people", token=token).status_code == 200
        clock.advance(seconds=1)
        assert client.get("/people", token=token).status_code == 401

        assert [command for _, command in listener.commands if TOKENS in command.values()] == []


class TestLastUse:
    """The last use is stored by the minute, without a write for each request."""

    def marks(self, listener: Listener) -> list[dict[str, Any]]:
        """Returns the writes to tokens that the driver sent, in order."""
        return [command for _, command in listener.named({"update"}) if command["update"] == TOKENS]

    def is_last_use(self, database: Database, token: str, minute: dt.datetime) -> bool:
        """True if the token's last use becomes this minute; the write is asynchronous."""
        return eventually(lambda: database.tokens.find_one({"name": token}).get("last_used_date") == minute)

    @pytest.mark.parametrize("cache_seconds", [0.0, 60.0])
    def test_it_takes_one_write_per_minute_and_process(
        self, process: Callable[..., Client], clock: Clock, listener: Listener, cache_seconds: float
    ) -> None:
        clock.advance(days=1)
        client = process(cache_seconds)

        written = []
        for seconds in (0, 1, 29, 29, 1, 59, 1):
            clock.advance(seconds=seconds)
            for _ in range(5):
                assert client.get("/people").status_code == 200
            written.append(len(self.marks(listener)))

        assert written == [1, 1, 1, 1, 2, 2, 3]

    def test_requests_do_not_wait_for_the_write(
        self, process: Callable[..., Client], clock: Clock, listener: Listener
    ) -> None:
        clock.advance(hours=1)

        assert process().get("/people").status_code == 200

        assert [mark["writeConcern"] for mark in self.marks(listener)] == [{"w": 0}]

    def test_it_is_stored_as_a_whole_minute(
        self, process: Callable[..., Client], clock: Clock, store: Store, database: Database
    ) -> None:
        clock.timestamp = dt.datetime(2026, 3, 18, 11, 2, 15)

        assert process().get("/people", token=factories.token(store, name="mine")).status_code == 200

        assert self.is_last_use(database, "mine", dt.datetime(2026, 3, 18, 11, 2))

    def test_is_not_written_if_another_process_has_stored_it(
        self, process: Callable[..., Client], clock: Clock, store: Store, listener: Listener
    ) -> None:
        minute = clock.timestamp.replace(second=0)
        token = factories.token(store, last_used_date=minute)
        clock.timestamp = minute + dt.timedelta(seconds=59)

        assert process().get("/people", token=token).status_code == 200

        assert self.marks(listener) == []

    def test_it_never_moves_back(
        self, process: Callable[..., Client], clock: Clock, store: Store, database: Database
    ) -> None:
        """A process with an outdated document writes after a process with a later time."""
        minute = clock.timestamp.replace(second=0)
        token = factories.token(store, name="mine")
        slow, quick = process(), process()
        assert slow.get("/people", token=token).status_code == 200
        clock.advance(hours=2)
        assert quick.get("/people", token=token).status_code == 200
        assert self.is_last_use(database, "mine", minute + dt.timedelta(hours=2))

        clock.advance(hours=-1)
        assert slow.get("/people", token=token).status_code == 200
        later = factories.token(store, name="later")
        assert slow.get("/people", token=later).status_code == 200

        assert self.is_last_use(database, "later", minute + dt.timedelta(hours=1)), "the earlier write has arrived"
        assert database.tokens.find_one({"name": "mine"})["last_used_date"] == minute + dt.timedelta(hours=2)

    def test_a_revoked_token_is_not_created_again(
        self, process: Callable[..., Client], clock: Clock, database: Database
    ) -> None:
        client = process()
        client.get("/people")
        database.tokens.delete_many({})
        clock.advance(hours=1)

        assert client.get("/people").status_code == 200

        assert database.tokens.count_documents({}) == 0

    def test_a_failed_write_does_not_fail_the_request(self, process: Callable[..., Client], clock: Clock) -> None:
        client = process()
        assert client.get("/").status_code == 200
        store: Store = client.http.application.extensions[EXTENSION].store
        store.uri = "mongodb://127.0.0.1:1/osdi"  # no server listens there
        store.close()
        clock.advance(hours=1)
        began = time.monotonic()

        assert client.get("/").status_code == 200

        assert time.monotonic() - began < 8  # the driver waits twelve seconds for a server

    def test_it_is_stored_in_memory_without_a_database_server(self) -> None:
        app = create_app(Settings(mongodb_uri="mongomock://"))
        store: Store = app.extensions[EXTENSION].store
        client = Client(app.test_client(), factories.token(store))

        assert client.get("/people").status_code == 200

        assert store.find_one(TOKENS, {})["last_used_date"].second == 0
