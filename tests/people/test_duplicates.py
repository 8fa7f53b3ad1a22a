"""GET /people/duplicates returns possible duplicates and the kinds of keys that they share, page by page."""

from typing import Any

import pytest
from pymongo.database import Database

from osdi.people.duplicates import groups as groups_module
from osdi.people.duplicates.keys_store import set_derived_keys_of_all
from osdi.store import Store
from tests.support import factories
from tests.support.client import Client
from tests.support.factories import RULES
from tests.support.profiled import profiled

JANE = {"given_name": "Jane", "family_name": "Doe", "postal_addresses": [{"postal_code": "10011"}]}
PHONE = [{"number": "12025550123"}]


def href(resource: dict[str, Any]) -> str:
    return str(resource["_links"]["self"]["href"])


def groups(api: Client, query: str = "") -> list[tuple[list[str], list[str]]]:
    """Returns the kinds of keys and the addresses of the people of each group on a page."""
    response = api.get(f"/people/duplicates{query}")
    assert response.status_code == 200, response.get_data(as_text=True)
    for group in response.json["duplicates"]:
        assert [href(each) for each in group["_embedded"]["osdi:people"]] == [
            each["href"] for each in group["_links"]["osdi:people"]
        ]
    return [
        (group["by"], [each["href"] for each in group["_links"]["osdi:people"]])
        for group in response.json["duplicates"]
    ]


def person(api: Client, **fields: Any) -> str:
    """Creates a person; returns the address."""
    return href(api.created("/people", factories.person(**fields)))


def test_people_with_the_same_email_are_duplicates(api: Client, noise: list[dict]) -> None:
    owner, sharing = person(api, email_addresses=[{"address": "jane@example.com"}]), person(api)
    api.put(sharing, {"email_addresses": [{"address": "JANE@example.com"}]})

    assert groups(api) == [(["email_address"], [owner, sharing])]


def test_people_with_the_same_phone_are_duplicates(api: Client, noise: list[dict]) -> None:
    owner, sharing = person(api, phone_numbers=PHONE), person(api, phone_numbers=[{"number": "+1 (202) 555-0123"}])

    assert groups(api) == [(["phone_number"], [owner, sharing])]


def test_people_with_the_same_name_and_postal_code_are_duplicates(api: Client, noise: list[dict]) -> None:
    first = person(api, **JANE)
    second = person(api, given_name="JANE", family_name="doe", postal_addresses=[{"postal_code": "10011-1234"}])
    person(api, given_name="Jane", family_name="Doe", postal_addresses=[{"postal_code": "10012"}])
    person(api, given_name="Jane", family_name="Doe")

    assert groups(api) == [(["name_and_postal_code"], [first, second])]


def test_people_who_share_several_keys_are_one_group(api: Client) -> None:
    first = person(api, **JANE, phone_numbers=PHONE)
    second = person(api, **JANE, phone_numbers=PHONE)

    assert groups(api) == [(["phone_number", "name_and_postal_code"], [first, second])]


def test_three_people_with_one_key_are_one_group(api: Client) -> None:
    people = [person(api, **JANE) for _ in range(3)]

    assert groups(api) == [(["name_and_postal_code"], people)]


def test_a_person_who_shares_keys_with_two_others_is_in_two_groups(api: Client) -> None:
    by_phone, by_name = person(api, phone_numbers=PHONE), person(api, **JANE)
    both = person(api, **JANE, phone_numbers=PHONE)

    assert groups(api) == [(["phone_number"], [by_phone, both]), (["name_and_postal_code"], [by_name, both])]


@pytest.mark.parametrize("token", [True, False], ids=["with a token", "without"])
def test_a_post_to_a_helper_creates_a_duplicate(api: Client, token: bool) -> None:
    first = person(api, **JANE)
    api.record(factories.outreach(person=factories.person(**JANE)), token=token)

    ((by, people),) = groups(api)
    assert (by, people[0], len(people)) == (["name_and_postal_code"], first, 2)


