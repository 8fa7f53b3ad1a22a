"""Webhooks: who is told of what, in which form, and what becomes of a receiver that does not take it."""

import datetime as dt
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from blueprints.http.context import EXTENSION
from osdi.followups.unsubscribe import unsubscribe
from osdi.hal import Hal
from osdi.http_client.post import HttpPost
from osdi.ids import now
from osdi.settings import Settings
from osdi.store import Store
from osdi.webhooks.delivery import Webhooks
from tests import factories
from tests.client import Client
from tests.http.conftest import Deployed
from tests.webhook_receiver import LOOPBACK, WebhookReceiver

Tell = Callable[..., int]

NETWORKS = (ip_network(LOOPBACK),)
EVENTS = ["outreach_recorded", "person_created", "person_updated", "unsubscribed"]
PUBLIC = "https://osdi.example.org"


@pytest.fixture
def receiver(gateway: WebhookReceiver) -> WebhookReceiver:
    return gateway


@pytest.fixture
def api(deployed: Deployed) -> Client:  # type: ignore[override]
    """A client of an application that lets webhooks go to this machine."""
    return deployed(webhook_networks=NETWORKS, public_url=PUBLIC)


@pytest.fixture
def tell(store: Store, settings: Settings) -> Tell:
    """Tells the webhooks as the worker does, until nothing is due; how often something was."""

    def run(**changed: Any) -> int:
        chosen = Settings(mongodb_uri=settings.mongodb_uri, webhook_networks=NETWORKS, **changed)
        webhooks = Webhooks(store, Hal(PUBLIC, "osdi_outreach"), chosen, HttpPost(NETWORKS))
        times = 0
        while times < 50 and webhooks.deliver_next():
            times += 1
        return times

    return run


def created(api: Client, receiver: WebhookReceiver, *events: str) -> dict[str, Any]:
    return api.created("/webhooks", {"url": receiver.url, **({"events": list(events)} if events else {})})


def events_of(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["osdi_outreach:event"] for entry in entries]


