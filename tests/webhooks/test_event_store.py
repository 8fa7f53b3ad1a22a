"""Webhook events in the database: leases, deletion of delivered events, and documents that change during a delivery."""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from pymongo.database import Database

from osdi.documents import Document
from osdi.errors import WriteConflict
from osdi.ids import new_id, now
from osdi.resources import DELETION, OUTREACH, PERSON, Resource
from osdi.store import Insert, Store, Update
from osdi.webhooks import event_store
from tests.support.profiled import profiled

THREADS = 12
EVENTS = ["outreach_recorded", "person_created", "person_updated", "unsubscribed"]


def later(seconds: float = 60) -> dt.datetime:
    return now() + dt.timedelta(seconds=seconds)


def webhook(store: Store, **fields: Any) -> Document:
    """Inserts and returns a webhook that is due, with these additional fields."""
    made = {"_id": new_id(), "version": 1, "enabled": True, "url": "https://example.org", "secret": "s"}
    made |= {"events": EVENTS, "not_before": now(), **fields}
    store.write(Insert("webhooks", made))
    return made


def stored_webhook(database: Database, made: Document) -> Document:
    found: Document = database.webhooks.find_one({"_id": made["_id"]})
    return found


def inserted(store: Store, resource: Resource) -> Document:
    """Inserts and returns a person or outreach with events for every webhook."""
    document_id = new_id()
    document = {"_id": document_id, "version": 1, "match_keys": [f"id:ns:{document_id}"]}
    store.write(Insert(resource.collection, document))
    found = store.get(resource.collection, document_id)
    assert found is not None
    return found


def waiting(store: Store, made: Document) -> list[tuple[Resource, Document]]:
    return list(event_store.documents_with_events(store, made["_id"], 100))


def waiting_events(store: Store, made: Document) -> list[tuple[Resource, Document, Document]]:
    """Returns each waiting event with its present document, as delete_delivered_events takes them."""
    return [
        (resource, document, event)
        for resource, document in waiting(store, made)
        for event in document["webhook_events"]
        if event["webhook_id"] == made["_id"]
    ]


def events_of(store: Store, document: Document) -> list[tuple[str, str]]:
    """Returns webhook and event of every event that is still stored in a document."""
    found = store.get("people", document["_id"]) or store.get("outreaches", document["_id"]) or {}
    return [(event["webhook_id"], event["event"]) for event in found.get("webhook_events", ())]


