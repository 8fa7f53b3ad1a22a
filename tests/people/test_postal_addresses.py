"""One postal address in several spellings is one entry, which keeps the more exact spelling."""

from typing import Any

import pytest
from pymongo.database import Database

from osdi.people.merge_rules import merge_posted_values
from tests.support import factories
from tests.support.client import Client
from tests.support.factories import RULES

STREET = {"address_lines": ["1 Main St"]}


def merged(*entries: dict[str, Any], overwrite: bool = True) -> list[dict[str, Any]]:
    """Returns the postal addresses of a person who posts these entries one after another."""
    person: dict[str, Any] = {}
    for entry in entries:
        person = merge_posted_values(person, {"postal_addresses": [entry]}, overwrite=overwrite, rules=RULES)
    found: list[dict[str, Any]] = person["postal_addresses"]
    return found


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ({"postal_code": "02134"}, {"postal_code": "02134-1000"}, {"postal_code": "02134-1000"}),
        ({"postal_code": "02134-1000"}, {"postal_code": "02134"}, {"postal_code": "02134-1000"}),
        ({"postal_code": "SW1A 1AA"}, {"postal_code": "sw1a1aa"}, {"postal_code": "SW1A 1AA"}),
        ({"postal_code": "sw1a1aa"}, {"postal_code": "SW1A 1AA"}, {"postal_code": "SW1A 1AA"}),
        (
            {"postal_code": "02134", "country": "US"},
            {"postal_code": "02134", "country": "USA"},
            {"postal_code": "02134", "country": "US"},
        ),
        (
            {"postal_code": "02134", "country": "United States"},
            {"postal_code": "02134-1000", "country": "US"},
            {"postal_code": "02134-1000", "country": "US"},
        ),
        ({"country": "Germany", "region": "BE"}, {"country": "DE"}, {"country": "DE", "region": "BE"}),
    ],
)
def test_spellings_of_one_address_are_one_entry(
    first: dict[str, Any], second: dict[str, Any], kept: dict[str, Any]
) -> None:
    assert merged(first, second) == [kept]
    assert merged({**first, **STREET}, {**second, **STREET}) == [{**kept, **STREET}]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"postal_code": "02134-1000"}, {"postal_code": "02134-2000"}),
        ({"postal_code": "02134"}, {"postal_code": "02135"}),
        ({"postal_code": "02134", "country": "US"}, {"postal_code": "02134", "country": "FR"}),
        ({"postal_code": "02134", **STREET}, {"postal_code": "02134-1000", "address_lines": ["2 Main St"]}),
    ],
)
def test_different_addresses_are_two_entries(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert merged(first, second) == [first, second]


def test_without_a_token_no_spelling_is_overwritten(api: Client, database: Database) -> None:
    for code in ("02134", "02134-1000"):
        body = factories.by_email("ann@example.com", postal_addresses=[{"postal_code": code}])
        api.record(body, token=False)

    assert database.people.find_one()["postal_addresses"] == [{"postal_code": "02134"}]
