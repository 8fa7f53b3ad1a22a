"""PUT changes the named fields, DELETE also deletes dependent data, and both check If-Match."""

from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from tests.support import factories
from tests.support.client import Client
from tests.support.factories import by_email

BODIES: dict[str, dict[str, Any]] = {
    "advocacy_campaigns": {"name": "a", "title": "A", "target_list": [{"title": "Senator"}], "type": "email"},
    "tags": {"name": "a", "description": "A"},
    "lists": {"name": "a", "title": "A"},
    "messages": {"subject": "A", "from": "A", "type": "email"},
    "wrappers": {"header": "A", "footer": "A", "wrapper_type": "sms", "default": True},
    "questions": {"title": "A", "question_type": "SingleChoice", "responses": [{"key": "a"}, {"key": "b"}]},
}
CHANGES: dict[str, dict[str, Any]] = {
    "advocacy_campaigns": {"title": "B", "target_list": [{"title": "Mayor"}], "type": None},
    "tags": {"name": "b", "description": None},
    "lists": {"name": "b", "title": None},
    "messages": {"subject": None, "from": "B"},
    "wrappers": {"header": None, "footer": "B", "default": None},
    "questions": {"title": None, "responses": [{"key": "c"}]},
}


def href(resource: dict[str, Any]) -> str:
    return str(resource["_links"]["self"]["href"])


@pytest.mark.parametrize("collection", BODIES)
class TestEachCollection:
    """The common behaviour of campaigns, tags, lists, messages and other reference resources."""

    def test_put_changes_the_named_fields(self, api: Client, collection: str) -> None:
        created = api.created(f"/{collection}", BODIES[collection] | {"identifiers": ["crm:1"]})

        response = api.put(href(created), CHANGES[collection] | {"created_date": "2001-01-01", "_links": {}})

        expected = {**BODIES[collection], **CHANGES[collection]}
        expected = {name: value for name, value in expected.items() if value}
        assert response.status_code == 200
        assert {name: response.json.get(name) for name in expected} == expected
        assert [name for name, value in CHANGES[collection].items() if not value and name in response.json] == []
        for kept in ("identifiers", "created_date", "_links"):
            assert response.json[kept] == created[kept]
        assert api.follow(response.json, "self") == response.json

    def test_put_of_identifiers_replaces_them(self, api: Client, collection: str) -> None:
        created = api.created(f"/{collection}", BODIES[collection] | {"identifiers": ["crm:1"]})
        changed = api.put(href(created), {"identifiers": ["crm:2"]}).json
        other = api.created(f"/{collection}", BODIES[collection] | {"name": "other", "identifiers": ["crm:1"]})

        assert changed["identifiers"] == [created["identifiers"][0], "crm:2"]
        assert href(other) != href(created)

    def test_put_of_another_resources_identifier_is_rejected(self, api: Client, collection: str) -> None:
        api.created(f"/{collection}", BODIES[collection] | {"identifiers": ["crm:1"]})
        other = api.created(f"/{collection}", BODIES[collection] | {"name": "other", "identifiers": ["crm:2"]})

        assert api.put(href(other), {"identifiers": ["crm:1"]}).status_code == 409
        assert api.follow(other, "self") == other

    def test_a_change_of_another_version_is_rejected(self, api: Client, collection: str) -> None:
        created = api.created(f"/{collection}", BODIES[collection])
        read = api.get(href(created)).headers["ETag"]
        first = api.put(
            href(created), {"summary": "1", "description": "1", "body": "1", "footer": "1"}, headers={"If-Match": read}
        )
        second = api.put(
            href(created), {"summary": "2", "description": "2", "body": "2", "footer": "2"}, headers={"If-Match": read}
        )

        assert (first.status_code, second.status_code) == (200, 412)
        assert api.get(href(created)).headers["ETag"] == first.headers["ETag"] != read
        assert api.delete(href(created), headers={"If-Match": read}).status_code == 412
        assert api.delete(href(created), headers={"If-Match": f'"x", {first.headers["ETag"]}'}).status_code == 200

    def test_a_deleted_resource_is_404(self, api: Client, collection: str) -> None:
        created = api.created(f"/{collection}", BODIES[collection])

        response = api.delete(href(created))

        words = collection[:-1].replace("_", " ")
        assert (response.status_code, response.json) == (200, {"notice": f"This {words} was successfully deleted."})
        assert api.get(href(created)).status_code == 404
        assert api.delete(href(created)).status_code == 404
        assert api.put(href(created), {}).status_code == 404

    def test_the_client_can_decline_the_response_body(self, api: Client, collection: str) -> None:
        created = api.created(f"/{collection}", BODIES[collection])

        response = api.put(href(created), {"osdi:control": {"return_response": False}})

        assert set(response.json) == {"identifiers", "_links"}

    def test_both_need_a_token(self, api: Client, collection: str) -> None:
        created = api.created(f"/{collection}", BODIES[collection])

        assert api.put(href(created), {"title": "x"}, token=False).status_code == 401
        assert api.delete(href(created), token=False).status_code == 401
        assert api.follow(created, "self") == created