class TestLease:
    def test_only_one_of_many_workers_gets_it(self, store: Store, database: Database) -> None:
        for _ in range(10):
            made = webhook(store)
            barrier = Barrier(THREADS)

            def lease(_: int, made: Document = made, barrier: Barrier = barrier) -> str | None:
                barrier.wait(10)
                return event_store.lease_webhook(store, made, later())

            with ThreadPoolExecutor(THREADS) as pool:
                leases = [each for each in pool.map(lease, range(THREADS)) if each]

            assert len(leases) == 1
            assert stored_webhook(database, made)["lease"] == leases[0]

    def test_makes_the_webhook_due_only_after_its_end(self, store: Store, database: Database) -> None:
        made = webhook(store)

        lease = event_store.lease_webhook(store, made, later())

        assert lease
        assert event_store.due_webhooks(store, now()) == []
        (again,) = event_store.due_webhooks(store, later(61))
        assert again == {**made, "lease": lease, "not_before": stored_webhook(database, made)["not_before"]}

    def test_that_has_expired_can_be_replaced(self, store: Store, database: Database) -> None:
        made = webhook(store)
        lost = event_store.lease_webhook(store, made, now())
        (found,) = event_store.due_webhooks(store, now())

        lease = event_store.lease_webhook(store, found, later())

        assert lease not in (None, lost)
        assert lost
        assert not event_store.mark_webhook(store, made["_id"], lost, {"failures": 1}), "too late"
        assert "failures" not in stored_webhook(database, made)
        assert event_store.lease_webhook(store, found, later()) is None, "only once"

    def test_cannot_be_leased_early_with_an_outdated_webhook(self, store: Store, database: Database) -> None:
        made = webhook(store)
        lease = event_store.lease_webhook(store, made, later())
        assert lease
        event_store.mark_webhook(store, made["_id"], lease, {"failures": 1, "not_before": later(5)})

        assert event_store.lease_webhook(store, made, later()) is None
        assert "lease" not in stored_webhook(database, made)

    def test_is_released_with_the_result(self, store: Store, database: Database) -> None:
        made = webhook(store, failures=3, last_failure="timeout")
        lease = event_store.lease_webhook(store, made, later())
        assert lease

        fields = {"not_before": later(5), "last_delivered_date": now()}
        assert event_store.mark_webhook(store, made["_id"], lease, fields, gone=("failures", "last_failure"))

        kept = {name: value for name, value in made.items() if name not in ("failures", "last_failure")}
        assert stored_webhook(database, made) == kept | fields
        assert not event_store.mark_webhook(store, made["_id"], lease, {"failures": 1}), "the lease was released"

    @pytest.mark.parametrize(
        "change",
        [
            {"enabled": False},
            {"url": "https://elsewhere.example.org"},
            {"secret": "another"},
            {"not_before": later(3_600)},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_cannot_be_leased_after_a_concurrent_change(
        self, store: Store, database: Database, change: dict[str, Any]
    ) -> None:
        """The worker has read the URL and the secret before the change."""
        made = webhook(store)
        event_store.change_webhook(store, made, change)

        assert event_store.lease_webhook(store, made, later()) is None
        assert "lease" not in stored_webhook(database, made)

    def test_of_a_deleted_webhook_cannot_be_leased(self, store: Store, database: Database) -> None:
        made = webhook(store)
        database.webhooks.delete_one({})

        assert event_store.lease_webhook(store, made, later()) is None
        assert database.webhooks.count_documents({}) == 0


class TestDueWebhooks:
    def test_the_longest_waiting_comes_first(self, store: Store, database: Database) -> None:
        made = [webhook(store, not_before=now() - dt.timedelta(hours=hours)) for hours in (1, 3, 2)]

        assert [each["_id"] for each in event_store.due_webhooks(store, now())] == [made[at]["_id"] for at in (1, 2, 0)]

    def test_disabled_and_later_ones_are_left_out(self, store: Store, database: Database) -> None:
        webhook(store, enabled=False)
        webhook(store, not_before=later())

        assert event_store.due_webhooks(store, now()) == []
        assert len(event_store.all_webhooks(store)) == 2


class TestChange:
    def test_sets_and_removes_fields_and_increments_the_version(self, store: Store, database: Database) -> None:
        made = webhook(store, enabled=False, disabled_reason="gave_up", failures=9)

        event_store.change_webhook(store, made, {"enabled": True}, gone=("disabled_reason", "failures", "lease"))

        kept = {name: value for name, value in made.items() if name not in ("disabled_reason", "failures")}
        assert stored_webhook(database, made) == kept | {"enabled": True, "version": 2}

    def test_of_an_outdated_version_fails(self, store: Store, database: Database) -> None:
        made = webhook(store)
        event_store.change_webhook(store, made, {"description": "first"})

        with pytest.raises(WriteConflict):
            event_store.change_webhook(store, made, {"description": "second"})

        assert stored_webhook(database, made)["description"] == "first"

    def test_succeeds_during_a_delivery(self, store: Store, database: Database) -> None:
        made = webhook(store)
        lease = event_store.lease_webhook(store, made, later())
        assert lease

        event_store.change_webhook(store, made, {"description": "changed"})

        assert event_store.mark_webhook(store, made["_id"], lease, {"not_before": now()})
        assert stored_webhook(database, made)["description"] == "changed"


class TestWaitingEvents:
    def test_come_people_first_and_oldest_first(self, store: Store, database: Database) -> None:
        made = webhook(store)
        outreaches = [inserted(store, OUTREACH) for _ in range(3)]
        people = [inserted(store, PERSON) for _ in range(3)]

        assert waiting(store, made) == [
            *((PERSON, each) for each in people),
            *((OUTREACH, each) for each in outreaches),
        ]
        limited = [document["_id"] for _, document in event_store.documents_with_events(store, made["_id"], 2)]
        assert limited == [each["_id"] for each in (*people[:2], *outreaches[:2])]

    def test_are_counted_by_document(self, store: Store, database: Database) -> None:
        made, other = webhook(store), webhook(store, events=["outreach_recorded"])
        person = inserted(store, PERSON)
        store.write(Update("people", person["_id"], 1, {"gender": "Other"}))
        inserted(store, OUTREACH)

        assert [event_store.count_events(store, each["_id"]) for each in (made, other)] == [2, 1]
        assert [event_store.has_events(store, each) for each in (made["_id"], other["_id"], "none")] == [
            True,
            True,
            False,
        ]

    def test_are_deleted_for_one_webhook_only(self, store: Store, database: Database) -> None:
        made, other = webhook(store), webhook(store)
        for resource in (PERSON, OUTREACH):
            inserted(store, resource)
        before = waiting(store, other)

        event_store.delete_events(store, made["_id"])

        assert not event_store.has_events(store, made["_id"])
        left = waiting(store, other)
        assert [document["_id"] for _, document in left] == [document["_id"] for _, document in before]
        assert [document["version"] for _, document in left] == [1, 1]


class TestDeletionOfDeliveredEvents:
    """Delivered events are deleted; newer ones stay."""

    @pytest.fixture
    def made(self, store: Store, database: Database) -> Document:
        return webhook(store)

    def test_leaves_no_event_and_keeps_the_version(self, store: Store, database: Database, made: Document) -> None:
        documents = [inserted(store, PERSON), inserted(store, OUTREACH)]
        store.write(Update("people", documents[0]["_id"], 1, {"gender": "Other"}, events=("unsubscribed",)))
        assert len(waiting_events(store, made)) == 4

        event_store.delete_delivered_events(store, waiting_events(store, made))

        assert [events_of(store, each) for each in documents] == [[], []]
        assert not event_store.has_events(store, made["_id"])
        assert database.people.find_one()["version"] == 2
        assert database.outreaches.find_one()["version"] == 1

    def test_keeps_the_events_of_other_webhooks(self, store: Store, made: Document) -> None:
        other = webhook(store)
        person = inserted(store, PERSON)

        event_store.delete_delivered_events(store, waiting_events(store, made))

        assert events_of(store, person) == [(other["_id"], "person_created")]

    def test_keeps_the_event_of_a_person_who_has_changed_since(self, store: Store, made: Document) -> None:
        """The delivered version is no longer the person's present one."""
        person = inserted(store, PERSON)
        event_store.delete_delivered_events(store, waiting_events(store, made))
        store.write(Update("people", person["_id"], 1, {"gender": "Other"}))
        first = waiting_events(store, made)
        store.write(Update("people", person["_id"], 2, {"gender": "Female"}))

        event_store.delete_delivered_events(store, first)

        assert events_of(store, person) == [(made["_id"], "person_updated")]
        event_store.delete_delivered_events(store, waiting_events(store, made))
        assert events_of(store, person) == []

    def test_deletes_a_creation_also_after_later_changes(self, store: Store, made: Document) -> None:
        person = inserted(store, PERSON)
        first = waiting_events(store, made)
        store.write(Update("people", person["_id"], 1, {"gender": "Other"}))

        event_store.delete_delivered_events(store, first)

        assert events_of(store, person) == [(made["_id"], "person_updated")]

    def test_deletes_only_the_unsubscription_that_was_delivered(
        self, store: Store, database: Database, made: Document
    ) -> None:
        person = inserted(store, PERSON)
        store.write(Update("people", person["_id"], 1, {}, events=("unsubscribed",)))
        first = [each for each in waiting_events(store, made) if each[2]["event"] == "unsubscribed"]
        store.write(Update("people", person["_id"], 2, {}, events=("unsubscribed",)))
        assert len(first) == 1

        event_store.delete_delivered_events(store, first)

        left = database.people.find_one()["webhook_events"]
        assert [each["version"] for each in left if each["event"] == "unsubscribed"] == [3]

    def test_ignores_documents_that_were_deleted_meanwhile(
        self, store: Store, database: Database, made: Document
    ) -> None:
        inserted(store, PERSON)
        outreach = inserted(store, OUTREACH)
        both = waiting_events(store, made)
        database.people.delete_many({})

        event_store.delete_delivered_events(store, both)

        assert database.people.count_documents({}) == 0
        assert events_of(store, outreach) == []

    def test_of_an_empty_list_keeps_every_event(self, store: Store, made: Document) -> None:
        person = inserted(store, PERSON)

        event_store.delete_delivered_events(store, [])

        assert events_of(store, person) == [(made["_id"], "person_created")]

    def test_can_be_repeated(self, store: Store, made: Document) -> None:
        person = inserted(store, PERSON)
        first = waiting_events(store, made)
        event_store.delete_delivered_events(store, first)
        store.write(Update("people", person["_id"], 1, {"gender": "Other"}))

        event_store.delete_delivered_events(store, first)

        assert events_of(store, person) == [(made["_id"], "person_updated")]

    def test_during_concurrent_changes_loses_no_change(self, store: Store, database: Database, made: Document) -> None:
        """One thread delivers and deletes, another changes the person: the last version is delivered in the end."""
        person = inserted(store, PERSON)
        seen: list[int] = []

        def change() -> None:
            for version in range(1, 61):
                store.write(Update("people", person["_id"], version, {"gender": str(version)}))

        with ThreadPoolExecutor(1) as pool:
            changing = pool.submit(change)
            for _ in range(10_000):
                ended = changing.done()
                batch = waiting_events(store, made)
                seen += [document["version"] for _, document, _ in batch]
                event_store.delete_delivered_events(store, batch)
                if ended and not batch:
                    break
            changing.result(10)

        assert seen[-1] == 61
        assert not event_store.has_events(store, made["_id"])


REJECTED = "IXSCAN { webhook_rejections.webhook_id: 1, _id: 1 }"
BY_WEBHOOK = "IXSCAN { webhook_events.webhook_id: 1, _id: 1 }"
COUNTED = "COUNT_SCAN { webhook_events.webhook_id: 1, _id: 1 }"
DUE = "IXSCAN { enabled: 1, not_before: 1 }"


def delete_delivered(store: Store, made: Document) -> None:
    event_store.delete_delivered_events(store, waiting_events(store, made))


@pytest.mark.parametrize(
    ("does", "plans"),
    [
        (lambda store, made: event_store.due_webhooks(store, now()), {("webhooks", DUE)}),
        (lambda store, made: event_store.has_events(store, made["_id"]), {("people", BY_WEBHOOK)}),
        (
            lambda store, made: event_store.has_events(store, "none"),
            {("people", BY_WEBHOOK), ("outreaches", BY_WEBHOOK)},
        ),
        (
            lambda store, made: event_store.count_events(store, made["_id"]),
            {("people", COUNTED), ("outreaches", COUNTED)},
        ),
        (waiting, {("people", BY_WEBHOOK), ("outreaches", BY_WEBHOOK)}),
        (
            lambda store, made: event_store.delete_events(store, made["_id"]),
            {(name, plan) for name in ("people", "outreaches") for plan in (BY_WEBHOOK, REJECTED)},
        ),
        (
            lambda store, made: event_store.rejected_events(store, made["_id"], 50),
            {("people", REJECTED), ("outreaches", REJECTED)},
        ),
        (
            lambda store, made: event_store.retry_rejected_events(store, made["_id"]),
            {("people", REJECTED), ("outreaches", REJECTED)},
        ),
        (
            delete_delivered,
            {(name, plan) for name in ("people", "outreaches") for plan in (BY_WEBHOOK, "IXSCAN { _id: 1 }", "IDHACK")},
        ),
    ],
    ids=["due", "has", "has-none", "count", "documents", "delete", "rejected", "retry", "delete-delivered"],
)
def test_no_query_scans_or_sorts_a_collection(
    store: Store,
    database: Database,
    does: Callable[[Store, Document], object],
    plans: set[tuple[str, str]],
) -> None:
    other = webhook(store, events=["outreach_recorded", "person_created"])
    for _ in range(20):
        inserted(store, OUTREACH)
        inserted(store, PERSON)
    event_store.delete_events(store, other["_id"])
    made = webhook(store)
    inserted(store, OUTREACH)
    inserted(store, PERSON)

    with profiled(database) as done:
        does(store, made)

    plans = plans | {(DELETION.collection, plan) for collection, plan in plans if collection == OUTREACH.collection}
    assert {(each.collection, each.plan) for each in done} <= plans
    assert {each.collection for each in done} == {name for name, _ in plans}
    assert not any(each.sorted for each in done)
    assert max(each.read for each in done) <= 2
