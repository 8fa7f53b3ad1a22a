"""What the store promises, on each server it may meet: a replica set, a standalone, and memory."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from pymongo import MongoClient

from dev.mongod import Mongod
from osdi.documents import Document
from osdi.errors import DuplicateKey, OsdiError, WriteConflict
from osdi.ids import id_before, new_id
from osdi.store import Insert, Store, Update
from osdi.store.driver import DURABLE
from osdi.store.indexes import INDEXES

SERVERS = ["replica set", "standalone", "memory"]


def uri_of(server: str, request: pytest.FixtureRequest) -> str:
    if server == "memory":
        return "mongomock://"
    mongod: Mongod = request.getfixturevalue("mongod" if server == "replica set" else "standalone")
    return mongod.uri.replace("/osdi?", "/store_contract?")


@pytest.fixture(params=SERVERS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    uri = uri_of(request.param, request)
    if uri != "mongomock://":
        with MongoClient(uri) as client:
            client.drop_database("store_contract")
    store = Store(uri)
    store.create_indexes()
    yield store
    store.close()


def document(**fields: object) -> Document:
    document_id = new_id()
    return {"_id": document_id, "version": 1, "match_keys": [f"id:ns:{document_id}"], **fields}


def test_what_is_written_is_read(store: Store) -> None:
    written = document(name="Jane", born=dt.datetime(1973, 6, 2), tags=["a", "b"], nested={"a": [{"b": 1.5}]})
    store.write(Insert("people", written))

    assert store.get("people", written["_id"]) == written
    assert store.find_one("people", {"name": "Jane"}) == written
    assert store.by_match_keys("people", ["id:x", *written["match_keys"]]) == [written]


def test_what_is_not_there_is_none(store: Store) -> None:
    assert store.get("people", "nobody") is None
    assert store.by_match_keys("people", ["id:nobody"]) == []
    assert store.by_match_keys("people", []) == []


def test_an_id_is_taken_once(store: Store) -> None:
    written = document()
    store.write(Insert("people", written))

    with pytest.raises(DuplicateKey):
        store.write(Insert("people", written | {"name": "another"}))


def test_an_update_holds_for_its_version_only(store: Store) -> None:
    written = document(name="Jane")
    store.write(Insert("people", written))
    store.write(Update("people", written["_id"], 1, {"name": "Joan"}))

    with pytest.raises(WriteConflict):
        store.write(Update("people", written["_id"], 1, {"name": "John"}))
    assert store.get("people", written["_id"]) == written | {"name": "Joan", "version": 2}


def test_pages_come_in_creation_order_both_ways(store: Store) -> None:
    written = [document(kind="page") for _ in range(5)]
    for each in reversed(written):
        store.write(Insert("tags", each))
    ids = [each["_id"] for each in written]

    first = store.page("tags", {"kind": "page"}, page=1, per_page=2)
    second = store.page("tags", {"kind": "page"}, page=2, per_page=2, after=first.documents[-1]["_id"])
    skipped = store.page("tags", {"kind": "page"}, page=3, per_page=2)
    back = store.page("tags", {"kind": "page"}, page=2, per_page=2, before=skipped.documents[0]["_id"])

    assert [each["_id"] for each in first.documents] == ids[:2]
    assert [each["_id"] for each in second.documents] == ids[2:4]
    assert [each["_id"] for each in skipped.documents] == ids[4:]
    assert back.documents == second.documents
    assert [page.total_records for page in (first, second, skipped, back)] == [5] * 4
    assert [(page.has_previous, page.has_next) for page in (first, second, skipped, back)] == [
        (False, True),
        (True, True),
        (True, False),
        (True, True),
    ]


def test_a_page_ahead_of_everything_is_empty_and_something_follows_it(store: Store) -> None:
    written = document(kind="page")
    store.write(Insert("tags", written))

    ahead = store.page("tags", {"kind": "page"}, page=1, per_page=2, before=written["_id"])
    of_none = store.page("tags", {"kind": "other"}, page=1, per_page=2, before=written["_id"])

    assert (ahead.documents, ahead.has_previous, ahead.has_next) == ([], False, True)
    assert (of_none.documents, of_none.has_previous, of_none.has_next) == ([], False, False)


def test_indexes_can_be_created_again(store: Store) -> None:
    assert len(store.create_indexes()) == sum(map(len, INDEXES.values()))


def test_indexes_may_take_longer_than_any_answer(
    mongod: Mongod, fail: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("osdi.store.driver.SOCKET_TIMEOUT_MS", 200)
    store = Store(mongod.uri.replace("/osdi?", "/store_contract?"))
    fail({"times": 1}, ["createIndexes"], blockConnection=True, blockTimeMS=600)

    assert len(store.create_indexes()) == sum(map(len, INDEXES.values()))
    store.close()


def test_outreaches_are_counted_exactly_with_and_without_a_mark(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osdi.store.store.UNCOUNTED_LIMIT", 3)
    campaign = document()
    store.write(Insert("advocacy_campaigns", campaign))
    long_ago = id_before(dt.datetime(2020, 1, 1))
    for number in range(5):
        past = document(advocacy_campaign_id=campaign["_id"]) | {"_id": f"{long_ago}-{number}"}
        store.write(Insert("outreaches", past))
    store.write(Insert("outreaches", document(advocacy_campaign_id="another")))

    totals = []
    for _ in range(3):
        store.write(Insert("outreaches", document(advocacy_campaign_id=campaign["_id"])))
        read = store.get("advocacy_campaigns", campaign["_id"])
        assert read is not None
        totals.append(store.total_outreaches(read))

    assert totals == [6, 7, 8]
    marked = store.get("advocacy_campaigns", campaign["_id"])
    assert marked is not None
    assert marked["counted"]["outreaches"] == 5, "what is old is counted once; what is young stays behind the mark"


class TestOnRealServers:
    """What memory does not do."""

    @pytest.fixture(params=SERVERS[:2])
    def store(self, request: pytest.FixtureRequest) -> Iterator[Store]:
        store = Store(uri_of(request.param, request))
        store.create_indexes()
        yield store
        store.close()

    def test_a_match_key_belongs_to_one(self, store: Store) -> None:
        key = f"email:{new_id()}@example.com"
        store.write(Insert("people", document(match_keys=["id:a:" + new_id(), key])))

        with pytest.raises(DuplicateKey):
            store.write(Insert("people", document(match_keys=["id:b:" + new_id(), key])))

    def test_a_claim_by_update_is_refused_too(self, store: Store) -> None:
        key = f"email:{new_id()}@example.com"
        store.write(Insert("people", document(match_keys=[key])))
        other = document()
        store.write(Insert("people", other))

        with pytest.raises(DuplicateKey):
            store.write(Update("people", other["_id"], 1, {"match_keys": [*other["match_keys"], key]}))

    def test_a_document_that_is_too_large_is_413(self, store: Store) -> None:
        with pytest.raises(OsdiError) as caught:
            store.write(Insert("people", document(message="x" * 17_000_000)))
        assert caught.value.status == 413


def test_a_replica_set_writes_both_or_neither(mongod: Mongod) -> None:
    store = Store(mongod.uri)
    store.create_indexes()
    taken = document()
    store.write(Insert("outreaches", taken))
    person = document()

    assert store.supports_transactions
    with pytest.raises(DuplicateKey):
        store.write(Insert("people", person), Insert("outreaches", taken))
    assert store.get("people", person["_id"]) is None
    store.close()


def test_a_standalone_writes_in_order(standalone: Mongod) -> None:
    store = Store(standalone.uri)
    store.create_indexes()
    taken = document()
    store.write(Insert("outreaches", taken))
    person = document()

    assert not store.supports_transactions
    with pytest.raises(DuplicateKey):
        store.write(Insert("people", person), Insert("outreaches", taken))
    assert store.get("people", person["_id"]) == person
    store.close()


def test_a_server_that_is_away_is_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osdi.store.driver.SERVER_SELECTION_TIMEOUT_MS", 200)
    store = Store("mongodb://127.0.0.1:1/osdi")

    with pytest.raises(OsdiError) as caught:
        store.get("people", "x")
    assert caught.value.status == 503
    assert "Retry-After" in caught.value.headers
    store.close()


def test_a_failure_that_nobody_foresaw_is_not_disguised(mongod: Mongod) -> None:
    store = Store(mongod.uri)

    with pytest.raises(Exception, match="unknown operator"):
        store.find_one("people", {"a": {"$nonsense": 1}})
    store.close()


def test_a_bulk_write_that_is_not_durable_is_503(mongod: Mongod, fail: Callable[..., None]) -> None:
    store = Store(mongod.uri)
    fail({"times": 1}, ["insert"], writeConcernError={"code": 64, "errmsg": "waiting for replication timed out"})

    with pytest.raises(OsdiError) as caught, store.operation():
        store.collection("imports").insert_many([{"_id": new_id()}])
    assert caught.value.status == 503
    store.close()


def test_durable_means_a_majority_and_its_journal() -> None:
    assert DURABLE.document == {"w": "majority", "j": True}
