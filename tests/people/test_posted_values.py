"""Values of people as pages, scripts and spreadsheets send them: each is stored in the standard's form."""

from typing import Any

import pytest
from pymongo.database import Database

from tests.support.client import Client

E_ACUTE, NFD = "\N{LATIN SMALL LETTER E WITH ACUTE}", "e\u0301"


def posted(api: Client, token: bool, **fields: Any) -> dict[str, Any]:
    """Posts a person to the helper, and returns the person as the API shows it."""
    body = {"person": {"email_addresses": [{"address": "jane@example.org"}], **fields}}
    response = api.record(body, token=token)
    assert response.status_code == 200, response.text
    (person,) = api.get("/people").json["_embedded"]["osdi:people"]
    return dict(person)


@pytest.mark.one_in(5)
@pytest.mark.parametrize("token", [True, False], ids=["with a token", "without"])
@pytest.mark.parametrize(
    ("name", "sent", "stored"),
    [
        ("given_name", " Jane", "Jane"),
        ("family_name", "Doe\t", "Doe"),
        ("given_name", f"Ren{NFD}e", f"Ren{E_ACUTE}e"),
        ("given_name", "\ufeffJane\u200b", "Jane"),
        ("given_name", 7, "7"),
        ("employer", 1984.0, "1984"),
        ("gender", "F", "Female"),
        ("gender", " m ", "Male"),
        ("gender", "woman", "Female"),
        ("gender", "OTHER", "Other"),
        ("party_identification", " Democratic ", "Democratic"),
        ("languages_spoken", {"1": "es"}, ["es"]),
        ("languages_spoken", ["es", " es", 7, "7.0"], ["es", "7", "7.0"]),
        ("languages_spoken", "es\u200b", ["es"]),
        ("languages_spoken", 7, ["7"]),
        ("birthdate", {"month": "6", "day": 2.0, "year": "1973.0"}, {"month": 6, "day": 2, "year": 1973}),
        ("postal_addresses", [{"postal_code": 90210.0}], [{"postal_code": "90210"}]),
        ("postal_addresses", [{"postal_code": 90210}], [{"postal_code": "90210"}]),
        ("postal_addresses", [{"postal_code": " 02134 "}], [{"postal_code": "02134"}]),
        ("postal_addresses", [{"region": "MA ", "country": " US"}], [{"region": "MA", "country": "US"}]),
        ("postal_addresses", [{"country": "United States"}], [{"country": "US"}]),
        ("postal_addresses", [{"country": "USA"}], [{"country": "US"}]),
        ("postal_addresses", [{"country": "Deutschland"}], [{"country": "DE"}]),
        ("postal_addresses", [{"country": "gb"}], [{"country": "GB"}]),
        ("postal_addresses", [{"country": "UK"}], [{"country": "GB"}]),
        ("postal_addresses", [{"country": "Narnia"}], [{"country": "Narnia"}]),
        ("postal_addresses", [{"address_lines": {"1": "Apt 4"}}], [{"address_lines": ["Apt 4"]}]),
        ("postal_addresses", [{"address_lines": [12]}], [{"address_lines": ["12"]}]),
        ("postal_addresses", [{"locality": "Town", "primary": "Y"}], [{"locality": "Town", "primary": True}]),
        ("postal_addresses", {"1": {"locality": "Town"}}, [{"locality": "Town"}]),
        (
            "postal_addresses",
            [{"last_verified_date": "2026-03-18 11:02:15 UTC"}],
            [{"last_verified_date": "2026-03-18T11:02:15Z"}],
        ),
        (
            "phone_numbers",
            [{"number": "+16175550100", "do_not_call": "Y"}],
            [{"number": "+16175550100", "do_not_call": True}],
        ),
        (
            "phone_numbers",
            [{"number": "+16175550100", "do_not_call": "true "}],
            [{"number": "+16175550100", "do_not_call": True}],
        ),
        (
            "phone_numbers",
            [{"number": "+16175550100", "do_not_call": "X"}],
            [{"number": "+16175550100", "do_not_call": True}],
        ),
        (
            "phone_numbers",
            [{"number": "+16175550100", "sms_capable": "N"}],
            [{"number": "+16175550100", "sms_capable": False}],
        ),
        (
            "phone_numbers",
            [{"number": "+16175550100", "sms_capable": "nein"}],
            [{"number": "+16175550100", "sms_capable": False}],
        ),
        (
            "phone_numbers",
            [{"number": "+16175550100", "sms_capable": 0.0}],
            [{"number": "+16175550100", "sms_capable": False}],
        ),
        ("phone_numbers", [{"number": "+16175550100", "primary": "y"}], [{"number": "+16175550100", "primary": True}]),
        ("phone_numbers", [{"number": 16175550100}], [{"number": "16175550100"}]),
        ("phone_numbers", [{"number": 16175550100.0}], [{"number": "16175550100"}]),
        ("phone_numbers", [{"number": "\u2060+16175550100 "}], [{"number": "+16175550100"}]),
        (
            "phone_numbers",
            {"0": {"number": "+16175550100"}, "2": {"number": "+16175550101"}},
            [{"number": "+16175550100"}, {"number": "+16175550101"}],
        ),
        ("custom_fields", {"issues": ["river", "dam"]}, {"issues": "river; dam"}),
        ("custom_fields", {"issues": ["river"]}, {"issues": "river"}),
        ("custom_fields", {"issues": [1, 2.0, True]}, {"issues": "1; 2; true"}),
        ("custom_fields", {"issues": {"0": "river", "2": "dam"}}, {"issues": "river; dam"}),
        ("custom_fields", {"issues": ["", None, " river "]}, {"issues": "river"}),
        ("custom_fields", {"issues": [], "a": "1"}, {"a": "1"}),
        ("custom_fields", {"issues": [""], "a": "1"}, {"a": "1"}),
        ("custom_fields", {"age": 41.0}, {"age": "41"}),
        ("custom_fields", {"yes": True}, {"yes": "true"}),
        ("custom_fields", {"note": "two\nlines\n"}, {"note": "two\nlines"}),
        ("custom_fields", {"utm.source": "yes"}, {"utm.source": "yes"}),
        ("custom_fields", {"St. Louis chapter": "yes"}, {"St. Louis chapter": "yes"}),
        ("custom_fields", {"$ pledged": "yes"}, {"$ pledged": "yes"}),
        (
            "custom_fields",
            {"$where": "1", "a.$b": "2", "%2E": "3", ".": "4"},
            {"$where": "1", "a.$b": "2", "%2E": "3", ".": "4"},
        ),
        ("custom_fields", {" shirt size\ufeff": "M"}, {"shirt size": "M"}),
    ],
    ids=str,
)
def test_a_value_is_stored_in_the_standards_form(api: Client, token: bool, name: str, sent: Any, stored: Any) -> None:
    assert posted(api, token, **{name: sent})[name] == stored


