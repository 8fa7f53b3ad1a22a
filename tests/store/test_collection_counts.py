"""The number of all documents of a collection is right, and cheap, whatever number the server keeps of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION
from dev.mongod import Mongod
from osdi.access.tokens import new_token
from osdi.ids import now
from osdi.settings import Settings
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS
from tests.support import factories
from tests.support.client import Client
from tests.support.databases import SMALL_JOURNAL
from tests.support.profiled import profiled

LARGE = 20
PEOPLE = 60


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osdi.store.store.LARGE", LARGE)


@pytest.fixture
def counting(mongod: Mongod, database: Database) -> Iterator[Store]:
    """A store that has counted nothing yet, on the test's database."""
    found = Store(mongod.uri)
    yield found
    found.close()


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes the number that the server keeps of a collection wrong, as after an unclean shutdown."""
    kept = Collection.estimated_document_count

    def be_wrong_by(difference: int) -> None:
        monkeypatch.setattr(Collection, "estimated_document_count", lambda self: kept(self) + difference)

    return be_wrong_by


def insert(database: Database, numbers: range) -> None:
    dates = {"version": 1, "created_date": now(), "modified_date": now()}
    database.people.insert_many({"_id": f"{number:05}", **dates, "match_keys": [f"id:{number}"]} for number in numbers)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("number", [0, 1, LARGE, LARGE + 1, PEOPLE])
@pytest.mark.parametrize("difference", [0, -PEOPLE, 7])
def test_a_collection_is_counted_whatever_number_the_server_keeps(
    counting: Store, database: Database, wrong: Callable[[int], None], number: int, difference: int
) -> None:
    if number:
        insert(database, range(number))
    wrong(difference)

    assert [counting.count("people", {}) for _ in range(2)] == [number, number]


def test_a_large_collection_is_counted_once_and_stays_right(
    counting: Store, database: Database, wrong: Callable[[int], None]
) -> None:
    insert(database, range(PEOPLE))
    wrong(-PEOPLE)
    assert counting.count("people", {}) == PEOPLE

    insert(database, range(PEOPLE, 2 * PEOPLE))
    database.people.delete_one({})
    with profiled(database) as operations:
        assert counting.count("people", {}) == 2 * PEOPLE - 1

    assert not any(each.plan.startswith("IXSCAN") for each in operations)


def test_a_collection_is_counted_again_when_the_server_was_restarted(
    counting: Store, database: Database, wrong: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    insert(database, range(PEOPLE))
    assert counting.count("people", {}) == PEOPLE
    wrong(-PEOPLE)

    monkeypatch.setattr(counting, "_server_process", lambda: ("another process",))

    assert counting.count("people", {}) == PEOPLE


def test_a_collection_that_takes_too_long_to_count_has_the_number_that_the_server_keeps(
    counting: Store, database: Database, fail: Callable[..., None]
) -> None:
    insert(database, range(PEOPLE))
    fail("alwaysOn", ["aggregate"], errorCode=50, namespace="osdi.people")

    assert counting.count("people", {}) == PEOPLE


@pytest.fixture
def crashing(tmp_path: Path) -> Iterator[Mongod]:
    with Mongod(tmp_path, replica_set=None, options=SMALL_JOURNAL) as server:
        yield server


def test_totals_are_right_after_an_unclean_shutdown_of_a_standalone(crashing: Mongod) -> None:
    """The same process serves before and after it."""
    app: Flask = create_app(Settings(mongodb_uri=crashing.uri, cache_seconds=0, **factories.UNLIMITED))
    store = app.extensions[EXTENSION].store
    store.create_indexes()
    secret, token = new_token("tests")
    store.write(Insert(TOKENS, token))
    client = Client(app.test_client(), secret)
    client.campaign_id = client.created("/advocacy_campaigns", {"title": "x"})["_links"]["self"]["href"][-36:]
    with MongoClient(crashing.uri) as raw:
        insert(raw.get_default_database(), range(PEOPLE))
    client.recorded(factories.outreach())
    before = {name: totals(client, name) for name in ("people", "outreaches", "advocacy_campaigns")}

    assert crashing.process is not None
    crashing.process.kill()
    crashing.process.wait()
    crashing.start()

    assert before == {"people": (PEOPLE + 1, 3), "outreaches": (1, 1), "advocacy_campaigns": (1, 1)}
    assert {name: totals(client, name) for name in before} == before
    fresh = Store(crashing.uri)
    assert fresh.count("people", {}) == PEOPLE + 1
    fresh.close()
    store.close()


def totals(client: Client, name: str) -> tuple[int, int]:
    page = client.get(f"/{name}?per_page=25").json
    return page["total_records"], page["total_pages"]
