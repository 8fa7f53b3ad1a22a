"""Webhooks: the events that receivers get, failing receivers, and the routes."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from blueprints.http.context import EXTENSION
from osdi.fields import webhook
from osdi.followups.unsubscribe import unsubscribe
from osdi.hal import Hal
from osdi.http_client.post import HttpPost
from osdi.ids import now
from osdi.settings import Settings
from osdi.store import Store
from osdi.webhooks.delivery import Webhooks
from tests.support import factories
from tests.support.client import Client
from tests.support.webhook_receiver import WebhookReceiver
from tests.webhooks.conftest import NETWORKS, PUBLIC, Deliver, created, events_of

EVENTS = list(webhook.EVENTS)


class TestEvents:
    def test_an_outreach_and_its_new_person_are_sent(
        self, api: Client, receiver: WebhookReceiver, deliver: Deliver
    ) -> None:
        secret = created(api, receiver)["secret"]
        outreach = api.recorded(factories.outreach())

        deliver()

        person, recorded = receiver.entries(secret)
        assert events_of([person, recorded]) == ["person_created", "outreach_recorded"]
        assert recorded["osdi:outreach"] == outreach
        assert person["osdi:person"] == api.follow(outreach, "osdi:person")
        assert recorded["osdi:outreach"]["_links"]["self"]["href"].startswith(PUBLIC)
        assert recorded["idempotency_key"] != person["idempotency_key"]

    def test_outreaches_of_anonymous_posts_are_sent(
        self, api: Client, receiver: WebhookReceiver, deliver: Deliver
    ) -> None:
        secret = created(api, receiver, "outreach_recorded")["secret"]

        api.record(factories.outreach(), token=False)
        deliver()

        assert events_of(receiver.entries(secret)) == ["outreach_recorded"]

    @pytest.mark.parametrize("event", [event for event in EVENTS if event not in webhook.DELETION_EVENTS])
    def test_only_subscribed_events_are_sent(
        self, api: Client, store: Store, receiver: WebhookReceiver, deliver: Deliver, event: str
    ) -> None:
        secret = created(api, receiver, event)["secret"]
        body = factories.by_email("jane@example.com")
        api.recorded(body)
        api.recorded(factories.by_email("jane@example.com", given_name="Janet"))
        unsubscribe(store, "jane@example.com")

        deliver()

        entries = receiver.entries(secret)
        assert set(events_of(entries)) == {event}
        assert len(entries) == (2 if event == "outreach_recorded" else 1)

    @pytest.mark.parametrize("how", ["put", "post", "link"])
    def test_an_unsubscribed_person_is_sent(
        self, api: Client, store: Store, receiver: WebhookReceiver, deliver: Deliver, how: str
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

        deliver()

        (sent,) = receiver.entries(secret)
        assert sent["osdi:person"]["_links"]["self"]["href"] == jane
        assert sent["osdi:person"]["email_addresses"][0]["status"] == "unsubscribed"

    def test_changes_by_every_route_are_sent(self, api: Client, receiver: WebhookReceiver, deliver: Deliver) -> None:
        tag = api.created("/tags", {"name": "volunteer"})["_links"]["self"]["href"]
        secret = created(api, receiver, "person_updated")["secret"]
        person = api.recorded(factories.outreach())["_links"]["osdi:person"]

        api.put(person["href"], {"given_name": "Janet"})
        deliver()
        api.post(f"{tag}/taggings", {"_links": {"osdi:person": person}})
        deliver()
        api.post(
            "/people",
            {"_links": {}, "email_addresses": api.get(person["href"]).json["email_addresses"], "gender": "Other"},
        )
        deliver()

        entries = receiver.entries(secret)
        assert len(entries) == 3
        assert len({entry["idempotency_key"] for entry in entries}) == 3

    def test_many_changes_of_a_person_are_sent_once(
        self, api: Client, receiver: WebhookReceiver, deliver: Deliver
    ) -> None:
        secret = created(api, receiver, "person_updated")["secret"]
        person = api.recorded(factories.outreach())["_links"]["osdi:person"]["href"]
        for name in ("Ann", "Bea", "Cem"):
            api.put(person, {"given_name": name})

        deliver()

        (entry,) = receiver.entries(secret)
        assert entry["osdi:person"]["given_name"] == "Cem"

    def test_earlier_changes_are_not_sent(self, api: Client, receiver: WebhookReceiver, deliver: Deliver) -> None:
        api.recorded(factories.outreach())
        created(api, receiver)

        assert deliver() == 0
        assert receiver.received == []

    def test_retries_and_rejected_requests_are_not_sent(
        self, api: Client, receiver: WebhookReceiver, deliver: Deliver
    ) -> None:
        secret = created(api, receiver)["secret"]
        body = factories.outreach(identifiers=["crm:1"])
        for _ in range(3):
            api.recorded(body)
        api.record({"person": {}})

        deliver()

        assert events_of(receiver.entries(secret)) == ["person_created", "outreach_recorded"]

    def test_are_sent_in_batches(
        self, api: Client, receiver: WebhookReceiver, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("osdi.webhooks.result.MAX_BATCH_EVENTS", 6)
        secret = created(api, receiver, "outreach_recorded")["secret"]
        recorded = [api.recorded(factories.outreach()) for _ in range(7)]

        deliver()

        assert [len(each.json) for each in receiver.received] == [3, 3, 1]
        assert [entry["osdi:outreach"] for entry in receiver.entries(secret)] == recorded

    def test_large_events_are_sent_in_several_bodies(
        self, api: Client, receiver: WebhookReceiver, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("osdi.webhooks.delivery.MAX_BODY_BYTES", 20_000)
        created(api, receiver, "outreach_recorded")
        for _ in range(3):
            api.recorded(factories.outreach(message="x" * 15_000))

        deliver()

        assert [len(each.json) for each in receiver.received] == [1, 1, 1]

    def test_each_webhook_gets_all_events(self, api: Client, receiver: WebhookReceiver, deliver: Deliver) -> None:
        secrets = [created(api, receiver, "outreach_recorded")["secret"] for _ in range(2)]
        api.recorded(factories.outreach())

        deliver()

        assert len(receiver.received) == 2
        assert [bool(each.verified(secret)) for each, secret in zip(receiver.received, secrets, strict=True)]

    def test_delivered_events_are_removed_from_the_documents(
        self, api: Client, receiver: WebhookReceiver, deliver: Deliver, database: Database
    ) -> None:
        created(api, receiver)
        outreach = api.recorded(factories.outreach())
        etag = api.get(outreach["_links"]["self"]["href"]).headers["ETag"]
        assert "webhook_events" not in outreach

        deliver()

        assert database.outreaches.count_documents({"webhook_events.webhook_id": {"$exists": True}}) == 0
        assert database.people.count_documents({"webhook_events.webhook_id": {"$exists": True}}) == 0
        assert api.get(outreach["_links"]["self"]["href"]).headers["ETag"] == etag


class TestFailingReceiver:
    @pytest.fixture
    def webhook(self, api: Client, receiver: WebhookReceiver) -> dict[str, Any]:
        return created(api, receiver, "outreach_recorded")

    def due_again(self, database: Database) -> None:
        """Ends the webhook's waiting time."""
        database.webhooks.update_many({}, {"$set": {"not_before": now()}})

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 408, 429, 500, 503])
    def test_gets_the_same_request_again(
        self,
        api: Client,
        receiver: WebhookReceiver,
        deliver: Deliver,
        webhook: dict[str, Any],
        database: Database,
        status: int,
    ) -> None:
        receiver.status = status
        api.recorded(factories.outreach())
        assert deliver() == 1

        shown = api.get(webhook["_links"]["self"]["href"]).json
        assert (shown["failures"], shown["last_failure"], shown["waiting"]) == (1, f"status_{status}", 1)
        assert shown["next_attempt_date"]
        assert deliver() == 0, "the worker waits first"
        receiver.status = 200
        self.due_again(database)
        deliver()

        first, second = receiver.received
        assert first.body == second.body
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.path == "/hook", "the worker follows no redirect"
        shown = api.get(webhook["_links"]["self"]["href"]).json
        assert (shown["waiting"], "failures" in shown, "last_failure" in shown) == (0, False, False)
        assert shown["last_delivered_date"]

    def test_gets_all_events_when_it_recovers(
        self,
        api: Client,
        receiver: WebhookReceiver,
        deliver: Deliver,
        webhook: dict[str, Any],
        database: Database,
    ) -> None:
        receiver.status = 503
        recorded = []
        for _ in range(5):
            recorded.append(api.recorded(factories.outreach()))
            deliver()
            self.due_again(database)
        receiver.status = 200

        deliver()

        assert [entry["osdi:outreach"] for entry in receiver.entries(webhook["secret"])] == recorded
        assert len(receiver.accepted) == 1, "in one batch"

    def test_is_disabled_after_a_time_and_loses_no_event(
        self,
        api: Client,
        receiver: WebhookReceiver,
        deliver: Deliver,
        webhook: dict[str, Any],
        database: Database,
    ) -> None:
        href = webhook["_links"]["self"]["href"]
        receiver.status = 500
        api.recorded(factories.outreach())
        deliver()
        database.webhooks.update_many({}, {"$set": {"failing_since": now() - dt.timedelta(hours=25)}})
        self.due_again(database)

        deliver()

        shown = api.get(href).json
        assert (shown["enabled"], shown["disabled_reason"], shown["waiting"]) == (False, "gave_up", 1)
        self.due_again(database)
        assert deliver() == 0
        receiver.status = 200
        shown = api.put(href, {"enabled": True}).json
        assert (shown["enabled"], "disabled_reason" in shown) == (True, False)
        deliver()
        assert len(receiver.entries(webhook["secret"])) == 1

    def test_that_responds_with_410_is_disabled_at_once(
        self, api: Client, receiver: WebhookReceiver, deliver: Deliver, webhook: dict[str, Any]
    ) -> None:
        receiver.status = 410
        api.recorded(factories.outreach())
        deliver()

        shown = api.get(webhook["_links"]["self"]["href"]).json
        assert (shown["enabled"], shown["disabled_reason"]) == (False, "receiver_gone")

    def test_does_not_delay_other_receivers(
        self, api: Client, receiver: WebhookReceiver, deliver: Deliver, webhook: dict[str, Any]
    ) -> None:
        with WebhookReceiver() as other:
            secret = created(api, other, "outreach_recorded")["secret"]
            receiver.status = 500
            api.recorded(factories.outreach())

            deliver()

            assert len(other.entries(secret)) == 1

    def test_that_accepts_no_connection_is_retried(self, api: Client, deliver: Deliver, database: Database) -> None:
        with WebhookReceiver() as gone:
            webhook = created(api, gone)
        api.recorded(factories.outreach())

        deliver()

        assert api.get(webhook["_links"]["self"]["href"]).json["last_failure"] == "connect"