class TestAWebhook:
    def test_is_told_of_an_outreach_and_its_new_person(
        self, api: Client, receiver: WebhookReceiver, tell: Tell
    ) -> None:
        secret = created(api, receiver)["secret"]
        outreach = api.recorded(factories.outreach())

        tell()

        person, recorded = receiver.entries(secret)
        assert events_of([person, recorded]) == ["person_created", "outreach_recorded"]
        assert recorded["osdi:outreach"] == outreach
        assert person["osdi:person"] == api.follow(outreach, "osdi:person")
        assert recorded["osdi:outreach"]["_links"]["self"]["href"].startswith(PUBLIC)
        assert recorded["idempotency_key"] != person["idempotency_key"]

    def test_is_told_of_what_strangers_record_too(self, api: Client, receiver: WebhookReceiver, tell: Tell) -> None:
        secret = created(api, receiver, "outreach_recorded")["secret"]

        api.record(factories.outreach(), token=False)
        tell()

        assert events_of(receiver.entries(secret)) == ["outreach_recorded"]

    @pytest.mark.parametrize("event", EVENTS)
    def test_is_told_of_what_it_asked_for_alone(
        self, api: Client, store: Store, receiver: WebhookReceiver, tell: Tell, event: str
    ) -> None:
        secret = created(api, receiver, event)["secret"]
        body = factories.by_email("jane@example.com")
        api.recorded(body)
        api.recorded(factories.by_email("jane@example.com", given_name="Janet"))
        unsubscribe(store, "jane@example.com")

        tell()

        entries = receiver.entries(secret)
        assert set(events_of(entries)) == {event}
        assert len(entries) == (2 if event == "outreach_recorded" else 1)

    @pytest.mark.parametrize("how", ["put", "post", "link"])
    def test_is_told_who_unsubscribed(
        self, api: Client, store: Store, receiver: WebhookReceiver, tell: Tell, how: str
    ) -> None:
        secret = created(api, receiver, "unsubscribed")["secret"]
        jane = api.recorded(factories.by_email("jane@example.com"))["_links"]["osdi:person"]["href"]
        entry = {"address": "jane@example.com", "status": "unsubscribed"}
        if how == "put":
            api.put(jane, {"email_addresses": [entry]})
        elif how == "post":
            api.created("/people", {"email_addresses": [entry]})
        else:
            unsubscribe(store, "jane@example.com")

        tell()

        (told,) = receiver.entries(secret)
        assert told["osdi:person"]["_links"]["self"]["href"] == jane
        assert told["osdi:person"]["email_addresses"][0]["status"] == "unsubscribed"

    def test_is_told_of_changes_by_every_way(self, api: Client, receiver: WebhookReceiver, tell: Tell) -> None:
        tag = api.created("/tags", {"name": "volunteer"})["_links"]["self"]["href"]
        secret = created(api, receiver, "person_updated")["secret"]
        person = api.recorded(factories.outreach())["_links"]["osdi:person"]

        api.put(person["href"], {"given_name": "Janet"})
        tell()
        api.post(f"{tag}/taggings", {"_links": {"osdi:person": person}})
        tell()
        api.post(
            "/people",
            {"_links": {}, "email_addresses": api.get(person["href"]).json["email_addresses"], "gender": "Other"},
        )
        tell()

        entries = receiver.entries(secret)
        assert len(entries) == 3
        assert len({entry["idempotency_key"] for entry in entries}) == 3

    def test_is_told_once_of_many_changes(self, api: Client, receiver: WebhookReceiver, tell: Tell) -> None:
        secret = created(api, receiver, "person_updated")["secret"]
        person = api.recorded(factories.outreach())["_links"]["osdi:person"]["href"]
        for name in ("Ann", "Bea", "Cem"):
            api.put(person, {"given_name": name})

        tell()

        (entry,) = receiver.entries(secret)
        assert entry["osdi:person"]["given_name"] == "Cem"

    def test_is_told_nothing_of_what_happened_before(self, api: Client, receiver: WebhookReceiver, tell: Tell) -> None:
        api.recorded(factories.outreach())
        created(api, receiver)

        assert tell() == 0
        assert receiver.received == []

    def test_is_told_nothing_of_a_retry_or_a_refusal(self, api: Client, receiver: WebhookReceiver, tell: Tell) -> None:
        secret = created(api, receiver)["secret"]
        body = factories.outreach(identifiers=["crm:1"])
        for _ in range(3):
            api.recorded(body)
        api.record({"person": {"given_name": 1}})

        tell()

        assert events_of(receiver.entries(secret)) == ["person_created", "outreach_recorded"]

    def test_is_told_in_batches(
        self, api: Client, receiver: WebhookReceiver, tell: Tell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("osdi.webhooks.delivery.EVENTS", 6)
        secret = created(api, receiver, "outreach_recorded")["secret"]
        recorded = [api.recorded(factories.outreach()) for _ in range(7)]

        tell()

        assert [len(each.json) for each in receiver.received] == [3, 3, 1]
        assert [entry["osdi:outreach"] for entry in receiver.entries(secret)] == recorded

    def test_gets_no_larger_body_than_it_has_to(
        self, api: Client, receiver: WebhookReceiver, tell: Tell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("osdi.webhooks.delivery.BODY_BYTES", 20_000)
        created(api, receiver, "outreach_recorded")
        for _ in range(3):
            api.recorded(factories.outreach(message="x" * 15_000))

        tell()

        assert [len(each.json) for each in receiver.received] == [1, 1, 1]

    def test_and_another_are_each_told_everything(self, api: Client, receiver: WebhookReceiver, tell: Tell) -> None:
        secrets = [created(api, receiver, "outreach_recorded")["secret"] for _ in range(2)]
        api.recorded(factories.outreach())

        tell()

        assert len(receiver.received) == 2
        assert [bool(each.verified(secret)) for each, secret in zip(receiver.received, secrets, strict=True)]

    def test_leaves_nothing_behind_in_the_documents(
        self, api: Client, receiver: WebhookReceiver, tell: Tell, database: Database
    ) -> None:
        created(api, receiver)
        outreach = api.recorded(factories.outreach())
        etag = api.get(outreach["_links"]["self"]["href"]).headers["ETag"]
        assert "webhook_events" not in outreach

        tell()

        assert database.outreaches.count_documents({"webhook_events.webhook_id": {"$exists": True}}) == 0
        assert database.people.count_documents({"webhook_events.webhook_id": {"$exists": True}}) == 0
        assert api.get(outreach["_links"]["self"]["href"]).headers["ETag"] == etag


class TestAReceiverThatFails:
    @pytest.fixture
    def webhook(self, api: Client, receiver: WebhookReceiver) -> dict[str, Any]:
        return created(api, receiver, "outreach_recorded")

    def due_again(self, database: Database) -> None:
        """Let its waiting time be over."""
        database.webhooks.update_many({}, {"$set": {"not_before": now()}})

    @pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 408, 429, 500, 503])
    def test_is_tried_again_with_the_same(
        self,
        api: Client,
        receiver: WebhookReceiver,
        tell: Tell,
        webhook: dict[str, Any],
        database: Database,
        status: int,
    ) -> None:
        receiver.status = status
        api.recorded(factories.outreach())
        assert tell() == 1

        shown = api.get(webhook["_links"]["self"]["href"]).json
        assert (shown["failures"], shown["last_failure"], shown["waiting"]) == (1, f"status_{status}", 1)
        assert shown["next_attempt_date"]
        assert tell() == 0, "it waits first"
        receiver.status = 200
        self.due_again(database)
        tell()

        first, second = receiver.received
        assert first.body == second.body
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.path == "/hook", "no redirect is followed"
        shown = api.get(webhook["_links"]["self"]["href"]).json
        assert (shown["waiting"], "failures" in shown, "last_failure" in shown) == (0, False, False)
        assert shown["last_delivered_date"]

    def test_that_was_away_gets_everything_then(
        self,
        api: Client,
        receiver: WebhookReceiver,
        tell: Tell,
        webhook: dict[str, Any],
        database: Database,
    ) -> None:
        receiver.status = 503
        recorded = []
        for _ in range(5):
            recorded.append(api.recorded(factories.outreach()))
            tell()
            self.due_again(database)
        receiver.status = 200

        tell()

        assert [entry["osdi:outreach"] for entry in receiver.entries(webhook["secret"])] == recorded
        assert len(receiver.taken) == 1, "in one batch"

    def test_for_too_long_is_given_up_visibly_and_nothing_is_lost(
        self,
        api: Client,
        receiver: WebhookReceiver,
        tell: Tell,
        webhook: dict[str, Any],
        database: Database,
    ) -> None:
        href = webhook["_links"]["self"]["href"]
        receiver.status = 500
        api.recorded(factories.outreach())
        tell()
        database.webhooks.update_many({}, {"$set": {"failing_since": now() - dt.timedelta(hours=25)}})
        self.due_again(database)

        tell()

        shown = api.get(href).json
        assert (shown["enabled"], shown["disabled_reason"], shown["waiting"]) == (False, "gave_up", 1)
        self.due_again(database)
        assert tell() == 0
        receiver.status = 200
        shown = api.put(href, {"enabled": True}).json
        assert (shown["enabled"], "disabled_reason" in shown) == (True, False)
        tell()
        assert len(receiver.entries(webhook["secret"])) == 1

    def test_that_says_it_is_gone_is_disabled_at_once(
        self, api: Client, receiver: WebhookReceiver, tell: Tell, webhook: dict[str, Any]
    ) -> None:
        receiver.status = 410
        api.recorded(factories.outreach())
        tell()

        shown = api.get(webhook["_links"]["self"]["href"]).json
        assert (shown["enabled"], shown["disabled_reason"]) == (False, "receiver_gone")

    def test_holds_up_no_other(
        self, api: Client, receiver: WebhookReceiver, tell: Tell, webhook: dict[str, Any]
    ) -> None:
        with WebhookReceiver() as other:
            secret = created(api, other, "outreach_recorded")["secret"]
            receiver.status = 500
            api.recorded(factories.outreach())

            tell()

            assert len(other.entries(secret)) == 1

    def test_where_nobody_listens_is_tried_again(self, api: Client, tell: Tell, database: Database) -> None:
        with WebhookReceiver() as gone:
            webhook = created(api, gone)
        api.recorded(factories.outreach())

        tell()

        assert api.get(webhook["_links"]["self"]["href"]).json["last_failure"] == "connect"


