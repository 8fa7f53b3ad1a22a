"""Pairs that are not the same: no list of duplicates has them, and they end with a merge, a deletion or an erasure."""

from collections.abc import Callable
from itertools import combinations

import pytest
from pymongo.database import Database

from osdi.crud.delete import complete_next_deletion, delete
from osdi.hal import Hal
from osdi.ids import now
from osdi.people.duplicates import groups as groups_module
from osdi.people.duplicates import pairs as pairs_module
from osdi.people.duplicates.exceptions_store import add_exception, apart, latest_exceptions, remove_exceptions
from osdi.people.duplicates.groups import Groups, duplicates, duplicates_of, parts_of
from osdi.people.duplicates.pairs import HIGH, LOW, MEDIUM, duplicate_pairs
from osdi.people.merge import merge_stored_people
from osdi.privacy.erasure import erase
from osdi.privacy.person_export import person_export
from osdi.resources import PERSON
from osdi.store import Store
from osdi.store.indexes import DUPLICATE_EXCEPTIONS
from tests.support import factories
from tests.support.client import Client
from tests.support.factories import RULES
from tests.support.profiled import profiled

JANE = {"given_name": "Jane", "family_name": "Doe", "postal_addresses": [{"postal_code": "10011"}]}
PHONE = [{"number": "12025550123"}]
DOE = {"family_name": "Doe", "phone_numbers": PHONE}


def person(api: Client, **fields: object) -> str:
    """Creates a person; returns the id."""
    found = api.created("/people", factories.person(**fields))
    return str(found["_links"]["self"]["href"].rpartition("/")[2])


@pytest.fixture
def people(api: Client) -> list[str]:
    """Three people with one telephone number, in the order of their ids."""
    return [person(api, given_name=name, phone_numbers=PHONE) for name in ("Ann", "Bob", "Cid")]


def ids(found: Groups) -> list[list[str]]:
    return [[each["_id"] for each in group.people] for group in found.groups]


def pairs(store: Store) -> list[tuple[str, ...]]:
    return [tuple(each["_id"] for each in pair.people) for pair in duplicate_pairs(store, limit=100).pairs]