class TestDisabledOrDeletedWebhook:
    def test_no_events_are_stored_for_a_disabled_one(
        self, api: Client, receiver: WebhookReceiver, deliver: Deliver, database: Database
    ) -> None:
        webhook = created(api, receiver)
        api.put(webhook["_links"]["self"]["href"], {"enabled": False})

        api.recorded(factories.outreach())

        assert database.outreaches.count_documents({"webhook_events": {"$exists": True}}) == 0
        assert deliver() == 0
        assert api.get(webhook["_links"]["self"]["href"]).json["disabled_reason"] == "by_hand"

    def test_deleting_one_deletes_its_events(
        self, api: Client, receiver: WebhookReceiver, deliver: Deliver, database: Database
    ) -> None:
        webhook = created(api, receiver)
        api.recorded(factories.outreach())

        assert api.delete(webhook["_links"]["self"]["href"]).status_code == 200

        assert deliver() == 0
        assert database.outreaches.count_documents({"webhook_events.webhook_id": {"$exists": True}}) == 0
        assert api.get(webhook["_links"]["self"]["href"]).status_code == 404


class TestRoutes:
    def test_show_the_secret_once(self, api: Client, receiver: WebhookReceiver) -> None:
        made = created(api, receiver)

        assert made["secret"].startswith("whsec_")
        assert "secret" not in api.get(made["_links"]["self"]["href"]).json
        assert "secret" not in api.get("/webhooks").json["webhooks"][0]
        assert "secret" not in api.put(made["_links"]["self"]["href"], {"description": "x"}).json

    def test_replace_the_secret(self, api: Client, receiver: WebhookReceiver, deliver: Deliver) -> None:
        made = created(api, receiver, "outreach_recorded")
        replaced = api.put(made["_links"]["self"]["href"], {"secret": None}).json["secret"]
        api.recorded(factories.outreach())

        deliver()

        assert replaced != made["secret"]
        assert len(receiver.entries(replaced)) == 1

    def test_accept_a_secret_from_the_client(self, api: Client, receiver: WebhookReceiver) -> None:
        secret = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

        assert api.created("/webhooks", {"url": receiver.url, "secret": secret})["secret"] == secret

    def test_subscribe_to_all_events_by_default(self, api: Client, receiver: WebhookReceiver) -> None:
        assert created(api, receiver)["events"] == EVENTS

    @pytest.mark.one_in(3)
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
    def test_reject_invalid_bodies(self, api: Client, database: Database, body: dict[str, Any], names: str) -> None:
        response = api.post("/webhooks", body)

        assert response.status_code == 400
        assert names in response.json["error"]
        assert database.webhooks.count_documents({}) == 0

    def test_reject_more_than_twenty_webhooks(self, api: Client, receiver: WebhookReceiver) -> None:
        for _ in range(20):
            created(api, receiver)

        assert api.post("/webhooks", {"url": receiver.url}).status_code == 409

    @pytest.mark.parametrize("cleared", [{"url": None}, {"url": ""}, {"events": []}, {"events": None}])
    def test_do_not_clear_required_properties(
        self, api: Client, receiver: WebhookReceiver, cleared: dict[str, Any]
    ) -> None:
        made = created(api, receiver)

        assert api.put(made["_links"]["self"]["href"], cleared).status_code == 400

    @pytest.mark.parametrize("scope", ["read", "write"])
    def test_require_the_admin_scope(self, api: Client, store: Store, receiver: WebhookReceiver, scope: str) -> None:
        token = factories.token(store, scopes=[scope])
        href = created(api, receiver)["_links"]["self"]["href"]

        assert api.get("/webhooks", token=token).status_code == 403
        assert api.get(href, token=token).status_code == 403
        assert api.post("/webhooks", {"url": receiver.url}, token=token).status_code == 403
        assert api.put(href, {"enabled": False}, token=token).status_code == 403
        assert api.delete(href, token=token).status_code == 403
        assert api.post(f"{href}/test", {}, token=token).status_code == 403

    def test_test_a_webhook_and_return_the_result(
        self, api: Client, receiver: WebhookReceiver, database: Database
    ) -> None:
        made = created(api, receiver)

        response = api.post(made["_links"]["test"]["href"], {}).json

        assert (response["delivered"], response["status"]) == (True, 200)
        (entry,) = receiver.entries(made["secret"])
        assert entry["osdi_outreach:event"] == "test"
        assert entry["osdi:outreach"]["targets"]
        assert database.outreaches.count_documents({}) == 0

    def test_return_the_reason_of_a_failed_test(self, api: Client, receiver: WebhookReceiver) -> None:
        made = created(api, receiver)
        receiver.status = 302

        response = api.post(made["_links"]["test"]["href"], {}).json

        assert (response["delivered"], response["status"], response["failure"]) == (False, 302, "status_302")
        assert [each.path for each in receiver.received] == ["/hook"]

    def test_return_404_for_unknown_webhooks(self, api: Client) -> None:
        assert api.get("/webhooks/nothing").status_code == 404
        assert api.put("/webhooks/nothing", {"enabled": True}).status_code == 404
        assert api.delete("/webhooks/nothing").status_code == 404
        assert api.post("/webhooks/nothing/test", {}).status_code == 404


