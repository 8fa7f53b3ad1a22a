"""Who a post is about, and what it may change: docs/matching.md over HTTP."""

from typing import Any

import pytest
from pymongo.database import Database

from tests.support import factories
from tests.support.client import Client
from tests.support.factories import by_email


def person_of(api: Client, outreach: dict[str, Any]) -> dict[str, Any]:
    return api.follow(outreach, "osdi:person")


class TestWithAToken:
    """The token holder's posts match by identifiers, e-mails and phones, and what they say counts."""

    def test_the_same_email_is_the_same_person(self, api: Client, noise: list[dict], database: Database) -> None:
        first = api.recorded(by_email("jane@example.com"))
        second = api.recorded(by_email("JANE@example.com"))

        assert first["_links"]["osdi:person"] == second["_links"]["osdi:person"]
        assert first["_links"]["self"] != second["_links"]["self"]
        assert database.people.count_documents({}) == len(noise) + 1

    def test_a_second_post_leaves_what_the_first_one_said(self, api: Client) -> None:
        api.recorded(
            by_email(
                "jane@example.com",
                identifiers=["crm:1"],
                given_name="Jane",
                phone_numbers=[{"number": "19876543210"}],
                postal_addresses=[{"postal_code": "20009", "address_lines": ["1 Elm St"]}],
                custom_fields={"union_member": "true"},
            )
        )
        second = api.recorded(
            by_email(
                "jane.doe@example.com",
                identifiers=["crm:1"],
                given_name=None,
                family_name="",
                phone_numbers=[{"number": "15550001111"}],
                postal_addresses=[{"postal_code": "10001", "address_lines": ["2 Oak St"]}],
                custom_fields={"shirt": "M", "union_member": None},
            )
        )

        person = person_of(api, second)
        assert person["given_name"] == "Jane"
        assert [each["address"] for each in person["email_addresses"]] == ["jane@example.com", "jane.doe@example.com"]
        assert [each["number"] for each in person["phone_numbers"]] == ["19876543210", "15550001111"]
        assert [each["postal_code"] for each in person["postal_addresses"]] == ["20009", "10001"]
        assert person["custom_fields"] == {"union_member": "true", "shirt": "M"}

    def test_a_value_that_is_said_replaces_the_stored_one(self, api: Client) -> None:
        api.recorded(by_email("jane@example.com", given_name="Jan"))
        second = api.recorded(by_email("jane@example.com", given_name="Jane"))

        assert person_of(api, second)["given_name"] == "Jane"

    def test_every_email_of_a_person_finds_them(self, api: Client, database: Database) -> None:
        both = [{"address": "a@example.com"}, {"address": "b@example.com"}]
        api.recorded(factories.outreach(person={"email_addresses": both}))
        api.recorded(by_email("b@example.com"))

        assert database.people.count_documents({}) == 1

    def test_an_identifier_learnt_later_finds_them(self, api: Client, database: Database) -> None:
        api.recorded(by_email("jane@example.com"))
        api.recorded(by_email("jane@example.com", identifiers=["crm:1"]))
        third = api.recorded(factories.outreach(person={"identifiers": ["crm:1"]}))

        assert database.people.count_documents({}) == 1
        assert person_of(api, third)["identifiers"][1:] == ["crm:1"]

    def test_our_own_identifier_finds_them(self, api: Client, database: Database) -> None:
        person = person_of(api, api.recorded(factories.outreach()))
        api.recorded(factories.outreach(person={"identifiers": person["identifiers"]}))

        assert database.people.count_documents({}) == 1

    def test_a_phone_alone_matches_somebody_without_an_email(self, api: Client, database: Database) -> None:
        api.recorded(factories.outreach(person={"phone_numbers": [{"number": "19876543210"}]}))
        api.recorded(by_email("jane@example.com", phone_numbers=[{"number": "+1 987 654 3210"}]))

        assert database.people.count_documents({}) == 1

    def test_a_post_with_only_a_phone_matches_its_owner(self, api: Client, database: Database) -> None:
        api.recorded(by_email("jane@example.com", phone_numbers=[{"number": "19876543210"}]))
        api.recorded(factories.outreach(person={"phone_numbers": [{"number": 19876543210}]}))

        assert database.people.count_documents({}) == 1

    def test_two_emails_on_one_phone_are_a_household(self, api: Client, database: Database) -> None:
        phone = [{"number": "19876543210"}]
        api.recorded(by_email("jane@example.com", phone_numbers=phone))
        john = api.recorded(by_email("john@example.com", phone_numbers=phone))

        assert database.people.count_documents({}) == 2
        assert person_of(api, john)["phone_numbers"] == phone, "stored, though the key stays with the first"

    def test_an_email_of_somebody_else_is_stored_but_not_claimed(self, api: Client, database: Database) -> None:
        api.recorded(by_email("jane@example.com"))
        api.recorded(by_email("jane@example.com", identifiers=["crm:1"]))
        john = api.recorded(factories.outreach(person={"identifiers": ["crm:2"], "given_name": "John"}))
        api.recorded(by_email("jane@example.com", identifiers=["crm:2"]))

        assert person_of(api, john)["email_addresses"] == [{"address": "jane@example.com"}]
        assert api.recorded(by_email("jane@example.com"))["_links"]["osdi:person"] != john["_links"]["osdi:person"]
        assert database.people.count_documents({}) == 2

    def test_identifiers_of_two_people_are_refused(self, api: Client, database: Database) -> None:
        for number in (1, 2):
            api.recorded(factories.outreach(person={"identifiers": [f"crm:{number}"]}))
        before = list(database.people.find())

        response = api.record(factories.outreach(person={"identifiers": ["crm:1", "crm:2"], "given_name": "X"}))

        assert response.status_code == 409
        assert "person.identifiers" in response.json["error"]
        assert list(database.people.find()) == before
        assert database.outreaches.count_documents({}) == 2

    def test_a_person_who_would_outgrow_their_bound_is_refused(
        self, api: Client, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("osdi.people.merge_rules.MAX_DOCUMENT_BYTES", 2_000)
        api.recorded(by_email("jane@example.com"))

        response = api.record(by_email("jane@example.com", custom_fields={"much": "x" * 2_000}))

        assert response.status_code == 413
        assert database.outreaches.count_documents({}) == 1

    def test_an_identifier_of_our_own_is_never_shown_twice(self, api: Client) -> None:
        person = person_of(api, api.recorded(factories.outreach(person={"identifiers": ["osdi_outreach:made-up"]})))

        assert len(person["identifiers"]) == 1

    def test_a_post_that_changes_nothing_leaves_the_person_unmodified(self, api: Client, database: Database) -> None:
        body = by_email("jane@example.com", given_name="Jane", custom_fields={"a": "1"})
        api.recorded(body)
        before = database.people.find_one()
        api.recorded(body)

        assert database.people.find_one() == before


class TestWithoutAToken:
    """Anybody may post: it fills what is empty, and overwrites, clears and tells nothing."""

    @pytest.fixture
    def jane(self, api: Client) -> dict[str, Any]:
        """Somebody known, of whom a name, a status and an address are known."""
        body = by_email(
            "jane@example.com",
            identifiers=["crm:1"],
            given_name="Jane",
            phone_numbers=[{"number": "19876543210", "number_type": "Home"}],
            custom_fields={"union_member": "true"},
        )
        body["person"]["email_addresses"][0] |= {"primary": True, "status": "unsubscribed"}
        return person_of(api, api.recorded(body))

    def post(self, api: Client, jane: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """The known person after a post without a token that says `fields` about them."""
        response = api.record(by_email("jane@example.com", **fields), token=False)
        assert (response.status_code, response.data) == (200, b"{}")
        return api.follow(jane, "self")

    def test_fills_what_is_empty(self, api: Client, jane: dict[str, Any]) -> None:
        after = self.post(api, jane, family_name="Doe", custom_fields={"shirt": "M"}, gender="Female")

        assert (after["family_name"], after["gender"]) == ("Doe", "Female")
        assert after["custom_fields"] == {"union_member": "true", "shirt": "M"}

    def test_overwrites_nothing(self, api: Client, jane: dict[str, Any]) -> None:
        after = self.post(
            api,
            jane,
            given_name="Mallory",
            custom_fields={"union_member": "false"},
            phone_numbers=[{"number": "19876543210", "number_type": "Work"}],
        )

        assert after == jane

    @pytest.mark.parametrize("status", ["subscribed", "bouncing", "spam complaints"])
    def test_moves_no_subscription(self, api: Client, jane: dict[str, Any], status: str) -> None:
        address = {"address": "jane@example.com", "status": status}

        assert self.post(api, jane, email_addresses=[address]) == jane

    def test_appends_contact_details_that_nobody_owns(self, api: Client, jane: dict[str, Any]) -> None:
        added = {"address": "new@example.com", "primary": True}

        after = self.post(api, jane, email_addresses=[{"address": "jane@example.com"}, added])

        assert after["email_addresses"] == [*jane["email_addresses"], {"address": "new@example.com", "primary": False}]

    def test_appends_none_of_somebody_else(self, api: Client, jane: dict[str, Any]) -> None:
        api.recorded(by_email("john@example.com", phone_numbers=[{"number": "15550001111"}]))

        after = self.post(
            api,
            jane,
            email_addresses=[{"address": "jane@example.com"}, {"address": "john@example.com"}],
            phone_numbers=[{"number": "15550001111"}],
        )

        assert after == jane

    def test_what_it_appends_leads_nobody_to_the_known_person(self, api: Client, jane: dict[str, Any]) -> None:
        self.post(api, jane, email_addresses=[{"address": "jane@example.com"}, {"address": "bob@example.com"}])

        bob = api.recorded(by_email("bob@example.com", identifiers=["crm:bob"], given_name="Bob"))

        assert bob["_links"]["osdi:person"]["href"] != jane["_links"]["self"]["href"]
        assert api.follow(jane, "self")["given_name"] == "Jane"

    def test_somebody_new_is_known_by_their_first_email_only(self, api: Client, database: Database) -> None:
        both = [{"address": "new@example.com"}, {"address": "bob@example.com"}]
        api.record(factories.outreach(person={"email_addresses": both}), token=False)
        api.record(by_email("new@example.com"), token=False)
        api.record(by_email("bob@example.com"), token=False)

        assert database.people.count_documents({}) == 2

    def test_says_nothing_about_parties_and_profiles_that_are_known(self, api: Client, jane: dict[str, Any]) -> None:
        said = {"parties": [{"identification": "Independent"}], "ethnicities": ["A"]}
        known = self.post(api, jane, **said)
        after = self.post(api, jane, parties=[{"identification": "Republican"}], ethnicities=["B"])

        assert {name: known[name] for name in said} == said
        assert after == known

    def test_cannot_make_a_known_person_outgrow_their_bound(
        self, api: Client, jane: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("osdi.people.merge_rules.MAX_DOCUMENT_BYTES", 2_000)

        after = self.post(api, jane, custom_fields={"much": "x" * 2_000})

        assert after == jane
        assert api.follow(jane, "osdi:outreaches")["total_records"] == 2, "the outreach is kept all the same"

    def test_records_the_outreach_of_the_known_person(self, api: Client, jane: dict[str, Any]) -> None:
        self.post(api, jane)

        assert api.follow(jane, "osdi:outreaches")["total_records"] == 2

    def test_identifiers_are_claimed_and_find_nobody(
        self, api: Client, jane: dict[str, Any], database: Database
    ) -> None:
        body = factories.outreach(person={"identifiers": ["crm:1"], "family_name": "Mallory"}, identifiers=["crm:o"])
        assert api.record(body, token=False).status_code == 200

        assert api.follow(jane, "self") == jane
        stranger = database.people.find_one({"family_name": "Mallory"})
        assert stranger["claimed_identifiers"] == ["crm:1"]
        assert "identifiers" not in stranger

    def test_claimed_identifiers_are_shown_to_a_token_and_never_found_by_it(
        self, api: Client, database: Database
    ) -> None:
        api.record(factories.outreach(person=factories.person(identifiers=["crm:7"])), token=False)
        seven = api.recorded(factories.outreach(person={"identifiers": ["crm:7"]}))

        assert database.people.count_documents({}) == 2
        assert "osdi_outreach:claimed_identifiers" not in person_of(api, seven)
        claimed = database.people.find_one({"claimed_identifiers": "crm:7"})
        shown = api.get(f"/people/{claimed['_id']}").json
        assert shown["osdi_outreach:claimed_identifiers"] == ["crm:7"]
        assert shown["identifiers"] == [f"osdi_outreach:{claimed['_id']}"]

    def test_the_answer_is_the_same_byte_for_byte(self, api: Client, jane: dict[str, Any]) -> None:
        known = api.record(by_email("jane@example.com", given_name="Mallory"), token=False)
        unknown = api.record(by_email("nobody@example.com", given_name="Mallory"), token=False)
        nonsense = api.record(factories.outreach(add_tags=["no such tag"]), token=False)

        assert known.data == unknown.data == nonsense.data == b"{}"
        for answer in (known, unknown, nonsense):
            del answer.headers["OSDI-Request-ID"]  # no two answers have the same
        assert known.headers == unknown.headers == nonsense.headers
