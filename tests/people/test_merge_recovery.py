"""Recovery of interrupted merges by a repeated merge, a post, a PUT or the worker; and concurrent requests."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any

import pytest
from flask import Flask
from pymongo import MongoClient
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION
from dev.mongod import Mongod
from osdi.access.tokens import new_token
from osdi.errors import OsdiError, WriteConflict
from osdi.hal import Hal
from osdi.ids import now
from osdi.people import merge
from osdi.people.merge import complete_next_merge, merge_stored_people
from osdi.people.merged_people_store import merge_lock
from osdi.privacy.erasure import erase, finish_next_erasure, resume_erasure
from osdi.privacy.person_export import person_export
from osdi.privacy.tombstones import was_erased
from osdi.settings import Settings
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS
from tests.support import factories
from tests.support.client import Client
from tests.support.factories import RULES
from tests.support.planted import MARKER, traces

A, B = "a@example.com", "b@example.com"
POSTS = 60
THREADS = 6


class Crashed(BaseException):
    """Simulates the end of the process; no code catches it."""


Deployed = tuple[Client, Database]


def deployed(mongod: Mongod) -> Iterator[Deployed]:
    uri = mongod.uri.replace("/osdi?", "/merging?")
    app = create_app(Settings(mongodb_uri=uri, cache_seconds=0, **factories.UNLIMITED))
    store: Store = app.extensions[EXTENSION].store
    store.create_indexes()
    secret, token = new_token("tests")
    store.write(Insert(TOKENS, token))
    api = Client(app.test_client(), secret)
    api.campaign_id = api.created("/advocacy_campaigns", {"title": "x"})["_links"]["self"]["href"].rsplit("/", 1)[1]
    with MongoClient(uri) as client:
        yield api, client.get_default_database()
    store.close()


@pytest.fixture(scope="module")
def on_a_standalone(standalone: Mongod) -> Iterator[Deployed]:
    yield from deployed(standalone)


@pytest.fixture(scope="module")
def on_a_replica_set(mongod: Mongod) -> Iterator[Deployed]:
    yield from deployed(mongod)


def emptied(found: Deployed) -> Deployed:
    for name in ("people", "outreaches", "merged_people", "erasures", "tombstones"):
        if found[1][name].find_one() is not None:
            found[1][name].delete_many({})
    return found


@pytest.fixture
def alone(on_a_standalone: Deployed) -> Deployed:
    """A client of a deployment on a standalone, and its database without people."""
    return emptied(on_a_standalone)


@pytest.fixture(params=["on_a_replica_set", "on_a_standalone"])
def either(request: pytest.FixtureRequest) -> Deployed:
    """The same on a replica set, then on a standalone."""
    return emptied(request.getfixturevalue(request.param))


def store_of(api: Client) -> Store:
    app: Flask = api.http.application
    found: Store = app.extensions[EXTENSION].store
    return found


def people(api: Client) -> tuple[str, str]:
    """Creates two people, each with an outreach; returns their ids."""
    made = [api.recorded(factories.by_email(address, identifiers=[f"crm:{address[0]}"])) for address in (A, B)]
    ids = [each["_links"]["osdi:person"]["href"].rsplit("/", 1)[1] for each in made]
    return ids[0], ids[1]


def crash_at(monkeypatch: pytest.MonkeyPatch, store: Store, number: int) -> None:
    """Makes the process end right before its write with this number (from 0)."""
    apply, done = store.apply, []

    def crashing(*arguments: Any) -> None:
        if len(done) == number:
            raise Crashed
        done.append(arguments)
        apply(*arguments)

    monkeypatch.setattr(store, "apply", crashing)


def merge_again(api: Client, survivor: str, other: str) -> None:
    merge_stored_people(store_of(api), survivor, other, RULES)


def merge_the_other_way_round(api: Client, survivor: str, other: str) -> None:
    """Merges with the roles exchanged if only the survivor is left; the effect is the same."""
    if store_of(api).get("people", other) is None:
        merge_stored_people(store_of(api), other, survivor, RULES)
    else:
        merge_stored_people(store_of(api), survivor, other, RULES)


def post_about_the_other(api: Client, survivor: str, other: str) -> None:
    api.recorded(factories.by_email(B))
    merge_stored_people(store_of(api), survivor, other, RULES)


def put_what_the_other_has(api: Client, survivor: str, other: str) -> None:
    third = api.created("/people", factories.person())["_links"]["self"]["href"]
    api.put(third, {"email_addresses": [{"address": B}]})
    merge_stored_people(store_of(api), survivor, other, RULES)


def run_the_worker(api: Client, survivor: str, other: str) -> None:
    while complete_next_merge(store_of(api), RULES, resume_erasure):
        pass
    merge_stored_people(store_of(api), survivor, other, RULES)


RECOVERED_BY: list[Callable[[Client, str, str], None]] = [
    merge_again,
    merge_the_other_way_round,
    post_about_the_other,
    put_what_the_other_has,
    run_the_worker,
]


@pytest.mark.one_in(7)
@pytest.mark.parametrize("recover", RECOVERED_BY, ids=lambda recover: recover.__name__)
@pytest.mark.parametrize(
    "crash",
    range(6),
    ids=[
        *("before all writes", "copy stored", "statistics invalidated", "deletion published"),
        *("document deleted", "survivor updated"),
    ],
)
def test_an_interrupted_merge_is_completed(
    alone: Deployed,
    monkeypatch: pytest.MonkeyPatch,
    crash: int,
    recover: Callable[[Client, str, str], None],
) -> None:
    api, database = alone
    survivor, other = people(api)
    with monkeypatch.context() as patched:
        if crash == 5:
            patched.setattr(merge, "set_merged_date", crashed)
        else:
            crash_at(patched, store_of(api), crash)
        with pytest.raises(Crashed):
            merge_stored_people(store_of(api), survivor, other, RULES)
    monkeypatch.setattr(merge, "SETTLED", dt.timedelta(seconds=-5))

    recover(api, survivor, other)

    stored = database.people.find_one({"_id": survivor})
    assert {f"email:{A}", f"email:{B}", "id:crm:a", "id:crm:b"} <= set(stored["match_keys"])
    assert database.people.count_documents({"_id": other}) == 0
    assert {each["person_id"] for each in database.outreaches.find()} == {survivor}
    assert [each["survivor_id"] for each in database.merged_people.find({"merged_date": {"$exists": True}})] == [
        survivor
    ]
    assert no_key_has_two_owners(database)
    published = list(database.published_deletions.find({"ids": other}))
    assert published
    assert {(each["event"], each["survivor_id"]) for each in published} == {("person_merged", survivor)}


def crashed(*_: object) -> None:
    raise Crashed


@pytest.mark.parametrize(
    "crash",
    range(5),
    ids=["before all writes", "copy stored", "statistics invalidated", "deletion published", "document deleted"],
)
def test_both_people_are_found_after_a_crash(alone: Deployed, monkeypatch: pytest.MonkeyPatch, crash: int) -> None:
    api, _ = alone
    survivor, other = people(api)
    with monkeypatch.context() as patched:
        crash_at(patched, store_of(api), crash)
        with pytest.raises(Crashed):
            merge_stored_people(store_of(api), survivor, other, RULES)

    response = api.get(f"/people/{other}")

    assert response.status_code == (301 if crash == 4 else 200)
    assert response.status_code == 200 or response.headers["Location"].endswith(survivor)


def test_a_copy_is_deleted_if_the_crash_was_before_the_merge(alone: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    api, database = alone
    survivor, other = people(api)
    with monkeypatch.context() as patched:
        crash_at(patched, store_of(api), 1)
        with pytest.raises(Crashed):
            merge_stored_people(store_of(api), survivor, other, RULES)
    assert database.merged_people.count_documents({}) == 1
    monkeypatch.setattr(merge, "SETTLED", dt.timedelta(seconds=-5))

    assert complete_next_merge(store_of(api), RULES, resume_erasure)

    assert database.merged_people.count_documents({}) == 0
    assert {each["_id"] for each in database.people.find()} == {survivor, other}


def test_a_copy_of_an_unfinished_merge_does_not_expire(alone: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    api, database = alone
    survivor, other = people(api)
    with monkeypatch.context() as patched:
        crash_at(patched, store_of(api), 4)
        with pytest.raises(Crashed):
            merge_stored_people(store_of(api), survivor, other, RULES)

    assert "merged_date" not in database.merged_people.find_one({"_id": other})


def test_a_merge_on_a_replica_set_is_atomic(
    api: Client, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    survivor, other = people(api)
    before = sorted(database.people.find(), key=lambda each: str(each["_id"]))
    for crash in range(5):
        with monkeypatch.context() as patched:
            crash_at(patched, store, crash)
            patched.setattr("osdi.store.store.PyMongoError", Crashed)  # the transaction is aborted, as by the server
            with pytest.raises(Crashed):
                merge_stored_people(store, survivor, other, RULES)

        assert sorted(database.people.find(), key=lambda each: str(each["_id"])) == before
        assert database.merged_people.count_documents({}) == 0


def test_a_merge_is_retried_if_the_survivor_is_merged_meanwhile(
    api: Client, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A is merged into B while B is merged into C."""
    survivor, other = people(api)
    last = api.created("/people", factories.person())["_links"]["self"]["href"].rsplit("/", 1)[1]
    write, raced = store.write, []

    def overtaken(*writes: Any) -> None:
        if not raced:
            raced.append(True)
            merge_stored_people(store, last, survivor, RULES)
        write(*writes)

    monkeypatch.setattr(store, "write", overtaken)

    assert merge_stored_people(store, survivor, other, RULES)["_id"] == last
    assert [each["_id"] for each in database.people.find()] == [last]
    assert set(database.people.find_one()["merged_ids"]) == {survivor, other}