@pytest.mark.parametrize(
    ("host", "problem"),
    [("127.0.0.1", "The address is a private one."), ("localhost", "The address is on the machine of this server.")],
)
def test_the_error_about_a_private_address_names_the_setting_that_allows_it(
    app: Flask, api: Client, host: str, problem: str
) -> None:
    closed = Client(app.test_client(), api.token)

    response = closed.post("/webhooks", {"url": f"https://{host}:8443/hook"})

    assert response.status_code == 400
    assert response.json["error"] == f"url: {problem} The setting WEBHOOK_NETWORKS can allow its network."


def test_a_private_address_is_not_called_although_it_was_allowed_before(
    api: Client, receiver: WebhookReceiver, store: Store, settings: Settings
) -> None:
    created(api, receiver)
    api.recorded(factories.outreach())
    webhooks = Webhooks(store, Hal(PUBLIC, "osdi_outreach"), settings, HttpPost())

    assert webhooks.deliver_next()

    assert receiver.received == []
    assert api.get("/webhooks").json["webhooks"][0]["last_failure"] == "private_address"


def test_parallel_workers_deliver_each_event_once(
    api: Client, receiver: WebhookReceiver, store: Store, settings: Settings
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    secret = created(api, receiver, "outreach_recorded")["secret"]
    for _ in range(30):
        api.recorded(factories.outreach())

    def deliver_all(_: int) -> None:
        webhooks = Webhooks(store, Hal(PUBLIC, "osdi_outreach"), settings, HttpPost(NETWORKS))
        for _ in range(50):
            if not webhooks.deliver_next():
                return

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(deliver_all, range(6)))

    keys = [entry["idempotency_key"] for entry in receiver.entries(secret)]
    assert len(keys) == len(set(keys)) == 30


