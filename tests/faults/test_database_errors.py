"""The helper during database errors: it responds with 503 or success, never 500, and records nothing twice."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database
from pymongo.errors import (
    BulkWriteError,
    DuplicateKeyError,
    NetworkTimeout,
    OperationFailure,
    ProtocolError,
    PyMongoError,
    WaitQueueTimeoutError,
)

from app import create_app
from blueprints.http.context import EXTENSION
from dev.mongod import Mongod
from osdi.errors import OsdiError, WriteConflict
from osdi.log import format_exception
from osdi.settings import Settings
from osdi.store.driver import driver_errors
from tests.support import factories
from tests.support.client import Client
from tests.support.databases import SMALL_JOURNAL

# The driver waits for its next heartbeat after most of these errors.
pytestmark = pytest.mark.waits

RECOVERY_SECONDS = 10
# Error codes of networks, conflicts and exceeded times. Not those of a server that changes its role: injected, without
# a real election, the driver waits for its next heartbeat, which makes the test long and proves nothing more.
CODES = [6, 7, 89, 112, 262, 9001]

SIGNUP = {"person": {"email_addresses": [{"address": "jane@example.com"}]}}
TITLE = {"title": "Protect the river"}
AGAIN = {**SIGNUP, "identifiers": ["crm:1"]}


def recorded_people_and_outreaches(database: Database) -> tuple[int, int]:
    return database.people.count_documents({}), database.outreaches.count_documents({})


@pytest.mark.one_in(5)
@pytest.mark.parametrize("command", ["find", "aggregate", "insert", "commitTransaction"])
@pytest.mark.parametrize("code", CODES)
def test_one_failure_is_success_or_503_and_a_retry_succeeds(
    api: Client, database: Database, fail: Callable[..., None], command: str, code: int
) -> None:
    body = factories.outreach(identifiers=["crm:1"])
    fail({"times": 1}, [command], errorCode=code, errorLabels=["TransientTransactionError"] if code == 112 else [])

    first = api.record(body)
    again = api.record(body)

    assert first.status_code in (200, 503)
    assert first.status_code == 200 or "Retry-After" in first.headers
    assert again.status_code == 200
    assert recorded_people_and_outreaches(database) == (1, 1)


# One of each kind in osdi.store.driver.AWAY_CODES that the driver does not repeat itself, and the errors that mongod
# gives under load or on a full disk.
UNKNOWN_OUTCOMES = [1, 8, 24, 39, 43, 46, 50, 75, 82, 83, 96, 133, 146, 202, 215, 237, 246, 261, 264, 279, 282, 290]
UNKNOWN_OUTCOMES += [355, 363, 365, 371, 384, 388, 402, 433, 449, 450, 462, 11601, 14031, 46841, 91331]
PROGRAM_ERRORS = [2, 9, 14, 20, 28, 40, 52, 56, 59, 66, 72, 121, 168, 197, 263, 40414]


@pytest.mark.one_in(6)
@pytest.mark.parametrize("code", UNKNOWN_OUTCOMES)
def test_an_unknown_outcome_or_overload_is_503_and_a_retry_records_once(
    api: Client, database: Database, fail: Callable[..., None], code: int
) -> None:
    body = factories.outreach(identifiers=["crm:1"])
    fail("alwaysOn", ["insert"], errorCode=code)

    first = api.record(body)

    assert (first.status_code, first.json["osdi:error"]["response_code"]) == (503, 503)
    assert int(first.headers["Retry-After"]) >= 1
    fail("off", [])
    assert api.record(body).status_code == 200
    assert recorded_people_and_outreaches(database) == (1, 1)


@pytest.mark.one_in(5)
@pytest.mark.parametrize("code", [96, 365, 11601, 14031])
@pytest.mark.parametrize("command", ["find", "commitTransaction", "update"])
def test_overload_at_any_command_is_503(api: Client, fail: Callable[..., None], command: str, code: int) -> None:
    api.recorded(factories.outreach(identifiers=["crm:1"]))
    fail("alwaysOn", [command], errorCode=code)

    assert api.record(factories.outreach(identifiers=["crm:1" if command == "update" else "crm:2"])).status_code == 503


@pytest.mark.one_in(4)
@pytest.mark.parametrize("code", PROGRAM_ERRORS)
def test_an_error_of_the_program_is_500(api: Client, fail: Callable[..., None], code: int) -> None:
    fail("alwaysOn", ["insert"], errorCode=code)

    assert api.record(factories.outreach()).status_code == 500


@pytest.mark.parametrize(
    "error",
    [
        ProtocolError("a reply that cannot be read"),
        NetworkTimeout("no reply"),
        WaitQueueTimeoutError("no connection"),
        BulkWriteError({"writeErrors": [{"index": 0, "code": 14031, "errmsg": "x"}], "writeConcernErrors": []}),
        BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64, "errmsg": "x"}]}),
        OperationFailure("x", 999, {"errorLabels": ["SystemOverloadedError", "RetryableError"]}),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_of_the_driver_with_an_unknown_outcome_are_503(error: PyMongoError) -> None:
    with pytest.raises(OsdiError) as translated, driver_errors():
        raise error

    assert (translated.value.status, "Retry-After" in translated.value.headers) == (503, True)


VALUE = "jane@example.com"


@pytest.mark.parametrize(
    "error",
    [
        DuplicateKeyError(f"dup key: {VALUE}", 11000, {"keyValue": {"match_keys": VALUE}}),
        OperationFailure(f"write conflict with {VALUE}", 112, {"errorLabels": ["TransientTransactionError"]}),
        OperationFailure(f"overloaded by {VALUE}", 365),
        OperationFailure(f"too large: {VALUE}", 10334),
        OperationFailure(f"not allowed: {VALUE}", 13),
        NetworkTimeout(f"no reply to {VALUE}"),
    ],
    ids=lambda error: f"{type(error).__name__} {getattr(error, 'code', None)}",
)
def test_no_translated_error_contains_the_message_of_the_driver(error: PyMongoError) -> None:
    with pytest.raises((OsdiError, WriteConflict)) as translated, driver_errors():
        raise error

    assert VALUE not in str(translated.value)
    assert VALUE not in format_exception(translated.value)


@pytest.mark.parametrize("code", [13, 18])
def test_a_forbidden_write_is_503_with_the_reason(
    api: Client, database: Database, fail: Callable[..., None], code: int
) -> None:
    fail({"times": 1}, ["insert"], errorCode=code)

    response = api.record(factories.outreach())

    assert response.status_code == 503
    assert "check its name, password and write permission" in response.json["error"]
    assert recorded_people_and_outreaches(database) == (0, 0)


@pytest.mark.parametrize("code", [64, 100])
def test_a_commit_whose_durability_is_unknown_is_503(
    api: Client, database: Database, fail: Callable[..., None], code: int
) -> None:
    body = factories.outreach(identifiers=["crm:1"])
    fail({"times": 2}, ["commitTransaction"], writeConcernError={"code": code, "errmsg": "injected"})

    first = api.record(body)

    assert first.status_code in (200, 503)
    assert api.record(body).status_code == 200
    assert recorded_people_and_outreaches(database) == (1, 1)


@pytest.mark.parametrize(
    "send",
    [
        pytest.param(lambda api: api.record(AGAIN), id="an outreach again"),
        pytest.param(lambda api: api.post("/people/person_signup_helper", SIGNUP), id="a sign-up again"),
        pytest.param(lambda api: api.put(f"/advocacy_campaigns/{api.campaign_id}", TITLE), id="a PUT again"),
    ],
)
def test_a_repeated_post_waits_for_the_majority_like_a_write(
    api: Client, fail: Callable[..., None], send: Callable[[Client], Any]
) -> None:
    assert send(api).status_code == 200

    # The first write has not reached a majority yet, so a failover would undo it.
    fail({"times": 1}, ["update"], writeConcernError={"code": 64, "errmsg": "injected"})

    assert send(api).status_code == 503
    assert send(api).status_code == 200


@pytest.mark.parametrize("command", ["find", "insert", "commitTransaction"])
def test_a_broken_connection_is_replaced(
    api: Client, database: Database, fail: Callable[..., None], command: str
) -> None:
    fail({"times": 1}, [command], closeConnection=True)

    assert api.record(factories.outreach(identifiers=["crm:1"])).status_code == 200
    assert recorded_people_and_outreaches(database) == (1, 1)


class TestAServerThatHangs:
    """mongod frozen and thawed; the time-outs are shortened to keep the test short."""

    @pytest.fixture
    def own(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Mongod, Flask]]:
        monkeypatch.setattr("osdi.store.driver.SOCKET_TIMEOUT_MS", 500)
        monkeypatch.setattr("osdi.store.driver.SERVER_SELECTION_TIMEOUT_MS", 1_000)
        with Mongod(tmp_path, transaction_seconds=1, options=SMALL_JOURNAL) as mongod:
            app = create_app(Settings(mongodb_uri=mongod.uri))
            app.extensions[EXTENSION].store.create_indexes()
            app.test_cli_runner().invoke(args=["sample"])
            yield mongod, app
            app.extensions[EXTENSION].store.close()

    def test_fails_fast_and_recovers(self, own: tuple[Mongod, Flask]) -> None:
        mongod, app = own
        assert mongod.process is not None
        client = Client(
            app.test_client(), app.test_cli_runner().invoke(args=["tokens", "create", "x"]).output.split()[-1]
        )
        client.campaign_id = "c945d6fe-929e-11e3-a2e9-12313d316c29"
        client.recorded(factories.outreach())
        body = factories.outreach(identifiers=["crm:1"])

        os.kill(mongod.process.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            frozen = client.record(body)
            waited = time.monotonic() - began
        finally:
            os.kill(mongod.process.pid, signal.SIGCONT)

        assert frozen.status_code == 503
        assert "Retry-After" in frozen.headers
        assert waited < 4, "about one socket time-out and one server selection"
        ends = time.monotonic() + RECOVERY_SECONDS
        while (response := client.record(body)).status_code == 503 and time.monotonic() < ends:
            time.sleep(0.1)  # the driver has not noticed yet that the server answers again
        assert (response.status_code, response.json.get("identifiers", ())[1:]) == (200, ["crm:1"])

    @pytest.mark.slow
    def test_fails_fast_in_a_transaction_too(self, own: tuple[Mongod, Flask], monkeypatch: pytest.MonkeyPatch) -> None:
        mongod, app = own
        assert mongod.process is not None
        process = mongod.process
        store = app.extensions[EXTENSION].store
        client = Client(
            app.test_client(), app.test_cli_runner().invoke(args=["tokens", "create", "x"]).output.split()[-1]
        )
        client.campaign_id = "c945d6fe-929e-11e3-a2e9-12313d316c29"
        apply = store.apply

        def freeze_after_the_person(write: Any, session: Any) -> None:
            apply(write, session)
            if write.collection == "people":
                os.kill(process.pid, signal.SIGSTOP)

        monkeypatch.setattr(store, "apply", freeze_after_the_person)
        body = factories.outreach(identifiers=["crm:1"])
        try:
            began = time.monotonic()
            frozen = client.record(body)
            waited = time.monotonic() - began
        finally:
            os.kill(process.pid, signal.SIGCONT)
        monkeypatch.setattr(store, "apply", apply)

        assert frozen.status_code == 503
        assert waited < 4
        assert store.find_one("people", {"identifiers": "crm:1"}) is None
        # The lost transaction keeps its locks until the server's own limit; then the client's retry goes through.
        retries = [client.record(body).status_code for _ in range(3)]
        assert set(retries) <= {200, 503}
        assert retries[-1] == 200
        assert client.get("/people?per_page=1").json["total_records"] == 1
