"""An outreach identifier that comes again: a retry, the same person with other content, or another person."""

from typing import Any

import pytest
from pymongo.database import Database

from tests.support import factories
from tests.support.client import Client

WARNINGS = "osdi_outreach:warnings"
ANN: dict[str, Any] = {"given_name": "Ann", "family_name": "Lee", "email_addresses": [{"address": "ann@example.com"}]}
PHONE = {"phone_numbers": [{"number": "+16175550123"}]}
BODY = {"identifiers": ["form:1"], "person": ANN, "message": "one", "duration": 5}


def by(person: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**BODY, "person": person, **fields}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ANN, {"email_addresses": [{"address": "bob@example.com"}]}),
        (ANN, {"given_name": "Bob", **PHONE}),
        ({"given_name": "Ann", **PHONE}, {"given_name": "Bob", "phone_numbers": [{"number": "+12125550123"}]}),
        ({"given_name": "Ann", **PHONE}, {"given_name": "Bob", **PHONE}),
        ({"identifiers": ["crm:1"]}, {"identifiers": ["crm:2"]}),
        ({**ANN, "identifiers": ["crm:1"]}, {"identifiers": ["crm:2"]}),
        ({"given_name": "Ann"}, {"given_name": "Bob"}),
        (ANN, {"given_name": "Ann", "family_name": "Lee", **PHONE}),
    ],
)
def test_for_another_person_it_is_rejected_and_nothing_is_written(
    api: Client, database: Database, first: dict[str, Any], second: dict[str, Any]
) -> None:
    api.recorded(by(first))
    before = list(database.people.find()), list(database.outreaches.find())

    response = api.record(by(second, message="two"))

    assert response.status_code == 409
    assert "another person" in response.json["error"]
    assert response.json["osdi:error"]["resource_status"][0]["error_descriptions"][0]["properties"] == ["identifiers"]
    assert (list(database.people.find()), list(database.outreaches.find())) == before


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ANN, {"email_addresses": [{"address": "ANN@example.com"}]}),
        (ANN, {**ANN, "family_name": "Lee-Smith"}),
        ({**ANN, **PHONE}, {"given_name": "Ann", **PHONE}),
        ({**ANN, "identifiers": ["crm:1"]}, {"identifiers": ["crm:1"]}),
        ({**ANN, "identifiers": ["crm:1"]}, {"identifiers": ["crm:1"], "email_addresses": [{"address": "new@x.org"}]}),
        ({"given_name": "Ann"}, {"given_name": "ANN"}),
        ({"given_name": "Ann", "family_name": "Lee", **PHONE}, PHONE),
    ],
)
def test_for_the_same_person_it_is_a_retry(
    api: Client, database: Database, first: dict[str, Any], second: dict[str, Any]
) -> None:
    outreach = api.recorded(by(first))

    assert api.recorded(by(second))["_links"]["self"] == outreach["_links"]["self"]
    assert database.outreaches.count_documents({}) == 1


def test_a_retry_of_the_same_bytes_is_recognised_after_the_person_has_changed(api: Client) -> None:
    outreach = api.recorded(BODY)
    api.put(outreach["_links"]["osdi:person"]["href"], {"email_addresses": [{"address": "new@example.com"}]})

    assert api.recorded(BODY) == outreach


@pytest.mark.parametrize("erase", ["false", "true"])
def test_a_retry_after_the_person_was_deleted(api: Client, database: Database, erase: str) -> None:
    outreach = api.recorded(BODY)
    api.delete(outreach["_links"]["osdi:person"]["href"], query_string={"erase": erase})

    assert api.record(BODY).status_code == 200
    assert database.outreaches.count_documents({}) == (1 if erase == "false" else 2)


def test_a_link_to_a_merged_person_is_the_same_person(api: Client) -> None:
    outreach = api.recorded(BODY)
    ann = outreach["_links"]["osdi:person"]
    other = api.created("/people", {"person": factories.person()})["_links"]["self"]["href"]
    api.post(f"{other}/merge", {"_links": {"osdi:person": ann}})
    linked = {"identifiers": ["form:1"], "_links": {"osdi:person": ann}}

    assert api.recorded(linked)["_links"]["self"] == outreach["_links"]["self"]
    assert api.record({**linked, "_links": {"osdi:person": {"href": other}}}).status_code == 200
    third = api.created("/people", {"person": factories.person()})["_links"]["self"]
    assert api.record({**linked, "_links": {"osdi:person": third}}).status_code == 409


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"duration": 999}, "duration"),
        ({"message": "two", "notes": "new"}, "message, notes"),
        ({"targets": [{"title": "Mayor"}]}, "targets"),
        ({"add_tags": ["volunteer"]}, "nothing of this request was stored"),
        ({"person": {**ANN, "employer": "River Ltd"}}, "nothing of this request was stored"),
    ],
)
def test_other_content_is_not_stored_and_reported(
    api: Client, database: Database, changed: dict[str, Any], named: str
) -> None:
    api.created("/tags", {"name": "volunteer"})
    first = api.recorded(BODY)
    before = list(database.people.find()), list(database.outreaches.find())

    again = api.recorded({**BODY, **changed})

    (warning,) = again.pop(WARNINGS)
    assert warning.startswith("identifiers: ")
    assert named in warning
    assert again == first
    assert (list(database.people.find()), list(database.outreaches.find())) == before


def test_a_retry_after_a_put_has_no_warning(api: Client) -> None:
    api.put(api.recorded(BODY)["_links"]["self"]["href"], {"duration": 7})

    again = api.recorded(BODY)

    assert again["duration"] == 7
    assert WARNINGS not in again


def test_an_outreach_of_an_earlier_version_has_no_digest_to_compare(api: Client, database: Database) -> None:
    first = api.recorded(BODY)
    database.outreaches.update_one({}, {"$unset": {"fingerprint": ""}})

    assert api.recorded(BODY) == first
    assert api.recorded({**BODY, "duration": 9})[WARNINGS]


def test_without_a_token_no_clash_is_reported(api: Client, database: Database) -> None:
    for person in (ANN, {"email_addresses": [{"address": "bob@example.com"}]}):
        response = api.record(by(person), token=False)
        assert (response.status_code, response.data) == (200, b"{}")

    assert database.outreaches.count_documents({}) == 2
