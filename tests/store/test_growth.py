"""What keeps the store flat as it grows: counts on indexes, large ones remembered, and pages that begin in place."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.crud.totals_store import count_entries, count_people_with
from osdi.ids import id_before, new_id
from osdi.operations.readiness import missing_indexes
from osdi.store import Store
from osdi.store.indexes import INDEXES
from osdi.store.store import first_id
from tests.support.profiled import profiled

PEOPLE = 200
SINCE = dt.datetime(2024, 3, 1, 12)


@pytest.fixture
def remembering(mongod: Mongod, database: Database) -> Iterator[Store]:
    """The store as it is by default, on the test's database."""
    found = Store(mongod.uri, cache_seconds=60)
    yield found
    found.close()


def fill(database: Database, number: int = PEOPLE) -> None:
    """People who came a day apart, each with a tagging, an item and two answers."""
    database.people.insert_many(
        {
            "_id": f"{id_before(came)}-7000-8000-{day:012}",
            "version": 1,
            "match_keys": [f"id:ns:{day}-{new_id()}"],
            "created_date": came,
            "modified_date": came,
            "taggings": [{"_id": new_id(), "tag_id": "tag"}],
            "items": [{"_id": new_id(), "list_id": "list"}],
            "answers": [{"_id": new_id(), "question_id": "question"} for _ in range(2)],
        }
        for day, came in ((day, SINCE + dt.timedelta(days=day)) for day in range(number))
    )


def page(store: Store, query: dict[str, Any], **where: Any) -> Any:
    return store.page("people", query, **{"page": 1, "per_page": 5, **where})


@pytest.mark.parametrize(("array", "field", "value"), [("taggings", "tag_id", "tag"), ("items", "list_id", "list")])
def test_who_points_at_something_is_counted_on_the_index_alone(
    store: Store, database: Database, array: str, field: str, value: str
) -> None:
    fill(database)

    with profiled(database) as operations:
        assert count_people_with(store, array, field, value) == PEOPLE

    assert [(each.read, each.plan.partition(" ")[0]) for each in operations] == [(0, "COUNT_SCAN")]


def test_small_numbers_are_exact_at_every_moment(remembering: Store, database: Database) -> None:
    fill(database)
    assert count_people_with(remembering, "taggings", "tag_id", "tag") == PEOPLE
    assert count_entries(remembering, "answers", "question_id", "question") == 2 * PEOPLE

    database.people.delete_one({})

    assert count_people_with(remembering, "taggings", "tag_id", "tag") == PEOPLE - 1
    assert count_entries(remembering, "answers", "question_id", "question") == 2 * PEOPLE - 2
    assert page(remembering, {"taggings.tag_id": "tag"}).total_records == PEOPLE - 1


def test_large_numbers_are_remembered_each_by_what_was_counted(
    remembering: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("osdi.store.store.LARGE", PEOPLE // 4)
    monkeypatch.setattr("osdi.crud.totals_store.LARGE_ENTRIES", PEOPLE // 4)
    fill(database)
    later = {"created_date": {"$gte": SINCE + dt.timedelta(days=PEOPLE // 2)}}
    few = {"created_date": {"$gte": SINCE + dt.timedelta(days=PEOPLE - 5)}}

    def numbers() -> list[int]:
        return [
            count_people_with(remembering, "items", "list_id", "list"),
            count_people_with(remembering, "taggings", "tag_id", "tag"),
            count_entries(remembering, "answers", "question_id", "question"),
            page(remembering, later).total_records,
            page(remembering, few).total_records,
        ]

    counted = [PEOPLE, PEOPLE, 2 * PEOPLE, PEOPLE // 2, 5]
    assert numbers() == counted
    database.people.delete_many(few)

    assert numbers() == [*counted[:-1], 0]


def test_nothing_is_remembered_for_longer_than_is_set(
    store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("osdi.store.store.LARGE", 10)
    fill(database)
    assert count_people_with(store, "items", "list_id", "list") == PEOPLE

    database.people.delete_one({})

    assert count_people_with(store, "items", "list_id", "list") == PEOPLE - 1


@pytest.mark.parametrize("operator", ["$gt", "$gte"])
def test_a_page_of_who_came_since_begins_there(store: Store, database: Database, operator: str) -> None:
    fill(database)
    query = {"created_date": {operator: SINCE + dt.timedelta(days=PEOPLE // 2, seconds=-1)}}
    expected = [each["_id"] for each in database.people.find(sort=[("_id", 1)])][PEOPLE // 2 :]

    with profiled(database) as operations:
        first = page(store, query, total_records=100)
    second = page(store, query, page=2, after=first.documents[-1]["_id"])
    third = page(store, query, page=3)
    back = page(store, query, page=1, before=second.documents[0]["_id"])

    found = [[each["_id"] for each in one.documents] for one in (first, second, third, back)]
    assert found == [expected[:5], expected[5:10], expected[10:15], expected[:5]]
    assert (back.has_previous, first.total_records, second.total_records) == (False, 100, PEOPLE // 2)
    assert [each.read for each in operations] == [6]


MOMENT = dt.datetime(2024, 3, 1, 12, 0, 30)
BOUND = id_before(MOMENT - dt.timedelta(minutes=1))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ""),
        ({"created_date": {"$gt": MOMENT}}, BOUND),
        ({"created_date": {"$gte": MOMENT}}, BOUND),
        ({"$and": [{"person_id": "x"}, {"$and": [{"created_date": {"$gt": MOMENT}}]}]}, BOUND),
        ({"$and": [{"created_date": {"$gt": MOMENT}}, {"created_date": {"$gt": dt.datetime(2020, 1, 1)}}]}, BOUND),
        ({"created_date": {"$lt": MOMENT}}, ""),
        ({"created_date": {"$not": {"$type": "date"}}}, ""),
        ({"created_date": MOMENT}, BOUND),
        ({"modified_date": {"$gt": MOMENT}}, ""),
        ({"$or": [{"created_date": {"$gt": MOMENT}}]}, ""),
        ({"$nor": [{"created_date": {"$gt": MOMENT}}]}, ""),
        ({"created_date": {"$gt": dt.datetime.min}}, "00000000-0000"),
        ({"created_date": {"$gt": dt.datetime.max}}, id_before(dt.datetime.max - dt.timedelta(minutes=1))),
    ],
)
def test_where_who_came_since_begins(query: dict[str, Any], expected: str) -> None:
    assert first_id(query) == expected


def test_an_index_that_was_declared_otherwise_is_built_anew(store: Store, database: Database) -> None:
    name, other = "taggings.tag_id_1__id_1", {"taggings._id": {"$exists": True}}
    declared = database.people.index_information()[name]
    database.people.drop_index(name)
    database.people.create_index([("taggings.tag_id", 1), ("_id", 1)], partialFilterExpression=other)
    uses = database.people.aggregate([{"$indexStats": {}}])
    since = {each["name"]: each["accesses"]["since"] for each in uses}

    lacking = missing_indexes(store)
    created = store.create_indexes()

    assert lacking == ["people (taggings.tag_id, _id)"]
    assert missing_indexes(store) == []
    assert database.people.index_information()[name] == declared
    assert len(created) == len(set(created)) == sum(map(len, INDEXES.values()))
    kept = {each["name"]: each["accesses"]["since"] for each in database.people.aggregate([{"$indexStats": {}}])}
    assert {each for each in kept if kept[each] != since[each]} == {name}