def test_a_worker_that_dies_between_sending_and_marking_repeats_with_the_same_keys(
    api: Client,
    receiver: WebhookReceiver,
    deliver: Deliver,
    store: Store,
    database: Database,
    fail: Callable[..., None],
) -> None:
    secret = created(api, receiver, "person_updated", "outreach_recorded")["secret"]
    person = api.recorded(factories.outreach())["_links"]["osdi:person"]["href"]
    api.put(person, {"given_name": "Ann"})
    before = [dict(each) for name in ("people", "outreaches") for each in database[name].find()]
    deliver()
    for document in before:  # as if the events had not been deleted
        collection = database.people if "contact_keys" in document else database.outreaches
        collection.replace_one({"_id": document["_id"]}, document)

    deliver()

    first, second = receiver.accepted
    assert first.body == second.body
    keys = [entry["idempotency_key"] for entry in receiver.entries(secret)]
    assert len(keys) == 4
    assert len(set(keys)) == 2


def test_a_change_during_a_delivery_is_delivered_again(
    api: Client, receiver: WebhookReceiver, deliver: Deliver
) -> None:
    secret = created(api, receiver, "person_updated")["secret"]
    person = api.recorded(factories.outreach())["_links"]["osdi:person"]["href"]
    api.put(person, {"given_name": "Ann"})

    def meanwhile(_: bytes) -> int:
        receiver.status = 200
        assert api.put(person, {"given_name": "Bea"}).status_code == 200
        return 200

    receiver.status = meanwhile
    deliver()

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


