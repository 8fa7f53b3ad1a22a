"""The deletion of a tag, list or question of many people: the response comes at once, a worker completes it."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from flask import Flask
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION
from osdi.crud import delete as deletions
from osdi.crud import entry_removal
from osdi.crud.delete import CACHED, complete_next_deletion
from osdi.crud.entry_removal import Removal
from osdi.crud.subresources import ANSWERS, KINDS, TAGGINGS, Embedded
from osdi.crud.unlink_store import LEASE
from osdi.exporting.export import ExportQuery, csv, ndjson
from osdi.hal import Hal
from osdi.ids import new_id, now
from osdi.privacy.person_export import person_export
from osdi.resources import PERSON
from osdi.settings import Settings
from osdi.staff.people.person_page import entries_of
from osdi.store import Store
from osdi.store.indexes import DELETIONS
from osdi.store.store import SETTLED
from tests.support import factories
from tests.support.client import Client

PEOPLE: Final = 7
BATCH: Final = 2
LATER: Final = dt.timedelta(seconds=1)
HAL: Final = Hal("http://localhost", "osdi_outreach")


@dataclass(frozen=True)
class Case:
    """A kind of entry, the body of what it points at, and the part of a helper's body that adds an entry."""

    kind: Embedded
    body: dict[str, Any]
    helper: dict[str, Any]

    @property
    def collection(self) -> str:
        return self.kind.parent.collection

    @property
    def array(self) -> str:
        return self.kind.array


