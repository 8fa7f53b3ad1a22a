"""Receivers that reject bodies: smaller batches, and events that are set aside so that they block no others."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pymongo.database import Database

from osdi.ids import now
from tests.support import factories
from tests.support.client import Client
from tests.support.webhook_receiver import WebhookReceiver
from tests.webhooks.conftest import Deliver, created

LIMIT = 50_000
LARGE = "x" * (LIMIT - 500)  # of a message; its event is larger than the limit


def by_size(body: bytes) -> int:
    """Answers like a server with a limit for bodies."""
    return 413 if len(body) > LIMIT else 200


def with_word(word: bytes, status: int) -> Callable[[bytes], int]:
    return lambda body: status if word in body else 200


@pytest.fixture
def webhook(api: Client, receiver: WebhookReceiver) -> dict[str, Any]:
    return created(api, receiver, "outreach_recorded")


def shown(api: Client, webhook: dict[str, Any]) -> dict[str, Any]:
    return dict(api.get(webhook["_links"]["self"]["href"]).json)


def due_again(database: Database) -> None:
    database.webhooks.update_many({}, {"$set": {"not_before": now()}})


def messages(receiver: WebhookReceiver, webhook: dict[str, Any]) -> list[str]:
    return [entry["osdi:outreach"]["message"] for entry in receiver.entries(webhook["secret"])]


def test_all_events_arrive_at_a_receiver_with_a_limit(
    api: Client, receiver: WebhookReceiver, deliver: Deliver, webhook: dict[str, Any]
) -> None:
    sent = [f"{number} {'x' * 2_000}" for number in range(80)]
    for message in sent:
        api.recorded(factories.outreach(message=message))
    receiver.status = by_size

    deliver()

    assert messages(receiver, webhook) == sent
    assert len(receiver.received) <= 16
    assert shown(api, webhook)["rejected"] == shown(api, webhook)["waiting"] == 0
    assert "failures" not in shown(api, webhook)


@pytest.mark.parametrize("position", [0, 2, 4])
def test_an_event_that_is_too_large_blocks_no_other(
    api: Client, receiver: WebhookReceiver, deliver: Deliver, webhook: dict[str, Any], position: int
) -> None:
    sent = ["a", "b", "c", "d"]
    sent.insert(position, LARGE)
    outreaches = [api.recorded(factories.outreach(message=message)) for message in sent]
    receiver.status = by_size

    deliver()

    assert messages(receiver, webhook) == ["a", "b", "c", "d"]
    state = shown(api, webhook)
    assert (state["waiting"], state["rejected"], state["enabled"]) == (0, 1, True)
    (event,) = state["rejected_events"]
    assert (event["event"], event["reason"]) == ("outreach_recorded", "status_413")
    assert event["_links"]["osdi:outreach"] == outreaches[position]["_links"]["self"]


def test_a_rejected_event_is_sent_again_when_the_webhook_is_enabled_again(
    api: Client, receiver: WebhookReceiver, deliver: Deliver, webhook: dict[str, Any], database: Database
) -> None:
    api.recorded(factories.outreach(message=LARGE))
    receiver.status = 413
    deliver()
    receiver.status = 200
    assert deliver() == 0

    api.put(webhook["_links"]["self"]["href"], {"enabled": True})
    deliver()

    assert messages(receiver, webhook) == [LARGE]
    first, second = (json.loads(each.body)[0]["idempotency_key"] for each in receiver.received)
    assert first == second
    assert (shown(api, webhook)["rejected"], shown(api, webhook)["waiting"]) == (0, 0)


@pytest.mark.parametrize("status", [400, 422])
def test_an_event_that_the_receiver_calls_invalid_is_set_aside_after_some_attempts(
    api: Client,
    receiver: WebhookReceiver,
    deliver: Deliver,
    webhook: dict[str, Any],
    database: Database,
    status: int,
) -> None:
    for message in ("a", "bad", "b"):
        api.recorded(factories.outreach(message=message))
    receiver.status = with_word(b'"bad"', status)

    for _ in range(5):
        deliver()
        due_again(database)
    deliver()

    assert messages(receiver, webhook) == ["a", "b"]
    assert [each["reason"] for each in shown(api, webhook)["rejected_events"]] == [f"status_{status}"]
    assert len([each for each in receiver.received if len(each.json) == 1 and each.status == status]) == 5


@pytest.mark.parametrize("status", [401, 404, 500, 503])
def test_an_error_of_the_receiver_sets_no_event_aside(
    api: Client,
    receiver: WebhookReceiver,
    deliver: Deliver,
    webhook: dict[str, Any],
    database: Database,
    status: int,
) -> None:
    api.recorded(factories.outreach())
    receiver.status = status
    for _ in range(8):
        deliver()
        due_again(database)

    assert (shown(api, webhook)["rejected"], shown(api, webhook)["waiting"]) == (0, 1)


def test_a_receiver_that_rejects_everything_keeps_most_events_waiting(
    api: Client, receiver: WebhookReceiver, deliver: Deliver, webhook: dict[str, Any], database: Database
) -> None:
    for number in range(14):
        api.recorded(factories.outreach(message=str(number)))
    receiver.status = 413
    deliver()

    assert (shown(api, webhook)["rejected"], shown(api, webhook)["waiting"]) == (10, 4)
    assert shown(api, webhook)["last_failure"] == "status_413"
    receiver.status = 200
    due_again(database)
    deliver()
    assert sorted(map(int, messages(receiver, webhook))) == [10, 11, 12, 13]


def test_the_next_state_of_a_person_is_tried_again(api: Client, receiver: WebhookReceiver, deliver: Deliver) -> None:
    webhook = created(api, receiver, "person_updated")
    person = api.recorded(factories.by_email("jane@example.com"))["_links"]["osdi:person"]["href"]
    receiver.status = with_word(b"Long", 413)
    for name in ("Long", "Longer"):
        api.put(person, {"given_name": name})
        deliver()
        assert len(shown(api, webhook)["rejected_events"]) == 1

    api.put(person, {"given_name": "Jo"})
    deliver()

    (entry,) = receiver.entries(webhook["secret"])
    assert entry["osdi:person"]["given_name"] == "Jo"
    assert shown(api, webhook)["rejected"] == 0


def test_a_rejection_by_one_webhook_does_not_affect_another(
    api: Client, receiver: WebhookReceiver, deliver: Deliver, webhook: dict[str, Any]
) -> None:
    with WebhookReceiver() as other:
        second = created(api, other, "outreach_recorded")
        receiver.status = 413
        outreach = api.recorded(factories.outreach(message="a"))
        deliver()

        assert messages(other, second) == ["a"]
    assert (shown(api, webhook)["rejected"], shown(api, second)["rejected"]) == (1, 0)
    api.put(second["_links"]["self"]["href"], {"enabled": True})
    assert shown(api, webhook)["rejected"] == 1
    assert "webhook_rejections" not in api.follow(outreach, "self")


def test_deleting_the_webhook_deletes_its_rejected_events(
    api: Client, receiver: WebhookReceiver, deliver: Deliver, webhook: dict[str, Any], database: Database
) -> None:
    api.recorded(factories.outreach())
    receiver.status = 413
    deliver()

    api.delete(webhook["_links"]["self"]["href"])

    assert database.outreaches.count_documents({"webhook_rejections.webhook_id": {"$exists": True}}) == 0


@pytest.mark.parametrize(("retry_after", "wait"), [("30", 30), ("86400", 3_600), ("soon", 0)])
@pytest.mark.parametrize("status", [429, 503])
def test_the_worker_waits_for_retry_after(
    api: Client,
    receiver: WebhookReceiver,
    deliver: Deliver,
    webhook: dict[str, Any],
    database: Database,
    status: int,
    retry_after: str,
    wait: float,
) -> None:
    api.recorded(factories.outreach())
    receiver.status, receiver.headers = status, {"Retry-After": retry_after}
    began = now()

    deliver()

    seconds = (database.webhooks.find_one()["not_before"] - began).total_seconds()
    assert max(wait, 2) <= seconds <= max(wait, 5) + 5
