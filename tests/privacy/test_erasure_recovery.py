"""An erasure that is cut short anywhere is finished by the next one, on each server that there is."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.crud.totals_store import total_outreaches
from osdi.errors import OsdiError
from osdi.ids import new_id, now
from osdi.match_keys import email_key
from osdi.privacy import erasure, erasure_store
from osdi.privacy.erasure import erase, finish_next_erasure
from osdi.privacy.tombstones import was_erased
from osdi.store import Insert, Store
from osdi.store.indexes import INDEXES
from osdi.store.store import SETTLED
from tests.support import factories
from tests.support.client import Client
from tests.support.databases import own_database
from tests.support.factories import RULES
from tests.support.planted import MARKER, traces

ADDRESS = f"{MARKER}@example.com"
DATABASE = "erasures"
STEPS = ("begin_erasure", "delete_people", "outreaches_of", "rewrite_outreaches", "forget_editors")


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture(params=["replica set", "standalone"])
def emptied(request: pytest.FixtureRequest) -> Iterator[tuple[Store, Database]]:
    server: Mongod = request.getfixturevalue("mongod" if request.param == "replica set" else "standalone")
    with own_database(server.uri, DATABASE) as store_and_database:
        yield store_and_database


def store_known(store: Store, outreaches: int = 3) -> str:
    """A person with outreaches, and one who was merged into them."""
    person_id, merged_id, timestamp = new_id(), new_id(), now()
    dates = {"version": 1, "created_date": timestamp, "modified_date": timestamp}
    email = {"email_addresses": [{"address": ADDRESS}], "contact_keys": [email_key(ADDRESS)]}
    person = {"_id": person_id, **dates, **email, "match_keys": [email_key(ADDRESS), f"id:{person_id}"]}
    store.write(Insert("advocacy_campaigns", {"_id": "c1", **dates, "match_keys": ["id:c1"]}))
    store.write(Insert("people", person))
    held = {**person, "_id": merged_id, "match_keys": [f"id:{merged_id}"]}
    store.write(Insert("merged_people", {"_id": merged_id, "survivor_id": person_id, "person": held}))
    for number in range(outreaches):
        followup = {"_id": new_id(), "kind": "autoresponse", "state": "queued", "to": ADDRESS}
        whose = person_id if number else merged_id
        outreach = {"_id": new_id(), **dates, "person_id": whose, "advocacy_campaign_id": "c1"}
        texts = {"message": MARKER, "match_keys": [f"id:{number}:{MARKER}"], "followups": [followup]}
        store.write(Insert("outreaches", {**outreach, **texts}))
    return person_id


# Without transactions a step can be interrupted in its middle, and is never undone: each case is one on a standalone.
@pytest.mark.one_in(6)
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("emptied", "done", "again"),
    [
        ("standalone", False, "another erasure"),
        ("standalone", True, "another erasure"),
        ("standalone", False, "a worker"),
        ("standalone", True, "a worker"),
        ("replica set", True, "a worker"),
    ],
    indirect=["emptied"],
)
def test_an_interrupted_erasure_can_be_completed(
    emptied: tuple[Store, Database], monkeypatch: pytest.MonkeyPatch, step: str, done: bool, again: str
) -> None:
    store, database = emptied
    person_id = store_known(store)
    act = getattr(erasure_store, step)

    def dying(*arguments: Any) -> Any:
        if done:
            act(*arguments)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(erasure_store, step, dying)
        with pytest.raises(Killed):
            erase(store, person_id, RULES)

    assert was_erased(store, [email_key(ADDRESS)])  # before anything goes, it is known that it is to stay away
    begun = (step, done) != ("begin_erasure", False)
    if again == "a worker":
        assert finish_next_erasure(store, RULES, now() + 2 * SETTLED) is begun
    if again != "a worker" or not begun:
        # A person who was merged into them may still exist.
        with suppress(OsdiError):
            erase(store, person_id, RULES)
    with pytest.raises(OsdiError, match="There is no such person"):
        erase(store, person_id, RULES)

    assert traces(database) == {}
    assert database.outreaches.count_documents({"person_id": {"$exists": False}}) == 3
    assert total_outreaches(store, {"_id": "c1"}) == 3


def test_concurrent_erasures_leave_nothing(emptied: tuple[Store, Database]) -> None:
    store, database = emptied
    person_id = store_known(store, outreaches=20)
    barrier, outcomes = threading.Barrier(4), []

    def erase_at_barrier() -> None:
        barrier.wait()
        try:
            outcomes.append(erase(store, person_id, RULES).merged)
        except OsdiError as error:
            outcomes.append(error.status)

    threads = [threading.Thread(target=erase_at_barrier) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    # A concurrent erasure helps to complete the first one; none fails.
    assert len(outcomes) == 4
    assert set(outcomes) <= {0, 1, 404}
    assert 1 in outcomes
    assert traces(database) == {}
    assert database.outreaches.count_documents({}) == 20


def test_a_person_with_a_concurrent_change_is_read_again(
    emptied: tuple[Store, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, database = emptied
    person_id = store_known(store)
    begin, times = erasure_store.begin_erasure, iter([True])

    def changed_first(*arguments: Any) -> Any:
        if next(times, False):
            addresses = {"contact_keys": ["email:new@example.com"], "given_name": MARKER}
            database.people.update_one({"_id": person_id}, {"$set": addresses, "$inc": {"version": 1}})
        return begin(*arguments)

    monkeypatch.setattr(erasure_store, "begin_erasure", changed_first)

    erase(store, person_id, RULES)

    assert traces(database) == {}
    assert was_erased(store, ["email:new@example.com"])


def test_a_person_merged_into_them_meanwhile_is_erased_too(emptied: tuple[Store, Database]) -> None:
    store, database = emptied
    person_id = store_known(store)
    late = {**database.merged_people.find_one({}), "_id": new_id()}
    erase(store, person_id, RULES)
    database.merged_people.insert_one(late)

    assert finish_next_erasure(store, RULES, now() + 2 * SETTLED)

    assert traces(database) == {}


def test_a_second_erasure_keeps_the_people_of_the_first(emptied: tuple[Store, Database]) -> None:
    store, database = emptied
    person_id = store_known(store)
    (held,) = database.merged_people.find()
    erasure_store.begin_erasure(
        store,
        {"_id": person_id, "people": [person_id, held["_id"]], "outreaches": "anonymise", "erased_date": now()},
        database.people.find_one({"_id": person_id}),
    )
    # It dies when that one is gone and another, who was merged too, is not.
    database.merged_people.update_one({"_id": held["_id"]}, {"$unset": {"survivor_id": ""}})
    database.merged_people.insert_one({**held, "_id": new_id()})

    erase(store, person_id, RULES)

    assert traces(database) == {}


def test_a_followup_with_a_concurrent_mark_keeps_it(
    emptied: tuple[Store, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, database = emptied
    person_id = store_known(store, outreaches=1)
    rewrite, times = erasure_store.rewrite_outreaches, iter([True])

    def sent_first(*arguments: Any) -> int:
        if next(times, False):
            database.outreaches.update_one({}, {"$set": {"followups.0.state": "sent"}})
        return rewrite(*arguments)

    monkeypatch.setattr(erasure_store, "rewrite_outreaches", sent_first)

    assert erase(store, person_id, RULES).outreaches == 1

    (followup,) = database.outreaches.find_one({})["followups"]
    assert (followup["state"], followup.get("to")) == ("sent", None)


def test_many_outreaches_take_several_batches(emptied: tuple[Store, Database], monkeypatch: pytest.MonkeyPatch) -> None:
    store, database = emptied
    monkeypatch.setattr(erasure, "BATCH", 2)
    person_id = store_known(store, outreaches=7)

    assert erase(store, person_id, RULES, "delete").outreaches == 7

    assert database.outreaches.count_documents({}) == 0
    assert total_outreaches(store, {"_id": "c1"}) == 0


@pytest.mark.one_in(4)
@pytest.mark.parametrize("skipped", range(8))
def test_a_database_failure_is_reported_and_a_repeat_completes(
    app: Flask, api: Client, database: Database, fail: Callable[..., None], skipped: int
) -> None:
    person = factories.by_email(ADDRESS, given_name=MARKER)["person"]
    outreach = api.recorded(factories.outreach(person=person, message=MARKER))
    address = outreach["_links"]["osdi:person"]["href"]
    fail({"skip": skipped}, ["insert", "update", "delete"], errorCode=50)

    first = api.delete(f"{address}?erase=true")

    fail("off", [])
    assert first.status_code in (503, 200)
    assert api.delete(f"{address}?erase=true").status_code in (200, 404)
    assert traces(database) == {}
    assert database.outreaches.count_documents({}) == 1


def test_works_in_memory() -> None:
    store = Store("mongomock://")
    person_id = store_known(store)

    assert erase(store, person_id, RULES).outreaches == 3

    assert was_erased(store, [email_key(ADDRESS)])
    assert MARKER not in str(store.page("outreaches", {}, page=1, per_page=10).documents)
    store.close()


@pytest.mark.parametrize("collection", INDEXES)
def test_the_privacy_page_lists_every_collection(collection: str) -> None:
    table = Path("docs/privacy.md").read_text().partition("## Where personal data lie")[2].partition("\n## ")[0]

    assert collection.removeprefix("advocacy_").removesuffix("_touches") in table


def test_an_identifier_that_belongs_to_another_person_gets_no_tombstone(emptied: tuple[Store, Database]) -> None:
    """The merged copy of the erased person has it, too."""
    store, database = emptied
    person_id = store_known(store)
    database.merged_people.update_one({}, {"$push": {"person.match_keys": "id:crm:7"}})
    another = {"_id": new_id(), "version": 1, "created_date": now(), "match_keys": ["id:crm:7"]}
    store.write(Insert("people", another))

    erase(store, person_id, RULES)

    assert not was_erased(store, ["id:crm:7"])
    assert was_erased(store, [email_key(ADDRESS)])