@pytest.mark.one_in(2)
def test_posts_during_a_merge_are_not_lost(either: Deployed) -> None:
    """Each acknowledged outreach belongs to the survivor, each match key has one owner, and no person is created."""
    api, database = either
    app: Flask = api.http.application

    def post(number: int) -> int:
        client = Client(app.test_client(), api.token)
        client.campaign_id = api.campaign_id
        fields = {"custom_fields": {f"f{number}": "x"}} if number % 3 == 0 else {}
        address = B if number % 2 else A
        body = factories.by_email(address, **fields) | {"identifiers": [f"call:{number}"]}
        return client.record(body, token=number % 5 != 0).status_code

    survivor, other = people(api)
    with ThreadPoolExecutor(THREADS) as pool:
        posts = [pool.submit(post, number) for number in range(POSTS // 3)]
        merging = pool.submit(merge_stored_people, store_of(api), survivor, other, RULES)
        posts += [pool.submit(post, number) for number in range(POSTS // 3, POSTS)]
        assert Counter(each.result(timeout=60) for each in posts) == {200: POSTS}
        assert merging.result(timeout=60)["_id"] == survivor

    assert [each["_id"] for each in database.people.find()] == [survivor]
    assert no_key_has_two_owners(database)
    listed = api.get(f"/people/{survivor}/outreaches?per_page=100").json
    assert listed["total_records"] == POSTS + 2
    stored = database.people.find_one()
    assert len(stored["custom_fields"]) == POSTS // 3


def test_the_worker_moves_a_late_outreach(either: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another request had read the person before the merge."""
    api, database = either
    survivor, other = people(api)
    store = store_of(api)
    write, raced = store.write, []

    def late(*writes: Any) -> None:
        if not raced:
            raced.append(True)
            merge_stored_people(store, survivor, other, RULES)
        write(*writes)

    with monkeypatch.context() as patched:
        patched.setattr(store, "write", late)
        recorded = api.recorded(factories.by_email(B))["_links"]["self"]["href"]
    assert database.outreaches.find_one({"_id": recorded.rsplit("/", 1)[1]})["person_id"] == other
    listed = api.get(f"/people/{survivor}/outreaches").json["_links"]["osdi:outreaches"]
    assert {"href": recorded} in listed
    monkeypatch.setattr(merge, "SETTLED", dt.timedelta(seconds=-5))

    assert complete_next_merge(store, RULES, resume_erasure)

    assert {each["person_id"] for each in database.outreaches.find()} == {survivor}
    assert "pending" not in database.merged_people.find_one()


def test_claiming_a_key_completes_the_interrupted_merge(alone: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    api, database = alone
    survivor, other = people(api)
    with monkeypatch.context() as patched:
        crash_at(patched, store_of(api), 4)
        with pytest.raises(Crashed):
            merge_stored_people(store_of(api), survivor, other, RULES)

    with pytest.raises(WriteConflict):
        merge.finish_merges_of(store_of(api), [f"email:{B}"], RULES)
    merge.finish_merges_of(store_of(api), [f"email:{B}"], RULES)

    assert f"email:{B}" in database.people.find_one({"_id": survivor})["match_keys"]


def marked(api: Client) -> tuple[str, str]:
    """Creates two people, each with an outreach, with a marker in every text; returns their ids."""
    ids = []
    for number in range(2):
        person = {"given_name": f"{MARKER}{number}", "email_addresses": [{"address": f"{MARKER}{number}@example.com"}]}
        recorded = api.recorded(factories.outreach(person=person, message=MARKER))
        ids.append(recorded["_links"]["osdi:person"]["href"].rsplit("/", 1)[1])
    return ids[0], ids[1]


def check_nothing_returns(api: Client, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks that no data returns after the worker, a request with their keys, and the end of the erasure."""
    store = store_of(api)
    assert traces(database) == {}
    merge.finish_merges_of(store, [f"email:{MARKER}{number}@example.com" for number in range(2)], RULES)
    monkeypatch.setattr(merge, "SETTLED", dt.timedelta(seconds=-5))
    for _ in range(10):
        if not complete_next_merge(store, RULES, resume_erasure):
            break
    else:
        pytest.fail("the worker always finds another merge")
    while finish_next_erasure(store, RULES, now() + dt.timedelta(minutes=5)):
        pass
    assert traces(database) == {}
    assert database.merged_people.count_documents({}) == 0
    assert database.outreaches.count_documents({"person_id": {"$exists": True}}) == 0


class TestErasedWhileAMergeIsPending:
    """An erasure during a merge removes both people for good."""

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize("erased", ["survivor", "other"])
    @pytest.mark.parametrize("outreaches", ["anonymise", "delete"])
    def test_an_erasure_after_a_merge(
        self, either: Deployed, monkeypatch: pytest.MonkeyPatch, erased: str, outreaches: str
    ) -> None:
        api, database = either
        survivor, other = marked(api)
        merge_stored_people(store_of(api), survivor, other, RULES)
        assert database.merged_people.count_documents({"pending": {"$exists": True}}) == 1

        erase(store_of(api), survivor if erased == "survivor" else other, RULES, outreaches)

        check_nothing_returns(api, database, monkeypatch)

    @pytest.mark.parametrize("erased", ["survivor", "other"])
    def test_an_erasure_after_a_crash_that_deleted_the_duplicate(
        self, alone: Deployed, monkeypatch: pytest.MonkeyPatch, erased: str
    ) -> None:
        api, database = alone
        survivor, other = marked(api)
        with monkeypatch.context() as patched:
            crash_at(patched, store_of(api), 4)
            with pytest.raises(Crashed):
                merge_stored_people(store_of(api), survivor, other, RULES)

        erase(store_of(api), survivor if erased == "survivor" else other, RULES)

        check_nothing_returns(api, database, monkeypatch)
        for number in range(2):
            assert was_erased(store_of(api), [f"email:{MARKER}{number}@example.com"])

    @pytest.mark.parametrize("erased", [0, 1], ids=["survivor", "other"])
    def test_after_a_crash_before_the_merge_the_other_person_stays(
        self, alone: Deployed, monkeypatch: pytest.MonkeyPatch, erased: int
    ) -> None:
        api, database = alone
        both = marked(api)
        with monkeypatch.context() as patched:
            crash_at(patched, store_of(api), 1)
            with pytest.raises(Crashed):
                merge_stored_people(store_of(api), *both, RULES)

        erase(store_of(api), both[erased], RULES)
        monkeypatch.setattr(merge, "SETTLED", dt.timedelta(seconds=-5))
        complete_next_merge(store_of(api), RULES, resume_erasure)

        assert [each["_id"] for each in database.people.find()] == [both[1 - erased]]
        assert traces(database) == {"people": 1, "outreaches": 1}
        assert not was_erased(store_of(api), [f"email:{MARKER}{1 - erased}@example.com"])

    @pytest.mark.one_in(5)
    @pytest.mark.parametrize("erased", [0, 1], ids=["survivor", "other"])
    @pytest.mark.parametrize(
        ("server", "before"),
        [("on_a_replica_set", 0), *(("on_a_standalone", number) for number in range(3))],
    )
    def test_an_erasure_between_two_writes_of_a_merge(
        self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, server: str, before: int, erased: int
    ) -> None:
        """The person who is not erased stays unchanged."""
        api, database = emptied(request.getfixturevalue(server))
        both = marked(api)
        store = store_of(api)
        apply, done = store.apply, []

        def overtaken(*arguments: Any) -> None:
            done.append(arguments)
            if len(done) == before + 1:
                erase(store, both[erased], RULES)
            apply(*arguments)

        with monkeypatch.context() as patched:
            if store.supports_transactions:
                overtake_at_the_write(patched, store, both[erased])
            else:
                patched.setattr(store, "apply", overtaken)
            with pytest.raises(OsdiError):
                merge_stored_people(store, *both, RULES)

        left = {each["_id"] for each in database.people.find()}
        assert left <= {both[1 - erased]}
        assert set(traces(database)) <= {"people", "outreaches", "merged_people"}
        monkeypatch.setattr(merge, "SETTLED", dt.timedelta(seconds=-5))
        for _ in range(10):
            if not complete_next_merge(store, RULES, resume_erasure):
                break
        while finish_next_erasure(store, RULES, now() + dt.timedelta(minutes=5)):
            pass
        assert {each["_id"] for each in database.people.find()} == left
        assert traces(database) == ({"people": 1, "outreaches": 1} if left else {})
        stored_text = everything(database)
        assert f"{MARKER}{erased}" not in stored_text
        assert database.merged_people.count_documents({}) == 0
        assert {each.get("person_id") for each in database.outreaches.find()} <= {*left, None}

    def test_a_new_person_can_have_the_address_of_an_erased_person(
        self, alone: Deployed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The copy of an erased person does not block a new person with the same address."""
        api, database = alone
        survivor, other = marked(api)
        store = store_of(api)
        with monkeypatch.context() as patched:
            overtake_at_the_write(patched, store, other)
            with pytest.raises(OsdiError):
                merge_stored_people(store, survivor, other, RULES)
        assert database.merged_people.count_documents({}) == 1

        assert api.record(factories.by_email(f"{MARKER}1@example.com")).status_code == 200

        assert database.people.count_documents({"_id": {"$nin": [survivor]}}) == 1
        assert f"{MARKER}1" not in str(database.people.find_one({"_id": survivor}))

    def test_an_erasure_while_the_worker_moves_outreaches(
        self, either: Deployed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The worker has read the pending copy, and then finds no survivor."""
        api, database = either
        survivor, other = marked(api)
        store = store_of(api)
        merge_stored_people(store, survivor, other, RULES)
        late = database.outreaches.find_one({"moved_from_ids": {"$exists": True}})
        database.outreaches.update_one({"_id": late["_id"]}, {"$set": {"person_id": other}})
        monkeypatch.setattr(merge, "SETTLED", dt.timedelta(seconds=-5))
        finish = merge._finish

        def overtaken(*arguments: Any) -> Any:
            monkeypatch.setattr(merge, "_finish", finish)
            with pytest.raises(OsdiError):
                erase(store, survivor, RULES, seconds=0)
            return finish(*arguments)

        monkeypatch.setattr("osdi.privacy.erasure.BATCH", 1)
        monkeypatch.setattr(merge, "_finish", overtaken)
        assert complete_next_merge(store, RULES, resume_erasure)

        check_nothing_returns(api, database, monkeypatch)
        assert database.outreaches.count_documents({"message": {"$exists": True}}) == 0


def overtake_at_the_write(patched: pytest.MonkeyPatch, store: Store, person_id: str) -> None:
    """Erases the person right before the next transaction."""
    write, done = store.write, []

    def overtaken(*writes: Any) -> None:
        if not done:
            done.append(True)
            erase(store, person_id, RULES)
        write(*writes)

    patched.setattr(store, "write", overtaken)


def everything(database: Database) -> str:
    return str([list(database[name].find()) for name in database.list_collection_names()])


def no_key_has_two_owners(database: Database) -> bool:
    keys = Counter(key for person in database.people.find() for key in person["match_keys"])
    return max(keys.values()) == 1


@pytest.mark.one_in(2)
def test_concurrent_merges_of_the_same_people_lose_no_data(either: Deployed) -> None:
    """Several users merge the same duplicates, each with another survivor."""
    api, database = either
    store = store_of(api)
    for _ in range(5):
        emptied(either)
        three = [*people(api), api.created("/people", factories.person())["_links"]["self"]["href"].rsplit("/", 1)[1]]

        def merged(pair: tuple[str, str]) -> str:
            try:
                return str(merge_stored_people(store, *pair, RULES)["_id"])
            except OsdiError as error:
                return str(error.status)

        with ThreadPoolExecutor(THREADS) as pool:
            survivors = set(pool.map(merged, permutations(three, 2), timeout=60))

        left = [each["_id"] for each in database.people.find()]
        assert len(left) == 1
        assert left[0] in survivors
        assert survivors <= {*three, "409"}  # merged into another person meanwhile
        assert {left[0], *database.people.find_one()["merged_ids"]} == set(three)
        assert {each["person_id"] for each in database.outreaches.find()} <= set(three)
        assert api.get(f"/people/{left[0]}/outreaches").json["total_records"] == 2
        assert no_key_has_two_owners(database)


def test_a_merge_succeeds_after_the_lock_of_a_dead_process_expires(
    alone: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, database = alone
    survivor, other = people(api)
    dead = merge_lock(store_of(api))
    dead.__enter__()
    monkeypatch.setattr("osdi.retry._retrying", lambda attempt: attempt())
    with pytest.raises(OsdiError, match="Too many requests"):
        merge_stored_people(store_of(api), survivor, other, RULES)
    database.merging.update_one({}, {"$set": {"until": now() - dt.timedelta(seconds=1)}})

    assert merge_stored_people(store_of(api), survivor, other, RULES)["_id"] == survivor
    assert database.merging.count_documents({}) == 0


def test_an_export_contains_the_copy_of_an_interrupted_merge(alone: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    api, database = alone
    survivor, other = people(api)
    with monkeypatch.context() as patched:
        crash_at(patched, store_of(api), 4)
        with pytest.raises(Crashed):
            merge_stored_people(store_of(api), survivor, other, RULES)

    exported = person_export(
        store_of(api), Hal("http://x.example", "osdi"), database.people.find_one(), factories.RULES
    )

    assert [B in str(each["person"]) for each in exported["merged_people"]] == [True]
    assert len(exported["outreaches"]) == 2


def test_deleting_the_survivor_removes_an_interrupted_merge_from_outreaches(
    alone: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, database = alone
    survivor, other = people(api)
    with monkeypatch.context() as patched:
        crash_at(patched, store_of(api), 4)
        with pytest.raises(Crashed):
            merge_stored_people(store_of(api), survivor, other, RULES)

    assert api.delete(f"/people/{survivor}").status_code == 200

    assert database.outreaches.count_documents({"person_id": {"$exists": True}}) == 0
    assert database.merged_people.count_documents({}) == 0
