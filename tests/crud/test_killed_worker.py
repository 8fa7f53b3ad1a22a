"""A worker that is killed while it removes the entries of a deleted tag: another one completes the deletion."""

import time
from collections.abc import Callable

import pytest
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.crud import delete as deletions
from osdi.crud.delete import delete
from osdi.crud.unlink_store import LEASED
from osdi.ids import now
from osdi.resources import TAG
from osdi.store.indexes import DELETIONS
from tests.crud.test_large_deletions import people_with_tag
from tests.support.databases import own_database
from tests.support.live import Worker

PEOPLE = 20_000
SECONDS = 60


def wait_until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < ends, "The worker does not go on."
        time.sleep(0.02)


@pytest.mark.slow
def test_another_worker_completes_a_deletion(mongod: Mongod, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletions, "REQUEST_SECONDS", 0)
    with own_database(mongod.uri, "killed_worker") as (store, database):
        tag = {"_id": "tag", "version": 1, "match_keys": ["id:ns:tag"], "created_date": now(), "modified_date": now()}
        database.tags.insert_one(tag)
        database.people.insert_many(people_with_tag("tag", PEOPLE))
        delete(store, TAG, "tag")
        first = left(database)
        assert 0 < first < PEOPLE

        with Worker({"MONGODB_URI": store.uri}) as worker:
            wait_until(lambda: left(database) < first)
            worker.kill()
            assert left(database) > 0, "the test has met the moment"
            # The lease ends, as it does after a minute.
            database[DELETIONS].update_many({LEASED: {"$exists": True}}, {"$set": {LEASED: now()}})
            worker.start()
            wait_until(lambda: left(database) == 0)
            assert worker.stop() == 0

        versions = database.people.distinct("version")
        assert versions == [2], "each person was changed once"
        assert database[DELETIONS].count_documents({}) == 1


def left(database: Database) -> int:
    return int(database.people.count_documents({"taggings.tag_id": "tag"}))
