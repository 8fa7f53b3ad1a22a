"""The log line of each request has caller, route and written documents, and no values that a client sent."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tenacity
from flask import Flask
from pymongo.database import Database

from app import create_app
from blueprints.browser.documentation import asset_url
from blueprints.http.context import EXTENSION
from osdi.crud.reference_cache import Reference
from osdi.settings import Settings
from osdi.store import Store
from tests.support import factories
from tests.support.client import Client

Lines = Callable[[], list[dict[str, Any]]]

MARKER = "jane-marker"
ADDRESS = f"{MARKER}@example.com"


@pytest.fixture
def make(settings: Settings) -> Iterator[Callable[..., Flask]]:
    """Makes applications with these log settings, on the test's database."""
    made = []

    def application(**chosen: Any) -> Flask:
        app = create_app(
            Settings(**{"mongodb_uri": settings.mongodb_uri, "cache_seconds": 0, "log_format": "json", **chosen})
        )
        made.append(app)
        return app

    yield application
    for app in made:
        app.extensions[EXTENSION].store.close()


@pytest.fixture
def logging_api(api: Client, make: Callable[..., Flask]) -> Client:
    """The test's client and campaign, at an application that logs JSON."""
    return _at(make(), api)


@pytest.fixture
def lines(logging_api: Client, capfdbinary: pytest.CaptureFixture[bytes]) -> Lines:
    """Returns the lines that were written since the last call."""
    capfdbinary.readouterr()
    return lambda: [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]


def _at(app: Flask, api: Client) -> Client:
    client = Client(app.test_client(), api.token)
    client.campaign_id = api.campaign_id
    return client


def _id(resource: dict[str, Any], relation: str = "self") -> str:
    return str(resource["_links"][relation]["href"].rsplit("/", 1)[1])