class TestWhileItIsDisabled:
    def test_nothing_is_noted_for_it(
        self, api: Client, receiver: WebhookReceiver, tell: Tell, database: Database
    ) -> None:
        webhook = created(api, receiver)
        api.put(webhook["_links"]["self"]["href"], {"enabled": False})

        api.recorded(factories.outreach())

        assert database.outreaches.count_documents({"webhook_events": {"$exists": True}}) == 0
        assert tell() == 0
        assert api.get(webhook["_links"]["self"]["href"]).json["disabled_reason"] == "by_hand"

    def test_deleted_takes_along_what_waited(
        self, api: Client, receiver: WebhookReceiver, tell: Tell, database: Database
    ) -> None:
        webhook = created(api, receiver)
        api.recorded(factories.outreach())

        assert api.delete(webhook["_links"]["self"]["href"]).status_code == 200

        assert tell() == 0
        assert database.outreaches.count_documents({"webhook_events.webhook_id": {"$exists": True}}) == 0
        assert api.get(webhook["_links"]["self"]["href"]).status_code == 404


class TestTheRoutes:
    def test_show_the_secret_once(self, api: Client, receiver: WebhookReceiver) -> None:
        made = created(api, receiver)

        assert made["secret"].startswith("whsec_")
        assert "secret" not in api.get(made["_links"]["self"]["href"]).json
        assert "secret" not in api.get("/webhooks").json["webhooks"][0]
        assert "secret" not in api.put(made["_links"]["self"]["href"], {"description": "x"}).json

    def test_replace_the_secret(self, api: Client, receiver: WebhookReceiver, tell: Tell) -> None:
        made = created(api, receiver, "outreach_recorded")
        replaced = api.put(made["_links"]["self"]["href"], {"secret": None}).json["secret"]
        api.recorded(factories.outreach())

        tell()

        assert replaced != made["secret"]
        assert len(receiver.entries(replaced)) == 1

    def test_take_a_secret_of_the_receivers(self, api: Client, receiver: WebhookReceiver) -> None:
        secret = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

        assert api.created("/webhooks", {"url": receiver.url, "secret": secret})["secret"] == secret

    def test_tell_of_everything_where_no_event_is_named(self, api: Client, receiver: WebhookReceiver) -> None:
        assert created(api, receiver)["events"] == EVENTS

    @pytest.mark.parametrize(
        ("body", "names"),
        [
            ({}, "url"),
            ({"url": "ftp://example.org/x"}, "url"),
            ({"url": "http://example.org/x"}, "url"),
            ({"url": "https://10.0.0.1/x"}, "url"),
            ({"url": "https://169.254.169.254/latest/meta-data"}, "url"),
            ({"url": "https://[::ffff:10.0.0.1]/x"}, "url"),
            ({"url": "https://0xa000001/x"}, "url"),
            ({"url": "https://user:password@example.org/x"}, "url"),
            ({"url": "https://example.org/x#y"}, "url"),
            ({"url": "https://example.org/\r\nx"}, "url"),
            ({"url": "x" * 2_001}, "url"),
            ({"url": {"$ne": 1}}, "url"),
            ({"url": "https://example.org/x", "events": ["nothing"]}, "events"),
            ({"url": "https://example.org/x", "events": {"$ne": 1}}, "events"),
            ({"url": "https://example.org/x", "secret": "short"}, "secret"),
            ({"url": "https://example.org/x", "secret": "whsec_AAAA"}, "secret"),
            ({"url": "https://example.org/x", "enabled": "perhaps"}, "enabled"),
        ],
    )
    def test_refuse(self, api: Client, database: Database, body: dict[str, Any], names: str) -> None:
        answer = api.post("/webhooks", body)

        assert answer.status_code == 400
        assert names in answer.json["error"]
        assert database.webhooks.count_documents({}) == 0

    def test_refuse_more_than_twenty(self, api: Client, receiver: WebhookReceiver) -> None:
        for _ in range(20):
            created(api, receiver)

        assert api.post("/webhooks", {"url": receiver.url}).status_code == 409

    @pytest.mark.parametrize("cleared", [{"url": None}, {"url": ""}, {"events": []}, {"events": None}])
    def test_clear_nothing_that_is_needed(
        self, api: Client, receiver: WebhookReceiver, cleared: dict[str, Any]
    ) -> None:
        made = created(api, receiver)

        assert api.put(made["_links"]["self"]["href"], cleared).status_code == 400

    @pytest.mark.parametrize("scope", ["read", "write"])
    def test_are_for_administrators_alone(
        self, api: Client, store: Store, receiver: WebhookReceiver, scope: str
    ) -> None:
        token = factories.token(store, scopes=[scope])
        href = created(api, receiver)["_links"]["self"]["href"]

        assert api.get("/webhooks", token=token).status_code == 403
        assert api.get(href, token=token).status_code == 403
        assert api.post("/webhooks", {"url": receiver.url}, token=token).status_code == 403
        assert api.put(href, {"enabled": False}, token=token).status_code == 403
        assert api.delete(href, token=token).status_code == 403
        assert api.post(f"{href}/test", {}, token=token).status_code == 403

    def test_test_a_webhook_while_one_waits(self, api: Client, receiver: WebhookReceiver, database: Database) -> None:
        made = created(api, receiver)

        answer = api.post(made["_links"]["test"]["href"], {}).json

        assert (answer["taken"], answer["status"]) == (True, 200)
        (entry,) = receiver.entries(made["secret"])
        assert entry["osdi_outreach:event"] == "test"
        assert entry["osdi:outreach"]["targets"]
        assert database.outreaches.count_documents({}) == 0

    def test_say_why_a_test_failed(self, api: Client, receiver: WebhookReceiver) -> None:
        made = created(api, receiver)
        receiver.status = 302

        answer = api.post(made["_links"]["test"]["href"], {}).json

        assert (answer["taken"], answer["status"], answer["failure"]) == (False, 302, "status_302")
        assert [each.path for each in receiver.received] == ["/hook"]

    def test_answer_404_for_what_is_not_there(self, api: Client) -> None:
        assert api.get("/webhooks/nothing").status_code == 404
        assert api.put("/webhooks/nothing", {"enabled": True}).status_code == 404
        assert api.delete("/webhooks/nothing").status_code == 404
        assert api.post("/webhooks/nothing/test", {}).status_code == 404