def test_an_address_of_an_anonymous_post_is_returned_after_a_person_owns_it(api: Client) -> None:
    jane = person(api, email_addresses=[{"address": "jane@example.com"}])
    both = [{"address": "jane@example.com", "primary": True}, {"address": "j@example.com"}]
    api.record(factories.outreach(person={"email_addresses": both}), token=False)
    assert groups(api) == []

    other = person(api, email_addresses=[{"address": "j@example.com"}])

    assert groups(api) == [(["email_address"], [other, jane])]


class TestAChange:
    """A change of a person adds and removes duplicates."""

    def test_a_post_changes_a_name(self, api: Client) -> None:
        first = person(api, **JANE)
        second = person(api, email_addresses=[{"address": "x@example.com"}], postal_addresses=JANE["postal_addresses"])
        assert groups(api) == []

        api.created("/people", {**JANE, "email_addresses": [{"address": "x@example.com"}]})
        assert groups(api) == [(["name_and_postal_code"], [first, second])]

        api.created("/people", {"given_name": "Joan", "email_addresses": [{"address": "x@example.com"}]})
        assert groups(api) == []

    def test_a_post_changes_part_of_a_name(self, api: Client) -> None:
        first = person(api, **JANE)
        second = person(api, **{**JANE, "given_name": "Joan"}, email_addresses=[{"address": "x@example.com"}])

        api.created("/people", {"given_name": "Jane", "email_addresses": [{"address": "x@example.com"}]})

        assert groups(api) == [(["name_and_postal_code"], [first, second])]

    def test_a_put_changes_a_name(self, api: Client) -> None:
        first, second = person(api, **JANE), person(api, **{**JANE, "given_name": "Joan"})

        assert api.put(second, {"given_name": "Jane"}).status_code == 200
        assert groups(api) == [(["name_and_postal_code"], [first, second])]

        assert api.put(first, {"given_name": "Jo"}).status_code == 200
        assert groups(api) == []

    def test_a_new_owner_of_a_phone_number(self, api: Client) -> None:
        first, second = person(api, phone_numbers=PHONE), person(api, phone_numbers=PHONE)

        api.put(first, {"phone_numbers": None})
        assert groups(api) == []

        third = person(api, phone_numbers=PHONE)
        assert groups(api) == [(["phone_number"], [third, second])]

    def test_a_deletion_ends_the_group(self, api: Client) -> None:
        first, _ = person(api, **JANE), person(api, **JANE)

        api.delete(first)

        assert groups(api) == []

    def test_a_post_without_changes_writes_nothing(self, api: Client, database: Database) -> None:
        person(api, **JANE)
        jane = {**JANE, "email_addresses": [{"address": "x@example.com"}]}
        second = person(api, **jane)
        before = database.people.find_one({"_id": second.rsplit("/", 1)[1]})

        api.created("/people", jane)

        assert database.people.find_one({"_id": second.rsplit("/", 1)[1]}) == before


