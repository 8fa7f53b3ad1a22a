"""`/healthz` and `/readyz`: their checks, their responses, and their load on the database."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pymongo import MongoClient
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION
from dev.mongod import Mongod, free_port
from osdi.settings import Settings
from osdi.store import Store
from osdi.store.indexes import INDEXES
from osdi.version import VERSION

AT_ONCE_SECONDS = 0.9
NOBODY = "the-user"
PASSWORD = "the-password"

Deployed = Callable[..., FlaskClient]


@pytest.fixture
def deployed(app: Flask, settings: Settings) -> Iterator[Deployed]:
    """Makes further applications, on a database with its indexes; they are closed at the end."""
    made = []

    def make(**changed: Any) -> FlaskClient:
        made.append(create_app(replace(settings, **changed)))
        return made[-1].test_client()

    yield make
    for app in made:
        app.extensions[EXTENSION].store.close()


@pytest.fixture
def new_database(mongod: Mongod) -> Iterator[tuple[str, Database]]:
    """A connection string and the database that it names, which has nothing in it yet."""
    uri = mongod.uri.replace("/osdi?", "/health?")
    with MongoClient(uri) as client:
        yield uri, client.get_default_database()
        client.drop_database("health")


def away() -> str:
    """A connection string with a secret, to where no database is."""
    return f"mongodb://{NOBODY}:{PASSWORD}@127.0.0.1:{free_port()}/osdi?replicaSet=rs0"


class TestHealthz:
    def test_answers(self, deployed: Deployed) -> None:
        response = deployed().get("/healthz")

        assert (response.status_code, response.json) == (200, {"status": "alive", "version": VERSION})
        assert response.mimetype == "application/json"

    def test_uses_no_database(self, deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Store, "connect", lambda _: pytest.fail("asked the database"))

        assert deployed().get("/healthz").status_code == 200


class TestReadyz:
    def test_is_ready_with_a_database_that_has_its_indexes(self, deployed: Deployed) -> None:
        response = deployed().get("/readyz")

        assert (response.status_code, response.json) == (200, {"status": "ready"})

    def test_warns_of_settings_that_have_a_value_of_the_documentation(self, deployed: Deployed) -> None:
        response = deployed(public_url="https://osdi.example.org", vendor_name="Friends of the River").get("/readyz")

        assert response.status_code == 200
        assert response.json["warnings"] == [
            "These settings have values of the documentation: PUBLIC_URL, VENDOR_NAME. Replace them by your own."
        ]

    def test_is_ready_in_memory(self, deployed: Deployed) -> None:
        assert deployed(mongodb_uri="mongomock://").get("/readyz").status_code == 200

    def test_names_missing_unique_indexes_until_they_exist(
        self, deployed: Deployed, new_database: tuple[str, Database]
    ) -> None:
        uri, _ = new_database
        client = deployed(mongodb_uri=uri)

        response = client.get("/readyz")

        assert (response.status_code, response.json["status"]) == (503, "not ready")
        [text] = response.json["missing"]
        assert "bin/osdi release" in text
        for collection, indexes in INDEXES.items():
            for index in indexes:
                assert (f"{collection} ({', '.join(index.fields)})" in text) is index.unique
        client.application.extensions[EXTENSION].store.create_indexes()
        assert client.get("/readyz").status_code == 200

    def test_an_index_that_is_not_unique_does_not_count(
        self, deployed: Deployed, new_database: tuple[str, Database]
    ) -> None:
        uri, database = new_database
        client = deployed(mongodb_uri=uri)
        client.application.extensions[EXTENSION].store.create_indexes()
        database.people.drop_index("match_keys_1")
        database.people.create_index("match_keys")

        assert "people (match_keys)" in client.get("/readyz").json["missing"][0]

    @pytest.mark.parametrize(("seconds", "status"), [(30, 200), (0, 503)])
    def test_existing_indexes_are_cached(
        self,
        deployed: Deployed,
        new_database: tuple[str, Database],
        monkeypatch: pytest.MonkeyPatch,
        seconds: float,
        status: int,
    ) -> None:
        monkeypatch.setattr("osdi.operations.readiness.INDEXES_SECONDS", seconds)
        uri, database = new_database
        client = deployed(mongodb_uri=uri)
        client.application.extensions[EXTENSION].store.create_indexes()
        assert client.get("/readyz").status_code == 200
        database.people.drop_index("match_keys_1")

        assert client.get("/readyz").status_code == status

    def test_waits_two_seconds_once_for_an_unavailable_database(
        self, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("osdi.store.driver.SERVER_SELECTION_TIMEOUT_MS", 1_000)
        client = deployed(mongodb_uri=away())
        seconds = []
        for _ in range(4):
            began = time.monotonic()
            response = client.get("/readyz")
            seconds.append(time.monotonic() - began)
            assert response.status_code == 503
            assert response.json == {"status": "not ready", "missing": ["The database does not respond."]}

        assert max(seconds) < 8
        assert seconds[-1] < AT_ONCE_SECONDS

    def test_waits_two_seconds_for_a_hanging_database(self, deployed: Deployed, fail: Callable[..., None]) -> None:
        client = deployed()
        assert client.get("/readyz").status_code == 200
        fail({"times": 1}, ["ping"], blockConnection=True, blockTimeMS=5_000)
        began = time.monotonic()

        assert client.get("/readyz").status_code == 503
        assert 1 < time.monotonic() - began < 5

    def test_a_database_that_denies_access_has_its_own_message(
        self, deployed: Deployed, fail: Callable[..., None]
    ) -> None:
        client = deployed()
        fail({"times": 1}, ["ping"], errorCode=13)

        response = client.get("/readyz")

        assert response.status_code == 503
        assert "rejects the user of MONGODB_URI" in response.json["missing"][0]

    def test_a_wrong_password_is_reported_but_not_shown(self, deployed: Deployed, mongod: Mongod) -> None:
        wrong = mongod.uri.replace("://", f"://{NOBODY}:{PASSWORD}@")

        response = deployed(mongodb_uri=wrong).get("/readyz")

        assert "rejects the user of MONGODB_URI" in response.json["missing"][0]
        for secret in (NOBODY, PASSWORD, str(mongod.port), "127.0.0.1"):
            assert secret not in response.get_data(as_text=True)

    def test_does_not_show_the_address_of_an_unavailable_database(self, deployed: Deployed) -> None:
        text = deployed(mongodb_uri=away()).get("/readyz").get_data(as_text=True)

        for secret in (NOBODY, PASSWORD, "127.0.0.1", "rs0", "mongodb://"):
            assert secret not in text


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
class TestBoth:
    def test_are_not_counted_by_the_rate_limits(self, deployed: Deployed, path: str) -> None:
        client = deployed(rate_limit_anonymous="1/hour")

        assert [client.get(path).status_code for _ in range(5)] == [200] * 5

    def test_respond_to_head_requests(self, deployed: Deployed, path: str) -> None:
        response = deployed().head(path)

        assert (response.status_code, response.data) == (200, b"")

    def test_are_not_cached(self, deployed: Deployed, path: str) -> None:
        assert deployed().get(path).headers["Cache-Control"] == "no-store"

    def test_are_logged_only_at_debug(
        self, deployed: Deployed, path: str, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        for level, lines in (("info", 0), ("debug", 1)):
            client = deployed(log_level=level, log_format="json")
            client.get(path)
            assert len(capfdbinary.readouterr().out.splitlines()) == lines


def test_not_being_ready_is_an_error_in_the_log(
    deployed: Deployed, new_database: tuple[str, Database], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    deployed(mongodb_uri=new_database[0], log_format="json").get("/readyz")

    line = json.loads(capfdbinary.readouterr().out)
    assert (line["level"], line["route"], line["status"]) == ("error", "/readyz", 503)
