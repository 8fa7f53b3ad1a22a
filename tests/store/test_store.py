"""The contract of DocumentStore on each implementation and server, and further properties of Store."""

import datetime as dt
import inspect
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from dev.mongod import Mongod
from osdi.crud.totals_store import total_outreaches
from osdi.documents import Document
from osdi.errors import DuplicateKey, OsdiError, WriteConflict
from osdi.ids import id_before, new_id, now
from osdi.importing.batches.batch_store import BatchStore
from osdi.importing.dry_run_store import DryRunStore
from osdi.outreaches.deletion_store import delete_outreach
from osdi.store import Delete, DocumentStore, Insert, Replace, Store, Update, Write
from osdi.store.driver import DURABLE
from osdi.store.indexes import INDEXES
from tests.support.databases import own_database

DATABASE = "store_contract"
SERVERS = ["replica set", "standalone", "memory"]
DRY_RUN, BATCH = "dry run", "batch"
METHODS = sorted(DocumentStore.__abstractmethods__ - {"supports_transactions"})


@contextmanager
def store_on(server: str, request: pytest.FixtureRequest) -> Iterator[Store]:
    """Yields a Store without documents."""
    if server == "memory":
        with closing(Store("mongomock://")) as store:
            store.create_indexes()
            yield store
        return
    mongod: Mongod = request.getfixturevalue("standalone" if server == "standalone" else "mongod")
    with own_database(mongod.uri, DATABASE) as (store, _):
        yield store


