"""`?filter=` over HTTP: the filters of sync scripts, on every collection, page by page."""

import datetime as dt
from typing import Any

import pytest
from pymongo.database import Database

from tests.support import factories
from tests.support.client import Client
from tests.support.factories import by_email


def names(page: dict[str, Any]) -> list[str]:
    (embedded,) = page["_embedded"].values()
    return [each.get("given_name") or each.get("type") or each.get("name") for each in embedded]


def get_filtered(api: Client, path: str, text: str, **more: str) -> dict[str, Any]:
    response = api.get(path, query_string={"filter": text, **more})
    assert response.status_code == 200, response.text
    return dict(response.json)


@pytest.fixture
def people(api: Client) -> None:
    api.recorded(
        by_email(
            "Jane@Example.com",
            given_name="Jane",
            identifiers=["crm:1"],
            phone_numbers=[{"number": "+1 987 654 3210"}],
            postal_addresses=[{"postal_code": "20009", "region": "DC"}],
            birthdate={"year": 1973},
            custom_fields={"shirt": "M"},
        )
    )
    api.recorded(by_email("john@example.com", given_name="John", gender="Male", birthdate={"year": 1990}))
    api.recorded(by_email("o'hara@example.com", given_name="O'Hara", gender="Female"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("email_address eq 'jane@example.com'", ["Jane"]),
        ("email_address eq 'JOHN@example.com' or identifier eq 'crm:1'", ["Jane", "John"]),
        ("phone_number eq '19876543210'", ["Jane"]),
        ("postal_code eq '20009' and region eq 'DC'", ["Jane"]),
        ("given_name eq 'O''Hara'", ["O'Hara"]),
        ("birthdate/year lt 1980", ["Jane"]),
        ("gender eq 'Male' or (gender eq 'Female' and not startswith(given_name, 'X'))", ["John", "O'Hara"]),
        ("custom_fields/shirt eq 'M'", ["Jane"]),
        ("created_date gt '2013-11-17T18:27:35-05'", ["Jane", "John", "O'Hara"]),
        ("modified_date lt '2013-11-17T18:27:35-05'", []),
        ("given_name like 'jane'", ["Jane"]),
    ],
)
def test_people(api: Client, people: None, text: str, found: list[str]) -> None:
    page = get_filtered(api, "/people", text)

    assert names(page) == found
    assert page["total_records"] == len(found)


def test_the_links_repeat_the_filter(api: Client, people: None) -> None:
    first = get_filtered(api, "/people", "birthdate/year gt 1", per_page="1")
    second = api.follow(first, "next")

    assert names(first) + names(second) == ["Jane", "John"]
    assert "next" not in second["_links"]
    assert names(api.follow(second, "previous")) == ["Jane"]
    assert names(api.get(second["_links"]["self"]["href"]).json) != []


def test_every_collection_of_resources(api: Client) -> None:
    api.recorded(factories.outreach(type="email", identifiers=["crm:1"], referrer_data={"source": "a"}))
    other = api.recorded(factories.outreach(type="phone"))
    person = api.follow(other, "osdi:person")
    text = "type eq 'phone' and target_family_name eq 'Smith'"

    for path in (
        "/outreaches",
        f"/advocacy_campaigns/{api.campaign_id}/outreaches",
        person["_links"]["osdi:outreaches"]["href"],
    ):
        page = get_filtered(api, path, text)
        assert page["total_records"] == 1
        assert page["_embedded"]["osdi:outreaches"] == [other]
    assert get_filtered(api, "/outreaches", "referrer_data/source eq 'a'")["total_records"] == 1
    assert get_filtered(api, "/advocacy_campaigns", "contains(title, 'river')")["total_records"] == 1
    for collection in ("tags", "lists"):
        api.created(f"/{collection}", {"name": "one"})
        assert get_filtered(api, f"/{collection}", "name eq 'one'")["total_records"] == 1
        assert get_filtered(api, f"/{collection}", "name eq 'two'")["total_records"] == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("given_nam eq 'x'", "given_name"),
        ("given_name eq", "filter"),
        ("given_name eq 'x' garbage", "filter"),
        ("given_name re '/x/'", "filter"),
        ("match_keys eq 'id:crm:1'", "match_keys"),
        ("birthdate/year gt 'x'", "birthdate/year"),
        ("(" * 500 + "gender eq 'x'" + ")" * 500, "filter"),
        ("x" * 2_001, "filter"),
    ],
)
def test_an_invalid_filter_is_rejected(api: Client, text: str, message: str) -> None:
    response = api.get("/people", query_string={"filter": text})

    assert response.status_code == 400
    assert message in response.json["error"]


def test_a_field_without_a_filter_is_rejected_with_the_reason(api: Client) -> None:
    tag = api.created("/tags", {"name": "one"})

    response = api.get(tag["_links"]["osdi:taggings"]["href"], query_string={"filter": "name eq 'x'"})

    assert response.status_code == 400
    assert "cannot be filtered" in response.json["error"]


def test_messages_by_their_target(api: Client) -> None:
    href = "https://osdi.example.org/api/v1/lists/1"
    message = api.created("/messages", {"type": "email", "targets": [{"href": href}]})
    api.created("/messages", {"type": "sms"})

    assert get_filtered(api, "/messages", f"target_href eq '{href}'")["_embedded"]["osdi:messages"] == [message]


def test_ge_finds_a_change_later_in_the_second_of_the_last_one(api: Client, database: Database) -> None:
    """Dates have whole seconds, so `gt` would miss the second person for good."""
    dates = [api.created("/people", {"person": factories.person()}) for _ in range(2)]
    second = dt.datetime(2026, 3, 18, 11, 2, 15)
    database.people.update_many({}, {"$set": {"modified_date": second}})

    def changed(operator: str) -> int:
        text = f"modified_date {operator} '{second.isoformat()}Z'"
        return int(api.get("/people", query_string={"filter": text}).json["total_records"])

    assert (changed("ge"), changed("gt")) == (len(dates), 0)
