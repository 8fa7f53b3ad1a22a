"""Matching of posts and the changes that they may make: docs/matching.md over HTTP."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from pymongo.database import Database

from osdi.fields.limits import MAX_ANONYMOUS_STORED_ENTRIES, MAX_ANONYMOUS_STORED_FIELDS
from tests.support import factories
from tests.support.client import Client
from tests.support.factories import by_email


def person_of(api: Client, outreach: dict[str, Any]) -> dict[str, Any]:
    return api.follow(outreach, "osdi:person")


def test_an_answer_is_added_unless_the_latest_answer_to_its_question_is_the_same(api: Client) -> None:
    question = api.created("/questions", {"question_type": "Paragraph"})["_links"]["self"]["href"]

    for value in ("a", "a", "b", "b", "a"):
        responses = [{"question": question, "value": value}]
        recorded = api.recorded(by_email("jane@example.com") | {"add_questions_responses_uri": responses})

    found = api.follow(person_of(api, recorded), "osdi:answers")["_embedded"]["osdi:answers"]
    assert sorted(each["value"] for each in found) == ["a", "a", "b"]


class TestWithAToken:
    """Posts with a token match by identifiers, e-mails and phones, and replace stored values."""

    def test_the_same_email_is_the_same_person(self, api: Client, noise: list[dict], database: Database) -> None:
        first = api.recorded(by_email("jane@example.com"))
        second = api.recorded(by_email("JANE@example.com"))

        assert first["_links"]["osdi:person"] == second["_links"]["osdi:person"]
        assert first["_links"]["self"] != second["_links"]["self"]
        assert database.people.count_documents({}) == len(noise) + 1

    def test_a_second_post_keeps_values_that_it_does_not_have(self, api: Client) -> None:
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

    def test_a_posted_value_replaces_the_stored_one(self, api: Client) -> None:
        api.recorded(by_email("jane@example.com", given_name="Jan"))
        second = api.recorded(by_email("jane@example.com", given_name="Jane"))

        assert person_of(api, second)["given_name"] == "Jane"

    def test_every_email_of_a_person_finds_the_person(self, api: Client, database: Database) -> None:
        both = [{"address": "a@example.com"}, {"address": "b@example.com"}]
        api.recorded(factories.outreach(person={"email_addresses": both}))
        api.recorded(by_email("b@example.com"))

        assert database.people.count_documents({}) == 1

    def test_an_identifier_that_was_added_later_finds_the_person(self, api: Client, database: Database) -> None:
        api.recorded(by_email("jane@example.com"))
        api.recorded(by_email("jane@example.com", identifiers=["crm:1"]))
        third = api.recorded(factories.outreach(person={"identifiers": ["crm:1"]}))

        assert database.people.count_documents({}) == 1
        assert person_of(api, third)["identifiers"][1:] == ["crm:1"]

    def test_the_servers_own_identifier_finds_the_person(self, api: Client, database: Database) -> None:
        person = person_of(api, api.recorded(factories.outreach()))
        api.recorded(factories.outreach(person={"identifiers": person["identifiers"]}))

        assert database.people.count_documents({}) == 1

    def test_a_phone_matches_a_person_without_an_email(self, api: Client, database: Database) -> None:
        api.recorded(factories.outreach(person={"phone_numbers": [{"number": "19876543210"}]}))
        api.recorded(by_email("jane@example.com", phone_numbers=[{"number": "+1 987 654 3210"}]))

        assert database.people.count_documents({}) == 1

    def test_a_post_with_only_a_phone_matches_its_owner(self, api: Client, database: Database) -> None:
        api.recorded(by_email("jane@example.com", phone_numbers=[{"number": "19876543210"}]))
        api.recorded(factories.outreach(person={"phone_numbers": [{"number": 19876543210}]}))

        assert database.people.count_documents({}) == 1

    def test_two_emails_with_one_phone_are_two_people(self, api: Client, database: Database) -> None:
        phone = [{"number": "19876543210"}]
        api.recorded(by_email("jane@example.com", phone_numbers=phone))
        john = api.recorded(by_email("john@example.com", phone_numbers=phone))

        assert database.people.count_documents({}) == 2
        assert person_of(api, john)["phone_numbers"] == phone, (
            "the number is stored, and the first person keeps the key"
        )

    def test_an_email_of_another_person_is_stored_but_not_claimed(self, api: Client, database: Database) -> None:
        api.recorded(by_email("jane@example.com"))
        api.recorded(by_email("jane@example.com", identifiers=["crm:1"]))
        john = api.recorded(factories.outreach(person={"identifiers": ["crm:2"], "given_name": "John"}))
        api.recorded(by_email("jane@example.com", identifiers=["crm:2"]))

        assert person_of(api, john)["email_addresses"] == [{"address": "jane@example.com"}]
        assert api.recorded(by_email("jane@example.com"))["_links"]["osdi:person"] != john["_links"]["osdi:person"]
        assert database.people.count_documents({}) == 2

    def test_identifiers_of_two_people_are_rejected(self, api: Client, database: Database) -> None:
        for number in (1, 2):
            api.recorded(factories.outreach(person={"identifiers": [f"crm:{number}"]}))
        before = list(database.people.find())

        response = api.record(factories.outreach(person={"identifiers": ["crm:1", "crm:2"], "given_name": "X"}))

        assert response.status_code == 409
        assert "person.identifiers" in response.json["error"]
        assert list(database.people.find()) == before
        assert database.outreaches.count_documents({}) == 2

    def test_a_person_who_would_exceed_the_size_limit_is_rejected(
        self, api: Client, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("osdi.people.merge_rules.MAX_DOCUMENT_BYTES", 2_000)
        api.recorded(by_email("jane@example.com"))

        response = api.record(by_email("jane@example.com", custom_fields={"much": "x" * 2_000}))

        assert response.status_code == 413
        assert database.outreaches.count_documents({}) == 1

    def test_the_servers_own_identifier_is_returned_once(self, api: Client) -> None:
        person = person_of(api, api.recorded(factories.outreach(person={"identifiers": ["osdi_outreach:made-up"]})))

        again = person_of(api, api.recorded(factories.outreach(person={"identifiers": person["identifiers"]})))

        own = person["_links"]["self"]["href"].rpartition("/")[2]
        assert again["identifiers"] == person["identifiers"] == [f"osdi_outreach:{own}", "osdi_outreach:made-up"]

    def test_a_post_without_changes_does_not_modify_the_person(self, api: Client, database: Database) -> None:
        body = by_email("jane@example.com", given_name="Jane", custom_fields={"a": "1"})
        api.recorded(body)
        before = database.people.find_one()
        api.recorded(body)

        assert database.people.find_one() == before


class TestWithoutAToken:
    """A post without a token fills empty fields; it overwrites, clears and returns nothing."""

    @pytest.fixture
    def jane(self, api: Client) -> dict[str, Any]:
        """A stored person with a name, a status and an address."""
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
        """Sends a post without a token with these fields; returns the stored person after it."""
        response = api.record(by_email("jane@example.com", **fields), token=False)
        assert (response.status_code, response.data) == (200, b"{}")
        return api.follow(jane, "self")

    def test_empty_fields_are_filled(self, api: Client, jane: dict[str, Any]) -> None:
        after = self.post(api, jane, family_name="Doe", custom_fields={"shirt": "M"}, gender="Female")

        assert (after["family_name"], after["gender"]) == ("Doe", "Female")
        assert after["custom_fields"] == {"union_member": "true", "shirt": "M"}

    def test_stored_values_are_not_overwritten(self, api: Client, jane: dict[str, Any]) -> None:
        after = self.post(
            api,
            jane,
            given_name="Mallory",
            custom_fields={"union_member": "false"},
            phone_numbers=[{"number": "19876543210", "number_type": "Work"}],
        )

        assert after == jane

    @pytest.mark.parametrize("status", ["subscribed", "bouncing", "spam complaints"])
    def test_a_subscription_status_is_not_changed(self, api: Client, jane: dict[str, Any], status: str) -> None:
        address = {"address": "jane@example.com", "status": status}

        assert self.post(api, jane, email_addresses=[address]) == jane

    def test_contact_details_without_an_owner_are_appended(self, api: Client, jane: dict[str, Any]) -> None:
        added = {"address": "new@example.com", "primary": True}

        after = self.post(api, jane, email_addresses=[{"address": "jane@example.com"}, added])

        assert after["email_addresses"] == [*jane["email_addresses"], {"address": "new@example.com", "primary": False}]

    def test_contact_details_of_other_people_are_not_appended(self, api: Client, jane: dict[str, Any]) -> None:
        api.recorded(by_email("john@example.com", phone_numbers=[{"number": "15550001111"}]))

        after = self.post(
            api,
            jane,
            email_addresses=[{"address": "jane@example.com"}, {"address": "john@example.com"}],
            phone_numbers=[{"number": "15550001111"}],
        )

        assert after == jane

    def test_an_appended_email_does_not_match_the_person(self, api: Client, jane: dict[str, Any]) -> None:
        self.post(api, jane, email_addresses=[{"address": "jane@example.com"}, {"address": "bob@example.com"}])

        bob = api.recorded(by_email("bob@example.com", identifiers=["crm:bob"], given_name="Bob"))

        assert bob["_links"]["osdi:person"]["href"] != jane["_links"]["self"]["href"]
        assert api.follow(jane, "self")["given_name"] == "Jane"

    def test_only_the_first_email_of_a_new_person_is_a_key(self, api: Client, database: Database) -> None:
        both = [{"address": "new@example.com"}, {"address": "bob@example.com"}]
        api.record(factories.outreach(person={"email_addresses": both}), token=False)
        api.record(by_email("new@example.com"), token=False)
        api.record(by_email("bob@example.com"), token=False)

        assert database.people.count_documents({}) == 2

    def test_stored_parties_and_profiles_are_not_changed(self, api: Client, jane: dict[str, Any]) -> None:
        posted = {"parties": [{"identification": "Independent"}], "ethnicities": ["A"]}
        known = self.post(api, jane, **posted)
        after = self.post(api, jane, parties=[{"identification": "Republican"}], ethnicities=["B"])

        assert {name: known[name] for name in posted} == posted
        assert after == known

    def test_a_known_person_does_not_exceed_the_size_limit(
        self, api: Client, jane: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("osdi.people.merge_rules.MAX_DOCUMENT_BYTES", 2_000)

        after = self.post(api, jane, custom_fields={"much": "x" * 2_000})

        assert after == jane
        assert api.follow(jane, "osdi:outreaches")["total_records"] == 2, "the outreach is recorded"

    @pytest.mark.parametrize(
        ("field", "limit", "values"),
        [
            (
                "email_addresses",
                MAX_ANONYMOUS_STORED_ENTRIES,
                lambda n: [{"address": f"a{n}b{i}@example.com"} for i in range(9)],
            ),
            (
                "phone_numbers",
                MAX_ANONYMOUS_STORED_ENTRIES,
                lambda n: [{"number": f"+1212555{n:02}{i:02}"} for i in range(10)],
            ),
            (
                "postal_addresses",
                MAX_ANONYMOUS_STORED_ENTRIES,
                lambda n: [{"postal_code": f"1{n}00{i}"} for i in range(10)],
            ),
            ("identifiers", MAX_ANONYMOUS_STORED_ENTRIES, lambda n: [f"crm:{n}-{i}" for i in range(10)]),
            ("custom_fields", MAX_ANONYMOUS_STORED_FIELDS, lambda n: {f"{n}-{i}": "x" for i in range(50)}),
        ],
    )
    def test_many_posts_do_not_fill_a_known_person_and_name_what_was_left_out(
        self,
        api: Client,
        jane: dict[str, Any],
        database: Database,
        field: str,
        limit: int,
        values: Callable[[int], Any],
    ) -> None:
        for number in range(7):
            body = by_email("jane@example.com", given_name=f"Jane {number}")
            more = values(number)
            if field == "email_addresses":
                more = [*body["person"][field], *more]
            body["person"][field] = more
            assert api.record(body, token=False).status_code == 200

        stored = database.people.find_one()
        assert len(stored["claimed_identifiers" if field == "identifiers" else field]) <= limit
        assert len(orjson.dumps(stored, default=str)) < 50_000
        outreaches = list(database.outreaches.find().sort("_id"))
        assert len(outreaches) == 8
        [warning] = outreaches[-1]["warnings"]
        assert warning["property"] == f"person.{field}"
        assert "warnings" not in outreaches[1], "there was room"
        after, href = api.follow(jane, "self"), jane["_links"]["self"]["href"]
        assert api.put(href, {field: after[field]}).status_code == 200, "a PUT can send all of it back"

    def test_the_outreach_of_the_known_person_is_recorded(self, api: Client, jane: dict[str, Any]) -> None:
        self.post(api, jane)

        assert api.follow(jane, "osdi:outreaches")["total_records"] == 2

    def test_identifiers_are_only_claimed_and_match_no_person(
        self, api: Client, jane: dict[str, Any], database: Database
    ) -> None:
        body = factories.outreach(person={"identifiers": ["crm:1"], "family_name": "Mallory"}, identifiers=["crm:o"])
        assert api.record(body, token=False).status_code == 200

        assert api.follow(jane, "self") == jane
        stranger = database.people.find_one({"family_name": "Mallory"})
        assert stranger["claimed_identifiers"] == ["crm:1"]
        assert "identifiers" not in stranger

    def test_claimed_identifiers_are_returned_with_a_token_but_match_no_person(
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

    def test_the_response_is_the_same_for_known_and_unknown_people(self, api: Client, jane: dict[str, Any]) -> None:
        known = api.record(by_email("jane@example.com", given_name="Mallory"), token=False)
        unknown = api.record(by_email("nobody@example.com", given_name="Mallory"), token=False)
        nonsense = api.record(factories.outreach(add_tags=["no such tag"]), token=False)

        assert known.data == unknown.data == nonsense.data == b"{}"
        for response in (known, unknown, nonsense):
            del response.headers["OSDI-Request-ID"]  # differs in each response
        assert known.headers == unknown.headers == nonsense.headers