class TestRequestLine:
    def test_names_caller_and_action(self, logging_api: Client, lines: Lines, database: Database) -> None:
        response = logging_api.record(factories.outreach())

        [line] = lines()
        assert line.pop("milliseconds") > 0
        assert line.pop("timestamp").endswith("Z")
        assert line == {
            "event": "request",
            "level": "info",
            "request_id": response.headers["OSDI-Request-ID"],
            "method": "POST",
            "route": "/api/v1/advocacy_campaigns/<advocacy_campaign_id>/record_outreach_helper",
            "status": 200,
            "caller": "tests",
            "token_id": database.tokens.find_one({})["_id"],
            "wrote": [f"people/{_id(response.json, 'osdi:person')}", f"outreaches/{_id(response.json)}"],
            "bytes": len(response.data),
        }

    def test_has_the_fields_of_the_page(self, logging_api: Client, lines: Lines) -> None:
        page = (Path(__file__).parents[2] / "docs" / "logs.md").read_text()

        logging_api.get("/")

        assert list(lines()[0]) == list(json.loads(page.split("```json\n")[1].split("```")[0]))

    def test_names_anonymous_without_a_token(self, logging_api: Client, lines: Lines) -> None:
        logging_api.record(factories.outreach(), token=False)  # the first one also creates the key for senders
        lines()
        logging_api.record(factories.outreach(), token=False)

        [line] = lines()
        assert (line["caller"], line["token_id"]) == ("anonymous", None)
        assert [each.split("/")[0] for each in line["wrote"]] == ["people", "outreaches"]

    def test_names_the_caller_if_a_scope_is_missing(
        self, logging_api: Client, lines: Lines, database: Database
    ) -> None:
        database.tokens.update_one({}, {"$set": {"scopes": ["write"]}})

        logging_api.get("/people")

        [line] = lines()
        assert (line["status"], line["caller"]) == (403, "tests")

    def test_names_the_caller_if_the_rate_limit_is_exceeded(
        self, api: Client, make: Callable[..., Flask], lines: Lines
    ) -> None:
        client = _at(make(rate_limit_token="1/minute"), api)

        client.get("/people")
        rejected = client.get("/people")

        line = lines()[-1]
        assert (rejected.status_code, line["status"], line["caller"]) == (429, 429, "tests")
        assert rejected.headers["OSDI-Request-ID"] == line["request_id"]

    @pytest.mark.parametrize(
        ("method", "path", "status", "route"),
        [
            ("GET", "/api/v1/", 200, "/api/v1/"),
            ("GET", "/docs", 200, "/docs"),
            ("GET", f"/api/v1/people/{MARKER}", 404, "/api/v1/people/<person_id>"),
            ("GET", f"/{MARKER}", 404, None),
            ("PATCH", "/api/v1/people", 405, None),
            ("OPTIONS", "/api/v1/people", 200, "/api/v1/people"),
        ],
    )
    def test_has_the_route_instead_of_the_url(
        self, logging_api: Client, lines: Lines, method: str, path: str, status: int, route: str | None
    ) -> None:
        logging_api.http.open(path, method=method, headers={"OSDI-API-Token": logging_api.token})

        [line] = lines()
        assert (line["method"], line["status"], line["route"]) == (method, status, route)

    def test_does_not_contain_an_unknown_method(self, logging_api: Client, lines: Lines) -> None:
        logging_api.http.open("/api/v1/", method="JANE")

        assert lines()[0]["method"] == "other"

    def test_of_an_asset_is_logged_at_debug_only(
        self, api: Client, make: Callable[..., Flask], capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        quiet, all_of_it = make(), make(log_level="debug")
        with quiet.test_request_context():
            address = asset_url("pages.css")
        capfdbinary.readouterr()

        assert quiet.test_client().get(address).status_code == 200
        assert capfdbinary.readouterr().out == b""
        assert all_of_it.test_client().get(address).status_code == 200
        assert json.loads(capfdbinary.readouterr().out)["level"] == "debug"


class TestWrittenDocuments:
    def test_are_none_for_a_read(self, logging_api: Client, lines: Lines) -> None:
        logging_api.get("/people")

        assert lines()[0]["wrote"] == []

    def test_are_none_for_a_rejected_request(self, logging_api: Client, lines: Lines) -> None:
        logging_api.record(factories.outreach(duration="long"), headers={"Prefer": "handling=strict"})

        [line] = lines()
        assert (line["status"], line["wrote"]) == (400, [])

    def test_are_none_for_a_replay(self, logging_api: Client, lines: Lines) -> None:
        body = factories.outreach(identifiers=["crm:1"])
        logging_api.record(body)
        logging_api.record(body)

        first, again = lines()
        assert (len(first["wrote"]), again["wrote"]) == (2, [])

    def test_leave_out_an_attempt_with_a_write_conflict(
        self, logging_api: Client, lines: Lines, fail: Callable[..., None]
    ) -> None:
        fail({"times": 1}, ["commitTransaction"], errorCode=112, errorLabels=["TransientTransactionError"])

        response = logging_api.recorded(factories.outreach())

        assert lines()[0]["wrote"] == [f"people/{_id(response, 'osdi:person')}", f"outreaches/{_id(response)}"]

    def test_include_the_person_of_a_new_tagging(self, logging_api: Client, lines: Lines) -> None:
        person = logging_api.created("/people", factories.person())
        tag = logging_api.created("/tags", {"name": "volunteer"})
        lines()

        body = {"_links": {"osdi:person": {"href": person["_links"]["self"]["href"]}}}
        logging_api.created(f"/tags/{_id(tag)}/taggings", body)
        logging_api.delete(f"/tags/{_id(tag)}")

        tagged, deleted = lines()
        assert tagged["wrote"] == [f"people/{_id(person)}"]
        assert deleted["wrote"] == [f"tags/{_id(tag)}", f"people?taggings.tag_id={_id(tag)} (1)"]

    def test_include_all_documents_deleted_with_a_person(self, logging_api: Client, lines: Lines) -> None:
        for _ in range(2):
            recorded = logging_api.recorded(factories.by_email(ADDRESS))
        person = _id(recorded, "osdi:person")
        lines()

        logging_api.delete(f"/people/{person}")

        assert lines()[0]["wrote"] == [f"people/{person}", f"outreaches?person_id={person} (2)"]

    def test_include_all_documents_deleted_with_a_campaign(self, logging_api: Client, lines: Lines) -> None:
        campaign = logging_api.campaign_id
        logging_api.recorded(factories.outreach())
        lines()

        logging_api.delete(f"/advocacy_campaigns/{campaign}?force=true")

        assert lines()[0]["wrote"] == [
            f"outreaches?advocacy_campaign_id={campaign} (1)",
            f"advocacy_campaigns/{campaign}",
        ]

    def test_include_a_changed_and_deleted_outreach(self, logging_api: Client, lines: Lines) -> None:
        address = logging_api.recorded(factories.outreach())["_links"]["self"]["href"]
        lines()

        logging_api.put(address, {"duration": 7})
        logging_api.delete(address)

        assert [line["wrote"] for line in lines()] == [[f"outreaches/{address.rsplit('/', 1)[1]}"]] * 2


class TestRequestId:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/", 200),
            ("GET", "/openapi.json", 200),
            ("GET", "/docs/v1/nothing", 404),
            ("GET", "/api/v1/", 200),
            ("GET", "/api/v1/people", 401),
            ("GET", "/api/v1/nothing", 404),
            ("DELETE", "/api/v1/", 405),
            ("OPTIONS", "/api/v1/people", 200),
        ],
    )
    def test_is_on_every_response(self, logging_api: Client, lines: Lines, method: str, path: str, status: int) -> None:
        response = logging_api.http.open(path, method=method)

        assert response.status_code == status
        assert response.headers["OSDI-Request-ID"] == lines()[0]["request_id"]

    def test_is_on_a_response_to_a_too_large_body(self, logging_api: Client) -> None:
        response = logging_api.record("x" * 300_000)

        assert response.status_code == 413
        assert response.headers["OSDI-Request-ID"]

    def test_can_be_read_by_a_page_of_another_origin(self, logging_api: Client) -> None:
        response = logging_api.get("/", headers={"Origin": "https://campaign.example.org"})

        assert "OSDI-Request-ID" in response.headers["Access-Control-Expose-Headers"].split(", ")

    def test_is_never_chosen_by_the_client(self, logging_api: Client, lines: Lines) -> None:
        response = logging_api.get("/", headers={"OSDI-Request-ID": MARKER})

        assert response.headers["OSDI-Request-ID"] == lines()[0]["request_id"] != MARKER

    @pytest.mark.parametrize(
        ("sent", "logged"),
        [("a1-B_2", "a1-B_2"), ("x" * 200, "x" * 200), ("x" * 201, None), (ADDRESS, None), ("a b", None), ("", None)],
    )
    def test_of_the_platform_is_logged_too(
        self, logging_api: Client, lines: Lines, sent: str, logged: str | None
    ) -> None:
        logging_api.get("/", headers={"X-Request-ID": sent})

        assert lines()[0].get("platform_request_id") == logged


