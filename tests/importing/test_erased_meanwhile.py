"""An erasure wins against an import that is running: the import does not create the erased person again.

Each test stops one row at one place, erases its person, and lets the row go on.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.ids import now
from osdi.importing.batches import row_batches
from osdi.importing.csv_files.column_mapping import OUTREACHES, PEOPLE
from osdi.importing.importer import ERASED, Choices, row_importers
from osdi.importing.report import Outcome
from osdi.importing.sources import Item
from osdi.match_keys import email_key, id_key
from osdi.privacy.erasure import erase
from osdi.settings import Settings
from osdi.store import Insert, Store
from schemas.import_bodies import load_body
from tests.support.client import Client
from tests.support.databases import own_database
from tests.support.factories import RULES
from tests.support.planted import MARKER, traces

ADDRESS = f"{MARKER}@example.com"
DATABASE = "erased_meanwhile"
ERASED_ID, CAMPAIGN_ID = "erased", "campaign"

PERSON = {"identifiers": ["crm:7"], "given_name": MARKER, "email_addresses": [{"address": ADDRESS}]}
BODIES = {PEOPLE: {"person": PERSON}, OUTREACHES: {"person": PERSON, "message": MARKER}}


@pytest.fixture(params=["replica set", "standalone"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A store with the person who will be erased, and a campaign."""
    server: Mongod = request.getfixturevalue("mongod" if request.param == "replica set" else "standalone")
    with own_database(server.uri, DATABASE) as (found, _):
        insert_person(found, ERASED_ID, email_key(ADDRESS))
        found.write(Insert("advocacy_campaigns", {"_id": CAMPAIGN_ID, "version": 1, "match_keys": [id_key("c")]}))
        yield found


def insert_person(store: Store, person_id: str, key: str) -> None:
    dates = {"version": 1, "created_date": now(), "modified_date": now()}
    addresses = {"email_addresses": [{"address": ADDRESS}], "contact_keys": [key]} if key == email_key(ADDRESS) else {}
    store.write(Insert("people", {"_id": person_id, **dates, **addresses, "match_keys": [key, id_key(person_id)]}))


def prepared(store: Store, kind: str, **choices: Any) -> Callable[[], Outcome]:
    """A row that is about the person, prepared by an importer on the store."""
    settings = Settings(mongodb_uri=store.uri, cache_seconds=0)
    importer = row_importers(store, settings, load_body, Choices(CAMPAIGN_ID, **choices), (kind,))[kind]
    item = Item(1, b"", BODIES[kind])
    loaded = importer.with_campaign(item, importer.loader.load(item))
    found = importer.prepare(loaded, importer.directly)
    assert found.attempt is not None
    return partial(found.attempt, importer.directly)


def erase_person(store: Store) -> None:
    erase(store, ERASED_ID, RULES, "delete")


def once(act: Callable[[], None]) -> Callable[[], None]:
    acts = iter([act])
    return lambda: next(acts, lambda: None)()


def before(method: str) -> Callable[[Store, pytest.MonkeyPatch], None]:
    """Returns a function that erases the person when the row's attempt calls this method of the store."""

    def interleave(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        original, erase_once = getattr(store, method), once(lambda: erase_person(store))

        def erase_first(*given: Any) -> Any:
            erase_once()
            return original(*given)

        monkeypatch.setattr(store, method, erase_first)

    return interleave


def after_matching(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    original, erase_once = store.by_match_keys_and_ids, once(lambda: erase_person(store))

    def read_first(*given: Any) -> Any:
        found = original(*given)
        erase_once()
        return found

    monkeypatch.setattr(store, "by_match_keys_and_ids", read_first)


PLACES = {
    "after it was prepared": lambda store, _: erase_person(store),
    "before it is matched": before("by_match_keys_and_ids"),
    "after it was matched": after_matching,
    "before it is written": before("write"),
}


@pytest.mark.one_in(5)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", [PEOPLE, OUTREACHES])
def test_a_row_does_not_bring_back_a_person_who_is_erased(
    store: Store, monkeypatch: pytest.MonkeyPatch, kind: str, place: str
) -> None:
    row = prepared(store, kind)
    with monkeypatch.context() as patch:
        PLACES[place](store, patch)
        outcome = row()

    assert outcome.rejected == ERASED
    assert traces(store.connect()[DATABASE]) == {}


def test_a_row_does_not_add_an_erased_address_to_another_person(store: Store) -> None:
    """The row's identifier belongs to somebody else."""
    insert_person(store, "another", id_key("crm:7"))
    row = prepared(store, PEOPLE)
    erase_person(store)

    assert row().rejected == ERASED
    assert traces(store.connect()[DATABASE]) == {}


def test_a_row_is_imported_if_the_import_includes_erased_people(store: Store) -> None:
    row = prepared(store, PEOPLE, include_erased=True)
    erase_person(store)

    assert row().person == "created"


@pytest.mark.parametrize("place", ["before a batch reads the person", "after a batch has read the person"])
def test_a_running_import_of_a_file_skips_and_reports_the_person(
    app: Flask, api: Client, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    person = api.created("/people", {"given_name": MARKER, "email_addresses": [{"address": ADDRESS}]})
    file = tmp_path / "people.csv"
    file.write_text(f"email,last_name\n{ADDRESS},New\n")
    original = row_batches.read_ahead
    erase_once = once(lambda: api.delete(f"{person['_links']['self']['href']}?erase=true"))

    def read_ahead(*given: Any) -> None:
        if place.startswith("before"):
            erase_once()
        original(*given)
        erase_once()

    monkeypatch.setattr(row_batches, "read_ahead", read_ahead)
    result = app.test_cli_runner().invoke(args=["import", "people", str(file)])

    assert result.exit_code == 0, result.output
    assert file.with_name("people.rejected.csv").read_text().splitlines()[1].startswith(f"2,{ERASED},")
    assert database.people.count_documents({}) == 0