def test_events_of_deleted_webhooks_are_deleted(
    api: Client, receiver: WebhookReceiver, deliver: Deliver, database: Database
) -> None:
    kept = created(api, receiver, "outreach_recorded")
    gone = created(api, receiver, "outreach_recorded")
    api.recorded(factories.outreach())
    database.webhooks.delete_one({"_id": gone["id"]})  # another process still has the webhook in its cache
    pending = {"webhook_id": kept["id"], "event": "outreach_recorded"}
    database.outreaches.insert_one(
        {
            "_id": "z",
            "match_keys": ["id:z"],
            "webhook_events": [{"webhook_id": gone["id"], "event": "outreach_recorded"}],
        }
    )
    assert pending in database.outreaches.find_one({"_id": {"$ne": "z"}})["webhook_events"]

    deliver()
    deliver()

    assert list(database.outreaches.find({"webhook_events.webhook_id": {"$exists": True}})) == []
    assert len(receiver.entries(kept["secret"])) == 1


def test_a_store_caches_its_webhooks(app: Flask, store: Store) -> None:
    caching = Store(app.extensions[EXTENSION].settings.mongodb_uri, cache_seconds=60)
    try:
        assert caching.webhooks_of() is caching.webhooks_of()
        assert store.webhooks_of() is not store.webhooks_of()
    finally:
        caching.close()