class TestAnAddress:
    def test_is_left_out(self, logging_api: Client, lines: Lines) -> None:
        logging_api.get("/")

        assert "remote_addr" not in lines()[0]

    def test_is_logged_if_the_operator_enables_it(self, api: Client, make: Callable[..., Flask], lines: Lines) -> None:
        client = _at(make(log_addresses=True, trusted_proxies=1), api)

        client.get("/", headers={"X-Forwarded-For": "203.0.113.7"})

        assert lines()[0]["remote_addr"] == "203.0.113.7"


class TestAFailure:
    def test_is_logged_by_type_and_frames_without_its_message(
        self, logging_api: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise ArithmeticError(MARKER)

        monkeypatch.setattr(Reference, "campaign", fail)

        response = logging_api.record(factories.outreach())

        [line] = lines()
        assert (response.status_code, line["status"], line["level"]) == (500, 500, "error")
        assert line["exception"].splitlines()[-1] == "builtins.ArithmeticError"
        assert "tests.http.test_request_log" in line["exception"]
        assert MARKER not in str(line)

    def test_of_a_unique_index_does_not_show_the_key(
        self, logging_api: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from osdi import retry

        logging_api.recorded(factories.by_email(ADDRESS))
        lines()
        once = retry._retrying.copy(stop=tenacity.stop_after_attempt(1))
        monkeypatch.setattr(retry, "_retrying", once)
        monkeypatch.setattr(
            Store, "by_match_keys_and_ids", lambda *_: ([], [])
        )  # so the address is claimed again and again

        response = logging_api.record(factories.by_email(ADDRESS))

        [line] = lines()
        assert response.status_code == line["status"] == 503
        assert "pymongo.errors.DuplicateKeyError (code 11000)" in line["exception"].splitlines()
        assert line["wrote"] == []
        assert MARKER not in str(line)

    @pytest.mark.parametrize(("code", "status"), [(2, 500), (50, 503)])
    def test_of_the_database_is_logged_with_its_code(
        self, logging_api: Client, lines: Lines, fail: Callable[..., None], code: int, status: int
    ) -> None:
        fail({"times": 3}, ["find"], errorCode=code)

        response = logging_api.get(f"/people?filter=email_address eq '{ADDRESS}'")

        [line] = lines()
        assert response.status_code == line["status"] == status
        assert f"(code {code})" in line["exception"]
        assert MARKER not in str(line)

    def test_is_found_by_the_reference_code_of_the_response(
        self, logging_api: Client, lines: Lines, fail: Callable[..., None]
    ) -> None:
        fail({"times": 1}, ["find"], errorCode=2)

        response = logging_api.get("/people")

        [description] = response.json["osdi:error"]["resource_status"][0]["error_descriptions"]
        assert description["reference_code"] == lines()[0]["request_id"] == response.headers["OSDI-Request-ID"]

    def test_of_the_client_has_no_reference_code(self, logging_api: Client) -> None:
        response = logging_api.get("/people/nobody")

        [description] = response.json["osdi:error"]["resource_status"][0]["error_descriptions"]
        assert "reference_code" not in description

    def test_outside_of_a_view_is_logged_without_its_message_too(
        self, api: Client, make: Callable[..., Flask], lines: Lines
    ) -> None:
        app = make()
        met = []

        def fail_once(made: Any) -> Any:
            if not met:
                met.append(made)
                raise ArithmeticError(MARKER)
            return made

        app.after_request(fail_once)

        response = _at(app, api).get(f"/people/{MARKER}")

        [line] = lines()
        assert response.status_code == line["status"] == 500
        assert MARKER not in str(line)

    def test_of_logging_does_not_fail_the_request(
        self, logging_api: Client, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def gone(_: bytes) -> None:
            raise BrokenPipeError

        monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=SimpleNamespace(write=gone)))

        response = logging_api.record(factories.outreach())

        assert response.status_code == 200
        assert database.outreaches.count_documents({}) == 1


class TestALibrary:
    def test_logs_in_the_same_format(self, logging_api: Client, lines: Lines) -> None:
        logging.getLogger("some.library").warning("%s is late", "it")

        [line] = lines()
        assert (line["event"], line["level"], line["logger"]) == ("it is late", "warning", "some.library")

    def test_logs_no_exception_message(self, logging_api: Client, lines: Lines) -> None:
        try:
            raise ValueError(MARKER)
        except ValueError:
            logging.getLogger("some.library").exception("It failed")

        [line] = lines()
        assert line["exception"].endswith("\nbuiltins.ValueError")
        assert MARKER not in str(line)

    @pytest.mark.parametrize("broken", [("\ud800",), ("%d", "x")])
    def test_with_a_logging_error_fails_no_request(
        self, logging_api: Client, lines: Lines, broken: tuple[str, ...]
    ) -> None:
        [ours] = [each for each in logging.getLogger().handlers if type(each).__module__ == "osdi.log"]

        # Not by way of a logger: pytest's own handler would fail.
        ours.handle(logging.LogRecord("some.library", logging.WARNING, __file__, 1, broken[0], broken[1:], None))

        [line] = lines()
        assert line["logger"] == "some.library"

    @pytest.mark.parametrize("name", ["pymongo.command", "pymongo.connection", "werkzeug", "flask_cors", "app"])
    def test_logs_warnings_and_errors_only(self, make: Callable[..., Flask], lines: Lines, name: str) -> None:
        make(log_level="debug")

        assert not logging.getLogger(name).isEnabledFor(logging.INFO)
        assert logging.getLogger(name).isEnabledFor(logging.WARNING)


def test_the_level_is_the_minimum(
    api: Client, make: Callable[..., Flask], lines: Lines, fail: Callable[..., None]
) -> None:
    client = _at(make(log_level="error"), api)

    client.get("/people/nobody")
    assert lines() == []

    fail({"times": 1}, ["find"], errorCode=2)
    client.get("/people")
    assert [line["status"] for line in lines()] == [500]


def test_the_other_format_is_readable_text(
    api: Client, make: Callable[..., Flask], capfdbinary: pytest.CaptureFixture[bytes], fail: Callable[..., None]
) -> None:
    client = _at(make(log_format="console"), api)
    capfdbinary.readouterr()

    fail({"times": 1}, ["find"], errorCode=2)
    client.get("/people/nobody")

    first, *rest = capfdbinary.readouterr().out.decode().splitlines()
    assert "route=/api/v1/people/<person_id>" in first
    assert rest[-1] == "pymongo.errors.OperationFailure (code 2)"


@pytest.mark.parametrize("level", ["debug", "info"])
def test_no_line_contains_what_a_client_sent(
    api: Client, make: Callable[..., Flask], lines: Lines, capfdbinary: pytest.CaptureFixture[bytes], level: str
) -> None:
    client = _at(make(log_level=level, cors_origins=("https://campaign.example.org",)), api)
    capfdbinary.readouterr()
    person = {"given_name": MARKER, "email_addresses": [{"address": ADDRESS}]}

    statuses = {
        "body": client.record(factories.outreach(person=person, message=MARKER)).status_code,
        "invalid value": client.record(factories.outreach(type=[MARKER])).status_code,
        "unknown field": client.record({MARKER: ADDRESS}, headers={"Prefer": "handling=strict"}).status_code,
        "not JSON": client.record(f'{{"{MARKER}').status_code,
        "filter": client.get(f"/people?filter=email_address eq '{ADDRESS}'").status_code,
        "broken filter": client.get(f"/people?filter=({ADDRESS}").status_code,
        "token in the query": client.get(f"/people?osdi-api-token={MARKER}", token=False).status_code,
        "token in the header": client.get("/people", token=MARKER).status_code,
        "path": client.get(f"/people/{ADDRESS}").status_code,
        "unknown path": client.get(f"/{ADDRESS}").status_code,
        "headers": client.get("/", headers=dict.fromkeys(("Origin", "User-Agent", "Referer"), MARKER)).status_code,
        "host": client.get("/", headers={"Host": f"{MARKER}.example.com"}).status_code,
        "idempotency": client.record(factories.outreach(), headers={"Idempotency-Key": ADDRESS}).status_code,
    }

    captured = capfdbinary.readouterr()
    written = [json.loads(line)["status"] for line in captured.out.splitlines()]
    assert written == list(statuses.values())
    assert set(written) == {200, 400, 401, 404}
    assert MARKER.encode() not in captured.out + captured.err
    assert client.token.encode() not in captured.out + captured.err