QUESTION: Final = {
    "title": "What moves you?",
    "question_type": "MultiChoice",
    "responses": [{"key": "river", "title": "The river"}],
    "identifiers": ["crm:moves"],
}
CASES: Final = (
    Case(KINDS[0], {"name": "volunteer"}, {"add_tags": ["volunteer"]}),
    Case(KINDS[1], {"name": "supporters"}, {"add_lists": ["supporters"]}),
    Case(KINDS[2], QUESTION, {"add_questions_responses_uri": [{"question": "crm:moves", "responses": ["river"]}]}),
)
each_case = pytest.mark.parametrize("case", CASES, ids=[case.array for case in CASES])


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch has two people, and no request or call of a worker removes more than one."""
    monkeypatch.setattr(entry_removal, "BATCH", BATCH)
    monkeypatch.setattr(deletions, "REQUEST_SECONDS", 0)
    monkeypatch.setattr(deletions, "WORKER_SECONDS", 0)


@pytest.fixture
def other_process(app: Flask, api: Client, store: Store) -> Iterator[Client]:
    """A client of another process, which caches tags, lists and questions for a minute."""
    other = create_app(Settings(mongodb_uri=store.uri, cache_seconds=60, **factories.UNLIMITED))
    client = Client(other.test_client(), api.token)
    client.campaign_id = api.campaign_id
    yield client
    other.extensions[EXTENSION].store.close()


def id_of(resource: dict[str, Any]) -> str:
    return str(resource["_links"]["self"]["href"].rsplit("/", 1)[1])


def deleted(api: Client, case: Case) -> str:
    """Records people with an entry, and deletes the tag, list or question; returns its id."""
    created = api.created(f"/{case.collection}", case.body)
    for number in range(PEOPLE):
        api.recorded(factories.outreach(person=factories.person(given_name=f"{number}"), **case.helper))
    assert api.delete(created["_links"]["self"]["href"]).status_code == 200
    return id_of(created)


def left(database: Database, case: Case) -> int:
    return int(database.people.count_documents({f"{case.array}._id": {"$exists": True}}))


def complete_deletions(store: Store, after: dt.timedelta = LATER) -> int:
    """Lets a worker do what is due at that time; returns the number of calls."""
    for calls in range(100):
        if not complete_next_deletion(store, now() + after):
            return calls
    raise AssertionError("The worker does not come to an end.")


@each_case
def test_a_request_removes_a_batch_and_a_worker_the_others(
    api: Client, store: Store, database: Database, case: Case
) -> None:
    deleted(api, case)
    assert left(database, case) == PEOPLE - BATCH
    versions = {each["_id"]: each["version"] for each in database.people.find({f"{case.array}._id": {"$exists": True}})}

    calls = complete_deletions(store)

    assert left(database, case) == 0
    assert calls == 3
    changed = {each["_id"]: each["version"] - 1 for each in database.people.find({"_id": {"$in": list(versions)}})}
    assert changed == versions
    assert database[DELETIONS].count_documents({}) == 1, "links that are written late are removed later"
    complete_deletions(store, SETTLED + LATER)
    complete_deletions(store, CACHED + LATER)
    assert database[DELETIONS].count_documents({}) == 0


@each_case
def test_no_reading_shows_an_entry_before_it_is_removed(
    api: Client, store: Store, database: Database, case: Case
) -> None:
    parent_id = deleted(api, case)
    person = database.people.find_one({f"{case.array}._id": {"$exists": True}})
    assert person is not None
    entry_id = person[case.array][0]["_id"]
    of_parent = f"/{case.collection}/{parent_id}"
    one = f"{of_parent}/{case.array}/{entry_id}"

    assert api.get(of_parent).status_code == 404
    assert api.get(f"{of_parent}/{case.array}").status_code == 404
    assert api.get(one).status_code == 404
    assert api.put(one, {}).status_code == 404
    assert api.delete(one).status_code == 404
    assert api.get(f"/people/{person['_id']}/{case.array}").json["total_records"] == 0
    assert api.get(f"/people/{person['_id']}/{case.array}/{entry_id}").status_code == 404
    for export in (csv, lambda query: ndjson(query, HAL)):
        for resource in (PERSON, case.kind.resource):
            text = b"".join(part.text for part in export(ExportQuery(store, resource, {}))).decode()
            assert parent_id not in text
            assert entry_id not in text
    assert person_export(store, HAL, person, factories.RULES)[case.array] == []
    assert entries_of(store, case.kind, person) == ()


class Died(BaseException):
    """The process ends."""


def die(*_: object) -> None:
    raise Died


@each_case
def test_another_worker_continues_after_the_lease_of_one_that_died(
    api: Client, store: Store, database: Database, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted(api, case)

    with monkeypatch.context() as patch:
        patch.setattr(entry_removal, "pull_entries", die)
        with pytest.raises(Died):
            complete_next_deletion(store, now() + LATER)
    assert complete_deletions(store) == 0, "the other worker may be alive"
    assert left(database, case) == PEOPLE - BATCH

    complete_deletions(store, LEASE + 2 * LATER)

    assert left(database, case) == 0


def test_a_worker_completes_a_deletion_whose_request_died(
    api: Client, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(entry_removal, "pull_entries", die)
        with pytest.raises(Died):
            deleted(api, CASES[0])

    complete_deletions(store, SETTLED + LATER)

    assert left(database, CASES[0]) == 0


@each_case
@pytest.mark.parametrize("known", [False, True], ids=["new person", "person with the new one"])
def test_a_new_one_of_the_same_name_gets_the_entries_that_another_process_adds_to_the_old_one(
    api: Client, store: Store, database: Database, other_process: Client, case: Case, known: bool
) -> None:
    created = api.created(f"/{case.collection}", case.body)
    other_process.recorded(_post("old", case))
    api.delete(created["_links"]["self"]["href"])
    new = api.created(f"/{case.collection}", case.body)
    if known:
        api.recorded(_post("jane", case))
    other_process.recorded(_post("jane", case))
    assert database.people.count_documents({f"{case.array}.{case.kind.field}": id_of(created)}) == 1

    complete_deletions(store, SETTLED + LATER)

    (person,) = database.people.find({f"{case.array}._id": {"$exists": True}})
    assert person["email_addresses"][0]["address"] == "jane@example.com"
    assert {each[case.kind.field] for each in person[case.array]} == {id_of(new)}
    assert len(person[case.array]) == (2 if known and case.kind.several else 1)
    assert api.get(f"/people/{person['_id']}/{case.array}").json["total_records"] == len(person[case.array])
    assert api.follow(new, f"osdi:{case.array}")["total_records"] == len(person[case.array])


def _post(name: str, case: Case) -> dict[str, Any]:
    return factories.by_email(f"{name}@example.com") | case.helper


OLD, NEW, OTHER = "old", "new", "other"
BEFORE, AFTER = dt.datetime(2026, 3, 1, 12), dt.datetime(2026, 3, 1, 13)
SUCCESSOR: Final = {"_id": NEW, "created_date": dt.datetime(2026, 3, 1, 12, 30)}


def entry(entry_id: str, parent: str = OLD, created: dt.datetime | None = AFTER) -> dict[str, Any]:
    return {"_id": entry_id, "tag_id": parent, "question_id": parent, **({"created_date": created} if created else {})}


@pytest.mark.parametrize(
    ("kind", "entries", "successor", "removed", "moved"),
    [
        (TAGGINGS, [entry("x"), entry("y", OTHER)], None, ["x"], []),
        (TAGGINGS, [entry("x", created=BEFORE)], SUCCESSOR, ["x"], []),
        (TAGGINGS, [entry("x", created=None)], SUCCESSOR, ["x"], []),
        (TAGGINGS, [entry("x")], SUCCESSOR, [], ["x"]),
        (TAGGINGS, [entry("a", created=SUCCESSOR["created_date"])], SUCCESSOR, ["a"], []),
        (TAGGINGS, [entry("x", created=SUCCESSOR["created_date"])], SUCCESSOR, [], ["x"]),
        (TAGGINGS, [entry("x"), entry("y", NEW)], SUCCESSOR, ["x"], []),
        (TAGGINGS, [entry("w"), entry("x")], SUCCESSOR, ["x"], ["w"]),
        (ANSWERS, [entry("w", created=BEFORE), entry("x"), entry("y", NEW)], SUCCESSOR, ["w"], ["x"]),
    ],
)
def test_what_happens_to_the_entries_of_a_person(
    kind: Embedded,
    entries: list[dict[str, Any]],
    successor: dict[str, Any] | None,
    removed: list[str],
    moved: list[str],
) -> None:
    found = Removal.of(kind, entries, OLD, successor)

    assert (list(found.removed), dict(found.moved)) == (removed, dict.fromkeys(moved, NEW))


def people_with_tag(tag_id: str, number: int) -> Iterator[dict[str, Any]]:
    for _ in range(number):
        person_id = new_id()
        yield {
            "_id": person_id,
            "version": 1,
            "match_keys": [f"id:osdi_outreach:{person_id}"],
            "created_date": now(),
            "modified_date": now(),
            "taggings": [{"_id": new_id(), "tag_id": tag_id, "created_date": now(), "modified_date": now()}],
        }


def test_the_response_comes_before_many_entries_are_removed(
    api: Client, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry_removal, "BATCH", 100)
    tag = api.created("/tags", {"name": "volunteer"})
    database.people.insert_many(people_with_tag(id_of(tag), 1_000))

    assert api.delete(tag["_links"]["self"]["href"]).status_code == 200

    assert database.people.count_documents({"taggings.tag_id": id_of(tag)}) == 900
    assert api.get("/people?filter=modified_date ge '2020-01-01'").json["total_records"] == 1_000
    assert complete_deletions(store) == 9 + 1