@pytest.mark.parametrize(
    ("collection", "body", "named"),
    [
        ("tags", {"name": None}, "name"),
        ("tags", {"name": [7]}, "name"),
        ("tags", [], "object"),
        ("lists", {"name": ""}, "name"),
        ("questions", {"question_type": None}, "question_type"),
        ("questions", {"question_type": "Paragraph"}, "responses"),
        ("questions", {"responses": None}, "responses"),
        ("questions", {"responses": [{"key": "x"}, {"key": "x"}]}, "responses"),
        ("advocacy_campaigns", {"target_list": "x"}, "target_list"),
    ],
)
def test_an_invalid_put_is_rejected(api: Client, collection: str, body: Any, named: str) -> None:
    created = api.created(f"/{collection}", BODIES[collection])

    response = api.put(href(created), body)

    assert response.status_code == 400
    assert named in response.json["error"]
    assert api.follow(created, "self") == created


class TestAPerson:
    """PUT and DELETE of people."""

    @pytest.fixture
    def jane(self, api: Client) -> dict[str, Any]:
        body = by_email(
            "jane@example.com",
            given_name="Jane",
            identifiers=["crm:1"],
            phone_numbers=[{"number": "19876543210"}],
            custom_fields={"a": "1", "b": "2"},
            birthdate={"year": 1973, "month": 6},
        )
        return api.follow(api.recorded(body), "osdi:person")

    def test_arrays_are_replaced_and_objects_change_by_name(self, api: Client, jane: dict[str, Any]) -> None:
        changed = api.put(
            href(jane),
            {
                "email_addresses": [{"address": "new@example.com", "primary": True}],
                "custom_fields": {"a": None, "c": "3"},
                "birthdate": {"day": 2},
                "phone_numbers": None,
                "given_name": None,
            },
        ).json

        assert changed["email_addresses"] == [{"address": "new@example.com", "primary": True}]
        assert changed["custom_fields"] == {"b": "2", "c": "3"}
        assert changed["birthdate"] == {"year": 1973, "month": 6, "day": 2}
        assert not {"phone_numbers", "given_name"} & set(changed)

    def test_the_new_contact_details_match_the_person(self, api: Client, jane: dict[str, Any]) -> None:
        api.put(href(jane), {"email_addresses": [{"address": "new@example.com"}]})

        assert api.recorded(by_email("new@example.com"))["_links"]["osdi:person"]["href"] == href(jane)
        assert api.recorded(by_email("jane@example.com"))["_links"]["osdi:person"]["href"] != href(jane)

    def test_a_status_without_an_address_is_about_the_primary_one(self, api: Client, jane: dict[str, Any]) -> None:
        changed = api.put(href(jane), {"email_addresses": [{"status": "unsubscribed"}]}).json

        assert changed["email_addresses"] == [{"address": "jane@example.com", "status": "unsubscribed"}]

    def test_an_email_of_another_person_is_stored_but_not_claimed(self, api: Client, jane: dict[str, Any]) -> None:
        john = api.recorded(by_email("john@example.com"))["_links"]["osdi:person"]
        changed = api.put(href(jane), {"email_addresses": [{"address": "john@example.com"}]})

        assert changed.status_code == 200
        assert api.recorded(by_email("john@example.com"))["_links"]["osdi:person"] == john

    def test_one_entry_at_most_is_primary(self, api: Client, jane: dict[str, Any]) -> None:
        entries = [{"postal_code": "1", "primary": True}, {"postal_code": "2", "primary": True}]

        changed = api.put(href(jane), {"postal_addresses": entries}).json

        assert [each["primary"] for each in changed["postal_addresses"]] == [True, False]

    def test_the_outreaches_of_a_deleted_person_stay_without_the_person(
        self, api: Client, jane: dict[str, Any], noise: list
    ) -> None:
        outreach = api.follow(jane, "osdi:outreaches")["_embedded"]["osdi:outreaches"][0]

        assert api.delete(href(jane)).status_code == 200

        kept = api.follow(outreach, "self")
        assert "osdi:person" not in kept["_links"]
        assert kept["type"] == outreach["type"]
        assert "osdi:person" in api.get(href(noise[0])).json["_links"]
        assert api.recorded(by_email("jane@example.com"))["_links"]["osdi:person"]["href"] != href(jane)