def test_a_private_address_is_refused_unless_a_setting_allows_it(
    app: Flask, api: Client, receiver: WebhookReceiver
) -> None:
    closed = Client(app.test_client(), api.token)

    answer = closed.post("/webhooks", {"url": receiver.url.replace("http://", "https://")})

    assert answer.status_code == 400
    assert answer.json["error"] == "url: The address is a private one."


def test_a_private_address_is_not_called_though_it_was_allowed_once(
    api: Client, receiver: WebhookReceiver, store: Store, settings: Settings
) -> None:
    created(api, receiver)
    api.recorded(factories.outreach())
    webhooks = Webhooks(store, Hal(PUBLIC, "osdi_outreach"), settings, HttpPost())

    assert webhooks.deliver_next()

    assert receiver.received == []
    assert api.get("/webhooks").json["webhooks"][0]["last_failure"] == "private_address"


def test_workers_side_by_side_tell_the_same_once(
    api: Client, receiver: WebhookReceiver, store: Store, settings: Settings
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    secret = created(api, receiver, "outreach_recorded")["secret"]
    for _ in range(30):
        api.recorded(factories.outreach())

    def work(_: int) -> None:
        webhooks = Webhooks(store, Hal(PUBLIC, "osdi_outreach"), settings, HttpPost(NETWORKS))
        for _ in range(50):
            if not webhooks.deliver_next():
                return

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))

    keys = [entry["idempotency_key"] for entry in receiver.entries(secret)]
    assert len(keys) == len(set(keys)) == 30


