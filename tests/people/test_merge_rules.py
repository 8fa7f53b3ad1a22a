"""The merge rules for a stored person and a posted one."""

import copy
from typing import Any

import pytest

from osdi.match_keys import MatchKeyRules
from osdi.people.merge_rules import merge_posted_values
from tests.support.factories import RULES

HOME = {"address_lines": ["1 Elm St"], "locality": "Washington", "postal_code": "20009", "country": "US"}


def emails(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"email_addresses": list(entries)}


def phones(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"phone_numbers": list(entries)}


def places(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"postal_addresses": list(entries)}


# name, stored, posted, result with a token, result without
TABLE: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("a stored value", {"gender": "Male"}, {"gender": "Other"}, {"gender": "Other"}, {"gender": "Male"}),
    ("a missing value", {}, {"gender": "Other"}, {"gender": "Other"}, {"gender": "Other"}),
    ("an empty post", {"gender": "Male"}, {}, {"gender": "Male"}, {"gender": "Male"}),
    (
        "custom fields merge by name",
        {"custom_fields": {"a": "1", "b": "2"}},
        {"custom_fields": {"b": "3", "c": "4"}},
        {"custom_fields": {"a": "1", "b": "3", "c": "4"}},
        {"custom_fields": {"a": "1", "b": "2", "c": "4"}},
    ),
    (
        "nested objects merge by name",
        {"employer_address": {"locality": "Bonn", "location": {"latitude": 1.0}}},
        {"employer_address": {"locality": "Köln", "location": {"longitude": 2.0}}},
        {"employer_address": {"locality": "Köln", "location": {"latitude": 1.0, "longitude": 2.0}}},
        {"employer_address": {"locality": "Bonn", "location": {"latitude": 1.0, "longitude": 2.0}}},
    ),
    (
        "arrays of strings grow",
        {"languages_spoken": ["en"]},
        {"languages_spoken": ["fr", "en"]},
        {"languages_spoken": ["en", "fr"]},
        {"languages_spoken": ["en"]},
    ),
    (
        "another e-mail is appended",
        emails({"address": "a@example.com"}),
        emails({"address": "b@example.com"}),
        emails({"address": "a@example.com"}, {"address": "b@example.com"}),
        emails({"address": "a@example.com"}, {"address": "b@example.com"}),
    ),
    (
        "the same e-mail in another case merges",
        emails({"address": "a@example.com", "status": "unsubscribed"}),
        emails({"address": "A@example.com", "status": "bouncing", "address_type": "work"}),
        emails({"address": "A@example.com", "status": "bouncing", "address_type": "work"}),
        emails({"address": "a@example.com", "status": "unsubscribed", "address_type": "work"}),
    ),
    (
        "an unsubscribed address stays unsubscribed",
        emails({"address": "a@example.com", "status": "unsubscribed"}),
        emails({"address": "a@example.com", "status": "subscribed"}),
        emails({"address": "a@example.com", "status": "unsubscribed"}),
        emails({"address": "a@example.com", "status": "unsubscribed"}),
    ),
    (
        "a spam complaint stays, also if the post has no address",
        emails({"address": "a@example.com", "status": "spam complaints"}),
        emails({"status": "subscribed"}),
        emails({"address": "a@example.com", "status": "spam complaints"}),
        emails({"address": "a@example.com", "status": "spam complaints"}),
    ),
    (
        "a new primary e-mail",
        emails({"address": "a@example.com", "primary": True}),
        emails({"address": "b@example.com", "primary": True}),
        emails({"address": "a@example.com", "primary": False}, {"address": "b@example.com", "primary": True}),
        emails({"address": "a@example.com", "primary": True}, {"address": "b@example.com", "primary": False}),
    ),
    (
        "a status without an address is about the primary one",
        emails({"address": "a@example.com"}, {"address": "b@example.com", "primary": True}),
        emails({"status": "bouncing"}),
        emails({"address": "a@example.com"}, {"address": "b@example.com", "primary": True, "status": "bouncing"}),
        emails({"address": "a@example.com"}, {"address": "b@example.com", "primary": True}),
    ),
    (
        "a status is ignored if there is no address",
        {},
        emails({"status": "subscribed"}),
        {},
        {},
    ),
    (
        "the same phone in other punctuation merges",
        phones({"number": "19876543210", "number_type": "Home"}),
        phones({"number": "+1 987 654 3210", "number_type": "Mobile", "sms_capable": True}),
        phones({"number": "+1 987 654 3210", "number_type": "Mobile", "sms_capable": True}),
        phones({"number": "19876543210", "number_type": "Home", "sms_capable": True}),
    ),
    (
        "short numbers are compared as strings",
        phones({"number": "110"}),
        phones({"number": "112"}, {"number": "110", "operator": "x"}),
        phones({"number": "110", "operator": "x"}, {"number": "112"}),
        phones({"number": "110", "operator": "x"}, {"number": "112"}),
    ),
    (
        "a postal code alone is about the address that has it",
        places(HOME),
        places({"postal_code": "20009", "status": "Verified"}),
        places({**HOME, "status": "Verified"}),
        places({**HOME, "status": "Verified"}),
    ),
    (
        "a complete address fills a matching partial one",
        places({"postal_code": "20009"}),
        places(HOME),
        places(HOME),
        places(HOME),
    ),
    (
        "letter case and spaces of an address make no difference",
        places(HOME),
        places({**HOME, "address_lines": ["1  ELM st"]}),
        places({**HOME, "address_lines": ["1  ELM st"]}),
        places(HOME),
    ),
    (
        "another street is another address",
        places(HOME),
        places({**HOME, "address_lines": ["2 Oak St"]}),
        places(HOME, {**HOME, "address_lines": ["2 Oak St"]}),
        places(HOME, {**HOME, "address_lines": ["2 Oak St"]}),
    ),
    (
        "a country alone is about the address in it",
        places(HOME),
        places({"country": "US"}),
        places(HOME),
        places(HOME),
    ),
    (
        "two places in one country are two addresses",
        places({"address_lines": ["1 Elm St"], "country": "US"}),
        places({"postal_code": "99999", "country": "US"}),
        places({"address_lines": ["1 Elm St"], "country": "US"}, {"postal_code": "99999", "country": "US"}),
        places({"address_lines": ["1 Elm St"], "country": "US"}, {"postal_code": "99999", "country": "US"}),
    ),
    (
        "profiles merge by provider and id",
        {"profiles": [{"provider": "Twitter", "id": "1"}]},
        {"profiles": [{"provider": "twitter", "id": "1", "handle": "jane"}, {"provider": "Facebook", "id": "1"}]},
        {"profiles": [{"provider": "twitter", "id": "1", "handle": "jane"}, {"provider": "Facebook", "id": "1"}]},
        {"profiles": [{"provider": "Twitter", "id": "1"}]},
    ),
    (
        "parties merge by identification",
        {"parties": [{"identification": "Independent"}]},
        {"parties": [{"identification": "Independent", "active": True}, {"identification": "None"}]},
        {"parties": [{"identification": "Independent", "active": True}, {"identification": "None"}]},
        {"parties": [{"identification": "Independent"}]},
    ),
    (
        "profiles where there are none",
        {},
        {"profiles": [{"provider": "Facebook", "id": "1"}]},
        {"profiles": [{"provider": "Facebook", "id": "1"}]},
        {"profiles": [{"provider": "Facebook", "id": "1"}]},
    ),
    (
        "equal entries without a key are stored once",
        {"profiles": [{"url": "https://a.example"}], "postal_addresses": [{"venue": "Smith Hall", "status": "Bad"}]},
        {"profiles": [{"url": "https://a.example"}], "postal_addresses": [{"venue": "Smith Hall"}]},
        {"profiles": [{"url": "https://a.example"}], "postal_addresses": [{"venue": "Smith Hall", "status": "Bad"}]},
        {"profiles": [{"url": "https://a.example"}], "postal_addresses": [{"venue": "Smith Hall", "status": "Bad"}]},
    ),
]


