"""The webhook events of a write, and the id by which a receiver recognises a repeated event."""

from typing import Any

import pytest

from osdi.people.merge_rules import events_of_change
from osdi.store.change_events import entries_for
from osdi.store.writes import WEBHOOK_EVENTS, Delete, Insert, Update, with_events
from osdi.webhooks.delivery import idempotency_key

WEBHOOKS = {"outreach_recorded": ["w1"], "person_updated": ["w1", "w2"], "unsubscribed": ["w2"], "person_created": []}


def emails(*statuses: str | None) -> dict[str, Any]:
    entries = [{"address": f"{index}@example.com", "status": each} for index, each in enumerate(statuses)]
    return {"email_addresses": [{name: value for name, value in each.items() if value} for each in entries]}


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (Insert("outreaches", {"_id": "o", "version": 1}), [{"webhook_id": "w1", "event": "outreach_recorded"}]),
        (Insert("people", {"_id": "p", "version": 1}), None),
        (Insert("tags", {"_id": "t", "version": 1}), None),
    ],
)
def test_an_insert_notes_its_event(write: Insert, expected: Any) -> None:
    with_entries = with_events(write, WEBHOOKS)

    assert isinstance(with_entries, Insert)
    assert with_entries.document.get(WEBHOOK_EVENTS) == expected
    assert WEBHOOK_EVENTS not in write.document


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (
            Update("people", "p", 3, {"given_name": "x"}),
            [{"webhook_id": "w1", "event": "person_updated"}, {"webhook_id": "w2", "event": "person_updated"}],
        ),
        (
            Update("people", "p", 3, {}, events=("unsubscribed",)),
            [
                {"webhook_id": "w1", "event": "person_updated"},
                {"webhook_id": "w2", "event": "person_updated"},
                {"webhook_id": "w2", "event": "unsubscribed", "version": 4},
            ],
        ),
    ],
)
def test_an_update_notes_its_events_in_the_same_write(write: Update, expected: Any) -> None:
    with_entries = with_events(write, WEBHOOKS)

    assert isinstance(with_entries, Update)
    assert with_entries.operators()["$addToSet"] == {WEBHOOK_EVENTS: {"$each": expected}}


@pytest.mark.parametrize(
    "write", [Update("outreaches", "o", 1, {}), Update("tags", "t", 1, {}), Delete("people", "p", 1)]
)
def test_other_writes_cause_no_event(write: Update | Delete) -> None:
    assert with_events(write, WEBHOOKS) is write


def test_without_webhooks_nothing_is_noted() -> None:
    write = Insert("outreaches", {"_id": "o", "version": 1})

    assert with_events(write, {}) is write


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (emails("subscribed"), emails("unsubscribed"), ("unsubscribed",)),
        (emails(None), emails("unsubscribed"), ("unsubscribed",)),
        (emails("unsubscribed"), emails("unsubscribed"), ()),
        (emails("unsubscribed"), emails("subscribed"), ()),
        (emails("subscribed", "subscribed"), emails("subscribed", "unsubscribed"), ("unsubscribed",)),
        (emails("subscribed"), emails("bouncing"), ()),
        ({}, {"email_addresses": [{"status": "unsubscribed"}]}, ()),
        (emails("unsubscribed"), {}, ()),
    ],
)
def test_unsubscribing_is_an_event_of_its_own(before: Any, after: Any, expected: tuple[str, ...]) -> None:
    assert events_of_change(before, after) == expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("outreach_recorded", "outreach_recorded:x"),
        ("person_created", "person_created:x"),
        ("person_updated", "person_updated:x:7"),
        ("unsubscribed", "unsubscribed:x:5"),
    ],
)
def test_the_idempotency_key_is_the_same_for_a_repeat_alone(event: str, expected: str) -> None:
    (entry,) = entries_for([event], 5, {event: ["w"]})

    assert idempotency_key(entry, {"_id": "x", "version": 7}) == expected
