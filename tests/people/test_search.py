"""A search by one text: an identifier, a contact detail, or the beginning of a name."""

from typing import Any

import pytest
from pymongo.database import Database

from osdi.people.lookup import search_people
from osdi.store import Store
from tests.support import factories
from tests.support.client import Client
from tests.support.factories import RULES
from tests.support.profiled import profiled

PEOPLE: tuple[dict[str, Any], ...] = (
    {"given_name": "Jane", "family_name": "Doe", "email_addresses": [{"address": "jane@example.com"}]},
    {"given_name": "Janet", "family_name": "Doe-Smith", "identifiers": ["crm:17"]},
    {
        "given_name": "Đorđe",
        "additional_name": "van",
        "family_name": "Šťastný",
        "phone_numbers": [{"number": "+442079460123"}],
    },
    {"given_name": "Émile", "family_name": "O\u2019Neil"},
    {"family_name": "Doerr (Jr.)"},
    {"given_name": "李", "family_name": "小龙"},
)


@pytest.fixture
def people(api: Client) -> None:
    for each in PEOPLE:
        api.created("/people", each)


def found(store: Store, text: str, limit: int = 10) -> list[str]:
    """Returns the names of the people that a search finds, sorted."""
    people = search_people(store, text, RULES, limit=limit).people
    return sorted(
        " ".join(str(each.get(part, "")) for part in ("given_name", "family_name")).strip() for each in people
    )


@pytest.mark.one_in(5)
@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("jane@example.com", ["Jane Doe"]),
        ("JANE@EXAMPLE.COM ", ["Jane Doe"]),
        ("crm:17", ["Janet Doe-Smith"]),
        ("+44 20 7946 0123", ["Đorđe Šťastný"]),
        ("jan", ["Jane Doe", "Janet Doe-Smith"]),
        ("Doe", ["Doerr (Jr.)", "Jane Doe", "Janet Doe-Smith"]),
        ("doe jan", ["Jane Doe", "Janet Doe-Smith"]),
        ("doe, JANET", ["Janet Doe-Smith"]),
        ("smith", ["Janet Doe-Smith"]),
        ("doe-smith", ["Janet Doe-Smith"]),
        ("stastny", ["Đorđe Šťastný"]),
        ("van st", ["Đorđe Šťastný"]),
        ("emile o'neil", ["Émile O\u2019Neil"]),
        ("oneil", ["Émile O\u2019Neil"]),
        ("jr", ["Doerr (Jr.)"]),
        ("李", ["李 小龙"]),
        ("小", ["李 小龙"]),
        ("ane", []),
        ("jane nobody", []),
        ("nobody@example.com", []),
        ("", []),
        (" .*^$ ", []),
        ("j.*", ["Doerr (Jr.)", "Jane Doe", "Janet Doe-Smith"]),
        ("\u0000", []),
        ("x" * 5_000, []),
    ],
)
def test_a_text_finds_people(store: Store, text: str, names: list[str]) -> None:
    assert found(store, text) == names


def test_a_change_of_the_name_is_found_by_the_new_name_only(api: Client, store: Store) -> None:
    href = api.created("/people", {"given_name": "Jane", "family_name": "Doe"})["_links"]["self"]["href"]

    api.put(href, {"family_name": "Rivera"})

    assert (found(store, "jane rivera"), found(store, "doe")) == (["Jane Rivera"], [])


def test_a_post_that_adds_a_name_makes_the_person_findable(api: Client, store: Store) -> None:
    api.recorded(factories.by_email("jane@example.com"))
    api.recorded(factories.by_email("jane@example.com", given_name="Jane", family_name="Doe"))

    assert found(store, "jane doe") == ["Jane Doe"]


def test_a_merge_keeps_the_survivors_name_only(api: Client, store: Store) -> None:
    survivor, other = (
        api.created("/people", {"given_name": name})["_links"]["self"]["href"] for name in ("Jane", "Joan")
    )

    api.post(f"{survivor}/merge", {"_links": {"osdi:person": {"href": other}}})

    assert (found(store, "jane"), found(store, "joan")) == (["Jane"], [])


def test_a_search_says_that_there_are_more(api: Client, store: Store) -> None:
    for number in range(3):
        api.created("/people", {"given_name": f"Jane{number}"})

    assert search_people(store, "jane", RULES, limit=3).more is False
    limited = search_people(store, "jane", RULES, limit=2)
    assert (len(limited.people), limited.more) == (2, True)


def test_a_search_by_name_reads_no_more_than_it_returns(api: Client, store: Store, database: Database) -> None:
    for number in range(30):
        api.created("/people", {"given_name": "Jane" if number % 2 else "Joan", "family_name": f"Doe{number}"})

    with profiled(database) as operations:
        search_people(store, "jane", RULES, limit=5)

    by_name = [each for each in operations if each.plan == "IXSCAN { name_words: 1, _id: 1 }"]
    assert [each.read for each in by_name] == [6]


def test_an_anonymous_post_can_store_eight_short_words_only(api: Client, database: Database) -> None:
    api.record(
        factories.by_email("jane@example.com", given_name="a " * 5 + "b c d e f g h i j", family_name="x" * 200),
        token=False,
    )

    (person,) = database.people.find()
    assert person["name_words"] == ["a", "x" * 40, *"bcdefg"]