class TestPages:
    """Each group is on one page, and every page costs as much as the first one."""

    @pytest.fixture
    def pairs(self, api: Client) -> list[list[str]]:
        return [[person(api, **{**JANE, "family_name": f"Doe{number}"}) for _ in range(2)] for number in range(5)]

    def test_links_lead_from_page_to_page(self, api: Client, pairs: list[list[str]]) -> None:
        found, address = [], "/people/duplicates?per_page=2"
        for _ in range(10):
            response = api.get(address).json
            found.append(
                [[each["href"] for each in group["_links"]["osdi:people"]] for group in response["duplicates"]]
            )
            if "next" not in response["_links"]:
                break
            address = response["_links"]["next"]["href"]

        assert [each for page in found for each in page] == pairs
        assert [len(page) for page in found[:3]] == [2, 2, 1]

    def test_the_page_size_is_limited(self, api: Client) -> None:
        assert api.get("/people/duplicates?per_page=1000").json["per_page"] == 100

    def test_a_page_reads_a_limited_number_of_people(
        self, api: Client, pairs: list[list[str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(groups_module, "BATCH", 1)
        monkeypatch.setattr(groups_module, "MAX_PEOPLE_READ", 2)

        response = api.get("/people/duplicates").json

        assert len(response["duplicates"]) == 2
        assert api.follow(response, "next")["duplicates"][0]["_links"]["osdi:people"][0]["href"] == pairs[2][0]

    def test_a_page_reads_a_limited_number_of_keys_of_a_flooded_person(
        self, api: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        jane = [{"address": "jane@example.com", "primary": True}]
        flooded = person(api, email_addresses=jane)
        added = [{"address": f"{number}@example.com"} for number in range(5)]
        api.record(factories.outreach(person={"email_addresses": [*jane, *added]}), token=False)
        pair = [person(api, **JANE) for _ in range(2)]
        monkeypatch.setattr(groups_module, "MAX_KEYS", 5)

        response = api.get("/people/duplicates").json

        assert response["duplicates"] == []
        assert f"after={flooded.rsplit('/', 1)[1]}" in response["_links"]["next"]["href"]
        following = api.follow(response, "next")["duplicates"]
        assert [[each["href"] for each in group["_links"]["osdi:people"]] for group in following] == [pair]

    def test_a_group_has_a_limited_number_of_people(self, api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        people = [person(api, **JANE) for _ in range(6)]
        monkeypatch.setattr(groups_module, "MAX_GROUP_PEOPLE", 3)

        assert groups(api) == [(["name_and_postal_code"], people[:3])]

    def test_no_other_people_are_read(self, api: Client, database: Database, pairs: list[list[str]]) -> None:
        for _ in range(30):
            person(api)

        with profiled(database) as operations:
            groups(api)

        operations = [each for each in operations if each.collection == "people"]
        assert {each.plan for each in operations} == {
            "IXSCAN { maybe_duplicate: 1, _id: 1 }",
            "IXSCAN { match_keys: 1 }",
            "IXSCAN { unclaimed_keys: 1, _id: 1 }",
            "IXSCAN { _id: 1 }",
        }
        # The index alone returns the people of a key: a person with thousands of keys would be read once for each.
        assert sum(each.read for each in operations if "unclaimed" in each.plan) == 0
        assert sum(each.read for each in operations) == 4 * len(pairs)
        assert not any(each.sorted for each in operations)


class TestDocumentsFromBefore:
    """A migration step sets the derived keys of older documents; it can be repeated."""

    @pytest.fixture
    def old(self, api: Client, database: Database) -> list[str]:
        """Creates three people without keys of names, two of them duplicates; returns their addresses."""
        people = [person(api, **JANE), person(api, **JANE), person(api, **{**JANE, "given_name": "Joan"})]
        database.people.update_many({}, {"$unset": {"unclaimed_keys": "", "maybe_duplicate": ""}})
        database.people.update_many({}, {"$pull": {"match_keys": {"$regex": "^name_and_postal_code:"}}})
        assert groups(api) == []
        return people

    def test_one_batch_sets_the_keys_of_all(self, api: Client, store: Store, old: list[str]) -> None:
        assert list(set_derived_keys_of_all(store, RULES)) == [3]

        assert groups(api) == [(["name_and_postal_code"], old[:2])]
        assert list(set_derived_keys_of_all(store, RULES)) == [0]

    def test_clients_see_no_change(self, api: Client, store: Store, old: list[str]) -> None:
        before = [(api.get(each).json, api.get(each).headers["ETag"]) for each in old]

        list(set_derived_keys_of_all(store, RULES))

        assert [(api.get(each).json, api.get(each).headers["ETag"]) for each in old] == before

    def test_several_batches_set_the_keys(
        self, api: Client, store: Store, old: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("osdi.people.duplicates.keys_store.BATCH", 1)

        assert list(set_derived_keys_of_all(store, RULES, after=old[0].rsplit("/", 1)[1])) == [1, 1]
        assert list(set_derived_keys_of_all(store, RULES)) == [1, 0, 0]
        assert groups(api) == [(["name_and_postal_code"], [old[1], old[0]])]
