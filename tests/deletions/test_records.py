"""Each way to delete a person, an outreach or a campaign publishes one record of it, with ids only."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymongo.database import Database

from osdi.crud.delete import complete_next_deletion, delete
from osdi.errors import OsdiError, WriteConflict
from osdi.ids import new_id, now
from osdi.outreaches.deletion_store import delete_outreach
from osdi.people.merge import merge_stored_people
from osdi.privacy.erasure import erase, finish_next_erasure
from osdi.privacy.erasure_store import begin_erasure
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH, PERSON, RESOURCES
from osdi.store import Insert, Store
from osdi.store.store import SETTLED
from tests.support.databases import own_database
from tests.support.factories import RULES

MARKER = "planted"


@pytest.fixture(params=["mongod", "standalone"])
def emptied(request: pytest.FixtureRequest) -> Iterator[tuple[Store, Database]]:
    server = request.getfixturevalue(request.param)
    with own_database(server.uri, "published_deletions") as store_and_database:
        yield store_and_database


@pytest.fixture
def store(emptied: tuple[Store, Database]) -> Store:  # type: ignore[override]
    store, _ = emptied
    document: dict[str, Any] = {"version": 1, "created_date": now(), "modified_date": now()}
    store.write(Insert("advocacy_campaigns", {**document, "_id": "c1", "match_keys": ["id:c1"]}))
    for each in ("p1", "p2"):
        keys = [f"id:{each}:{MARKER}"]
        person = {**document, "_id": each, "match_keys": keys, "identifiers": keys, "given_name": MARKER}
        store.write(Insert("people", person))
        outreach = {"advocacy_campaign_id": "c1", "person_id": each, "action_date": now(), "subject": MARKER}
        store.write(Insert("outreaches", {**document, **outreach, "_id": f"o-{each}", "match_keys": [f"id:o-{each}"]}))
    return store


def records(store: Store) -> list[tuple[Any, ...]]:
    """Returns event, ids, and campaign or survivor of each record, in order."""
    found = store.find("published_deletions", {}, sort=("_id",))
    return [(each["event"], each["ids"], each.get("advocacy_campaign_id", each.get("survivor_id"))) for each in found]


def outreach_of(store: Store, person_id: str) -> dict[str, Any]:
    found = store.get("outreaches", f"o-{person_id}")
    assert found is not None
    return found


WAYS: list[tuple[str, Callable[[Store], object], list[tuple[Any, ...]]]] = [
    ("a deleted person", lambda store: delete(store, PERSON, "p1"), [("person_deleted", ["p1"], None)]),
    ("a deleted outreach", lambda store: delete(store, OUTREACH, "o-p1"), [("outreach_deleted", ["o-p1"], "c1")]),
    (
        "a deleted campaign stands for its outreaches",
        lambda store: delete(store, ADVOCACY_CAMPAIGN, "c1", force=True),
        [("advocacy_campaign_deleted", ["c1"], None)],
    ),
    ("a merged person", lambda store: merge_stored_people(store, "p1", "p2", RULES), [("person_merged", ["p2"], "p1")]),
    (
        "a repeated merge",
        lambda store: [merge_stored_people(store, "p1", "p2", RULES) for _ in range(2)],
        [("person_merged", ["p2"], "p1")],
    ),
    ("an erased person", lambda store: erase(store, "p1", RULES), [("person_erased", ["p1"], None)]),
    (
        "an erased person whose outreaches are deleted",
        lambda store: erase(store, "p1", RULES, "delete"),
        [("person_erased", ["p1"], None), ("outreach_deleted", ["o-p1"], "c1")],
    ),
    (
        "a person who was merged and is deleted",
        lambda store: (merge_stored_people(store, "p1", "p2", RULES), delete(store, PERSON, "p1")),
        [("person_merged", ["p2"], "p1"), ("person_deleted", ["p1", "p2"], None)],
    ),
    (
        "a person who was merged and is erased",
        lambda store: (merge_stored_people(store, "p1", "p2", RULES), erase(store, "p2", RULES)),
        [("person_merged", ["p2"], "p1"), ("person_erased", ["p1", "p2"], None)],
    ),
    (
        "an erasure that the worker completes",
        lambda store: (erase(store, "p1", RULES), finish_next_erasure(store, RULES, now() + 2 * SETTLED)),
        [("person_erased", ["p1"], None)],
    ),
]


@pytest.mark.one_in(4)
@pytest.mark.parametrize(("way", "expected"), [each[1:] for each in WAYS], ids=[each[0] for each in WAYS])
def test_each_deletion_has_one_record_with_ids_only(
    store: Store, way: Callable[[Store], object], expected: list[tuple[Any, ...]]
) -> None:
    way(store)

    assert records(store) == expected
    found = store.find("published_deletions", {})
    assert MARKER not in str(found)
    known = {"_id", "version", "event", "ids", "deleted_date", "advocacy_campaign_id", "survivor_id"}
    assert set().union(*found) <= known


@pytest.mark.one_in(5)
@pytest.mark.parametrize(
    ("resource", "document_id"),
    [(PERSON, "p9"), (OUTREACH, "o-p9"), (ADVOCACY_CAMPAIGN, "c9"), (ADVOCACY_CAMPAIGN, "c1")],
)
def test_a_rejected_deletion_has_no_record(store: Store, resource: Any, document_id: str) -> None:
    with pytest.raises(OsdiError):
        delete(store, resource, document_id)  # a campaign with outreaches needs `force`

    assert records(store) == []


@pytest.mark.one_in(3)
@pytest.mark.parametrize("resource", ["tags", "lists", "questions", "messages"])
def test_other_resources_have_no_record(store: Store, resource: str) -> None:
    (kind,) = (each for each in RESOURCES if each.collection == resource)
    store.write(Insert(resource, {"_id": "t1", "version": 1, "match_keys": ["id:t1"]}))

    delete(store, kind, "t1")

    assert records(store) == []


def test_an_outreach_recorded_while_its_campaign_is_deleted_is_published(store: Store) -> None:
    delete(store, ADVOCACY_CAMPAIGN, "c1", force=True)
    late = {
        "_id": new_id(),
        "version": 1,
        "advocacy_campaign_id": "c1",
        "created_date": now(),
        "match_keys": ["id:late"],
    }
    store.write(Insert("outreaches", late))

    assert complete_next_deletion(store, now() + 2 * SETTLED)

    assert records(store) == 2 * [("advocacy_campaign_deleted", ["c1"], None)]


def test_a_failed_deletion_in_a_transaction_leaves_no_record(store: Store) -> None:
    changed = {**outreach_of(store, "p1"), "version": 7}

    with pytest.raises(WriteConflict):
        delete_outreach(store, changed)

    assert records(store) == ([] if store.supports_transactions else [("outreach_deleted", ["o-p1"], "c1")])


def test_people_that_a_merge_adds_to_an_erasure_are_published(store: Store) -> None:
    erasure = {"_id": "p1", "people": ["p1"], "outreaches": "keep", "erased_date": now()}
    begin_erasure(store, erasure, store.get("people", "p1"))

    begin_erasure(store, {**erasure, "people": ["p1", "p2"]}, None)
    begin_erasure(store, {**erasure, "people": ["p1", "p2"]}, None)

    assert records(store) == [("person_erased", ["p1"], None), ("person_erased", ["p1", "p2"], None)]
