"""A search by contact detail finds all people who have it, whether or not they own the match key."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo.database import Database

from osdi.ids import new_id
from osdi.match_keys import email_key
from osdi.people import lookup
from osdi.people.lookup import find_people_by_contact
from osdi.store import Insert, Store
from tests.support import factories
from tests.support.client import Client
from tests.support.profiled import profiled

JANE = "email:jane@example.com"


@pytest.fixture(params=["mongod", "memory"])
def anywhere(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A store on a replica set, then one in memory."""
    if request.param == "mongod":
        yield request.getfixturevalue("store")
        return
    store = Store("mongomock://")
    store.create_indexes()
    yield store
    store.close()


def person(store: Store, *contact_keys: str, owns: tuple[str, ...] = ()) -> str:
    """Creates a person with these contact keys, who owns some of them; returns the id."""
    person_id = new_id()
    document: dict[str, Any] = {"_id": person_id, "version": 1, "match_keys": [f"id:ns:{person_id}", *owns]}
    store.write(Insert("people", document | ({"contact_keys": list(contact_keys)} if contact_keys else {})))
    return person_id


def found(store: Store, key: str) -> set[str]:
    return {each["_id"] for each in find_people_by_contact(store, key)}


def test_all_people_with_the_contact_detail_are_found(anywhere: Store) -> None:
    owner = person(anywhere, JANE, "phone:12025550123", owns=(JANE,))
    other = person(anywhere, "email:other@example.com", JANE)
    person(anywhere, "email:jane@example.org")
    person(anywhere)

    assert found(anywhere, JANE) == {owner, other}
    assert found(anywhere, "phone:12025550123") == {owner}


@pytest.mark.parametrize("key", ["email:nobody@example.com", "email:", "", "$ne", "jane@example.com"])
def test_other_people_are_not_found(anywhere: Store, key: str) -> None:
    person(anywhere, JANE)
    person(anywhere)

    assert find_people_by_contact(anywhere, key) == []


def test_a_found_person_has_all_fields(anywhere: Store) -> None:
    person_id = person(anywhere, JANE)

    assert find_people_by_contact(anywhere, JANE) == [anywhere.get("people", person_id)]


def test_the_number_of_found_people_is_limited(anywhere: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "MAX_PEOPLE", 3)
    for _ in range(5):
        person(anywhere, JANE)

    assert len(find_people_by_contact(anywhere, JANE)) == 3


def test_people_are_found_after_every_kind_of_request(api: Client, store: Store, database: Database) -> None:
    """People come from the helper with and without a token, from POST and from PUT, in any letter case."""
    api.recorded(factories.by_email("jane@example.com"))
    sharing = api.recorded(factories.outreach())["_links"]["osdi:person"]["href"]
    api.put(sharing, {"email_addresses": [{"address": "JANE@Example.com"}]})
    api.record(factories.by_email("john@example.com"), token=False)
    api.created("/people", {"email_addresses": [{"address": "jo@example.com"}, {"address": "jim@example.com"}]})

    counts = {
        name: len(find_people_by_contact(store, email_key(f"{name}@example.com")))
        for name in ("jane", "john", "jo", "jim", "x")
    }

    assert counts == {"jane": 2, "john": 1, "jo": 1, "jim": 1, "x": 0}
    api.put(sharing, {"email_addresses": None})
    assert len(find_people_by_contact(store, JANE)) == 1


def test_no_other_person_is_read(store: Store, database: Database) -> None:
    for number in range(30):
        person(store, f"email:person{number}@example.com")
    person(store, JANE)

    with profiled(database) as operations:
        find_people_by_contact(store, JANE)

    assert [(each.collection, each.plan, each.read) for each in operations] == [
        ("people", "IXSCAN { contact_keys: 1 }", 1)
    ]
