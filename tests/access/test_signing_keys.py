"""Signing keys of a deployment: one for each purpose, the same in all processes, which never changes."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.access.signing_keys import signing_key
from osdi.errors import OsdiError
from osdi.store import Store
from osdi.store.indexes import SIGNING_KEYS
from tests.support.profiled import profiled

PROCESSES = 12


@pytest.fixture(params=["mongod", "standalone", "memory"])
def emptied(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A store without keys on a replica set, on a standalone, and in memory."""
    uri = "mongomock://"
    if request.param != "memory":
        server: Mongod = request.getfixturevalue(request.param)
        uri = server.uri.replace("/osdi?", "/signing_keys?")
        with MongoClient(uri) as client:
            client.drop_database("signing_keys")
    store = Store(uri)
    yield store
    store.close()


@pytest.fixture
def without_keys(database: Database) -> Iterator[None]:
    """Deletes the keys, which stay in the database from test to test."""
    database.signing_keys.delete_many({})
    yield
    database.signing_keys.delete_many({})


def test_a_key_is_256_random_bits(emptied: Store) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", signing_key(emptied, "unsubscribe"))


def test_a_key_never_changes(emptied: Store) -> None:
    first = signing_key(emptied, "unsubscribe")
    kept = emptied.get(SIGNING_KEYS, "unsubscribe")

    assert {signing_key(emptied, "unsubscribe") for _ in range(3)} == {first}
    emptied.create_indexes()
    assert signing_key(emptied, "unsubscribe") == first
    assert emptied.get(SIGNING_KEYS, "unsubscribe") == kept


def test_each_purpose_has_its_own_key(emptied: Store) -> None:
    assert signing_key(emptied, "unsubscribe") != signing_key(emptied, "confirm")


@pytest.mark.one_in(2)
@pytest.mark.parametrize("server", ["mongod", "standalone"])
def test_processes_that_create_a_key_at_once_get_the_same_key(request: pytest.FixtureRequest, server: str) -> None:
    uri = request.getfixturevalue(server).uri.replace("/osdi?", "/signing_keys?")
    stores = [Store(uri) for _ in range(PROCESSES)]
    try:
        for purpose in map(str, range(10)):
            with MongoClient(uri) as client:
                client.drop_database("signing_keys")
            barrier = Barrier(PROCESSES)

            def at_once(store: Store, purpose: str = purpose, barrier: Barrier = barrier) -> str:
                barrier.wait(10)
                return signing_key(store, purpose)

            with ThreadPoolExecutor(PROCESSES) as pool:
                keys = set(pool.map(at_once, stores))

            assert len(keys) == 1
            assert keys == {signing_key(stores[0], purpose)}
    finally:
        for store in stores:
            store.close()


@pytest.mark.usefixtures("without_keys")
def test_a_second_process_uses_the_key_of_the_first(
    store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first process inserts its key between the read and the insert of the second."""
    get, reads = Store.get, []

    def while_another_is_first(self: Store, collection: str, document_id: str) -> dict | None:
        found = get(self, collection, document_id)
        reads.append(found)
        if found is None:
            database.signing_keys.insert_one({"_id": document_id, "key": "theirs"})
        return found

    monkeypatch.setattr(Store, "get", while_another_is_first)

    assert signing_key(store, "unsubscribe") == "theirs"
    assert len(reads) == 2
    assert database.signing_keys.count_documents({}) == 1


@pytest.mark.usefixtures("without_keys")
def test_a_key_is_durable_before_it_is_used(store: Store, database: Database) -> None:
    """A signature would become invalid if a crash removed the key."""
    database.command("profile", 2)
    try:
        signing_key(store, "unsubscribe")
    finally:
        database.command("profile", 0)
        inserts = list(database.system.profile.find({"op": "insert", "ns": "osdi.signing_keys"}))
        database.drop_collection("system.profile")

    (concern,) = [each["command"]["writeConcern"] for each in inserts]
    assert (concern["w"], concern["j"]) == ("majority", True)


def test_a_key_is_found_by_its_id(store: Store, database: Database) -> None:
    signing_key(store, "unsubscribe")

    with profiled(database) as done:
        signing_key(store, "unsubscribe")

    assert [(each.collection, each.plan, each.read) for each in done] == [(SIGNING_KEYS, "IDHACK", 1)]


def test_an_unavailable_database_is_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osdi.store.driver.SERVER_SELECTION_TIMEOUT_MS", 10)
    store = Store("mongodb://127.0.0.1:1/osdi")
    try:
        with pytest.raises(OsdiError) as caught:
            signing_key(store, "unsubscribe")
        assert caught.value.status == 503
    finally:
        store.close()
