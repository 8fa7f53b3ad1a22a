"""Each part of a PUT has its effect, or the PUT is rejected."""

from typing import Any

import pytest

from tests.support.client import Client

PERSON = {
    "email_addresses": [{"address": "ann@example.org"}],
    "given_name": "Ann",
    "languages_spoken": ["en"],
    "postal_addresses": [{"postal_code": "02134"}],
    "phone_numbers": [{"number": "+16175550100"}],
    "birthdate": {"month": 5, "day": 6},
    "employer_address": {"locality": "Town", "address_lines": ["1 Main St"]},
    "custom_fields": {"a": "1", "utm.source": "mail"},
}


@pytest.fixture
def ann(api: Client) -> dict[str, Any]:
    return api.created("/people", PERSON)


def put(api: Client, person: dict[str, Any], body: Any) -> Any:
    return api.put(person["_links"]["self"]["href"], body)


@pytest.mark.parametrize(
    ("body", "name", "expected"),
    [
        ({"person": {"given_name": "Zed"}}, "given_name", "Zed"),
        ({"person": {"given_name": None}}, "given_name", None),
        ({"person": {"given_name": "Zed"}, "osdi:control": {"return_response": True}}, "given_name", "Zed"),
        ({"given_name": " Zed\ufeff"}, "given_name", "Zed"),
        ({"given_name": 7}, "given_name", "7"),
        ({"given_name": None}, "given_name", None),
        ({"languages_spoken": [""]}, "languages_spoken", None),
        ({"languages_spoken": []}, "languages_spoken", None),
        ({"languages_spoken": [None]}, "languages_spoken", None),
        ({"languages_spoken": ["\u200b"]}, "languages_spoken", None),
        ({"languages_spoken": None}, "languages_spoken", None),
        ({"languages_spoken": {"1": "es"}}, "languages_spoken", ["es"]),
        ({"languages_spoken": {"3": "es", "1": "fr"}}, "languages_spoken", ["fr", "es"]),
        ({"postal_addresses": []}, "postal_addresses", None),
        ({"phone_numbers": {"0": {"number": "+12125550100"}}}, "phone_numbers", [{"number": "+12125550100"}]),
        ({"birthdate": {}}, "birthdate", {"month": 5, "day": 6}),
        ({"birthdate": []}, "birthdate", {"month": 5, "day": 6}),
        ({"birthdate": {"day": None}}, "birthdate", {"month": 5}),
        ({"birthdate": None}, "birthdate", None),
        ({"custom_fields": {}}, "custom_fields", {"a": "1", "utm.source": "mail"}),
        ({"custom_fields": []}, "custom_fields", {"a": "1", "utm.source": "mail"}),
        ({"custom_fields": {"utm.source": None}}, "custom_fields", {"a": "1"}),
        ({"custom_fields": {" utm.source\ufeff": None}}, "custom_fields", {"a": "1"}),
        ({"custom_fields": {"a": [1, "two"]}}, "custom_fields", {"a": "1; two", "utm.source": "mail"}),
        ({"custom_fields": {"a": []}}, "custom_fields", {"a": "1", "utm.source": "mail"}),
        ({"employer_address": {"address_lines": []}}, "employer_address", {"locality": "Town"}),
        ({"employer_address": {"address_lines": [""]}}, "employer_address", {"locality": "Town"}),
        ({}, "given_name", "Ann"),
        ({"_links": {}, "created_date": "2001-01-01"}, "given_name", "Ann"),
        ({"given_name": "Zed", "shoe_size": 43}, "given_name", "Zed"),
    ],
    ids=str,
)
def test_a_put_has_the_documented_effect(api: Client, ann: dict[str, Any], body: Any, name: str, expected: Any) -> None:
    changed = put(api, ann, body)

    assert changed.status_code == 200
    assert changed.json.get(name) == expected


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"person": {"given_name": "Zed"}, "family_name": "Doe"}, "family_name"),
        ({"person": "Zed"}, "person"),
        ({"first_name": "Zed"}, "first_name"),
        ({"shoe_size": 43, "firstName": "Zed"}, "shoe_size"),
        ({"add_tags": ["volunteer"]}, "add_tags"),
        ({"person": {"given_name": "Zed"}, "add_lists": ["x"]}, "add_lists"),
        ({"given_name": "Zed", "triggers": {"autoresponse": {"enabled": True}}}, "triggers"),
        ({"given_name": ""}, "given_name"),
        ({"given_name": "  "}, "given_name"),
        ({"given_name": "\u200b"}, "given_name"),
        ({"given_name": []}, "given_name"),
        ({"languages_spoken": ""}, "languages_spoken"),
        ({"languages_spoken": {}}, "languages_spoken"),
        ({"phone_numbers": {}}, "phone_numbers"),
        ({"phone_numbers": [{}]}, "phone_numbers"),
        ({"postal_addresses": [{}, None]}, "postal_addresses"),
        ({"custom_fields": {"a": ""}}, "custom_fields.a"),
        ({"employer_address": {"locality": " "}}, "employer_address.locality"),
        ({"gender": "robot"}, "gender"),
        ({"email_addresses": [{"address": "nobody"}]}, "email_addresses[0].address"),
    ],
    ids=str,
)
def test_a_put_without_effect_is_rejected(api: Client, ann: dict[str, Any], body: Any, named: str) -> None:
    rejected = put(api, ann, body)

    assert rejected.status_code == 400
    assert named in rejected.json["error"]
    assert api.follow(ann, "self") == ann


@pytest.mark.parametrize("name", ["referrer_data", "action_network:referrer_data"])
@pytest.mark.parametrize("way", ["helper", "collection", "put"])
def test_referrer_data_has_action_networks_name_too(api: Client, way: str, name: str) -> None:
    body = {"person": PERSON, name: {"source": 20260318, "website": " example.org "}}
    collection = f"/advocacy_campaigns/{api.campaign_id}/outreaches"
    if way == "put":
        created = api.recorded({"person": PERSON})
        outreach = api.put(created["_links"]["self"]["href"], {name: body[name]}).json
    else:
        outreach = api.recorded(body) if way == "helper" else api.created(collection, body)

    assert outreach["referrer_data"] == {"source": "20260318", "website": "example.org"}
    assert "osdi_outreach:warnings" not in outreach


def test_the_standards_name_of_referrer_data_counts(api: Client) -> None:
    body = {"person": PERSON, "action_network:referrer_data": {"source": "a"}, "referrer_data": {"source": "b"}}

    for each in (body, dict(reversed(body.items()))):
        assert api.recorded(each)["referrer_data"] == {"source": "b"}


@pytest.mark.parametrize("path", ["/people", "/tags", "/advocacy_campaigns"])
def test_an_identifier_in_our_namespace_is_returned(api: Client, path: str) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "/people": PERSON,
        "/tags": {"name": "a"},
        "/advocacy_campaigns": {"title": "A"},
    }

    created = api.created(path, bodies[path] | {"identifiers": ["osdi_outreach:mine", "crm:1"]})

    assert created["identifiers"][1:] == ["osdi_outreach:mine", "crm:1"]
    assert api.put(created["_links"]["self"]["href"], {"identifiers": created["identifiers"]}).json == created
