"""`/metrics`: its content, its access control, and that it contains nothing that a client sent."""

import datetime as dt
import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import mmap_dict, values
from prometheus_client.parser import text_string_to_metric_families
from pymongo.database import Database

from blueprints.operations.metrics import EXTENSION
from dev.mongod import free_port
from osdi.ids import now
from osdi.operations import database_gauges
from osdi.operations.metrics_files import AllocatedFile
from tests.fixtures.deployed import Deployed
from tests.support import factories
from tests.support.client import Client

TOKEN = "metrics-token-of-the-tests"
HELPER = "/api/v1/advocacy_campaigns/<advocacy_campaign_id>/record_outreach_helper"
PROMETHEUS_SECONDS = 10  # its time-out unless it has another one
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def watched(deployed: Deployed) -> Client:
    return deployed(metrics_token=TOKEN)


def samples(client: Client) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample, by its name and labels."""
    response = client.http.get("/metrics", headers=BEARER)
    assert response.status_code == 200
    families = text_string_to_metric_families(response.get_data(as_text=True))
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


def value(client: Client, name: str, **labels: str) -> float:
    return samples(client).get((name, frozenset(labels.items())), 0.0)


class TestSharedFolder:
    """The counts of several processes in one folder, which can be full, such as `/dev/shm` in a container."""

    @pytest.fixture
    def shared(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        """A folder as gunicorn's processes have it. The library counts in memory again after the test."""
        monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
        monkeypatch.setenv("METRICS_PLACE", "0")
        monkeypatch.setattr(values, "ValueClass", values.MultiProcessValue())
        monkeypatch.setattr(values, "MmapedDict", mmap_dict.MmapedDict)
        return tmp_path

    def fill(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def no_space(*_: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("osdi.operations.metrics_files.os.posix_fallocate", no_space)

    def test_nothing_is_counted_and_posts_are_served(
        self, deployed: Deployed, shared: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.fill(monkeypatch)
        client = deployed(metrics_token=TOKEN)

        assert client.record(factories.outreach()).status_code == 200
        assert client.http.get("/metrics", headers=BEARER).status_code == 503
        assert list(shared.iterdir()) == []

    def test_counts_that_fit_are_kept_and_later_posts_are_served(
        self, deployed: Deployed, shared: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = deployed(metrics_token=TOKEN)
        client.recorded(factories.outreach())
        self.fill(monkeypatch)
        monkeypatch.setattr("osdi.operations.metrics_files.ENTRY_BYTES", 10**9)  # no further value fits

        assert client.record(factories.outreach(type="email")).status_code == 200
        assert client.get("/people").status_code == 200
        assert value(client, "osdi_outreaches_recorded_total", type="phone", token="yes") == 1
        assert value(client, "osdi_outreaches_recorded_total", type="email", token="yes") == 0

    def test_a_process_can_report_while_another_creates_its_files(
        self, deployed: Deployed, shared: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = deployed(metrics_token=TOKEN)
        samples(client)  # creates the files of this process
        allocate = os.posix_fallocate
        reported = []

        def report_first(*arguments: int) -> None:
            monkeypatch.setattr("osdi.operations.metrics_files.os.posix_fallocate", allocate)
            reported.append(value(client, "osdi_database_up"))
            allocate(*arguments)

        monkeypatch.setattr("osdi.operations.metrics_files.os.posix_fallocate", report_first)

        AllocatedFile(str(shared / "gauge_livesum_1.db")).close()

        assert reported == [1]

    def test_every_page_of_the_files_is_allocated(self, deployed: Deployed, shared: Path) -> None:
        client = deployed(metrics_token=TOKEN)
        for number in range(200):  # more than a file of the first size holds
            client.http.application.extensions[EXTENSION].count_request("GET", f"/{number}", 200, 0.1)

        files = [each.stat() for each in shared.iterdir()]

        assert max(each.st_size for each in files) > 65_536
        assert all(each.st_blocks * 512 >= each.st_size for each in files)


class TestAccess:
    def test_is_404_if_disabled(self, api: Client) -> None:
        for headers in ({}, BEARER, {"Authorization": "Bearer "}):
            assert api.http.get("/metrics", headers=headers).status_code == 404

    @pytest.mark.parametrize(
        "sent",
        ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer \u00ff\udcff"],
        ids=range(8),
    )
    def test_requires_the_token(self, watched: Client, sent: str) -> None:
        response = watched.http.get("/metrics", headers={"Authorization": sent} if sent.isascii() else None)

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert "osdi_request" not in response.get_data(as_text=True)

    def test_rejects_a_token_of_the_api(self, watched: Client) -> None:
        assert watched.http.get("/metrics", headers={"OSDI-API-Token": watched.token}).status_code == 401

    def test_returns_the_format_of_prometheus(self, watched: Client) -> None:
        response = watched.http.get("/metrics", headers=BEARER)

        assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
        assert response.headers["Cache-Control"].startswith("max-age=0")


class TestRequests:
    def test_are_counted_by_route_and_status(self, watched: Client) -> None:
        for _ in range(3):
            watched.record(factories.outreach())
        watched.record("{", token=True)

        assert value(watched, "osdi_request_seconds_count", method="POST", route=HELPER, status="200") == 3
        assert value(watched, "osdi_request_seconds_count", method="POST", route=HELPER, status="400") == 1
        assert 0 < value(watched, "osdi_request_seconds_sum", method="POST", route=HELPER, status="200") < 60
        assert value(watched, "osdi_rejected_requests_total", code="INVALID") == 1

    def test_of_unknown_routes_and_methods_share_one_label(self, watched: Client) -> None:
        for number in range(5):
            watched.http.get(f"/nothing/{number}")
            watched.http.open(f"/nothing/{number}", method=f"FOO{number}")

        assert value(watched, "osdi_request_seconds_count", method="GET", route="none", status="404") == 5
        assert value(watched, "osdi_request_seconds_count", method="other", route="none", status="404") == 5
        assert value(watched, "osdi_rejected_requests_total", code="NOT_FOUND") == 10

    def test_contain_nothing_that_a_client_sent(self, watched: Client) -> None:
        mark = "planted.marker"
        body = factories.outreach(type=mark, referrer_data={"source": mark}, subject=mark)
        body["person"] |= {"given_name": mark, "email_addresses": [{"address": f"{mark}@example.org"}]}
        assert watched.record(body).status_code == 200
        watched.http.get(f"/{mark}?{mark}={mark}", headers={"User-Agent": mark, "X-Request-ID": mark})
        watched.http.open("/api/v1/people", method="PLANTED.MARKER")
        watched.get(f"/people/{mark}", token=mark)

        exported = watched.http.get("/metrics", headers=BEARER).get_data(as_text=True).lower()

        assert mark not in exported
        assert watched.campaign_id not in exported
        assert watched.token.lower() not in exported


class TestOutreaches:
    @pytest.mark.parametrize(
        ("sent", "exported"),
        [("email", "email"), ("in-person", "in-person"), ("fax", "other"), ("other", "other"), (None, "none")],
    )
    def test_are_counted_by_type(self, watched: Client, sent: str | None, exported: str) -> None:
        body = factories.outreach()
        body.pop("type", None)
        watched.record(body | ({"type": sent} if sent else {}))

        assert value(watched, "osdi_outreaches_recorded_total", type=exported, token="yes") == 1

    def test_without_a_token_have_their_own_label(self, watched: Client) -> None:
        watched.record(factories.outreach(type="email"), token=False)

        assert value(watched, "osdi_outreaches_recorded_total", type="email", token="no") == 1

    def test_a_retry_records_nothing(self, watched: Client) -> None:
        body = factories.outreach(type="email", identifiers=["crm:1"])
        for _ in range(3):
            watched.record(body)

        assert value(watched, "osdi_outreaches_recorded_total", type="email", token="yes") == 1
        assert value(watched, "osdi_matches_total", kind="retry") == 2

    def test_over_the_limit_of_their_contact_detail_are_counted_by_reason(self, deployed: Deployed) -> None:
        client = deployed(metrics_token=TOKEN, rate_limit_contact="1/hour")
        for _ in range(3):
            client.record(factories.by_email("jane@example.com"), token=False)

        assert value(client, "osdi_outreaches_not_applied_total", reason="too_many_posts") == 2

    def test_a_rejected_request_records_nothing(self, watched: Client) -> None:
        watched.record({"type": "email"})

        assert not [name for name, _ in samples(watched) if name.startswith("osdi_outreaches_recorded")]


class TestSkippedValues:
    def test_are_counted_by_reason(self, watched: Client) -> None:
        body = factories.outreach(duration="long", shoe_size=43, add_tags=["nobody"], identifiers=["crm:1"])
        body["person"]["gender"] = "robot"
        for _ in range(2):  # the second is a retry
            assert watched.record(body).status_code == 200

        for code, number in (("INVALID", 2), ("UNKNOWN_FIELD", 1), ("DOES_NOT_EXIST", 1)):
            assert value(watched, "osdi_skipped_values_total", code=code) == number

    def test_of_a_signup_are_counted_too(self, watched: Client) -> None:
        watched.post("/people/person_signup_helper", {"person": factories.person(gender="robot")})

        assert value(watched, "osdi_skipped_values_total", code="INVALID") == 1


class TestMatches:
    EVERYTHING = {
        "identifiers": ["crm:1"],
        "email_addresses": [{"address": "jane@example.org"}],
        "phone_numbers": [{"number": "19876543210"}],
    }

    @pytest.mark.parametrize(
        ("person", "kind"),
        [
            (EVERYTHING, "identifier"),
            ({"identifiers": ["crm:1"]}, "identifier"),
            ({"identifiers": ["crm:2"], "email_addresses": [{"address": "JANE@example.org"}]}, "email"),
            ({"phone_numbers": [{"number": "1 (987) 654-3210"}]}, "phone"),
            ({"email_addresses": [{"address": "john@example.org"}]}, "new"),
        ],
    )
    def test_are_counted_by_kind_of_match(self, watched: Client, person: Any, kind: str) -> None:
        watched.created("/people", {"person": self.EVERYTHING})
        before = value(watched, "osdi_matches_total", kind=kind)

        watched.record({"person": person})

        assert value(watched, "osdi_matches_total", kind=kind) == before + 1

    def test_a_linked_person_is_a_separate_kind(self, watched: Client) -> None:
        created = watched.created("/people", {"person": self.EVERYTHING})

        watched.record({"_links": {"osdi:person": {"href": created["_links"]["self"]["href"]}}})

        assert value(watched, "osdi_matches_total", kind="link") == 1

    def test_are_not_carried_over_to_the_next_request(self, watched: Client) -> None:
        watched.record({"person": self.EVERYTHING})
        for _ in range(3):
            watched.get("/people")

        assert sum(each for (name, _), each in samples(watched).items() if name == "osdi_matches_total") == 1


class TestTheDatabase:
    def test_exports_queue_lengths_and_ages(self, watched: Client, database: Database) -> None:
        timestamp = now()
        waiting = [("queued", 90), ("queued", 30), ("leased", 500), ("failed", 900), ("sent", 5_000)]
        for number, (state, seconds) in enumerate(waiting):
            due = timestamp - dt.timedelta(seconds=seconds)
            entry = {"_id": f"f{number}", "state": state, "not_before": due, "kind": "autoresponse"}
            database.outreaches.insert_one({"_id": f"o{number}", "match_keys": [f"id:{number}"], "followups": [entry]})
        database.people.insert_one(
            {"_id": "p", "match_keys": ["id:p"], "webhook_events": [{"webhook_id": "w", "event": "x"}]}
        )

        assert value(watched, "osdi_database_up") == 1
        assert value(watched, "osdi_outbox_followups", state="queued") == 2
        assert value(watched, "osdi_outbox_followups", state="leased") == 1
        assert value(watched, "osdi_outbox_followups", state="failed") == 1
        assert 90 <= value(watched, "osdi_outbox_oldest_seconds") < 150
        assert value(watched, "osdi_webhook_events_waiting") == 1

    def test_a_followup_that_is_not_due_is_not_late(self, watched: Client, database: Database) -> None:
        entry = {"_id": "f", "state": "queued", "not_before": now() + dt.timedelta(hours=1), "kind": "autoresponse"}
        database.outreaches.insert_one({"_id": "o", "match_keys": ["id:o"], "followups": [entry]})

        assert value(watched, "osdi_outbox_followups", state="queued") == 1
        assert value(watched, "osdi_outbox_oldest_seconds") == 0

    def test_is_queried_once_in_some_seconds(self, watched: Client, database: Database) -> None:
        samples(watched)
        database.outreaches.insert_one(
            {"_id": "o", "match_keys": ["id:o"], "followups": [{"state": "failed", "not_before": now()}]}
        )

        assert value(watched, "osdi_outbox_followups", state="failed") == 0

    def test_a_failure_is_exported_too(self, watched: Client, fail: Callable[..., None]) -> None:
        fail("alwaysOn", ["find", "aggregate", "count"], errorCode=91)

        found = samples(watched)

        assert found["osdi_database_up", frozenset()] == 0
        assert not [name for name, _ in found if name.startswith("osdi_outbox")]
        assert ("osdi_mongodb_connections_in_use", frozenset()) in found

    def test_an_unavailable_one_delays_less_than_prometheus_waits(self, deployed: Deployed) -> None:
        client = deployed(metrics_token=TOKEN, mongodb_uri=f"mongodb://127.0.0.1:{free_port()}/osdi")
        began = time.monotonic()

        found = samples(client)

        assert found["osdi_database_up", frozenset()] == 0
        assert time.monotonic() - began < PROMETHEUS_SECONDS

    def test_is_queried_by_indexes_up_to_a_limit(self, watched: Client, database: Database, monkeypatch: Any) -> None:
        monkeypatch.setattr(database_gauges, "MAX_COUNTED", 3)
        for number in range(10):
            entry = {"state": "queued", "not_before": now(), "kind": "autoresponse"}
            database.outreaches.insert_one({"_id": f"o{number}", "match_keys": [f"id:{number}"], "followups": [entry]})

        assert value(watched, "osdi_outbox_followups", state="queued") == 3


def test_connections_in_use_are_exported(watched: Client, fail: Callable[..., None]) -> None:
    for _ in range(5):
        watched.record(factories.outreach())
    assert value(watched, "osdi_mongodb_connections_in_use") == 0
    assert value(watched, "osdi_circuit_open") == 0

    fail({"times": 1}, ["find"], blockConnection=True, blockTimeMS=3_000)
    client = Client(watched.http.application.test_client(), watched.token)
    operation = threading.Thread(target=lambda: client.get("/people/nobody"))
    operation.start()
    deadline = time.monotonic() + 2.5
    while value(watched, "osdi_mongodb_connections_in_use") != 1:
        assert time.monotonic() < deadline
    operation.join()

    assert value(watched, "osdi_mongodb_connections_in_use") == 0
