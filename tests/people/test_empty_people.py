"""A person without name, contact detail or identifier is nobody: 400, on each route that creates people."""

from typing import Any

import pytest
from pymongo.database import Database

from tests.support.client import Client

PATHS = ["/people", "/people/person_signup_helper", "/advocacy_campaigns/{campaign}/record_outreach_helper"]
NOBODY: list[dict[str, Any]] = [
    {"given_name": "", "email_addresses": [{"address": "", "status": "subscribed"}]},
    {"email_addresses": [{"status": "subscribed"}]},
    {"email_addresses": [{"primary": True, "address_type": "personal"}]},
    {"phone_numbers": [{"number": "", "primary": True}]},
    {"phone_numbers": [{"number_type": "Mobile", "sms_capable": True, "do_not_call": False, "country": "US"}]},
    {"postal_addresses": [{"country": "US", "primary": True, "address_type": "Home"}]},
    {"given_name": "  ", "family_name": "\t"},
    {"identifiers": ["crm:undefined"]},
    {"languages_spoken": ["en"], "source": "form 3", "custom_fields": {"page": "7"}},
    {"profiles": [{"provider": "Twitter"}]},
]


def post(api: Client, path: str, person: dict[str, Any], *, token: bool = True) -> Any:
    return api.post(path.format(campaign=api.campaign_id), {"person": person}, token=token)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("person", NOBODY, ids=[str(each) for each in NOBODY])
def test_a_person_without_content_is_rejected(api: Client, database: Database, path: str, person: Any) -> None:
    for token in (True, False) if path != "/people" else (True,):
        response = post(api, path, person, token=token)
        assert response.status_code == 400
        assert "osdi:error" in response.json

    assert database.people.count_documents({}) == 0


@pytest.mark.parametrize("name", ["given_name", "email_addresses", "phone_numbers", "postal_addresses", "identifiers"])
def test_the_error_lists_the_names_that_would_count(api: Client, name: str) -> None:
    assert name in post(api, PATHS[0], {"source": "form"}).json["error"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "person",
    [
        *({name: "Jane"} for name in ("given_name", "family_name", "additional_name")),
        {"email_addresses": [{"status": "subscribed"}, {"address": "jane@example.com"}]},
        {"phone_numbers": [{"number": "+16175550123"}]},
        {"postal_addresses": [{"postal_code": "02134"}]},
        {"profiles": [{"provider": "Twitter", "handle": "jane"}]},
        {"identifiers": ["crm:1"]},
    ],
    ids=str,
)
def test_one_of_these_is_enough(api: Client, path: str, person: dict[str, Any]) -> None:
    assert post(api, path, person).status_code == 200


def test_a_linked_person_needs_no_content(api: Client, database: Database) -> None:
    ann = post(api, PATHS[0], {"email_addresses": [{"address": "ann@example.com"}]}).json["_links"]["self"]
    status = {"email_addresses": [{"status": "unsubscribed"}]}

    api.recorded({"_links": {"osdi:person": ann}, "person": status})

    assert database.people.find_one()["email_addresses"][0]["status"] == "unsubscribed"