class TestAnOutreach:
    """PUT and DELETE of outreaches."""

    def test_put(self, api: Client) -> None:
        posted = factories.outreach(identifiers=["crm:1"])
        outreach = api.recorded({**posted, "referrer_data": {"source": "a", "url": "u"}})

        changed = api.put(
            href(outreach), {"duration": 5, "targets": [{"title": "Mayor"}], "referrer_data": {"source": "b"}}
        )

        assert changed.json["duration"] == 5
        assert changed.json["targets"] == [{"title": "Mayor"}]
        assert changed.json["referrer_data"] == {"source": "b", "url": "u"}
        assert changed.json["_links"] == outreach["_links"]
        again = api.recorded({"identifiers": ["crm:1"], "person": posted["person"]})
        assert again.pop("osdi_outreach:warnings") != []
        assert again == changed.json, "a retry finds the present outreach"

    @pytest.mark.parametrize(
        ("posted", "offset"), [("2026-03-18T23:30:00-05:00", -300), ("2026-03-18T23:30:00Z", None)]
    )
    def test_a_put_of_its_own_answer_is_no_change(
        self, api: Client, database: Database, posted: str, offset: int | None
    ) -> None:
        outreach = api.recorded(factories.outreach(action_date=posted))
        before = database.outreaches.find_one()

        assert api.put(href(outreach), outreach).json == outreach

        assert database.outreaches.find_one() == before
        assert before.get("action_date_offset") == offset

    def test_a_put_of_another_date_replaces_its_offset(self, api: Client, database: Database) -> None:
        outreach = api.recorded(factories.outreach(action_date="2026-03-18T23:30:00-05:00"))

        api.put(href(outreach), {"action_date": "2026-03-19T10:00:00+02:00"})
        assert database.outreaches.find_one()["action_date_offset"] == 120

        api.put(href(outreach), {"action_date": "2026-03-20T10:00:00Z"})
        assert "action_date_offset" not in database.outreaches.find_one()

    def test_an_idempotency_key_survives_a_put(self, api: Client, database: Database) -> None:
        body = factories.outreach()
        outreach = api.recorded(body, headers={"Idempotency-Key": "k"})
        api.put(href(outreach), {"identifiers": ["crm:1"]})

        assert href(api.recorded(body, headers={"Idempotency-Key": "k"})) == href(outreach)
        assert database.outreaches.count_documents({}) == 1

    def test_delete_lowers_the_total(self, api: Client, noise: list[dict[str, Any]], database: Database) -> None:
        assert api.delete(href(noise[0])).status_code == 200

        campaign = api.follow(noise[1], "osdi:advocacy_campaign")
        assert campaign["total_outreaches"] == len(noise) - 1
        assert database.people.count_documents({}) == len(noise), "the person stays"

    def test_delete_of_a_counted_outreach_lowers_the_stored_count(
        self, app: Flask, api: Client, noise: list[dict[str, Any]], database: Database
    ) -> None:
        counted = {"outreaches": 3, "through": database.outreaches.find_one(sort=[("_id", -1)])["_id"]}
        database.advocacy_campaigns.update_one({"_id": api.campaign_id}, {"$set": {"counted": counted}})
        api.delete(href(noise[0]))
        api.recorded(factories.outreach())

        assert api.follow(noise[1], "osdi:advocacy_campaign")["total_outreaches"] == len(noise)
        assert app.test_cli_runner().invoke(args=["recount"]).exit_code == 0
        assert api.follow(noise[1], "osdi:advocacy_campaign")["total_outreaches"] == len(noise)

    def test_it_is_404_under_another_campaign(self, api: Client) -> None:
        outreach = api.recorded(factories.outreach())
        other = href(api.created("/advocacy_campaigns", {"title": "Another"}))
        address = f"{other}/outreaches/{href(outreach).rsplit('/', 1)[1]}"

        assert api.put(address, {"duration": 1}).status_code == 404
        assert api.delete(address).status_code == 404


