"""The operator's commands for webhooks: create, list, enable, disable, delete and test."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION
from blueprints.http.rate_limits import EXTENSION as RATE_LIMITS
from osdi.fields import webhook
from osdi.hal import Hal
from osdi.http_client.post import HttpPost
from osdi.ids import new_id, now
from osdi.settings import Settings
from osdi.store import Insert, Store
from osdi.webhooks.delivery import Webhooks
from tests.fixtures.deployed import Deployed
from tests.support import factories
from tests.support.client import Client
from tests.support.webhook_receiver import LOOPBACK, WebhookReceiver

NETWORKS = (ip_network(LOOPBACK),)
PUBLIC = "https://osdi.example.org"
HOOK = "https://hooks.example.org/osdi"
EVENTS = list(webhook.EVENTS)
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")
TIMESTAMP = dt.datetime(2026, 3, 18, 11, 2, 30)
MINUTE = "2026-03-18T11:02Z"


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as started:
        yield started


@pytest.fixture(scope="module")
def app(settings: Settings) -> Iterator[Flask]:  # type: ignore[override]
    """An application that allows webhooks on this machine."""
    app = create_app(replace(settings, webhook_networks=NETWORKS, public_url=PUBLIC))
    app.extensions[EXTENSION].store.create_indexes()
    yield app
    app.extensions[RATE_LIMITS].close()
    app.extensions[EXTENSION].store.close()


@pytest.fixture
def deliver(store: Store, settings: Settings) -> Callable[[], None]:
    """Function that delivers as the worker does until no webhook is due."""

    def deliver_due() -> None:
        chosen = Settings(mongodb_uri=settings.mongodb_uri, webhook_networks=NETWORKS)
        webhooks = Webhooks(store, Hal(PUBLIC, "osdi_outreach"), chosen, HttpPost(NETWORKS))
        for _ in range(20):
            if not webhooks.deliver_next():
                return

    return deliver_due


def run(app: Flask, *arguments: str, input_: str | None = None) -> Result:
    """Returns the result of a `webhooks` command; fails the test if the command raised an exception."""
    result = app.test_cli_runner().invoke(args=["webhooks", *arguments], input=input_)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def done(app: Flask, *arguments: str) -> str:
    """Returns the output of a command; fails the test unless the command succeeded."""
    result = run(app, *arguments)
    assert result.exit_code == 0, result.output
    return str(result.stdout)


def secret_of(printed: str) -> str:
    """Returns the secret, which is alone on the last line."""
    return printed.splitlines()[-1]


def stored(store: Store, **fields: Any) -> str:
    """Inserts a webhook for new outreaches, with these additional fields; returns its id."""
    made = {
        "_id": new_id(),
        "version": 1,
        "url": HOOK,
        "events": ["outreach_recorded"],
        "enabled": True,
        "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "created_date": TIMESTAMP,
        "modified_date": TIMESTAMP,
        "not_before": TIMESTAMP,
        **fields,
    }
    store.write(Insert("webhooks", made))
    return str(made["_id"])


class TestCreate:
    """Prints the secret once."""

    def test_creates_a_webhook_that_gets_events(
        self, app: Flask, api: Client, receiver: WebhookReceiver, deliver: Callable[[], None]
    ) -> None:
        secret = secret_of(done(app, "create", receiver.url, "--event", "outreach_recorded"))
        recorded = api.recorded(factories.outreach())

        deliver()

        assert SECRET.fullmatch(secret)
        (sent,) = receiver.entries(secret)
        assert sent["osdi:outreach"] == recorded

    def test_subscribes_to_all_events_by_default(self, app: Flask, database: Database) -> None:
        done(app, "create", HOOK)

        assert database.webhooks.find_one()["events"] == EVENTS

    def test_ignores_a_repeated_event(
        self, app: Flask, api: Client, receiver: WebhookReceiver, deliver: Callable[[], None], database: Database
    ) -> None:
        named = ("unsubscribed", "outreach_recorded", "outreach_recorded")

        secret = secret_of(done(app, "create", receiver.url, *(word for each in named for word in ("--event", each))))

        assert database.webhooks.find_one()["events"] == ["unsubscribed", "outreach_recorded"]
        api.recorded(factories.outreach())
        deliver()
        assert len(receiver.entries(secret)) == 1

    def test_prints_the_id_and_when_other_processes_follow(self, app: Flask, database: Database) -> None:
        output = done(app, "create", HOOK)

        assert f"Created webhook {database.webhooks.find_one()['_id']}." in output
        assert "within 0 seconds (CACHE_SECONDS)" in output

    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            ((), "URL"),
            (("",), "URL"),
            (("hooks.example.org",), "URL"),
            (("ftp://hooks.example.org",), "URL"),
            (("http://hooks.example.org",), "https://"),
            (("https://10.0.0.1/",), "private"),
            (("https://user:password@hooks.example.org/",), "password"),
            (("https://hooks.example.org/#x",), "fragment"),
            (("https://hooks.example.org/\x1b[2J",), "URL"),
            ((f"{HOOK}/{'x' * 2_000}",), "2,000"),
            ((HOOK, "--event", "everything"), "--event"),
            ((HOOK, "--event", ""), "--event"),
            ((HOOK, HOOK), "argument"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_rejects_invalid_arguments(
        self, app: Flask, database: Database, arguments: tuple[str, ...], named: str
    ) -> None:
        result = run(app, "create", *arguments)

        assert result.exit_code == 2
        assert named in result.output
        assert "password@" not in result.output
        assert database.webhooks.count_documents({}) == 0

    def test_allows_this_machine_only_with_the_setting(
        self, deployed: Deployed, receiver: WebhookReceiver, database: Database
    ) -> None:
        result = run(deployed(public_url=PUBLIC).http.application, "create", receiver.url)

        assert (result.exit_code, "private" in result.output) == (2, True)
        assert database.webhooks.count_documents({}) == 0

    def test_rejects_more_than_twenty_webhooks(self, app: Flask, store: Store, database: Database) -> None:
        for _ in range(20):
            stored(store)

        result = run(app, "create", HOOK)

        assert result.exit_code == 1
        assert "There are already 20 webhooks; delete one first." in result.output
        assert "whsec_" not in result.output
        assert database.webhooks.count_documents({}) == 20


class TestList:
    """Prints every webhook, without its secret."""

    def test_has_a_line_for_each_webhook(self, app: Flask, api: Client, store: Store) -> None:
        failing = {"failures": 3, "last_failure": "status_500", "not_before": TIMESTAMP}
        stored(store, _id="1", events=list(reversed(EVENTS)), last_delivered_date=TIMESTAMP, url=f"{HOOK}/1")
        stored(store, _id="2", **failing)
        stored(store, _id="3", events=["unsubscribed", "person_created"], enabled=False, disabled_reason="by_hand")
        stored(store, _id="4", enabled=False, disabled_reason="gave_up", **failing)
        for _ in range(2):
            api.recorded(factories.outreach())

        head, *lines = done(app, "list").splitlines()

        assert re.split(r"\s{2,}", head) == [
            *("id", "state", "events", "waiting", "rejected"),
            *("last delivered", "failures", "last failure", "next attempt", "url"),
        ]
        assert [re.split(r"\s{2,}", line) for line in lines] == [
            # Each new outreach has a new person.
            ["1", "enabled", "all", "4", "0", MINUTE, "0", f"{HOOK}/1"],
            ["2", "enabled", "outreach_recorded", "2", "0", "never", "3", "status_500", MINUTE, HOOK],
            ["3", "disabled: by_hand", "unsubscribed,person_created", "0", "0", "never", "0", HOOK],
            ["4", "disabled: gave_up", "outreach_recorded", "0", "0", "never", "3", "status_500", HOOK],
        ]

    def test_shows_no_secret(self, app: Flask, database: Database) -> None:
        secret = secret_of(done(app, "create", HOOK))

        assert secret not in done(app, "list")

    def test_has_narrow_columns_despite_a_long_url(self, app: Flask, store: Store) -> None:
        stored(store, url=f"{HOOK}/{'x' * 1_000}")
        stored(store)

        head, _, short = done(app, "list").splitlines()

        assert len(head) < 200
        assert len(short) < 200

    def test_has_only_the_header_without_webhooks(self, app: Flask, database: Database) -> None:
        assert len(done(app, "list").splitlines()) == 1


class TestRejected:
    """Prints the events that a receiver rejected for good."""

    def test_has_a_line_for_each_event(
        self,
        app: Flask,
        api: Client,
        receiver: WebhookReceiver,
        deliver: Callable[[], None],
        store: Store,
        database: Database,
    ) -> None:
        webhook = stored(store, url=receiver.url)
        api.recorded(factories.outreach())
        receiver.status = 413
        deliver()
        database.outreaches.update_many({}, {"$set": {"webhook_rejections.0.date": TIMESTAMP}})

        head, line = done(app, "rejected", webhook).splitlines()

        assert re.split(r"\s{2,}", head) == ["event", "record", "reason", "rejected"]
        record = f"outreaches/{database.outreaches.find_one()['_id']}"
        assert re.split(r"\s{2,}", line) == ["outreach_recorded", record, "status_413", MINUTE]
        assert " 1 " in done(app, "list").splitlines()[1]

    def test_are_sent_again_by_enable(
        self, app: Flask, api: Client, receiver: WebhookReceiver, deliver: Callable[[], None], store: Store
    ) -> None:
        webhook = stored(store, url=receiver.url)
        outreach = api.recorded(factories.outreach())
        receiver.status = 413
        deliver()
        receiver.status = 200

        done(app, "enable", webhook)
        deliver()

        assert [each["osdi:outreach"] for sent in receiver.accepted for each in sent.json] == [outreach]
        assert len(done(app, "rejected", webhook).splitlines()) == 1

    def test_of_an_unknown_webhook_are_an_error(self, app: Flask, database: Database) -> None:
        assert "`webhooks list` shows all webhooks" in run(app, "rejected", "none").output


class TestDisableAndEnable:
    """A disabled webhook gets no events."""

    def test_events_during_the_time_it_was_disabled_are_never_sent(
        self, app: Flask, api: Client, receiver: WebhookReceiver, deliver: Callable[[], None], store: Store
    ) -> None:
        webhook = stored(store, url=receiver.url)
        assert "Disabled webhook" in done(app, "disable", webhook)
        api.recorded(factories.outreach())
        deliver()
        assert receiver.received == []

        assert "Enabled webhook" in done(app, "enable", webhook)

        after = api.recorded(factories.outreach())
        deliver()
        assert [each["osdi:outreach"] for sent in receiver.received for each in sent.json] == [after]

    def test_enabling_sends_the_waiting_events_first(
        self,
        app: Flask,
        api: Client,
        receiver: WebhookReceiver,
        deliver: Callable[[], None],
        store: Store,
        database: Database,
    ) -> None:
        webhook = stored(store, url=receiver.url)
        waiting = api.recorded(factories.outreach())
        gave_up = {"enabled": False, "disabled_reason": "gave_up", "failures": 9, "failing_since": TIMESTAMP}
        gave_up |= {"last_failure": "timeout", "not_before": now() + dt.timedelta(hours=1), "lease": "lost"}
        database.webhooks.update_one({}, {"$set": gave_up})

        done(app, "enable", webhook)

        kept = database.webhooks.find_one()
        assert not {"disabled_reason", "failures", "failing_since", "last_failure", "lease"} & set(kept)
        deliver()
        assert [each["osdi:outreach"] for sent in receiver.accepted for each in sent.json] == [waiting]

    @pytest.mark.parametrize(("command", "enabled"), [("enable", True), ("disable", False)])
    def test_repeating_the_command_changes_nothing(
        self, app: Flask, store: Store, database: Database, command: str, enabled: bool
    ) -> None:
        webhook = stored(store)
        done(app, command, webhook)
        once = database.webhooks.find_one()

        done(app, command, webhook)

        changing = ("version", "modified_date", "not_before")
        again = database.webhooks.find_one()
        assert {name: again[name] for name in again if name not in changing} == {
            name: once[name] for name in once if name not in changing
        }
        assert again["enabled"] is enabled


class TestDelete:
    """Deletes a webhook and its waiting events."""

    def test_deletes_the_waiting_events(self, app: Flask, api: Client, store: Store, database: Database) -> None:
        webhook, other = stored(store, events=EVENTS), stored(store)
        api.recorded(factories.outreach())

        assert "Deleted webhook" in done(app, "delete", webhook, "--yes")

        assert [each["_id"] for each in database.webhooks.find()] == [other]
        waiting = {"webhook_events.webhook_id": webhook}
        assert [database[name].count_documents(waiting) for name in ("people", "outreaches")] == [0, 0]
        assert database.outreaches.count_documents({"webhook_events.webhook_id": other}) == 1

    @pytest.mark.parametrize(("input_", "left"), [("y\n", 0), ("n\n", 1), ("", 1)])
    def test_asks_for_confirmation(
        self, app: Flask, api: Client, store: Store, database: Database, input_: str, left: int
    ) -> None:
        webhook = stored(store)
        api.recorded(factories.outreach())

        result = run(app, "delete", webhook, input_=input_)

        assert f"{HOOK} and the 1 events that wait for it?" in result.output
        assert database.webhooks.count_documents({}) == left
        assert database.outreaches.count_documents({"webhook_events.webhook_id": webhook}) == left
        assert result.exit_code == left


class TestTest:
    """Sends a webhook a test event about an invented outreach."""

    @pytest.mark.parametrize("enabled", [True, False])
    def test_prints_the_status_of_success(
        self, app: Flask, store: Store, receiver: WebhookReceiver, database: Database, enabled: bool
    ) -> None:
        receiver.status = 202
        webhook = stored(store, url=receiver.url, enabled=enabled)
        before = database.webhooks.find_one()

        assert done(app, "test", webhook) == "Delivered: 202\n"

        (entry,) = receiver.entries(before["secret"])
        assert entry["osdi_outreach:event"] == "test"
        assert entry["osdi:outreach"]["_links"]["self"]["href"].startswith(PUBLIC)
        assert database.outreaches.count_documents({}) == 0
        assert database.webhooks.find_one() == before

    @pytest.mark.parametrize("status", [302, 410, 500])
    def test_prints_the_reason_of_a_failure(
        self, app: Flask, store: Store, receiver: WebhookReceiver, database: Database, status: int
    ) -> None:
        receiver.status = status
        webhook = stored(store, url=receiver.url)
        before = database.webhooks.find_one()

        result = run(app, "test", webhook)

        assert (result.exit_code, result.stderr) == (1, f"Error: Not delivered: status_{status}\n")
        assert database.webhooks.find_one() == before

    def test_prints_the_reason_of_a_failed_connection(self, app: Flask, deployed: Deployed, store: Store) -> None:
        with WebhookReceiver() as gone:
            webhook = stored(store, url=gone.url)

        assert run(app, "test", webhook).stderr == "Error: Not delivered: connect\n"
        result = run(deployed(public_url=PUBLIC).http.application, "test", webhook)
        assert (result.exit_code, result.stderr) == (1, "Error: Not delivered: private_address\n")

    def test_needs_public_url(self, deployed: Deployed, store: Store, receiver: WebhookReceiver) -> None:
        webhook = stored(store, url=receiver.url)

        result = run(deployed(webhook_networks=NETWORKS).http.application, "test", webhook)

        assert (result.exit_code, "Set PUBLIC_URL" in result.output) == (2, True)
        assert receiver.received == []


@pytest.mark.parametrize("command", ["enable", "disable", "delete", "test"])
@pytest.mark.parametrize("webhook_id", ["nothing", "", "01a21005-1f14-746e-b940-324329593de5"])
def test_an_unknown_webhook_is_reported(
    app: Flask, store: Store, database: Database, command: str, webhook_id: str
) -> None:
    stored(store)
    before = list(database.webhooks.find())

    result = run(app, command, webhook_id)

    assert result.exit_code == 2
    assert "There is no such webhook. `webhooks list` shows all webhooks." in result.output
    assert list(database.webhooks.find()) == before
