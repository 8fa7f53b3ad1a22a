"""A phone number alone is no proof: members of a household, and colleagues at one number, stay different people."""

from typing import Any

import pytest
from pymongo.database import Database

from tests.support import factories
from tests.support.client import Client

PHONE = "+1 202 555 0101"
KEY = "phone:12025550101"
JANE: dict[str, Any] = {"given_name": "Jane", "family_name": "Doe"}
JOHN: dict[str, Any] = {"given_name": "John", "family_name": "Doe"}


def at(number: str = PHONE, **fields: Any) -> dict[str, Any]:
    """Returns a helper's body whose person has only a phone number and these fields."""
    return factories.outreach(person={"phone_numbers": [{"number": number}], **fields})


def people(database: Database) -> list[dict[str, Any]]:
    return list(database.people.find(sort=[("_id", 1)]))


@pytest.mark.one_in(5)
@pytest.mark.parametrize("token", [True, False], ids=["with a token", "without"])
@pytest.mark.parametrize(
    ("first", "second", "number"),
    [
        (JANE, JANE, 1),
        (JANE, {"given_name": "JANE", "family_name": "dóe"}, 1),
        ({"given_name": "José"}, {"given_name": "Jose"}, 1),
        (JANE, {}, 1),
        ({}, JANE, 1),
        (JANE, {"given_name": "Jane"}, 1),
        (JANE, JOHN, 2),
        (JANE, {"given_name": "Jane", "family_name": "Roe"}, 2),
        ({"given_name": "Jane"}, JOHN, 2),
    ],
)
def test_another_name_is_another_person(
    api: Client, database: Database, token: bool, first: dict[str, Any], second: dict[str, Any], number: int
) -> None:
    for each in (first, second):
        assert api.record(at(**each), token=token).status_code == 200

    assert len(people(database)) == number
    assert database.outreaches.count_documents({}) == 2


@pytest.mark.parametrize(
    ("first", "second", "number"),
    [
        (["van:1"], ["van:2"], 2),
        (["van:1"], ["crm:1"], 1),
        (["van:1", "crm:1"], ["van:2", "crm:2"], 2),
        (["van:1", "van:2"], ["van:3"], 2),
        (["van:1"], [], 1),
        ([], ["van:1"], 1),
    ],
)
def test_another_id_of_the_same_system_is_another_person(
    api: Client, database: Database, first: list[str], second: list[str], number: int
) -> None:
    for identifiers in (first, second):
        api.recorded(at(**JANE, identifiers=identifiers))

    assert len(people(database)) == number


def test_the_second_person_does_not_own_the_number_and_is_a_probable_duplicate(api: Client, database: Database) -> None:
    api.recorded(at(**JANE))
    api.recorded(at(**JOHN))

    jane, john = people(database)
    assert KEY in jane["match_keys"]
    assert "maybe_duplicate" not in jane
    assert KEY not in john["match_keys"]
    assert john["unclaimed_keys"] == [KEY]
    assert john["maybe_duplicate"] is True
    group = api.get("/people/duplicates").json["duplicates"][0]
    assert group["by"] == ["phone_number"]
    assert len(group["_embedded"]["osdi:people"]) == 2


@pytest.mark.parametrize("token", [True, False], ids=["with a token", "without"])
def test_each_person_at_a_number_is_found_again(api: Client, database: Database, token: bool) -> None:
    for _ in range(3):
        for name in (JANE, JOHN, {"given_name": "Kim", "family_name": "Doe"}):
            assert api.record(at(**name), token=token).status_code == 200

    found = people(database)
    assert [each["given_name"] for each in found] == ["Jane", "John", "Kim"]
    assert [database.outreaches.count_documents({"person_id": each["_id"]}) for each in found] == [3, 3, 3]


def test_a_person_at_a_shared_number_is_found_again_after_a_put(api: Client, database: Database) -> None:
    api.recorded(at(**JANE))
    john = api.recorded(at(**JOHN))["_links"]["osdi:person"]["href"]
    api.put(john, {"given_name": "Johnny", "phone_numbers": [{"number": PHONE}]})
    api.recorded(at(given_name="Johnny", family_name="Doe"))

    assert [each["given_name"] for each in people(database)] == ["Jane", "Johnny"]


def test_a_post_without_a_name_is_of_the_owner_of_the_number(api: Client, database: Database) -> None:
    jane = api.recorded(at(**JANE))["_links"]["osdi:person"]
    api.recorded(at(**JOHN))

    assert api.recorded(at())["_links"]["osdi:person"] == jane


def test_an_anonymous_claim_of_another_id_does_not_divide_a_person(api: Client, database: Database) -> None:
    api.recorded(at(**JANE, identifiers=["van:1"]))
    api.record(at(**JANE, identifiers=["crm:9"]), token=False)
    api.recorded(at(**JANE, identifiers=["crm:1"]))

    assert len(people(database)) == 1


EXTENSIONS = ["ext. 23", "x23", ";ext=23", "extension 23", "#23"]


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("extension_first", [True, False])
def test_an_extension_is_no_part_of_the_number(
    api: Client, database: Database, extension: str, extension_first: bool
) -> None:
    numbers = [f"{PHONE} {extension}", PHONE]
    for number in numbers if extension_first else reversed(numbers):
        api.recorded(at(number, given_name="Ann"))

    (ann,) = people(database)
    assert ann["phone_numbers"] == [{"number": PHONE, "extension": "23"}]
    assert KEY in ann["match_keys"]


def test_two_extensions_of_one_number_are_two_entries(api: Client, database: Database) -> None:
    api.recorded(at(f"{PHONE} x1", given_name="Ann"))
    api.recorded(at(f"{PHONE} x2", given_name="Ann"))

    (ann,) = people(database)
    assert [each["extension"] for each in ann["phone_numbers"]] == ["1", "2"]


@pytest.mark.parametrize("searched", [PHONE, f"{PHONE} x23", "+12025550101;ext=7"])
def test_a_filter_ignores_extensions(api: Client, searched: str) -> None:
    api.recorded(at(f"{PHONE} ext. 23", given_name="Ann"))

    assert api.get("/people", query_string={"filter": f"phone_number eq '{searched}'"}).json["total_records"] == 1


@pytest.mark.parametrize(
    ("country", "number", "international"),
    [
        ("USA", "617-555-0199", "+1 617 555 0199"),
        ("United States", "(415) 555-0199", "+1 415 555 0199"),
        ("Canada", "514 555 0199", "+1 514 555 0199"),
        ("UK", "020 7946 0199", "+44 20 7946 0199"),
        ("Deutschland", "030 901820", "+49 30 901820"),
        ("Österreich", "01 5011170", "+43 1 5011170"),
        ("usa", "617-555-0199", "+1 617 555 0199"),
    ],
)
def test_a_number_is_read_in_the_country_that_is_named(
    api: Client, database: Database, country: str, number: str, international: str
) -> None:
    body = at(given_name="Ann")
    body["person"]["phone_numbers"] = [{"number": number, "country": country}]
    api.recorded(body)
    api.recorded(at(international, given_name="Ann"))

    assert len(people(database)) == 1