def test_a_campaign_with_outreaches_is_deleted_only_with_force(
    api: Client, noise: list[dict[str, Any]], database: Database
) -> None:
    campaign = noise[0]["_links"]["osdi:advocacy_campaign"]["href"]

    assert api.delete(campaign).status_code == 409
    assert database.outreaches.count_documents({}) == len(noise)
    assert api.delete(f"{campaign}?force=true").status_code == 200
    assert database.outreaches.count_documents({}) == 0
    assert api.record(factories.outreach(), campaign=campaign.rsplit("/", 1)[1]).status_code == 404


@pytest.mark.parametrize(
    ("collection", "array", "reference"),
    [
        ("tags", "taggings", lambda one: {"add_tags_uri": [href(one)]}),
        ("lists", "items", lambda one: {"add_lists_uri": [href(one)]}),
        (
            "questions",
            "answers",
            lambda one: {"add_questions_responses_uri": [{"question": href(one), "responses": "a"}]},
        ),
    ],
)
def test_deleting_a_resource_removes_links_to_it(
    api: Client, database: Database, collection: str, array: str, reference: Any
) -> None:
    one, other = (api.created(f"/{collection}", BODIES[collection] | {"name": name}) for name in ("one", "other"))
    for each in (one, other):
        api.recorded(by_email("jane@example.com") | reference(each))

    api.delete(href(one))

    (entry,) = database.people.find_one()[array]
    assert href(other).endswith(next(value for name, value in entry.items() if name.endswith("_id") and name != "_id"))


@pytest.mark.parametrize("change", [{"given_name": "Janet"}, {"email_addresses": [{"status": "unsubscribed"}]}])
def test_another_correction_does_not_confirm_an_address_of_an_anonymous_post(
    api: Client, change: dict[str, Any]
) -> None:
    jane = api.follow(api.recorded(by_email("jane@example.com")), "osdi:person")
    added = {"email_addresses": [{"address": "jane@example.com"}, {"address": "john@example.com"}]}
    api.record(factories.outreach(person=added), token=False)
    address = jane["_links"]["self"]["href"]

    assert api.put(address, change).status_code == 200
    assert api.follow(api.recorded(by_email("john@example.com")), "osdi:person")["identifiers"] != jane["identifiers"]


def test_a_put_of_the_addresses_confirms_them(api: Client) -> None:
    jane = api.follow(api.recorded(by_email("jane@example.com")), "osdi:person")
    added = {"email_addresses": [{"address": "jane@example.com"}, {"address": "john@example.com"}]}
    api.record(factories.outreach(person=added), token=False)
    address = jane["_links"]["self"]["href"]

    api.put(address, {"email_addresses": api.get(address).json["email_addresses"]})
    assert api.follow(api.recorded(by_email("john@example.com")), "osdi:person")["identifiers"] == jane["identifiers"]
