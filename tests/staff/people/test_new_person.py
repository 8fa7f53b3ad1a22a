"""The form for a new person: the rules of the API, no consent, and nobody twice."""

import re
from typing import Any

import pytest

from osdi.match_keys import email_key
from osdi.store import Store
from osdi.suppression.suppression_list import suppression_list
from tests.staff.conftest import StaffBrowser, latest_events
from tests.staff.people.test_people import HOSTILE, stored
from tests.support.client import Client

NEW = "/staff/people/new"


def created(browser: StaffBrowser, api: Client, **fields: str) -> dict[str, Any]:
    """Sends the form, and returns the person that it created."""
    response = browser.post(NEW, fields)
    assert response.status_code == 303, response.text
    found = re.match(r"/staff/people/([^?]+)\?done=person_created", response.headers["Location"])
    assert found
    return dict(api.get(f"/people/{found[1]}").json)


def values(text: str) -> dict[str, str]:
    """The values of the form's filled text fields."""
    return {name: value for name, value in re.findall(r'name="(\w+)" type="text" value="([^"]*)"', text) if value}


def test_creates_a_person_with_these_details(ada: StaffBrowser, api: Client, store: Store) -> None:
    person = created(
        ada,
        api,
        given_name=" Jane ",
        family_name="Doe",
        address="Jane@example.com",
        number="+1 202 555 0123",
        postal_code="12345",
        locality="Springfield",
    )

    assert (person["given_name"], person["family_name"]) == ("Jane", "Doe")
    assert person["email_addresses"][0]["address"] == "Jane@example.com"
    assert person["postal_addresses"][0]["locality"] == "Springfield"
    assert latest_events(store, 1)[0]["action"] == "add_person"


def test_says_nothing_about_consent(ada: StaffBrowser, api: Client) -> None:
    person = created(ada, api, address="jane@example.com", number="+12025550123", status="subscribed")

    assert "status" not in person["email_addresses"][0]
    assert {"do_not_call", "sms_capable"}.isdisjoint(person["phone_numbers"][0])


def test_obeys_the_suppression_list(ada: StaffBrowser, api: Client, store: Store) -> None:
    suppression_list(store).opt_out_of_mail(email_key("jane@example.com"), "link")

    person = created(ada, api, address="jane@example.com")

    assert person["email_addresses"][0]["status"] == "unsubscribed"


@pytest.mark.parametrize(
    "fields", [{"address": "JANE@example.com"}, {"given_name": "Jane", "family_name": "Doe", "number": "+12025550123"}]
)
def test_changes_nobody_who_is_stored_already(ada: StaffBrowser, api: Client, fields: dict[str, str]) -> None:
    contacts = {"email_addresses": [{"address": "jane@example.com"}], "phone_numbers": [{"number": "+12025550123"}]}
    jane = stored(api, given_name="Jane", family_name="Doe", **contacts)
    before = api.get(f"/people/{jane}").json

    response = ada.post(NEW, {**fields, "locality": "Springfield"})

    assert (response.status_code, f'href="/staff/people/{jane}"' in response.text) == (409, True)
    assert values(response.text)["locality"] == "Springfield"
    assert api.get(f"/people/{jane}").json == before
    assert api.get("/people").json["total_records"] == 1


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, "given_name"),
        ({"address": "no address"}, "address"),
        ({"given_name": "x" * 5000}, "given_name"),
        ({"given_name": "Jane", "postal_code": "1" * 5000}, "postal_code"),
        ({"given_name": "   "}, "given_name"),
        ({"given_name": "\x00"}, "given_name"),
    ],
)
def test_shows_an_error_at_its_field_and_keeps_what_was_typed(
    ada: StaffBrowser, api: Client, fields: dict[str, str], wrong: str
) -> None:
    response = ada.post(NEW, {"family_name": "", **fields})

    assert (response.status_code, f'id="{wrong}-error"' in response.text) == (422, True)
    assert api.get("/people").json["total_records"] == 0


def test_shows_hostile_texts_as_text(ada: StaffBrowser) -> None:
    text = ada.post(NEW, {"given_name": HOSTILE, "address": HOSTILE}).text

    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert" not in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jane@example.com", {"address": "jane@example.com"}),
        ("+1 202 555 0123", {"number": "+1 202 555 0123"}),
        ("Jane", {"given_name": "Jane"}),
        ("Jane van Doe", {"given_name": "Jane van", "family_name": "Doe"}),
        ("", {}),
    ],
)
def test_begins_with_the_text_of_the_search(ada: StaffBrowser, text: str, expected: dict[str, str]) -> None:
    assert values(ada.get(NEW, query_string={"text": text}).text) == expected