class TestPairs:
    @pytest.mark.parametrize("sharing", [500, 1], ids=["with common queries", "with a query for each person"])
    def test_are_all_pairs_of_people_who_share_something_each_once(
        self, store: Store, people: list[str], sharing: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pairs_module, "MAX_SHARING", sharing)

        assert sorted(pairs(store)) == sorted(combinations(people, 2))

    def test_of_people_who_own_a_key_of_each_other_are_listed_once(self, api: Client, store: Store) -> None:
        one = person(api, **JANE)
        two = person(api, **{**JANE, "given_name": "Joan"}, phone_numbers=PHONE)
        api.put(f"/people/{one}", {"phone_numbers": PHONE})
        api.put(f"/people/{two}", {"given_name": "Jane"})

        (pair,) = duplicate_pairs(store, limit=10).pairs

        assert pair.by == ("phone_number", "name_and_postal_code")

    @pytest.mark.parametrize(
        ("one", "other", "by", "certainty"),
        [
            ({**JANE}, {**JANE}, ("name_and_postal_code",), MEDIUM),
            ({**JANE, "phone_numbers": PHONE}, {**JANE, "phone_numbers": PHONE}, None, HIGH),
            ({**DOE, "given_name": "Ann"}, {**DOE, "given_name": "ann"}, None, HIGH),
            ({**DOE, "given_name": "Ann"}, {**DOE, "given_name": "Bob"}, None, LOW),
            ({**DOE, "given_name": "Ann"}, {**DOE, "given_name": None, "family_name": None}, None, MEDIUM),
        ],
    )
    def test_say_how_certain_it_is(
        self, api: Client, store: Store, one: dict, other: dict, by: tuple[str, ...] | None, certainty: str
    ) -> None:
        for each in (one, other):
            person(api, **each)

        (pair,) = duplicate_pairs(store, limit=10).pairs

        assert pair.certainty == certainty
        assert by in (None, pair.by)

    @pytest.mark.parametrize(("name", "certainty"), [("Jane", HIGH), ("John", MEDIUM)])
    def test_with_one_address_are_certain_if_the_names_agree(
        self, api: Client, store: Store, name: str, certainty: str
    ) -> None:
        person(api, given_name="Jane", family_name="Doe", email_addresses=[{"address": "doe@example.com"}])
        api.put(
            f"/people/{person(api, given_name=name, family_name='Doe')}",
            {"email_addresses": [{"address": "DOE@example.com"}]},
        )

        (pair,) = duplicate_pairs(store, limit=10).pairs

        assert (pair.by, pair.certainty) == (("email_address",), certainty)

    def test_have_pages_that_read_a_limited_number_of_people(
        self, api: Client, store: Store, people: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pairs_module, "BATCH", 1)
        monkeypatch.setattr(pairs_module, "MAX_PEOPLE_READ", 1)
        found, after, pages = [], "", 0
        while after is not None:
            page = duplicate_pairs(store, limit=1, after=after)
            found += [tuple(each["_id"] for each in pair.people) for pair in page.pairs]
            after, pages = page.after, pages + 1
            assert pages < 10

        assert sorted(found) == sorted(combinations(people, 2))
        assert pages == 3

    def test_read_no_other_people(self, api: Client, store: Store, people: list[str], database: Database) -> None:
        for _ in range(30):
            person(api)

        with profiled(database) as operations:
            assert len(pairs(store)) == 3

        assert not any(each.plan == "COLLSCAN" or each.sorted for each in operations)
        assert sum(each.read for each in operations if each.collection == "people") < 20