class TestDeliveries:
    """A webhook lists its last deliveries, so that an operator sees why a receiver fails."""

    @pytest.fixture
    def webhook(self, api: Client, receiver: WebhookReceiver) -> dict[str, Any]:
        return created(api, receiver, "outreach_recorded")

    @pytest.mark.parametrize(
        ("status", "body", "stated"),
        [
            (204, b"", {"status": 204}),
            (200, b"accepted", {"status": 200}),
            (500, b"", {"status": 500, "failure": "status_500"}),
            (503, b"no  room\r\nhere", {"status": 503, "failure": "status_503", "response": "no room here"}),
            (500, b"\xff\x00<b>\x1b[31m", {"status": 500, "failure": "status_500", "response": "<b>[31m"}),
            (500, "é".encode() * 500, {"status": 500, "failure": "status_500", "response": "é" * 200}),
        ],
    )
    def test_a_delivery_has_the_result_and_the_beginning_of_a_failed_response(
        self,
        api: Client,
        receiver: WebhookReceiver,
        deliver: Deliver,
        webhook: dict[str, Any],
        status: int,
        body: bytes,
        stated: dict[str, Any],
    ) -> None:
        api.recorded(factories.outreach())
        receiver.status, receiver.body = status, body

        deliver()

        (delivery,) = api.get(webhook["_links"]["self"]["href"]).json["deliveries"]
        assert delivery.pop("date")
        assert 0 <= delivery.pop("milliseconds") < 10_000
        assert delivery == {"events": 1, **stated}

    def test_a_receiver_that_does_not_exist_is_listed_with_the_reason(self, api: Client, deliver: Deliver) -> None:
        webhook = api.created("/webhooks", {"url": "https://nobody.invalid/hook"})
        api.recorded(factories.outreach())

        deliver()

        (delivery,) = api.get(webhook["_links"]["self"]["href"]).json["deliveries"]
        assert (delivery["failure"], "status" in delivery) == ("no_such_host", False)

    def test_the_newest_twenty_are_kept(
        self, api: Client, receiver: WebhookReceiver, deliver: Deliver, webhook: dict[str, Any]
    ) -> None:
        for number in range(22):
            receiver.status = 201 if number < 21 else 202
            api.recorded(factories.outreach())
            deliver()

        shown = api.get(webhook["_links"]["self"]["href"]).json["deliveries"]

        assert [each["status"] for each in shown] == [202, *[201] * 19]
