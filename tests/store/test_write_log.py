"""What the store notes as written is what is in the database, with transactions and without."""

from collections.abc import Iterator

import pytest
from pymongo import MongoClient

from dev.mongod import Mongod
from osdi.errors import WriteConflict
from osdi.store import Delete, Insert, Store, Update, write_log

FIRST, SECOND = Insert("people", {"_id": "a", "version": 1}), Update("people", "gone", 1, {"given_name": "Jane"})


@pytest.fixture
def noted() -> Iterator[list[str]]:
    yield write_log.start()
    write_log.end()


@pytest.fixture(params=["mongod", "standalone"])
def anywhere(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A store of this module's own on a replica set, then on a standalone."""
    server: Mongod = request.getfixturevalue(request.param)
    uri = server.uri.replace("/osdi", "/written", 1)
    store = Store(uri)
    yield store
    store.close()
    with MongoClient(uri) as client:
        client.drop_database("written")


def test_each_document_that_is_inserted_changed_and_deleted(anywhere: Store, noted: list[str]) -> None:
    anywhere.write(FIRST, Insert("outreaches", {"_id": "b", "version": 1}))
    anywhere.write(Update("people", "a", 1, {"given_name": "Jane"}))
    anywhere.write(Delete("people", "a", 2))

    assert noted == ["people/a", "outreaches/b", "people/a", "people/a"]


def test_of_writes_that_fail_together_those_that_are_there(anywhere: Store, noted: list[str]) -> None:
    anywhere.create_indexes()

    with pytest.raises(WriteConflict):
        anywhere.write(FIRST, SECOND)

    assert noted == ([f"people/{each['_id']}" for each in anywhere.by_ids("people", ["a"])])
    assert bool(noted) != anywhere.supports_transactions


def test_many_at_once_by_the_id_that_chose_them(anywhere: Store, noted: list[str]) -> None:
    for number in range(3):
        anywhere.write(Insert("outreaches", {"_id": f"{number}", "campaign_id": "c", "type": "phone"}))
    noted.clear()

    anywhere.delete_many("outreaches", {"campaign_id": "c", "type": "phone"})
    anywhere.delete_many("outreaches", {"campaign_id": "c"})

    assert noted == ["outreaches?campaign_id=c (3)"]


def test_nothing_where_nobody_asks(anywhere: Store, noted: list[str]) -> None:
    write_log.end()

    anywhere.write(FIRST)

    assert noted == []