class TestAnException:
    def test_removes_the_pair_from_every_list(self, api: Client, store: Store, people: list[str]) -> None:
        ann, bob, cid = people
        add_exception(store, bob, ann)

        assert sorted(pairs(store)) == [(ann, cid), (bob, cid)]
        assert ids(duplicates(store, limit=10)) == [[ann, cid], [bob, cid]]
        assert [other["_id"] for _, other in duplicates_of(store, store.get("people", ann) or {})] == [cid]
        listed = api.get("/people/duplicates").json["duplicates"]
        assert [len(each["_links"]["osdi:people"]) for each in listed] == [2, 2]

    def test_of_the_only_pair_leaves_no_group(self, api: Client, store: Store) -> None:
        one, other = person(api, **JANE), person(api, **JANE)
        add_exception(store, one, other)

        assert api.get("/people/duplicates").json["duplicates"] == []
        assert pairs(store) == []

    def test_can_be_repeated_and_undone(self, store: Store, people: list[str]) -> None:
        ann, bob, _ = people
        assert add_exception(store, ann, bob) == add_exception(store, bob, ann)
        assert len(latest_exceptions(store, 10).documents) == 1

        documents = store.by_ids("people", [ann, bob])
        assert remove_exceptions(store, documents[1], documents[0]) == 1

        assert len(pairs(store)) == 3

    def test_holds_for_the_survivor_of_a_merge(self, api: Client, store: Store, people: list[str]) -> None:
        ann, bob, cid = people
        add_exception(store, ann, bob)
        merge_stored_people(store, cid, bob, RULES)

        assert pairs(store) == []
        assert apart(store, store.by_ids("people", [ann, cid])) == {frozenset((ann, cid))}
        assert remove_exceptions(store, *store.by_ids("people", [ann, cid])) == 1
        assert pairs(store) == [(ann, cid)]

    def test_ends_with_the_merge_of_both(self, store: Store, people: list[str]) -> None:
        ann, bob, cid = people
        add_exception(store, ann, bob)
        add_exception(store, ann, cid)

        merge_stored_people(store, ann, bob, RULES)

        assert [each["people"] for each in latest_exceptions(store, 10).documents] == [[ann, cid]]

    @pytest.mark.parametrize("who", [0, 1])
    @pytest.mark.parametrize(
        "remove",
        [lambda store, person_id: erase(store, person_id, RULES), lambda store, it: delete(store, PERSON, it)],
        ids=["erasure", "deletion"],
    )
    def test_ends_with_an_erasure_and_a_deletion_of_one(
        self, store: Store, people: list[str], remove: Callable[[Store, str], object], who: int
    ) -> None:
        ann, bob, cid = people
        add_exception(store, ann, bob)
        add_exception(store, bob, cid)
        merge_stored_people(store, people[who], person_like(store), RULES)

        remove(store, people[who])

        left = [each["people"] for each in latest_exceptions(store, 10).documents]
        assert left == ([[bob, cid]] if who == 0 else [])

    def test_that_a_request_stores_during_a_deletion_ends_too(self, store: Store, people: list[str]) -> None:
        delete(store, PERSON, people[0])
        add_exception(store, people[0], people[1])
        note = store.find("deletions", {})[0]

        assert complete_next_deletion(store, note["not_before"])

        assert store.find(DUPLICATE_EXCEPTIONS, {}) == []

    def test_is_in_the_copy_of_a_persons_data_without_the_other_person(
        self, api: Client, store: Store, people: list[str]
    ) -> None:
        add_exception(store, people[0], people[1])

        exported = person_export(
            store, Hal("http://osdi.example.org", "osdi"), store.get("people", people[0]) or {}, RULES
        )

        (exception,) = exported["duplicate_exceptions"]
        assert exception.keys() == {"created_date"}
        assert exception["created_date"] <= now()
        assert people[1] not in str(exported)

    def test_list_has_pages(self, store: Store, people: list[str]) -> None:
        for one, other in combinations(people, 2):
            add_exception(store, one, other)
        seen, after = [], ""
        while after is not None:
            page = latest_exceptions(store, 1, after)
            seen += [each["_id"] for each in page.documents]
            after = page.after

        assert len(seen) == len(set(seen)) == 3


def person_like(store: Store) -> str:
    """Stores another person, and returns the id."""
    found = store.find("people", {}, sort=("-_id",), limit=1)[0]
    copy = {name: value for name, value in found.items() if name not in ("unclaimed_keys", "maybe_duplicate")}
    copy |= {"_id": f"{found['_id']}-2", "match_keys": [f"id:{found['_id']}-2"]}
    store.collection("people").insert_one(copy)
    return str(copy["_id"])


@pytest.mark.parametrize(
    ("group", "exceptions", "parts"),
    [
        ("abc", [], ["abc"]),
        ("abc", ["ab"], ["ac", "bc"]),
        ("abc", ["ab", "bc"], ["ac"]),
        ("abc", ["ab", "bc", "ac"], []),
        ("abcd", ["ab"], ["acd", "bcd"]),
        ("abcd", ["ab", "cd"], ["ac", "ad", "bc", "bd"]),
        ("ab", ["xy"], ["ab"]),
    ],
)
def test_a_group_is_split_so_that_no_pair_is_lost(group: str, exceptions: list[str], parts: list[str]) -> None:
    found = list(parts_of(list(group), [frozenset(each) for each in exceptions]))

    assert ["".join(each) for each in found] == parts


def test_a_large_group_with_many_exceptions_is_split_in_time() -> None:
    group = [str(number) for number in range(groups_module.MAX_GROUP_PEOPLE)]
    exceptions = {frozenset(pair) for number, pair in enumerate(combinations(group, 2)) if number % 3 == 0}

    parts = list(parts_of(group, exceptions))

    covered = {frozenset(pair) for part in parts for pair in combinations(part, 2)}
    assert covered == {frozenset(pair) for pair in combinations(group, 2)} - exceptions
    assert len(parts) <= 300