def test_a_worker_that_dies_between_sending_and_marking_repeats_with_the_same_keys(
    api: Client,
    receiver: WebhookReceiver,
    tell: Tell,
    store: Store,
    database: Database,
    fail: Callable[..., None],
) -> None:
    secret = created(api, receiver, "person_updated", "outreach_recorded")["secret"]
    person = api.recorded(factories.outreach())["_links"]["osdi:person"]["href"]
    api.put(person, {"given_name": "Ann"})
    before = [dict(each) for name in ("people", "outreaches") for each in database[name].find()]
    tell()
    for document in before:  # as if the events had not been taken off
        collection = database.people if "contact_keys" in document else database.outreaches
        collection.replace_one({"_id": document["_id"]}, document)

    tell()

    first, second = receiver.taken
    assert first.body == second.body
    keys = [entry["idempotency_key"] for entry in receiver.entries(secret)]
    assert len(keys) == 4
    assert len(set(keys)) == 2


def test_a_change_while_it_is_told_is_told_again(api: Client, receiver: WebhookReceiver, tell: Tell) -> None:
    secret = created(api, receiver, "person_updated")["secret"]
    person = api.recorded(factories.outreach())["_links"]["osdi:person"]["href"]
    api.put(person, {"given_name": "Ann"})

    def meanwhile(_: bytes) -> int:
        receiver.status = 200
        assert api.put(person, {"given_name": "Bea"}).status_code == 200
        return 200

    receiver.status = meanwhile
    tell()

    names = [entry["osdi:person"]["given_name"] for entry in receiver.entries(secret)]
    assert names == ["Ann", "Bea"]