@pytest.fixture(params=SERVERS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A Store on each server."""
    with store_on(request.param, request) as store:
        yield store


def document(**fields: object) -> Document:
    document_id = new_id()
    return {"_id": document_id, "version": 1, "match_keys": [f"id:ns:{document_id}"], **fields}


class Contract:
    """An implementation of DocumentStore, and `put` to store documents that it did not write."""

    def __init__(self, store: DocumentStore, behind: DocumentStore) -> None:
        self.store = store
        self._behind = behind

    def put(self, collection: str, *documents: Document) -> None:
        for each in documents:
            self._behind.write(Insert(collection, each))


@contextmanager
def contract_of(request: pytest.FixtureRequest) -> Iterator[Contract]:
    """Yields the implementation that is the fixture's parameter; a dry run and a batch are on a replica set."""
    with store_on(request.param, request) as behind:
        trial = {DRY_RUN: lambda: DryRunStore(behind.uri), BATCH: lambda: BatchStore(behind)}
        store = trial.get(request.param, lambda: behind)()
        yield Contract(store, behind)
        store.close()


@pytest.fixture(params=[*SERVERS, DRY_RUN, BATCH])
def contract(request: pytest.FixtureRequest) -> Iterator[Contract]:
    with contract_of(request) as contract:
        yield contract


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("implementation", [Store, DryRunStore, BatchStore])
def test_an_implementation_has_the_signatures_of_the_interface(implementation: type[DocumentStore], name: str) -> None:
    declared = getattr(DocumentStore, name)

    assert inspect.signature(getattr(implementation, name)) == inspect.signature(declared)
    assert inspect.getdoc(declared), "the interface documents each method"


class TestReading:
    """`get`, `by_ids`, `by_match_keys`, both together, `find_one`, `find`, `page` and `count`."""

    def test_a_stored_document_is_returned_as_it_was_written(self, contract: Contract) -> None:
        stored = document(name="Jane", born=dt.datetime(1973, 6, 2), tags=["a", "b"], nested={"a": [{"b": 1.5}]})
        contract.put("people", stored)

        for found in (
            contract.store.get("people", stored["_id"]),
            contract.store.find_one("people", {"name": "Jane"}),
            *contract.store.by_ids("people", [stored["_id"], "nobody"]),
            *contract.store.by_match_keys("people", ["id:nobody", *stored["match_keys"]]),
            *contract.store.find("people", {"tags": "b"}),
        ):
            assert found == stored

    def test_a_document_that_does_not_exist_is_none_or_left_out(self, contract: Contract) -> None:
        contract.put("people", document(name="Jane"))

        assert contract.store.get("people", "nobody") is None
        assert contract.store.find_one("people", {"name": "nobody"}) is None
        assert contract.store.by_ids("people", ["nobody"]) == []
        assert contract.store.by_ids("people", []) == []
        assert contract.store.by_match_keys("people", ["id:nobody"]) == []
        assert contract.store.by_match_keys("people", []) == []
        assert contract.store.find("people", {"name": "nobody"}) == []
        assert contract.store.count("people", {"name": "nobody"}) == 0

    def test_a_document_that_was_returned_may_be_changed(self, contract: Contract) -> None:
        stored = document(nested={"a": [1]})
        contract.put("people", stored)
        found = contract.store.get("people", stored["_id"])
        assert found is not None
        found["nested"]["a"].append(2)

        assert contract.store.get("people", stored["_id"]) == stored

    def test_an_owner_of_several_keys_is_returned_once(self, contract: Contract) -> None:
        one, other = document(match_keys=["a", "b"]), document(match_keys=["c"])
        contract.put("people", one, other)

        found = contract.store.by_match_keys("people", ["a", "b", "c", "d"])

        assert sorted(each["_id"] for each in found) == [one["_id"], other["_id"]]

    @pytest.mark.one_in(5)
    @pytest.mark.parametrize(
        ("keys", "ids", "owners", "others"),
        [
            (["a", "b", "c", "none"], ["x", "y", "none"], ["one", "two"], ["x", "y"]),
            (["a", "b"], ["none"], ["one"], []),
            (["none"], ["y"], [], ["y"]),
            (["none"], ["none"], [], []),
            ([], ["x"], [], ["x"]),
            (["c"], [], ["two"], []),
            ([], [], [], []),
        ],
    )
    def test_owners_of_keys_are_read_together_with_documents_of_another_collection(
        self, contract: Contract, keys: list[str], ids: list[str], owners: list[str], others: list[str]
    ) -> None:
        contract.put("people", {"_id": "one", "match_keys": ["a", "b"]}, {"_id": "two", "match_keys": ["c"]})
        contract.put("suppressions", {"_id": "x"}, {"_id": "y"}, {"_id": "z"})

        found = contract.store.by_match_keys_and_ids("people", keys, "suppressions", ids)

        assert [sorted(each["_id"] for each in some) for some in found] == [owners, others]

    def test_documents_are_sorted_by_several_fields_both_ways(self, contract: Contract) -> None:
        stored = [document(kind="a", rank=2), document(kind="b", rank=1), document(kind="a", rank=1)]
        contract.put("tags", *stored)

        def order(*sort: str) -> list[int]:
            return [stored.index(each) for each in contract.store.find("tags", {}, sort=sort)]

        assert order("_id") == [0, 1, 2]
        assert order("-_id") == [2, 1, 0]
        assert order("kind", "-rank") == [0, 2, 1]
        assert contract.store.find_one("tags", {"kind": "a"}, sort=("rank",)) == stored[2]

    def test_a_limit_bounds_the_number_of_documents(self, contract: Contract) -> None:
        stored = [document() for _ in range(3)]
        contract.put("tags", *stored)

        assert contract.store.find("tags", {}, sort=("_id",), limit=2) == stored[:2]
        assert len(contract.store.find("tags", {}, limit=4)) == 3

    def test_fields_select_what_is_read_besides_the_id(self, contract: Contract) -> None:
        stored = document(name="a", kind="b")
        contract.put("tags", stored)

        assert contract.store.find("tags", {}, fields=("name",)) == [{"_id": stored["_id"], "name": "a"}]
        assert contract.store.find_one("tags", {}, fields=()) == {"_id": stored["_id"]}

    def test_counts_are_those_of_the_query(self, contract: Contract) -> None:
        contract.put("tags", *(document(kind="a") for _ in range(3)), document(kind="b"))

        assert contract.store.count("tags", {"kind": "a"}) == 3
        assert contract.store.count("tags", {}) == 4

    def test_pages_are_in_creation_order_both_ways(self, contract: Contract) -> None:
        store = contract.store
        written = [document(kind="page") for _ in range(5)]
        contract.put("tags", *reversed(written))
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

    def test_a_page_before_the_first_document_is_empty_and_has_a_next_one(self, contract: Contract) -> None:
        store = contract.store
        written = document(kind="page")
        contract.put("tags", written)

        ahead = store.page("tags", {"kind": "page"}, page=1, per_page=2, before=written["_id"])
        of_none = store.page("tags", {"kind": "other"}, page=1, per_page=2, before=written["_id"])

        assert (ahead.documents, ahead.has_previous, ahead.has_next) == ([], False, True)
        assert (of_none.documents, of_none.has_previous, of_none.has_next) == ([], False, False)

    def test_a_total_that_is_given_is_not_counted(self, contract: Contract) -> None:
        contract.put("tags", document())

        assert contract.store.page("tags", {}, page=1, per_page=2, total_records=7).total_records == 7


class TestWriting:
    """`write` and `wait_for_majority`, and what `get`, `by_ids` and `by_match_keys` return afterwards."""

    def test_an_inserted_document_is_returned(self, contract: Contract) -> None:
        written = document(name="Jane", born=dt.datetime(1973, 6, 2))
        contract.store.write(Insert("people", written))

        assert contract.store.get("people", written["_id"]) == written
        assert contract.store.by_ids("people", [written["_id"]]) == [written]
        assert contract.store.by_match_keys("people", written["match_keys"]) == [written]
        assert contract.store.get("tags", written["_id"]) is None

    @pytest.mark.parametrize("stored", [True, False], ids=["stored before", "written before"])
    def test_an_update_sets_and_removes_fields_and_raises_the_version(self, contract: Contract, stored: bool) -> None:
        written = document(name="Jane", notes="x")
        (contract.put if stored else lambda name, it: contract.store.write(Insert(name, it)))("people", written)
        contract.store.write(Update("people", written["_id"], 1, {"name": "Joan"}, ("notes",)))

        found = contract.store.get("people", written["_id"])
        assert found == {**{name: written[name] for name in ("_id", "match_keys")}, "name": "Joan", "version": 2}

    def test_an_update_of_another_version_is_a_write_conflict(self, contract: Contract) -> None:
        written = document(name="Jane")
        contract.store.write(Insert("people", written))
        contract.store.write(Update("people", written["_id"], 1, {"name": "Joan"}))

        for version in (1, 3):
            with pytest.raises(WriteConflict):
                contract.store.write(Update("people", written["_id"], version, {"name": "John"}))
        with pytest.raises(WriteConflict):
            contract.store.write(Update("people", "nobody", 1, {"name": "John"}))
        assert contract.store.get("people", written["_id"]) == written | {"name": "Joan", "version": 2}

    @pytest.mark.parametrize("keys", ["the same keys", "other keys"])
    def test_an_id_that_exists_is_a_duplicate_key(self, contract: Contract, keys: str) -> None:
        written = document()
        contract.store.write(Insert("people", written))
        other = {"match_keys": written["match_keys"] if keys == "the same keys" else ["id:other"]}

        with pytest.raises(DuplicateKey):
            contract.store.write(Insert("people", written | other))

    def test_writes_that_fail_together_leave_nothing_with_transactions(self, contract: Contract) -> None:
        written, existing = document(), document()
        contract.store.write(Insert("outreaches", existing))

        with pytest.raises(DuplicateKey):
            contract.store.write(Insert("people", written), Insert("outreaches", existing))

        assert (contract.store.get("people", written["_id"]) is None) == contract.store.supports_transactions

    def test_waiting_for_a_document_of_this_version_succeeds(self, contract: Contract) -> None:
        written = document()
        contract.store.write(Insert("people", written))

        contract.store.wait_for_majority("people", written)
        assert contract.store.get("people", written["_id"]) == written

    def test_a_document_of_another_version_is_a_write_conflict(self, contract: Contract) -> None:
        written = document()
        contract.store.write(Insert("people", written))

        for other in (written | {"version": 2}, document()):
            with pytest.raises(WriteConflict):
                contract.store.wait_for_majority("people", other)


class TestMatchKeys:
    """One document owns a match key; mongomock does not enforce this, and a batch only as it is stored."""

    @pytest.fixture(params=["replica set", "standalone", DRY_RUN])
    def contract(self, request: pytest.FixtureRequest) -> Iterator[Contract]:
        with contract_of(request) as contract:
            yield contract

    @pytest.mark.parametrize("stored", [True, False], ids=["stored before", "written before"])
    def test_an_insert_with_a_key_of_another_is_a_duplicate_key(self, contract: Contract, stored: bool) -> None:
        owner = document(match_keys=["id:a", "email:jane@example.com"])
        (contract.put if stored else lambda name, it: contract.store.write(Insert(name, it)))("people", owner)

        with pytest.raises(DuplicateKey):
            contract.store.write(Insert("people", document(match_keys=["id:b", "email:jane@example.com"])))

    def test_an_update_with_a_key_of_another_is_a_duplicate_key(self, contract: Contract) -> None:
        other = document()
        contract.store.write(Insert("people", document(match_keys=["email:jane@example.com"])))
        contract.store.write(Insert("people", other))

        with pytest.raises(DuplicateKey):
            contract.store.write(
                Update("people", other["_id"], 1, {"match_keys": [*other["match_keys"], "email:jane@example.com"]})
            )

    def test_a_key_that_was_given_up_can_be_claimed(self, contract: Contract) -> None:
        former, later = document(match_keys=["id:a", "email:jane@example.com"]), document(match_keys=["id:b"])
        contract.put("people", former, later)
        contract.store.write(Update("people", former["_id"], 1, {"match_keys": ["id:a"]}))
        contract.store.write(Update("people", later["_id"], 1, {"match_keys": ["id:b", "email:jane@example.com"]}))

        found = contract.store.by_match_keys("people", ["email:jane@example.com"])
        assert [each["_id"] for each in found] == [later["_id"]]


class TestDeletingAndChangingMany:
    """Methods that a Store has and a DryRunStore rejects."""

    def test_a_delete_holds_for_its_version_only(self, store: Store) -> None:
        written = document()
        store.write(Insert("people", written))

        with pytest.raises(WriteConflict):
            store.write(Delete("people", written["_id"], 2))
        store.write(Delete("people", written["_id"], 1))
        assert store.get("people", written["_id"]) is None

    def test_a_replacement_is_inserted_or_takes_the_place(self, store: Store) -> None:
        first = document(name="first")
        store.write(Replace("merged_people", first))
        store.write(Replace("merged_people", {"_id": first["_id"], "name": "second"}))

        assert store.find("merged_people", {}) == [{"_id": first["_id"], "name": "second"}]

    def test_many_are_changed_and_deleted_by_a_query(self, store: Store) -> None:
        written = [document(kind=kind) for kind in "aab"]
        store.write(*(Insert("tags", each) for each in written))

        assert store.update_many("tags", {"kind": "a"}, {"$set": {"name": "x"}, "$inc": {"version": 1}}) == 2
        assert [(each.get("name"), each["version"]) for each in store.find("tags", {}, sort=("_id",))] == [
            ("x", 2),
            ("x", 2),
            (None, 1),
        ]
        assert store.delete_many("tags", {"kind": "a"}) == 2
        assert store.find("tags", {}) == written[2:]


class TestTransaction:
    """`transaction`, whose options put calls of the driver into one transaction."""

    def test_the_options_name_a_session_where_there_are_transactions(self, store: Store) -> None:
        with store.operation(), store.transaction() as options:
            assert options.keys() == ({"session"} if store.supports_transactions else set())
            store.apply(Insert("tags", document()), options)
            store.collection("tags").update_many({}, {"$set": {"name": "x"}}, **options)

        assert [each["name"] for each in store.find("tags", {})] == ["x"]

    def test_an_error_leaves_nothing_where_there_are_transactions(self, store: Store) -> None:
        def lose() -> None:
            with store.operation(), store.transaction() as options:
                store.apply(Insert("tags", document()), options)
                raise WriteConflict("lost")

        with pytest.raises(WriteConflict):
            lose()
        assert bool(store.find("tags", {})) != store.supports_transactions


def test_indexes_can_be_created_again(store: Store) -> None:
    assert len(store.create_indexes()) == sum(map(len, INDEXES.values()))


def test_building_indexes_may_take_longer_than_a_request(
    mongod: Mongod, fail: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("osdi.store.driver.SOCKET_TIMEOUT_MS", 200)
    store = Store(mongod.uri.replace("/osdi?", f"/{DATABASE}?"))
    fail({"times": 1}, ["createIndexes"], blockConnection=True, blockTimeMS=600)

    assert len(store.create_indexes()) == sum(map(len, INDEXES.values()))
    store.close()


def test_outreaches_are_counted_exactly_with_and_without_a_mark(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osdi.crud.totals_store.MAX_UNCOUNTED", 3)
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
        totals.append(total_outreaches(store, read))

    assert totals == [6, 7, 8]
    marked = store.get("advocacy_campaigns", campaign["_id"])
    assert marked is not None
    assert marked["counted"]["outreaches"] == 5, "old outreaches are counted once; new ones come after the mark"


LONG_AGO = dt.datetime(2020, 1, 1)


def campaign_with_old_outreaches(store: Store, number: int) -> tuple[Document, list[Document]]:
    """A stored campaign, and its outreaches, which are old enough to be before the mark."""
    campaign = document()
    store.write(Insert("advocacy_campaigns", campaign))
    outreaches = [
        document(advocacy_campaign_id=campaign["_id"], created_date=LONG_AGO) | {"_id": f"{id_before(LONG_AGO)}-{each}"}
        for each in range(number)
    ]
    for each in outreaches:
        store.write(Insert("outreaches", each))
    return campaign, outreaches


def total_now(store: Store, campaign: Document) -> int:
    found = store.get("advocacy_campaigns", campaign["_id"])
    assert found is not None
    return total_outreaches(store, found)


@pytest.fixture
def marks_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """A campaign's mark moves from four uncounted outreaches on."""
    monkeypatch.setattr("osdi.crud.totals_store.MAX_UNCOUNTED", 3)


@pytest.mark.parametrize("count", [1, 2], ids=["before the settled ones are counted", "after they are counted"])
@pytest.mark.usefixtures("marks_early")
def test_a_total_stays_exact_when_an_outreach_is_deleted_while_the_mark_moves(
    store: Store, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """`count` is the count of the reader behind which the outreach is deleted."""
    campaign, outreaches = campaign_with_old_outreaches(store, 6)
    documents = store.collection("outreaches")
    counting, counts = documents.count_documents, iter([1, 2])

    def count_then_delete(query: Document) -> int:
        found = counting(query)
        if next(counts, None) == count:
            delete_outreach(store, outreaches[0])
        return found

    with monkeypatch.context() as patch:
        patch.setattr(documents, "count_documents", count_then_delete)
        total_now(store, campaign)

    assert [total_now(store, campaign) for _ in range(2)] == [5, 5]


@pytest.mark.usefixtures("marks_early")
def test_the_mark_does_not_move_between_the_two_writes_of_a_deletion(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without transactions a reader may come between them; with transactions it sees neither."""
    campaign, outreaches = campaign_with_old_outreaches(store, 6)
    apply = store.apply

    def apply_then_read(write: Write, options: Document) -> None:
        apply(write, options)
        if isinstance(write, Delete) and not options:
            total_now(store, campaign)

    with monkeypatch.context() as patch:
        patch.setattr(store, "apply", apply_then_read)
        delete_outreach(store, outreaches[0])

    assert [total_now(store, campaign) for _ in range(2)] == [5, 5]


@pytest.mark.parametrize("marked", [True, False], ids=["before the mark", "without a mark"])
@pytest.mark.parametrize("deleted", [True, False], ids=["after the deletion", "before the deletion"])
@pytest.mark.parametrize("store", SERVERS[1:], indirect=True)
@pytest.mark.usefixtures("marks_early")
def test_a_later_reader_completes_the_count_of_a_deletion_whose_process_died(
    store: Store, monkeypatch: pytest.MonkeyPatch, marked: bool, deleted: bool
) -> None:
    campaign, outreaches = campaign_with_old_outreaches(store, 6)
    if marked:
        total_now(store, campaign)
    apply = store.apply

    def die(write: Write, options: Document) -> None:
        if isinstance(write, Delete):
            if deleted:
                apply(write, options)
            raise KeyboardInterrupt
        apply(write, options)

    with monkeypatch.context() as patch:
        patch.setattr(store, "apply", die)
        with pytest.raises(KeyboardInterrupt):
            delete_outreach(store, outreaches[0])
    monkeypatch.setattr("osdi.outreaches.deletion_store.SETTLED", dt.timedelta(days=-1))

    assert [total_now(store, campaign) for _ in range(3)] == [5 if deleted else 6] * 3
    found = store.get("advocacy_campaigns", campaign["_id"])
    assert found is not None
    assert (found["counted"]["outreaches"], found["deleting"]) == (5 if deleted else 6, {})


@pytest.mark.usefixtures("marks_early")
def test_an_outreach_that_two_requests_delete_is_counted_once(store: Store) -> None:
    campaign, outreaches = campaign_with_old_outreaches(store, 6)
    total_now(store, campaign)

    delete_outreach(store, outreaches[0])
    with pytest.raises(WriteConflict):
        delete_outreach(store, outreaches[0])

    assert total_now(store, campaign) == 5
    found = store.get("advocacy_campaigns", campaign["_id"])
    assert found is not None
    assert not found.get("deleting")


@pytest.mark.usefixtures("marks_early")
def test_a_slower_reader_does_not_overwrite_the_mark_of_a_faster_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the deletion, which lowered the faster one's mark, would be undone."""
    campaign, outreaches = campaign_with_old_outreaches(store, 6)
    documents = store.collection("outreaches")
    counting, counts = documents.count_documents, iter([1, 2])

    def count_while_others_work(query: Document) -> int:
        found = counting(query)
        if next(counts, None) == 2:
            assert total_now(store, campaign) == 6
            delete_outreach(store, outreaches[0])
        return found

    with monkeypatch.context() as patch:
        patch.setattr(documents, "count_documents", count_while_others_work)
        total_now(store, campaign)

    assert [total_now(store, campaign) for _ in range(2)] == [5, 5]


@pytest.mark.usefixtures("marks_early")
def test_the_mark_stays_behind_outreaches_that_may_not_be_committed_yet(store: Store) -> None:
    """An id is given before its outreach is committed; up to 90 seconds are allowed for that."""
    campaign, _ = campaign_with_old_outreaches(store, 4)
    for seconds in (120, 60, 30):
        young = {"_id": f"{id_before(now() - dt.timedelta(seconds=seconds))}-0"}
        store.write(Insert("outreaches", document(advocacy_campaign_id=campaign["_id"]) | young))

    assert total_now(store, campaign) == 7

    found = store.get("advocacy_campaigns", campaign["_id"])
    assert found is not None
    assert found["counted"]["outreaches"] == 5, "those of 60 and 30 seconds ago come after the mark"


@pytest.mark.parametrize("server", SERVERS[:2])
def test_a_document_that_is_too_large_is_413(server: str, request: pytest.FixtureRequest) -> None:
    with store_on(server, request) as store, pytest.raises(OsdiError) as caught:
        store.write(Insert("people", document(message="x" * 17_000_000)))
    assert caught.value.status == 413


def test_a_replica_set_writes_both_or_neither(mongod: Mongod) -> None:
    store = Store(mongod.uri)
    store.create_indexes()
    existing = document()
    store.write(Insert("outreaches", existing))
    person = document()

    assert store.supports_transactions
    with pytest.raises(DuplicateKey):
        store.write(Insert("people", person), Insert("outreaches", existing))
    assert store.get("people", person["_id"]) is None
    store.close()


def test_a_standalone_writes_in_order(standalone: Mongod) -> None:
    store = Store(standalone.uri)
    store.create_indexes()
    existing = document()
    store.write(Insert("outreaches", existing))
    person = document()

    assert not store.supports_transactions
    with pytest.raises(DuplicateKey):
        store.write(Insert("people", person), Insert("outreaches", existing))
    assert store.get("people", person["_id"]) == person
    store.close()


def test_an_unavailable_server_is_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osdi.store.driver.SERVER_SELECTION_TIMEOUT_MS", 200)
    store = Store("mongodb://127.0.0.1:1/osdi")

    with pytest.raises(OsdiError) as caught:
        store.get("people", "x")
    assert caught.value.status == 503
    assert "Retry-After" in caught.value.headers
    store.close()


def test_an_unexpected_error_is_not_translated(mongod: Mongod) -> None:
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
