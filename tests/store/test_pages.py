"""The order of pages, cursors under concurrent changes, and far pages by their numbers."""

import datetime as dt
import random
from typing import Any, Final

import pytest
from pymongo.database import Database

from osdi.errors import OsdiError
from osdi.ids import id_before
from osdi.paging import Cursor, Page
from osdi.store import Store
from osdi.store.pages import positions
from tests.support.profiled import profiled

SINCE: Final = dt.datetime(2026, 3, 1)
MINUTE: Final = dt.timedelta(minutes=1)
MODIFIED: Final[dict[str, Any]] = {"modified_date": {"$gte": SINCE}}


def document(number: int, modified: dt.datetime) -> dict[str, Any]:
    """Returns a stored document, for both collections."""
    created = SINCE + number * MINUTE
    return {
        "_id": f"{id_before(created)}-7000-8000-{number:012}",
        "version": 1,
        "match_keys": [f"id:ns:{number}"],
        "advocacy_campaign_id": "a",
        "created_date": created,
        "modified_date": modified,
    }


def page(store: Store, query: dict[str, Any], collection: str = "people", **where: Any) -> Page:
    return store.page(collection, query, **{"page": 1, "per_page": 7, **where})


class Changes:
    """Random changes of a collection, each later than the ones before, as a server makes them."""

    def __init__(self, database: Database, collection: str, seed: int) -> None:
        self.random = random.Random(seed)
        self.documents = database[collection]
        self.now = SINCE + 100 * MINUTE
        self.number = 0
        # The ids of documents that were deleted, and the state of each document.
        self.deleted: set[str] = set()
        self.stored: dict[str, dt.datetime] = {}
        # Some documents have the same date, as after a change of many.
        self.documents.insert_many([self.new(SINCE + self.random.randrange(10) * MINUTE) for _ in range(60)])

    def new(self, modified: dt.datetime) -> dict[str, Any]:
        """Returns a document that is stored next."""
        self.number += 1
        found = document(self.number, modified)
        self.stored[found["_id"]] = found["modified_date"]
        return found

    def insert(self) -> None:
        self.documents.insert_one(self.new(self.now))

    def change(self) -> None:
        chosen = self.random.choice(sorted(self.stored))
        self.documents.update_one({"_id": chosen}, {"$set": {"modified_date": self.now}})
        self.stored[chosen] = self.now

    def delete(self) -> None:
        chosen = self.random.choice(sorted(self.stored))
        self.documents.delete_one({"_id": chosen})
        del self.stored[chosen]
        self.deleted.add(chosen)

    def act(self) -> None:
        """Does up to three random things; time goes on in between, or not."""
        for _ in range(self.random.randrange(4)):
            self.random.choice((self.insert, self.change, self.change, self.delete))()
            self.now += self.random.choice((dt.timedelta(), dt.timedelta(seconds=1)))


QUERIES: Final = {
    "of everything": {},
    "by modified_date": MODIFIED,
    "by modified_date and campaign": {"$and": [{"advocacy_campaign_id": "a"}, MODIFIED]},
    "by modified_date and created_date": {"$and": [MODIFIED, {"created_date": {"$gt": SINCE}}]},
    "by two bounds": {"$and": [MODIFIED, {"modified_date": {"$lt": SINCE + 10_000 * MINUTE}}]},
}


@pytest.mark.one_in(7)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("collection", ["people", "outreaches"])
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_no_document_is_skipped_while_others_change(
    store: Store, database: Database, query: dict[str, Any], collection: str, seed: int
) -> None:
    changes = Changes(database, collection, seed)
    at_first = set(changes.stored)
    seen: dict[str, dt.datetime] = {}

    found = page(store, query, collection)
    for _ in range(200):
        seen |= {each["_id"]: each["modified_date"] for each in found.documents}
        if not found.has_next:
            break
        changes.act()
        found = page(store, query, collection, page=2, after=found.cursor_at(-1))

    assert not found.has_next
    assert at_first - changes.deleted <= set(seen)
    if found.by_date:
        # The reader even has the latest state of each document.
        assert {each: seen.get(each) for each in changes.stored} == changes.stored


def expected_order(documents: list[dict[str, Any]], *fields: str) -> list[str]:
    return [each["_id"] for each in sorted(documents, key=lambda each: tuple(each[field] for field in fields))]


ORDERS: Final[tuple[tuple[dict[str, Any], tuple[str, ...]], ...]] = (
    ({}, ("_id",)),
    ({"created_date": {"$gte": SINCE}}, ("_id",)),
    ({"advocacy_campaign_id": "a"}, ("_id",)),
    ({"modified_date": {"$exists": True}}, ("_id",)),
    ({"$or": [MODIFIED, {"_id": "x"}]}, ("_id",)),
    ({"$nor": [{"modified_date": {"$lt": SINCE}}]}, ("_id",)),
    (MODIFIED, ("modified_date", "_id")),
    ({"modified_date": {"$lt": SINCE + 10_000 * MINUTE}}, ("modified_date", "_id")),
    ({"$and": [{"advocacy_campaign_id": "a"}, {"$and": [MODIFIED]}]}, ("modified_date", "_id")),
    ({"$and": [MODIFIED, {"created_date": {"$gte": SINCE}}]}, ("modified_date", "_id")),
)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("collection", ["people", "outreaches", "tags"])
@pytest.mark.parametrize(("query", "fields"), ORDERS)
def test_pages_by_cursors_and_by_numbers_are_in_one_order(
    store: Store, database: Database, collection: str, query: dict[str, Any], fields: tuple[str, ...]
) -> None:
    chance = random.Random(7)
    documents = [document(number, SINCE + chance.randrange(5) * MINUTE) for number in range(20)]
    database[collection].insert_many(documents)
    expected = expected_order(documents, *fields)

    forwards, numbered, backwards = [], [], []
    found = page(store, query, collection)
    for number in (1, 2, 3):
        forwards += [each["_id"] for each in found.documents]
        numbered += [each["_id"] for each in page(store, query, collection, page=number).documents]
        assert (found.has_next, found.has_previous, found.total_records) == (number < 3, number > 1, 20)
        last, found = found, page(store, query, collection, page=number + 1, after=found.cursor_at(-1))
    for number in (2, 1):
        last = page(store, query, collection, page=number, before=last.cursor_at(0))
        backwards = [each["_id"] for each in last.documents] + backwards
        assert (last.has_next, last.has_previous) == (True, number > 1)

    assert forwards == numbered == expected
    assert backwards == expected[:14]