@pytest.mark.parametrize(
    "address", ["\ufeffjane@example.org", "jane@example.org\u200b", "\u2060 jane@example.org\u00a0"]
)
def test_invisible_characters_do_not_make_an_address_invalid(api: Client, address: str) -> None:
    assert posted(api, False, email_addresses=[{"address": address}])["email_addresses"] == [
        {"address": "jane@example.org"}
    ]


@pytest.mark.one_in(7)
@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("volunteer", " Volunteer "),
        (f"R{NFD}o", f"R{E_ACUTE}o"),
        (f"R{E_ACUTE}o", f"R{NFD}o"),
        ("volunteer", "volun\u200bteer"),
        ("\ufeffvolunteer", "volunteer"),
        ("2026", 2026),
        ("2026", 2026.0),
        ("2026", {"0": 2026}),
        ("2026", {"1": "2026", "4": " "}),
        ("a.b", "a.b"),
    ],
    ids=ascii,
)
@pytest.mark.parametrize(("collection", "action"), [("tags", "add_tags"), ("lists", "add_lists")])
def test_spellings_of_one_name(
    api: Client, database: Database, collection: str, action: str, written: str, value: Any
) -> None:
    api.created(f"/{collection}", {"name": written})
    api.created(f"/{collection}", {"name": value if isinstance(value, str) else written})

    outreach = api.recorded({"person": {"given_name": "Jane"}, action: value})

    assert database[collection].count_documents({}) == 1
    assert "osdi_outreach:warnings" not in outreach
    assert len(database.people.find_one()["taggings" if action == "add_tags" else "items"]) == 1


NAMES = ["utm.source", "$ pledged", "St. Louis", "%2E", "50% off", "a.$b.c", ".", "US$"]


@pytest.mark.parametrize("name", NAMES)
class TestNamesOfCustomFields:
    @pytest.mark.one_in(3)
    def test_are_filtered_by(self, api: Client, name: str) -> None:
        posted(api, True, custom_fields={name: "yes"})

        for text, found in ((f"custom_fields/'{name}' eq 'yes'", 1), (f"custom_fields/'{name}' eq null", 0)):
            assert api.get("/people", query_string={"filter": text}).json["total_records"] == found

    @pytest.mark.one_in(3)
    def test_are_merged_and_cleared(self, api: Client, name: str) -> None:
        posted(api, True, custom_fields={name: "1", "other": "x"})
        person = posted(api, True, custom_fields={name: "2"})
        assert person["custom_fields"] == {name: "2", "other": "x"}

        cleared = api.put(person["_links"]["self"]["href"], {"custom_fields": {name: None}})

        assert cleared.json["custom_fields"] == {"other": "x"}

    def test_are_columns_of_the_export(self, api: Client, name: str) -> None:
        posted(api, True, custom_fields={name: "the value"})

        header, row = api.get("/people.csv").text.splitlines()[:2]
        assert f"custom_fields/{name}" in header
        assert "the value" in row

    def test_can_be_sent_back(self, api: Client, name: str) -> None:
        person = posted(api, True, custom_fields={name: "yes"})

        assert api.put(person["_links"]["self"]["href"], person).json == person

    @pytest.mark.one_in(3)
    def test_are_removed_by_an_erasure(self, api: Client, database: Database, name: str) -> None:
        person = posted(api, True, custom_fields={name: "secret-value"})

        assert api.delete(person["_links"]["self"]["href"], query_string={"erase": "true"}).status_code == 200
        assert "secret-value" not in str([list(database[each].find()) for each in database.list_collection_names()])


def test_two_names_that_look_the_same_are_not_one(api: Client) -> None:
    body = {"person": {"given_name": "Jane", "custom_fields": {"a": "1", "a\u200b": "2"}}}

    outreach = api.recorded(body)

    assert api.follow(outreach, "osdi:person")["custom_fields"] == {"a": "1"}
    assert outreach["osdi_outreach:warnings"] == [
        "person.custom_fields.a\u200b: Another name differs only in invisible characters or spaces."
    ]