@pytest.mark.parametrize(
    ("stored", "posted", "with_token", "without"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
@pytest.mark.parametrize("token", [True, False], ids=["with a token", "without"])
def test_merge_of_stored_and_posted_person(
    token: bool, stored: dict[str, Any], posted: dict[str, Any], with_token: dict[str, Any], without: dict[str, Any]
) -> None:
    before = copy.deepcopy((stored, posted))

    assert merge_posted_values(stored, posted, overwrite=token, rules=RULES) == (with_token if token else without)
    assert (stored, posted) == before, "merging changes neither argument"


@pytest.mark.parametrize("token", [True, False], ids=["with a token", "without"])
def test_contact_details_of_other_people(token: bool) -> None:
    posted = emails({"address": "other@example.com"}) | phones({"number": "19876543210"})
    owned = {"email:other@example.com", "phone:19876543210"}

    merged = merge_posted_values({}, posted, overwrite=token, rules=RULES, owned_elsewhere=owned)

    assert merged == (posted if token else {}), "stored with a token, left out without"


def test_a_new_person_has_one_primary_and_no_repeats() -> None:
    posted = emails(
        {"address": "a@example.com", "primary": True},
        {"address": "A@example.com", "status": "subscribed"},
        {"address": "b@example.com", "primary": True},
    )

    assert merge_posted_values({}, posted, overwrite=True, rules=RULES) == emails(
        {"address": "A@example.com", "primary": False, "status": "subscribed"},
        {"address": "b@example.com", "primary": True},
    )


def test_phones_are_compared_in_the_deployments_region() -> None:
    merged = merge_posted_values(
        phones({"number": "19876543210"}),
        phones({"number": "(987) 654-3210"}),
        overwrite=False,
        rules=MatchKeyRules("ns", "US"),
    )

    assert merged == phones({"number": "19876543210"})