@pytest.mark.parametrize("date", [SINCE, SINCE + 50 * MINUTE], ids=["one date", "several dates"])
def test_a_page_by_modified_date_reads_its_documents_only(store: Store, database: Database, date: dt.datetime) -> None:
    database.people.insert_many(document(number, min(SINCE + number * MINUTE, date)) for number in range(200))
    cursor = str(Cursor(document(30, SINCE)["_id"], min(SINCE + 30 * MINUTE, date)))

    with profiled(database) as operations:
        after = page(store, MODIFIED, total_records=200, page=2, after=cursor)
        before = page(store, MODIFIED, total_records=200, page=2, before=cursor)

    assert [len(each.documents) for each in (after, before)] == [7, 7]
    assert [(each.read, each.sorted) for each in operations] == [(8, False), (8, False)]


def test_a_cursor_of_an_older_version_continues_in_the_order_of_ids(store: Store, database: Database) -> None:
    documents = [document(number, SINCE - number * MINUTE) for number in range(-20, 0)]
    database.people.insert_many(documents)
    expected = expected_order(documents, "_id")

    found = page(store, MODIFIED, page=2, after=expected[6])

    assert [each["_id"] for each in found.documents] == expected[7:14]
    assert found.cursor_at(-1) == expected[13]


class TestFarPagesByNumber:
    """A process remembers where the last far pages ended, and steps from there."""

    @pytest.fixture(autouse=True)
    def small(self, monkeypatch: pytest.MonkeyPatch, database: Database, store: Store) -> None:
        monkeypatch.setattr(store, "_positions", positions.PagePositions())
        monkeypatch.setattr(positions, "REMEMBERED_FROM", 10)
        monkeypatch.setattr("osdi.store.store.MAX_STEPS", 20)
        database.people.insert_many(document(number, SINCE + number % 3 * MINUTE) for number in range(100))

    @pytest.mark.parametrize("query", [{}, MODIFIED])
    def test_all_pages_are_read_one_after_another(self, store: Store, query: dict[str, Any]) -> None:
        found = [each["_id"] for number in range(1, 16) for each in page(store, query, page=number).documents]

        assert len(found) == len(set(found)) == 100

    def test_a_page_behind_a_known_one_steps_over_few_documents(self, store: Store, database: Database) -> None:
        for number in (2, 4, 6, 8):
            page(store, {}, page=number)

        with profiled(database) as operations:
            page(store, {}, page=9, total_records=100)

        assert [each.read for each in operations] == [8]

    def test_a_deletion_ahead_skips_nothing(self, store: Store, database: Database) -> None:
        before = page(store, {}, page=3)
        database.people.delete_one({"_id": document(0, SINCE)["_id"]})

        assert page(store, {}, page=4).documents[0]["match_keys"] == ["id:ns:21"]
        assert before.documents[-1]["match_keys"] == ["id:ns:20"]

    @pytest.mark.parametrize("query", [{}, MODIFIED])
    def test_a_page_too_far_from_any_known_one_is_rejected(self, store: Store, query: dict[str, Any]) -> None:
        with pytest.raises(OsdiError) as error:
            page(store, query, page=5)

        assert error.value.status == 400
        assert "next" in (error.value.descriptions[0].hint or "")
        page(store, query, page=3)
        assert len(page(store, query, page=5).documents) == 7

    def test_positions_of_one_query_say_nothing_about_another(self, store: Store) -> None:
        page(store, {}, page=3)

        with pytest.raises(OsdiError):
            page(store, MODIFIED, page=5)

    def test_a_page_behind_the_end_is_empty(self, store: Store) -> None:
        found = page(store, {}, page=1_000)

        assert (found.documents, found.has_next, found.has_previous, found.total_records) == ([], False, True, 100)


@pytest.mark.parametrize(
    "cursor",
    [
        Cursor("01938033-7806-769d-bfa4-3a853ade5000"),
        Cursor("x", SINCE),
        Cursor("", SINCE),
        Cursor("x", SINCE.replace(microsecond=123_000)),
        Cursor("x.y", dt.datetime(1969, 12, 31)),
    ],
)
def test_a_cursor_is_the_same_after_writing_and_reading(cursor: Cursor) -> None:
    assert Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize("text", ["999999999999999.x", "-.x", "1e3.x", "\u0661.x", "1772323200000"])
def test_a_text_without_a_valid_date_is_an_id(text: str) -> None:
    assert Cursor.parse(text) == Cursor(text)
