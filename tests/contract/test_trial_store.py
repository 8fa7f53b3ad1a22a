"""A store that writes nothing answers as if it had written."""

from collections.abc import Iterator

import pytest
from pymongo.database import Database

from osdi.documents import Document
from osdi.errors import DuplicateKey, WriteConflict
from osdi.ids import new_id
from osdi.importing.dry_run_store import DryRunStore
from osdi.settings import Settings
from osdi.store import Delete, Insert, Store, Update


@pytest.fixture
def trial(settings: Settings, store: Store) -> Iterator[DryRunStore]:
    opened = DryRunStore(settings.mongodb_uri)
    yield opened
    opened.close()


def document(*keys: str, **fields: object) -> Document:
    return {"_id": new_id(), "version": 1, "match_keys": list(keys), **fields}


def test_what_would_be_written_is_read_and_not_there(trial: DryRunStore, store: Store, database: Database) -> None:
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


@pytest.mark.parametrize("in_trial", [True, False])
def test_a_key_is_owned_once(trial: DryRunStore, store: Store, in_trial: bool) -> None:
    (trial if in_trial else store).write(Insert("people", document("email:a")))

    with pytest.raises(DuplicateKey):
        trial.write(Insert("people", document("email:a")))


def test_of_several_writes_all_would_be_done_or_none(trial: DryRunStore) -> None:
    trial.write(Insert("outreaches", document("id:1")))
    person = document("email:a")

    with pytest.raises(DuplicateKey):
        trial.write(Insert("people", person), Insert("outreaches", document("id:1")))

    assert trial.get("people", person["_id"]) is None


def test_an_update_holds_for_its_version_only(trial: DryRunStore, store: Store) -> None:
    stored = document("email:a")
    store.write(Insert("people", stored))
    trial.write(Update("people", stored["_id"], 1, {"name": "A"}))

    with pytest.raises(WriteConflict):
        trial.write(Update("people", stored["_id"], 1, {"name": "B"}))


def test_a_trial_deletes_nothing(trial: DryRunStore) -> None:
    with pytest.raises(NotImplementedError):
        trial.write(Delete("people", "x", 1))
