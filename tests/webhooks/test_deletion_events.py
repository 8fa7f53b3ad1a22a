"""Webhooks get an event for each deletion: ids only, and none about something that exists."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from pymongo.database import Database

from osdi.fields.webhook import DELETION_EVENTS
from osdi.store import Store
from tests.support import factories
from tests.support.client import Client
from tests.support.webhook_receiver import WebhookReceiver
from tests.webhooks.conftest import PUBLIC, Deliver, created, events_of

Act = Callable[[Client, str, str], Any]

ACTS: dict[str, Act] = {
    "person_deleted": lambda api, person, outreach: api.delete(person),
    "person_merged": lambda api, person, outreach: api.post(f"{survivor(api)}/merge", link(person)),
    "person_erased": lambda api, person, outreach: api.delete(f"{person}?erase=true"),
    "outreach_deleted": lambda api, person, outreach: api.delete(outreach),
    "advocacy_campaign_deleted": lambda api, person, outreach: api.delete(
        f"/advocacy_campaigns/{api.campaign_id}?force=true"
    ),
}


def survivor(api: Client) -> str:
    return str(api.created("/people", factories.person())["_links"]["self"]["href"])


def link(person: str) -> dict[str, Any]:
    return {"_links": {"osdi:person": {"href": person}}}


@pytest.fixture
def outreach(api: Client) -> dict[str, Any]:
    return api.recorded(factories.by_email("jane@example.com"))


def do(api: Client, event: str, outreach: dict[str, Any]) -> None:
    """Does what causes the event to the outreach or its person."""
    response = ACTS[event](api, outreach["_links"]["osdi:person"]["href"], outreach["_links"]["self"]["href"])
    assert response.status_code == 200, response.get_data(as_text=True)


def test_each_event_of_a_deletion_is_tested() -> None:
    assert set(ACTS) == set(DELETION_EVENTS)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("event", DELETION_EVENTS)
def test_the_receiver_gets_one_event_with_ids_only(
    api: Client, outreach: dict[str, Any], receiver: WebhookReceiver, deliver: Deliver, event: str
) -> None:
    secret = created(api, receiver, *DELETION_EVENTS)["secret"]
    do(api, event, outreach)

    deliver()

    (entry,) = receiver.entries(secret)
    assert events_of([entry]) == [event]
    deletion = entry["osdi_outreach:deletion"]
    assert deletion["event"] == event
    assert all(each.startswith("osdi_outreach:") for each in deletion["identifiers"])
    assert all(each["href"].startswith(PUBLIC) for name, each in deletion["_links"].items() if name != "curies")
    assert "jane" not in str(entry)
    assert ("osdi_outreach:survivor" in deletion["_links"]) == (event == "person_merged")


@pytest.mark.one_in(3)
@pytest.mark.parametrize("event", DELETION_EVENTS)
def test_a_delivered_event_is_not_sent_again(
    api: Client, outreach: dict[str, Any], receiver: WebhookReceiver, deliver: Deliver, event: str
) -> None:
    secret = created(api, receiver, event)["secret"]
    do(api, event, outreach)
    deliver()

    deliver()

    assert len(receiver.entries(secret)) == 1


def test_only_subscribed_deletions_are_sent(
    api: Client, outreach: dict[str, Any], receiver: WebhookReceiver, deliver: Deliver
) -> None:
    created(api, receiver, "person_created", "outreach_deleted")
    do(api, "person_deleted", outreach)

    assert deliver() == 0


def test_the_deletion_comes_after_what_happened_before(
    api: Client, outreach: dict[str, Any], receiver: WebhookReceiver, deliver: Deliver
) -> None:
    secret = created(api, receiver)["secret"]
    do(api, "person_merged", outreach)

    deliver()

    assert events_of(receiver.entries(secret))[-1] == "person_merged"


class TestDeletionThatFailed:
    """On a server without transactions, a record can be stored whose Delete has failed."""

    @pytest.fixture
    def secret(self, api: Client, receiver: WebhookReceiver) -> str:
        return str(created(api, receiver, "outreach_deleted")["secret"])

    @pytest.fixture
    def left(self, api: Client, outreach: dict[str, Any], secret: str, database: Database) -> dict[str, Any]:
        """The document of an outreach that has been stored again after its deletion."""
        outreach_id = outreach["_links"]["self"]["href"].rsplit("/", 1)[1]
        document: dict[str, Any] = database.outreaches.find_one({"_id": outreach_id})
        do(api, "outreach_deleted", outreach)
        database.outreaches.insert_one(document)
        return document

    def test_it_is_sent_when_it_is_done(
        self, database: Database, left: dict[str, Any], receiver: WebhookReceiver, deliver: Deliver, secret: str
    ) -> None:
        deliver()
        assert receiver.received == []
        database.outreaches.delete_one({"_id": left["_id"]})
        database.webhooks.update_one({}, {"$set": {"not_before": dt.datetime(2026, 1, 1)}})

        deliver()

        assert events_of(receiver.entries(secret)) == ["outreach_deleted"]

    @pytest.mark.usefixtures("left")
    def test_its_record_is_removed_when_it_cannot_be_done_any_more(
        self, database: Database, receiver: WebhookReceiver, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deliver()
        assert database.published_deletions.count_documents({}) == 1
        database.webhooks.update_one({}, {"$set": {"not_before": dt.datetime(2026, 1, 1)}})
        monkeypatch.setattr("osdi.deletions.records.SETTLED", dt.timedelta(seconds=-2))

        deliver()

        assert receiver.received == []
        assert database.published_deletions.count_documents({}) == 0


def test_a_rejected_deletion_names_its_address(
    api: Client, store: Store, outreach: dict[str, Any], receiver: WebhookReceiver, deliver: Deliver
) -> None:
    webhook = created(api, receiver, "outreach_deleted")
    receiver.status = 413
    do(api, "outreach_deleted", outreach)

    deliver()

    (rejected,) = api.get(f"/webhooks/{webhook['id']}").json["rejected_events"]
    assert rejected["event"] == "outreach_deleted"
    href = rejected["_links"]["osdi_outreach:deletion"]["href"]
    assert href.endswith(outreach["_links"]["self"]["href"].partition("/api/v1")[2])
