"""The store of a dry run returns its pending writes as if they were stored, and does not change the database.

tests/store/test_store.py tests the behaviour that all stores share.
"""

from collections.abc import Iterator

import pytest
from pymongo.database import Database

from osdi.documents import Document
from osdi.ids import new_id
from osdi.importing.dry_run_store import DryRunStore
from osdi.settings import Settings
from osdi.store import Delete, Insert, Replace, Store, Update, Write


@pytest.fixture
def trial(settings: Settings, store: Store) -> Iterator[DryRunStore]:
    opened = DryRunStore(settings.mongodb_uri)
    yield opened
    opened.close()


def document(*keys: str, **fields: object) -> Document:
    return {"_id": new_id(), "version": 1, "match_keys": list(keys), **fields}


def test_pending_writes_are_returned_and_not_stored(trial: DryRunStore, store: Store, database: Database) -> None:
    inserted, stored = document("email:a"), document("email:b", name="B")
    store.write(Insert("people", stored))
    before = list(database.people.find())

    trial.write(Insert("people", inserted), Update("people", stored["_id"], 1, {"match_keys": ["email:b", "email:c"]}))

    changed = {**stored, "version": 2, "match_keys": ["email:b", "email:c"]}
    assert trial.get("people", inserted["_id"]) == inserted
    assert trial.by_ids("people", [stored["_id"], inserted["_id"]]) == [changed, inserted]
    assert trial.by_match_keys("people", ["email:a", "email:b", "email:c"]) == [inserted, changed]
    assert trial.by_match_keys("tags", ["email:a"]) == []
    assert list(database.people.find()) == before


@pytest.mark.parametrize("write", [Delete("people", "x", 1), Replace("people", {"_id": "x"})])
def test_delete_and_replace_are_errors(trial: DryRunStore, write: Write) -> None:
    with pytest.raises(NotImplementedError):
        trial.write(write)


def test_writes_by_a_query_are_errors(trial: DryRunStore, store: Store, database: Database) -> None:
    store.write(Insert("people", document("email:a")))
    before = list(database.people.find())

    with pytest.raises(NotImplementedError):
        trial.update_many("people", {}, {"$set": {"name": "A"}})
    with pytest.raises(NotImplementedError):
        trial.delete_many("people", {})
    with pytest.raises(NotImplementedError):
        trial.apply(Insert("people", document("email:b")), {})
    assert list(database.people.find()) == before


def test_queries_find_only_stored_documents(trial: DryRunStore, store: Store) -> None:
    stored = document("email:a", name="A")
    store.write(Insert("people", stored))
    trial.write(Insert("people", document("email:b", name="B")))

    assert trial.find("people", {}) == [stored]
    assert trial.count("people", {"name": "B"}) == 0
