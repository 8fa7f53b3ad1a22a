"""Costs that do not grow with the data: indexed counts, cached large counts, and pages that start at an id."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.crud.totals_store import count_answers, count_people_with
from osdi.ids import id_before, new_id
from osdi.operations.readiness import missing_indexes
from osdi.store import Store
from osdi.store.indexes import INDEXES
from osdi.store.pages.order import first_id
from tests.support.profiled import profiled

PEOPLE = 200
SINCE = dt.datetime(2024, 3, 1, 12)


@pytest.fixture
def caching_store(mongod: Mongod, database: Database) -> Iterator[Store]:
    """A store with the default cache, on the test's database."""
    found = Store(mongod.uri, cache_seconds=60)
    yield found
    found.close()


def fill(database: Database, number: int = PEOPLE) -> None:
    """Inserts people created a day apart, each with a tagging, an item and two answers."""
    database.people.insert_many(
        {
            "_id": f"{id_before(created)}-7000-8000-{day:012}",
            "version": 1,
            "match_keys": [f"id:ns:{day}-{new_id()}"],
            "created_date": created,
            "modified_date": created,
            "taggings": [{"_id": new_id(), "tag_id": "tag"}],
            "items": [{"_id": new_id(), "list_id": "list"}],
            "answers": [{"_id": new_id(), "question_id": "question"} for _ in range(2)],
            "further_answers": {"question": 1},
        }
        for day, created in ((day, SINCE + dt.timedelta(days=day)) for day in range(number))
    )


def page(store: Store, query: dict[str, Any], **where: Any) -> Any:
    return store.page("people", query, **{"page": 1, "per_page": 5, **where})


@pytest.mark.parametrize(("array", "field", "value"), [("taggings", "tag_id", "tag"), ("items", "list_id", "list")])
def test_the_index_alone_counts_people_with_a_tag_or_list(
    store: Store, database: Database, array: str, field: str, value: str
) -> None:
    fill(database)

    with profiled(database) as operations:
        assert count_people_with(store, array, field, value) == PEOPLE

    assert [(each.read, each.plan.partition(" ")[0]) for each in operations] == [(0, "COUNT_SCAN")]


def test_indexes_alone_count_the_answers_to_a_question(store: Store, database: Database) -> None:
    fill(database)

    with profiled(database) as operations:
        assert count_answers(store, "question") == 2 * PEOPLE

    plans = [(each.read, each.plan) for each in operations]
    assert plans == [
        (0, "COUNT_SCAN { answers.question_id: 1, _id: 1 }"),
        (0, "IXSCAN { answers.question_id: 1, further_answers: 1 }"),
    ]


def test_small_counts_are_always_exact(caching_store: Store, database: Database) -> None:
    fill(database)
    assert count_people_with(caching_store, "taggings", "tag_id", "tag") == PEOPLE
    assert count_answers(caching_store, "question") == 2 * PEOPLE

    database.people.delete_one({})

    assert count_people_with(caching_store, "taggings", "tag_id", "tag") == PEOPLE - 1
    assert count_answers(caching_store, "question") == 2 * PEOPLE - 2
    assert page(caching_store, {"taggings.tag_id": "tag"}).total_records == PEOPLE - 1


def test_large_counts_are_cached_by_query(
    caching_store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("osdi.store.store.LARGE", PEOPLE // 4)
    monkeypatch.setattr("osdi.crud.totals_store.LARGE", PEOPLE // 4)
    fill(database)
    later = {"created_date": {"$gte": SINCE + dt.timedelta(days=PEOPLE // 2)}}
    few = {"created_date": {"$gte": SINCE + dt.timedelta(days=PEOPLE - 5)}}

    def numbers() -> list[int]:
        return [
            count_people_with(caching_store, "items", "list_id", "list"),
            count_people_with(caching_store, "taggings", "tag_id", "tag"),
            count_answers(caching_store, "question"),
            page(caching_store, later).total_records,
            page(caching_store, few).total_records,
        ]

    counted = [PEOPLE, PEOPLE, 2 * PEOPLE, PEOPLE // 2, 5]
    assert numbers() == counted
    database.people.delete_many(few)

    assert numbers() == [*counted[:-1], 0]


def test_counts_are_not_cached_without_cache_seconds(
    store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("osdi.store.store.LARGE", 10)
    fill(database)
    assert count_people_with(store, "items", "list_id", "list") == PEOPLE

    database.people.delete_one({})

    assert count_people_with(store, "items", "list_id", "list") == PEOPLE - 1


@pytest.mark.parametrize("operator", ["$gt", "$gte"])
def test_a_page_by_creation_date_starts_at_the_first_id(store: Store, database: Database, operator: str) -> None:
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


TIMESTAMP = dt.datetime(2024, 3, 1, 12, 0, 30)
BOUND = id_before(TIMESTAMP - dt.timedelta(minutes=1))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ""),
        ({"created_date": {"$gt": TIMESTAMP}}, BOUND),
        ({"created_date": {"$gte": TIMESTAMP}}, BOUND),
        ({"$and": [{"person_id": "x"}, {"$and": [{"created_date": {"$gt": TIMESTAMP}}]}]}, BOUND),
        ({"$and": [{"created_date": {"$gt": TIMESTAMP}}, {"created_date": {"$gt": dt.datetime(2020, 1, 1)}}]}, BOUND),
        ({"created_date": {"$lt": TIMESTAMP}}, ""),
        ({"created_date": {"$not": {"$type": "date"}}}, ""),
        ({"created_date": TIMESTAMP}, BOUND),
        ({"modified_date": {"$gt": TIMESTAMP}}, ""),
        ({"$or": [{"created_date": {"$gt": TIMESTAMP}}]}, ""),
        ({"$nor": [{"created_date": {"$gt": TIMESTAMP}}]}, ""),
        ({"created_date": {"$gt": dt.datetime.min}}, "00000000-0000"),
        ({"created_date": {"$gt": dt.datetime.max}}, id_before(dt.datetime.max - dt.timedelta(minutes=1))),
    ],
)
def test_the_first_id_of_a_query(query: dict[str, Any], expected: str) -> None:
    assert first_id(query) == expected


def test_an_index_with_other_options_is_built_again(store: Store, database: Database) -> None:
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
