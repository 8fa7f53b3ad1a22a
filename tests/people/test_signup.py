"""The Person Signup Helper and POST /people: a person without an outreach."""

from typing import Any

import pytest
from pymongo.database import Database

from tests.support import factories
from tests.support.client import Client

SIGNUP = "/people/person_signup_helper"


def test_the_response_is_the_person(api: Client) -> None:
    response = api.created(SIGNUP, {"person": factories.person(identifiers=["foreign_system:1"], gender="Male")})

    assert response["identifiers"][1:] == ["foreign_system:1"]
    assert response["gender"] == "Male"
    assert api.follow(response, "self") == response


@pytest.mark.parametrize("path", ["/people", "/people/"])
@pytest.mark.parametrize("bare", [True, False], ids=["a bare person", "the helper's body"])
def test_the_people_collection_accepts_both_forms(api: Client, database: Database, path: str, bare: bool) -> None:
    person = factories.person(given_name="Jane")
    api.created("/tags", {"name": "volunteer"})
    body = {**(person if bare else {"person": person}), "add_tags": ["volunteer"]}

    response = api.created(path, body)

    assert response["given_name"] == "Jane"
    assert len(database.people.find_one()["taggings"]) == 1


def test_the_same_email_is_the_same_person(api: Client, database: Database) -> None:
    address = {"email_addresses": [{"address": "jane@example.com"}]}
    first = api.created(SIGNUP, {"person": address})
    api.recorded(factories.outreach(person=address))
    second = api.created("/people", address | {"given_name": "Jane"})

    assert first["_links"] == second["_links"]
    assert database.people.count_documents({}) == 1


def test_without_a_token_it_fills_empty_fields_and_returns_nothing(api: Client) -> None:
    person = api.created("/people", {"given_name": "Jane", "email_addresses": [{"address": "jane@example.com"}]})
    body = {"person": {"given_name": "Mallory", "family_name": "Doe", "email_addresses": person["email_addresses"]}}

    response = api.post(SIGNUP, body, token=False)

    assert response.data == b"{}"
    after = api.follow(person, "self")
    assert (after["given_name"], after["family_name"]) == ("Jane", "Doe")


def test_the_people_collection_needs_a_token(api: Client, database: Database) -> None:
    assert api.post("/people", factories.person(), token=False).status_code == 401
    assert database.people.count_documents({}) == 0


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        (SIGNUP, {}, "person"),
        (SIGNUP, {"given_name": "Jane"}, "person"),
        ("/people", {}, "person"),
        ("/people", [], "object"),
        ("/people", {"email_addresses": [{"address": "x"}]}, "email_addresses[0].address"),
        ("/people", {"person": {"gender": "robot"}}, "person.gender"),
    ],
)
def test_an_invalid_body_is_rejected(api: Client, database: Database, path: str, body: Any, named: str) -> None:
    response = api.post(path, body)

    assert response.status_code == 400
    assert named in response.json["error"]
    assert database.people.count_documents({}) == 0


def test_ignored_actions_become_warnings(api: Client) -> None:
    body = {"person": factories.person(), "add_tags": ["x"], "triggers": {"autoresponse": {"enabled": True}}}

    assert len(api.created(SIGNUP, body)["osdi_outreach:warnings"]) == 2


def test_the_entry_point_links_the_helper(api: Client) -> None:
    link = api.get("/").json["_links"]["osdi:person_signup_helper"]["href"]

    assert api.created(link, {"person": factories.person()})
