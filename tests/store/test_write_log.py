"""The write log contains the documents that the database stored, with and without transactions."""

from collections.abc import Iterator

import pytest
from pymongo import MongoClient

from dev.mongod import Mongod
from osdi.errors import WriteConflict
from osdi.store import Delete, Insert, Store, Update, write_log

FIRST, SECOND = Insert("people", {"_id": "a", "version": 1}), Update("people", "gone", 1, {"given_name": "Jane"})


@pytest.fixture
def log() -> Iterator[list[str]]:
    yield write_log.start()
    write_log.end()


@pytest.fixture(params=["mongod", "standalone"])
def anywhere(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A store with a database of its own on a replica set, then on a standalone."""
    server: Mongod = request.getfixturevalue(request.param)
    uri = server.uri.replace("/osdi", "/written", 1)
    store = Store(uri)
    yield store
    store.close()
    with MongoClient(uri) as client:
        client.drop_database("written")


def test_each_inserted_changed_and_deleted_document_is_recorded(anywhere: Store, log: list[str]) -> None:
    anywhere.write(FIRST, Insert("outreaches", {"_id": "b", "version": 1}))
    anywhere.write(Update("people", "a", 1, {"given_name": "Jane"}))
    anywhere.write(Delete("people", "a", 2))

    assert log == ["people/a", "outreaches/b", "people/a", "people/a"]


def test_of_failed_writes_the_stored_ones_are_recorded(anywhere: Store, log: list[str]) -> None:
    anywhere.create_indexes()

    with pytest.raises(WriteConflict):
        anywhere.write(FIRST, SECOND)

    assert log == ([f"people/{each['_id']}" for each in anywhere.by_ids("people", ["a"])])
    assert bool(log) != anywhere.supports_transactions


def test_a_write_of_many_documents_is_recorded_by_the_id_in_its_query(anywhere: Store, log: list[str]) -> None:
    for number in range(3):
        anywhere.write(Insert("outreaches", {"_id": f"{number}", "campaign_id": "c", "type": "phone"}))
    log.clear()

    anywhere.delete_many("outreaches", {"campaign_id": "c", "type": "phone"})
    anywhere.delete_many("outreaches", {"campaign_id": "c"})

    assert log == ["outreaches?campaign_id=c (3)"]


def test_nothing_is_recorded_after_the_end(anywhere: Store, log: list[str]) -> None:
    write_log.end()

    anywhere.write(FIRST)

    assert log == []
