"""The operator's commands for follow-ups: counts by state, failed ones with their reasons, retries, and the worker."""

import datetime as dt
import itertools
import re
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from pymongo import MongoClient
from pymongo.database import Database

from osdi.followups import outbox_store
from osdi.ids import new_id, now
from osdi.settings import Settings
from osdi.store import Insert, Store
from tests.fixtures.deployed import Deployed
from tests.support import factories
from tests.support.client import Client
from tests.support.profiled import profiled
from tests.support.smtp_sink import SmtpSink

PUBLIC = "https://osdi.example.org"
TIMESTAMP = dt.datetime(2026, 3, 18, 11, 2, 30)
MINUTE = "2026-03-18T11:02Z"
NOBODYS = "01a21004-af86-7299-a966-038ca17af4c2"


def run(app: Flask, *arguments: str, stdin: str | None = None) -> Result:
    """Runs a command and returns its result; the test fails if it ends with an unhandled exception."""
    result = app.test_cli_runner().invoke(args=list(arguments), input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def done(app: Flask, *arguments: str) -> str:
    """Returns the standard output of a `followups` command; the test fails unless the command succeeds."""
    result = run(app, "followups", *arguments)
    assert result.exit_code == 0, result.output
    return str(result.stdout)


def rows(printed: str) -> list[dict[str, str]]:
    """The cells of a table by their columns' names, which begin where the cells do."""
    head, *lines = printed.splitlines()
    starts = [found.start() for found in re.finditer(r"\S+(?: \S+)*", head)]
    ends = [*starts[1:], None]

    def cells(line: str) -> list[str]:
        return [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]

    return [dict(zip(cells(head), cells(line), strict=True)) for line in lines]


def entry(**fields: Any) -> dict[str, Any]:
    """A follow-up that failed; `None` leaves a field out."""
    made = {
        "_id": new_id(),
        "kind": "autoresponse",
        "state": "failed",
        "reason": "smtp_login_535",
        "message_id": "m",
        "by_token": True,
        "attempts": 3,
        "queued_date": TIMESTAMP,
        "to": "jane@example.com",
        **fields,
    }
    return {name: value for name, value in made.items() if value is not None}


def queued(**fields: Any) -> dict[str, Any]:
    return entry(**{"state": "queued", "reason": None, "not_before": TIMESTAMP, **fields})


def stored(store: Store, *entries: dict[str, Any]) -> dict[str, Any]:
    """An outreach with these follow-ups, or with one that failed."""
    outreach_id = new_id()
    outreach = {"_id": outreach_id, "version": 1, "match_keys": [f"id:{outreach_id}"], "person_id": "p"}
    outreach |= {"advocacy_campaign_id": "c", "followups": list(entries) or [entry()]}
    store.write(Insert("outreaches", outreach))
    return outreach


def states(database: Database) -> list[str]:
    """The state of every follow-up, the oldest first."""
    outreaches = database.outreaches.find({"followups": {"$exists": True}}).sort("_id")
    return [each["state"] for outreach in outreaches for each in outreach["followups"]]


class TestTheCounts:
    """`followups`: a row for each state, and for unsent ones also for each kind and reason."""

    def test_without_followups_are_zero(self, app: Flask, database: Database) -> None:
        assert [(row["state"], row["count"]) for row in rows(done(app))] == [
            ("sent", "0 outreaches"),
            ("skipped", "0 outreaches"),
        ]

    def test_show_queue_times_and_failure_reasons(self, app: Flask, store: Store, database: Database) -> None:
        for date in (TIMESTAMP, TIMESTAMP + dt.timedelta(hours=1)):
            stored(store, queued(queued_date=date))
        stored(store, entry(kind="sms_response", reason="gateway_400"))
        stored(store, queued(state="leased", leases_lost=2))
        for state in ("sent", "skipped", "skipped"):
            stored(store, entry(state=state))

        output = done(app)

        assert [tuple(row.values()) for row in rows(output)] == [
            ("failed", "sms_response", "gateway_400", "1", MINUTE, ""),
            ("leased", "autoresponse", "", "1", MINUTE, "2"),
            ("queued", "autoresponse", "", "2", MINUTE, ""),
            ("sent", "", "", "1 outreach", "", ""),
            ("skipped", "", "", "2 outreaches", "", ""),
        ]
        assert list(rows(output)[0]) == ["state", "kind", "reason", "count", "oldest", "leases lost"]


class TestList:
    """`followups list`: a row for each follow-up in a state."""

    def test_shows_failed_followups_oldest_first(self, app: Flask, store: Store, database: Database) -> None:
        first, second = stored(store), stored(store, queued(), entry(reason="bouncing", kind="sms_response"))
        stored(store, entry(state="sent"))

        listed = rows(done(app, "list"))

        assert [tuple(row.values()) for row in listed] == [
            (
                *(first["followups"][0]["_id"], "autoresponse", "failed", "smtp_login_535"),
                *(MINUTE, "3", "", first["_id"]),
            ),
            (*(second["followups"][1]["_id"], "sms_response", "failed", "bouncing"), *(MINUTE, "3", "", second["_id"])),
        ]
        assert list(listed[0]) == ["id", "kind", "state", "reason", "queued", "attempts", "due", "outreach"]

    @pytest.mark.parametrize(
        ("options", "found"),
        [
            (("--state", "queued"), {1}),
            (("--state", "skipped"), {2, 3}),
            (("--state", "skipped", "--reason", "no_smtp"), {2}),
            (("--state", "skipped", "--kind", "sms_response"), {3}),
            (("--kind", "sms_response"), set()),
            (("--reason", "smtp_login_535"), {0}),
            (("--state", "sent"), set()),
        ],
        ids=str,
    )
    def test_shows_only_the_selected_followups(
        self, app: Flask, store: Store, database: Database, options: tuple[str, ...], found: set[int]
    ) -> None:
        entries = [
            entry(),
            queued(),
            entry(state="skipped", reason="no_smtp"),
            entry(state="skipped", reason="no_gateway", kind="sms_response"),
        ]
        stored(store, *entries)

        assert {row["id"] for row in rows(done(app, "list", *options))} == {entries[number]["_id"] for number in found}

    @pytest.mark.parametrize("state", ["queued", "leased"])
    def test_shows_the_next_attempt(self, app: Flask, store: Store, database: Database, state: str) -> None:
        stored(store, queued(state=state, queued_date=TIMESTAMP - dt.timedelta(days=1)))

        (row,) = rows(done(app, "list", "--state", state))

        assert (row["queued"], row["due"]) == ("2026-03-17T11:02Z", MINUTE)

    def test_shows_no_addresses(self, app: Flask, store: Store, database: Database) -> None:
        stored(store)

        assert "jane" not in done(app, "list")

    @pytest.mark.parametrize(("limit", "more"), [("2", True), ("3", False)])
    def test_reports_that_there_are_more(
        self, app: Flask, store: Store, database: Database, limit: str, more: bool
    ) -> None:
        for _ in range(3):
            stored(store, entry(), queued())

        result = run(app, "followups", "list", "--limit", limit)

        assert len(rows(result.stdout)) == int(limit)
        assert ("more than 2." in result.stderr) is more

    def test_without_followups_is_the_header_only(self, app: Flask, database: Database) -> None:
        assert len(done(app, "list").splitlines()) == 1

    @pytest.mark.parametrize(
        ("options", "named"),
        [
            (("--state", "lost"), "--state"),
            (("--kind", "letter"), "--kind"),
            (("--reason", ""), "--reason"),
            (("--limit", "0"), "--limit"),
            (("--limit", "10001"), "--limit"),
            (("one",), "one"),
        ],
        ids=str,
    )
    def test_rejects_unknown_values(self, app: Flask, options: tuple[str, ...], named: str) -> None:
        result = run(app, "followups", "list", *options)

        assert result.exit_code == 2
        assert named in result.output


class TestRetryOfOne:
    """`followups retry ID`."""

    @pytest.mark.parametrize("state", ["failed", "skipped"])
    def test_queues_only_that_followup(self, app: Flask, store: Store, database: Database, state: str) -> None:
        chosen = entry(state=state, reason="no_smtp")
        stored(store, entry(), chosen)
        stored(store)

        assert done(app, "retry", chosen["_id"]) == "Queued follow-ups: 1.\n"

        assert states(database) == ["failed", "queued", "failed"]
        found = database.outreaches.find_one({"followups._id": chosen["_id"]})["followups"][1]
        assert (found["attempts"], "reason" in found) == (0, False)
        assert found["queued_date"] > TIMESTAMP
        assert found["not_before"] <= now()

    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            ({"state": "queued"}, "The follow-up is queued"),
            ({"state": "leased"}, "The follow-up is leased"),
            ({"state": "sent"}, "The follow-up is sent"),
            ({"state": "skipped", "message_id": None}, "never had a message"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_reports_why_it_is_impossible(
        self, app: Flask, store: Store, database: Database, fields: dict[str, Any], why: str
    ) -> None:
        outreach = stored(store, entry(**fields))

        result = run(app, "followups", "retry", outreach["followups"][0]["_id"])

        assert result.exit_code == 2
        assert why in result.output
        assert database.outreaches.find_one() == outreach

    @pytest.mark.parametrize(
        "unknown", ["nothing", "ffffffff-ffff-ffff", "-", "0", NOBODYS, "c945d6fe-929e-11e3-a2e9-12313d316c29"]
    )
    def test_reports_an_unknown_id(self, app: Flask, store: Store, database: Database, unknown: str) -> None:
        stored(store)

        result = run(app, "followups", "retry", "--", unknown)

        assert result.exit_code == 2
        assert f"No follow-up has the id '{unknown}'" in result.output
        assert states(database) == ["failed"]

    def test_rejects_options_together_with_an_id(self, app: Flask, store: Store, database: Database) -> None:
        outreach = stored(store)

        result = run(app, "followups", "retry", outreach["followups"][0]["_id"], "--kind", "autoresponse")

        assert result.exit_code == 2
        assert states(database) == ["failed"]

    def test_finds_a_followup_of_a_recorded_outreach(self, app: Flask, api: Client, database: Database) -> None:
        """No index has the ids of follow-ups: the command finds one by the time in its id."""
        api.created("/messages", factories.message(identifiers=["crm:thanks"]))
        triggers = {"autoresponse": {"enabled": True, "identifiers": ["crm:thanks"]}}
        api.recorded(factories.outreach(triggers=triggers))
        database.outreaches.update_one({}, {"$set": {"followups.0.state": "failed"}})

        assert done(app, "retry", database.outreaches.find_one()["followups"][0]["_id"]) == "Queued follow-ups: 1.\n"

    def test_reads_few_outreaches(self, store: Store, app: Flask, database: Database) -> None:
        chosen = stored(store)
        database.outreaches.insert_many(
            {"_id": f"019c0000-0000-7000-8000-{number:012d}", "match_keys": [str(number)]} for number in range(50)
        )
        with profiled(database) as operations:
            done(app, "retry", chosen["followups"][0]["_id"])

        assert [(each.plan, each.read) for each in operations] == [("IXSCAN { _id: 1 }", 1), ("IXSCAN { _id: 1 }", 1)]


class TestRetryOfMany:
    """`followups retry`: all that failed, or that the options say."""

    @pytest.mark.parametrize(
        ("options", "found"),
        [
            ((), {0, 1, 2}),
            (("--kind", "autoresponse"), {0, 2}),
            (("--reason", "bouncing"), {1, 2}),
            (("--kind", "sms_response", "--reason", "smtp_login_535"), set()),
            (("--state", "failed"), {0, 1, 2}),
            (("--state", "skipped", "--reason", "no_smtp"), {3}),
            (("--state", "skipped", "--reason", "no_smtp", "--kind", "call_response"), set()),
        ],
        ids=str,
    )
    def test_queues_the_selected_followups(
        self, app: Flask, store: Store, database: Database, options: tuple[str, ...], found: set[int]
    ) -> None:
        stored(store)
        stored(store, entry(kind="sms_response", reason="bouncing"), entry(reason="bouncing"))
        for fields in ({"reason": "no_smtp"}, {"reason": "sent_before"}, {"reason": "no_message", "message_id": None}):
            stored(store, entry(state="skipped", **fields))
        before = states(database)

        assert done(app, "retry", *options) == f"Queued follow-ups: {len(found)}.\n"

        assert states(database) == ["queued" if at in found else state for at, state in enumerate(before)]

    def test_of_all_skipped_followups_is_rejected(self, app: Flask, store: Store, database: Database) -> None:
        """Otherwise a person who got one mail would get the suppressed repeats months later."""
        stored(store, entry(state="skipped", reason="sent_before"))

        result = run(app, "followups", "retry", "--state", "skipped", "--kind", "autoresponse")

        assert result.exit_code == 2
        assert "--reason" in result.output
        assert states(database) == ["skipped"]

    @pytest.mark.parametrize("arguments", [("",), (" ",), ("--reason", ""), ("--reason", " "), ("--kind", "")], ids=str)
    def test_of_an_empty_reason_does_not_select_all(
        self, app: Flask, store: Store, database: Database, arguments: tuple[str, ...]
    ) -> None:
        """A script passes an empty text if its variable is not set."""
        stored(store)

        assert run(app, "followups", "retry", *arguments).exit_code == 2
        assert states(database) == ["failed"]

    def test_continues_until_none_is_left(
        self, app: Flask, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("osdi.followups.retry.BATCH", 2)
        for _ in range(5):
            stored(store, entry(), entry(kind="sms_response"))

        assert done(app, "retry") == "Queued follow-ups: 10.\n"
        assert set(states(database)) == {"queued"}

    @pytest.mark.parametrize(("seconds", "failing"), [(0, 1), (1, 5)], ids=["at once", "a second later"])
    def test_does_not_queue_a_followup_twice_that_fails_again(
        self,
        app: Flask,
        store: Store,
        database: Database,
        monkeypatch: pytest.MonkeyPatch,
        seconds: int,
        failing: int,
    ) -> None:
        requeue, moments = outbox_store.requeue, itertools.count()
        fail_again = [stored(store)["_id"] for _ in range(5)][:failing]

        def and_fail(store: Store, outreach_id: str, followup_id: str, timestamp: dt.datetime) -> bool:
            assert requeue(store, outreach_id, followup_id, timestamp)
            if outreach_id in fail_again:
                database.outreaches.update_one({"_id": outreach_id}, {"$set": {"followups.0.state": "failed"}})
            return True

        times = (TIMESTAMP + dt.timedelta(seconds=seconds * number) for number in moments)
        monkeypatch.setattr("osdi.followups.retry.now", lambda: next(times))
        monkeypatch.setattr("osdi.followups.retry.BATCH", 2)
        monkeypatch.setattr(outbox_store, "requeue", and_fail)

        assert done(app, "retry") == "Queued follow-ups: 5.\n"
        assert states(database) == [*["failed"] * failing, *["queued"] * (5 - failing)]

    def test_includes_failures_of_the_present_second(self, app: Flask, store: Store, database: Database) -> None:
        stored(store, entry(queued_date=now()))

        assert done(app, "retry") == "Queued follow-ups: 1.\n"

    def test_skips_followups_without_a_message(
        self, app: Flask, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("osdi.followups.retry.BATCH", 2)
        for message_id in (None, None, None, "m"):
            stored(store, entry(message_id=message_id))

        assert done(app, "retry") == "Queued follow-ups: 1.\n"
        assert states(database) == ["failed"] * 3 + ["queued"]

    def test_reports_followups_without_a_message(self, app: Flask, store: Store, database: Database) -> None:
        stored(store, entry(state="skipped", reason="no_message", message_id=None))
        stored(store, entry(state="skipped", reason="no_message"))

        result = run(app, "followups", "retry", "--state", "skipped", "--reason", "no_message")

        assert result.exit_code == 0
        assert result.stdout == "Queued follow-ups: 1.\n"
        assert "cannot be sent" in result.stderr
        assert states(database) == ["skipped", "queued"]


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as started:
        yield started


@pytest.fixture
def _signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The worker takes the process's signals for its own: here they are given back. And it looks around more often."""
    monkeypatch.setattr("osdi.operations.worker_loop.POLL_SECONDS", 0.02)
    numbers = (signal.SIGTERM, signal.SIGINT)
    kept = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, kept, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("_signals")
class TestWorker:
    """`worker --once`: delivers the due follow-ups, and ends."""

    def application(self, deployed: Deployed, **changed: Any) -> Flask:
        return deployed(**{"public_url": PUBLIC, **changed}).http.application

    def test_sends_queued_followups(self, deployed: Deployed, api: Client, sink: SmtpSink, database: Database) -> None:
        app = self.application(deployed, smtp_url=sink.url, mail_from="hello@river.example.org")
        api.created("/messages", factories.message(identifiers=["crm:thanks"]))
        triggers = {"autoresponse": {"enabled": True, "identifiers": ["crm:thanks"]}}
        for _ in range(3):
            api.recorded(factories.outreach(triggers=triggers))

        result = run(app, "worker", "--once")

        assert result.exit_code == 0
        assert len(sink.envelopes) == 3
        assert states(database) == ["sent"] * 3
        assert "Sending autoresponse, confirmation. Delivering webhooks." in result.stdout
        assert result.stderr == ""

    def test_sends_retried_followups(self, deployed: Deployed, api: Client, sink: SmtpSink, database: Database) -> None:
        app = self.application(deployed, smtp_url=sink.url, mail_from="hello@river.example.org")
        api.created("/messages", factories.message(identifiers=["crm:thanks"]))
        triggers = {"autoresponse": {"enabled": True, "identifiers": ["crm:thanks"]}}
        api.recorded(factories.outreach(triggers=triggers))
        without = self.application(deployed)
        result = run(without, "worker", "--once")
        assert "neither SMTP_URL nor a gateway is set: follow-ups are skipped" in result.stdout
        assert states(database) == ["skipped"]

        done(app, "retry", "--state", "skipped", "--reason", "no_smtp")
        run(app, "worker", "--once")

        assert states(database) == ["sent"]

    def test_warns_about_a_missing_sender(self, deployed: Deployed, sink: SmtpSink) -> None:
        result = run(self.application(deployed, smtp_url=sink.url), "worker", "--once")

        assert (result.exit_code, "MAIL_FROM is not set" in result.stderr) == (0, True)

    def test_warns_about_missing_indexes(self, deployed: Deployed, settings: Settings) -> None:
        uri = settings.mongodb_uri.replace("/osdi?", "/without_indexes?")
        app = self.application(deployed, mongodb_uri=uri)
        try:
            assert (
                "indexes are missing, so the worker is slow. `bin/osdi release` creates them"
                in run(app, "worker", "--once").stderr
            )
            run(app, "indexes")
            with MongoClient(uri) as client:
                client.get_default_database().outreaches.drop_index("followups.state_1_followups.not_before_1")
            warning = run(app, "worker", "--once").stderr
            assert warning.startswith("1 indexes are missing")
            assert warning.endswith("outreaches (followups.state, followups.not_before)\n")
        finally:
            with MongoClient(uri) as client:
                client.drop_database("without_indexes")

    def test_requires_public_url(self, deployed: Deployed, api: Client, database: Database) -> None:
        result = run(self.application(deployed, public_url=""), "worker", "--once")

        assert result.exit_code == 2
        assert "Set PUBLIC_URL" in result.output

    def test_does_not_wait_for_an_unavailable_database(
        self, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("osdi.store.driver.SERVER_SELECTION_TIMEOUT_MS", 100)

        result = run(self.application(deployed, mongodb_uri="mongodb://127.0.0.1:1/osdi"), "worker", "--once")

        assert result.exit_code == 1
        assert result.stderr == UNREACHABLE


UNREACHABLE = "Error: The database does not respond at the moment. The address in MONGODB_URI is 127.0.0.1:1.\n"
COMMANDS = [
    ("followups",),
    ("followups", "list"),
    ("followups", "retry"),
    ("followups", "retry", NOBODYS),
    ("webhooks", "list"),
    ("webhooks", "create", "https://hooks.example.org/osdi"),
    ("webhooks", "enable", "1"),
    ("webhooks", "disable", "1"),
    ("webhooks", "delete", "1", "--yes"),
    ("webhooks", "test", "1"),
    ("tokens", "list"),
    ("tokens", "create", "crm"),
    ("recount",),
    ("sample",),
]


class TestADatabase:
    """Commands say in a sentence that the database is away, or is one that they cannot reach."""

    @pytest.mark.parametrize("command", [("followups",), ("webhooks", "list")], ids=" ".join)
    def test_that_is_unavailable_is_reported(
        self, deployed: Deployed, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
    ) -> None:
        monkeypatch.setattr("osdi.store.driver.SERVER_SELECTION_TIMEOUT_MS", 50)
        app = deployed(mongodb_uri="mongodb://127.0.0.1:1/osdi", public_url=PUBLIC).http.application

        result = run(app, *command)

        assert result.exit_code == 1
        assert result.stderr == UNREACHABLE

    @pytest.mark.parametrize("command", [*COMMANDS, ("worker",), ("worker", "--once")], ids=" ".join)
    def test_in_memory_is_rejected(self, deployed: Deployed, command: tuple[str, ...]) -> None:
        app = deployed(mongodb_uri="mongomock://", public_url=PUBLIC).http.application

        result = run(app, *command)

        assert result.exit_code == 2
        assert "MONGODB_URI is mongomock://" in result.stderr
        assert result.stdout == ""

    def test_in_memory_is_accepted_by_a_release(self, deployed: Deployed) -> None:
        assert run(deployed(mongodb_uri="mongomock://").http.application, "indexes").exit_code == 0