def test_no_query_of_a_delivery_scans_a_collection(api: Client, receiver: WebhookReceiver, database: Database) -> None:
    webhook = created(api, receiver)["id"]
    api.recorded(factories.outreach())

    for name in ("people", "outreaches"):
        plan = database[name].find({"webhook_events.webhook_id": webhook}).sort("_id").explain()
        assert "webhook_events.webhook_id" in str(plan["queryPlanner"]["winningPlan"])
        assert "COLLSCAN" not in str(plan)
        assert "'stage': 'SORT'" not in str(plan)
    assert api.http.application.extensions[EXTENSION].store.webhooks_of()


def test_what_waits_for_a_webhook_that_is_no_more_is_taken_off(
    api: Client, receiver: WebhookReceiver, tell: Tell, database: Database
) -> None:
    kept = created(api, receiver, "outreach_recorded")
    gone = created(api, receiver, "outreach_recorded")
    api.recorded(factories.outreach())
    database.webhooks.delete_one({"_id": gone["id"]})  # by a process that another has not heard of yet
    kept_waiting = {"webhook_id": kept["id"], "event": "outreach_recorded"}
    database.outreaches.insert_one(
        {
            "_id": "z",
            "match_keys": ["id:z"],
            "webhook_events": [{"webhook_id": gone["id"], "event": "outreach_recorded"}],
        }
    )
    assert kept_waiting in database.outreaches.find_one({"_id": {"$ne": "z"}})["webhook_events"]

    tell()
    tell()

    assert list(database.outreaches.find({"webhook_events.webhook_id": {"$exists": True}})) == []
    assert len(receiver.entries(kept["secret"])) == 1


def test_an_application_remembers_its_webhooks(app: Flask, store: Store) -> None:
    remembering = Store(app.extensions[EXTENSION].settings.mongodb_uri, cache_seconds=60)
    try:
        assert remembering.webhooks_of() is remembering.webhooks_of()
        assert store.webhooks_of() is not store.webhooks_of()
    finally:
        remembering.close()
