"""Placeholder identifiers, such as `crm:undefined`, match nobody, are not stored, and are reported."""

from typing import Any

import pytest
from pymongo.database import Database

from tests.support import factories
from tests.support.client import Client

WARNINGS = "osdi_outreach:warnings"
PLACEHOLDERS = ["crm:undefined", "crm:null", "crm:None", "crm:NaN", "crm:[object Object]", "crm:nil", "crm:N/A", "crm:"]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("token", [True, False], ids=["with a token", "without"])
@pytest.mark.parametrize("placeholder", PLACEHOLDERS)
def test_two_people_stay_two(api: Client, database: Database, placeholder: str, token: bool) -> None:
    for name in ("ann", "bob"):
        body = factories.by_email(f"{name}@example.com", identifiers=[placeholder])
        assert api.record(body, token=token).status_code == 200
        assert api.post("/people/person_signup_helper", {"person": body["person"]}, token=token).status_code == 200

    assert database.people.count_documents({}) == 2
    for person in database.people.find():
        assert "identifiers" not in person
        assert "claimed_identifiers" not in person
        assert not [key for key in person["match_keys"] if "crm" in key]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("token", [True, False], ids=["with a token", "without"])
@pytest.mark.parametrize("placeholder", PLACEHOLDERS)
def test_two_outreaches_stay_two(api: Client, database: Database, placeholder: str, token: bool) -> None:
    for message in ("one", "two"):
        body = factories.by_email("ann@example.com") | {"identifiers": [placeholder], "message": message}
        assert api.record(body, token=token).status_code == 200

    assert sorted(each["message"] for each in database.outreaches.find()) == ["one", "two"]
    assert database.outreaches.count_documents({"identifiers": {"$exists": True}}) == 0


def test_each_is_reported(api: Client) -> None:
    person = {"email_addresses": [{"address": "ann@example.com"}], "identifiers": ["crm:null", "crm:7"]}

    recorded = api.recorded({"person": person, "identifiers": ["calls:undefined", "calls:1"]})
    signed_up = api.created("/people", {"person": person})

    assert recorded[WARNINGS] == [
        "identifiers: calls:undefined has no id, but a word for a missing value. It was ignored.",
        "person.identifiers: crm:null has no id, but a word for a missing value. It was ignored.",
    ]
    assert recorded["identifiers"][1:] == ["calls:1"]
    assert signed_up[WARNINGS] == recorded[WARNINGS][1:]
    assert signed_up["identifiers"][1:] == ["crm:7"]


@pytest.mark.parametrize("where", ["identifiers", "person.identifiers"])
def test_strict_handling_rejects_them(api: Client, database: Database, where: str) -> None:
    body: dict[str, Any] = factories.outreach()
    (body["person"] if "." in where else body)["identifiers"] = ["crm:undefined"]

    response = api.record(body, headers={"Prefer": "handling=strict"})

    assert response.status_code == 400
    assert f"{where}: crm:undefined" in response.json["error"]
    assert database.people.count_documents({}) == 0


@pytest.mark.parametrize("path", ["/tags", "/lists", "/questions", "/advocacy_campaigns", "/messages", "/wrappers"])
def test_a_named_resource_is_rejected(api: Client, path: str) -> None:
    body = {"name": "River", "title": "River", "identifiers": ["crm:undefined"]}
    kind = {"question_type": "Paragraph"} if path == "/questions" else {}

    response = api.post(path, body | kind)

    assert response.status_code == 400
    assert "crm:undefined" in response.json["error"]


def test_a_put_is_rejected_unless_an_earlier_version_stored_the_placeholder(api: Client, database: Database) -> None:
    href = api.created("/people", {"person": factories.person()})["_links"]["self"]["href"]
    assert api.put(href, {"identifiers": ["crm:undefined"]}).status_code == 400

    database.people.update_one({}, {"$set": {"identifiers": ["crm:undefined"]}})
    assert api.put(href, {"identifiers": ["crm:undefined"], "given_name": "Ann"}).status_code == 200


def test_an_entry_of_a_person_is_rejected(api: Client) -> None:
    person = api.created("/people", {"person": factories.person()})["_links"]["self"]
    tag = api.created("/tags", {"name": "river"})["_links"]["self"]["href"]
    body = {"_links": {"osdi:person": person}, "identifiers": ["crm:null"]}

    assert api.post(f"{tag}/taggings", body).status_code == 400
