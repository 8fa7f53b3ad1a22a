"""The Record Outreach Helper over HTTP, as the standard's page describes it."""

import json
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from osdi.sample import CAMPAIGN_ID, create_sample
from osdi.store import Store
from tests.support import factories
from tests.support.client import Client

EXAMPLES = Path(__file__).parents[2] / "blueprints" / "examples"
REQUEST = json.loads((EXAMPLES / "record_outreach_request.json").read_text())
RESPONSE = json.loads((EXAMPLES / "record_outreach_response.json").read_text())


class TestExampleRequest:
    """The example request of the standard's page, on its campaign."""

    @pytest.fixture
    def response(self, api: Client, store: Store) -> dict[str, Any]:
        create_sample(store, "osdi_outreach")
        return api.recorded(REQUEST, campaign=CAMPAIGN_ID)

    @pytest.mark.parametrize("name", [name for name in RESPONSE if name not in ("identifiers", "_links")])
    def test_the_response_has_the_fields_of_the_example(self, response: dict[str, Any], name: str) -> None:
        if name in ("created_date", "modified_date"):
            assert response[name].endswith("Z")
        else:
            assert response[name] == RESPONSE[name]

    def test_the_servers_identifier_comes_first(self, response: dict[str, Any]) -> None:
        own, foreign = response["identifiers"]

        assert own.startswith("osdi_outreach:")
        assert foreign == "foreign_system:1"
        assert response["_links"]["self"]["href"].endswith(own.removeprefix("osdi_outreach:"))

    @pytest.mark.parametrize("relation", list(RESPONSE["_links"]))
    def test_its_links_can_be_followed(self, api: Client, response: dict[str, Any], relation: str) -> None:
        found = api.follow(response, relation)

        assert found["_links"]["self"] == response["_links"][relation]

    def test_it_has_curies(self, response: dict[str, Any]) -> None:
        assert [(each["name"], each["templated"]) for each in response["_links"]["curies"]] == [("osdi", True)]

    def test_it_creates_the_sent_person(self, api: Client, response: dict[str, Any]) -> None:
        person = api.follow(response, "osdi:person")

        sent = {name: value for name, value in REQUEST["person"].items() if name != "identifiers"}
        sent["phone_numbers"] = [{**sent["phone_numbers"][0], "number": "19876543210"}]
        assert {name: person[name] for name in sent} == sent

    def test_it_adds_tags_lists_and_answers(self, database: Database, response: dict[str, Any]) -> None:
        person = database.people.find_one()

        assert len(person["taggings"]) == 3, "volunteer and donor by name, one by URI"
        assert len(person["items"]) == 2
        choice, paragraph = person["answers"]
        assert choice["responses"] == ["r1", "r2"], "a repeated response counts once"
        assert paragraph["value"] == "Heard about the candidate at the Labor Day Picnic"

    def test_it_queues_the_triggers_with_the_outreach(self, database: Database, response: dict[str, Any]) -> None:
        followups = database.outreaches.find_one()["followups"]

        assert [(each["kind"], each["state"]) for each in followups] == [
            ("autoresponse", "queued"),
            ("sms_response", "queued"),
            ("call_response", "queued"),
        ]
        assert followups[1]["identifiers"] == REQUEST["triggers"]["sms_response"]["identifiers"]


def test_without_a_token_the_response_is_an_empty_object(api: Client) -> None:
    response = api.record(factories.outreach(), token=False)

    assert (response.status_code, response.data) == (200, b"{}")


def test_both_responses_are_hal_json_that_must_not_be_cached(api: Client) -> None:
    for token in (True, False):
        response = api.record(factories.outreach(), token=token)

        assert response.content_type == "application/hal+json"
        assert response.headers["Cache-Control"] == "max-age=0, private, must-revalidate"


def test_an_invalid_token_is_not_treated_as_no_token(api: Client, database: Database) -> None:
    response = api.record(factories.outreach(), token="osdi_wrong")

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("OSDI-API-Token")
    assert database.outreaches.count_documents({}) == 0


@pytest.mark.parametrize("name", ["osdi-api-token", "OSDI-API-Token", "Osdi-Api-Token"])
def test_a_token_in_the_query_is_read_in_any_case(api: Client, name: str) -> None:
    path = f"/advocacy_campaigns/{api.campaign_id}/record_outreach_helper"

    response = api.post(f"{path}?{name}={api.token}", factories.outreach(), token=False)

    assert response.json["type"] == "phone"


@pytest.mark.parametrize("path", ["record_outreach_helper", "record_outreach_helper/", "outreaches", "outreaches/"])
@pytest.mark.parametrize("content_type", ["application/json", "application/hal+json", "text/plain", None])
def test_any_content_type_is_accepted_with_and_without_slash(api: Client, path: str, content_type: str | None) -> None:
    body = json.dumps(factories.outreach()).encode()

    response = api.post(f"/advocacy_campaigns/{api.campaign_id}/{path}", body, content_type=content_type)

    assert response.status_code == 200
    assert response.json["type"] == "phone"


@pytest.mark.parametrize(
    ("sent", "returned"),
    [
        ("2014-03-18T11:02:15Z", "2014-03-18T11:02:15Z"),
        ("2014-03-18T11:02:15+05:30", "2014-03-18T05:32:15Z"),
        ("2014-03-18T11:02:15-0800", "2014-03-18T19:02:15Z"),
        ("2014-03-18T11:02:15-05", "2014-03-18T16:02:15Z"),
        ("2014-03-18T11:02", "2014-03-18T11:02:00Z"),
        ("2014-03-18", "2014-03-18T00:00:00Z"),
        ("20140318T110215Z", "2014-03-18T11:02:15Z"),
        ("2014-03-18T11:02:15.250Z", "2014-03-18T11:02:15.250000Z"),
    ],
)
def test_dates_with_an_offset_are_returned_in_utc(api: Client, sent: str, returned: str) -> None:
    response = api.recorded(factories.outreach(action_date=sent))

    assert response["action_date"] == returned
    assert api.follow(response, "self")["action_date"] == returned


def test_the_server_sets_the_dates(api: Client) -> None:
    sent = {"created_date": "2001-01-01T00:00:00Z", "modified_date": "2001-01-01T00:00:00Z"}

    response = api.recorded(factories.outreach(**sent))

    assert response["created_date"] == response["modified_date"] == response["action_date"]
    assert response["created_date"] > "2026"


def test_missing_fields_are_not_returned(api: Client) -> None:
    response = api.recorded(
        {"person": factories.person(), "subject": None, "message": "", "targets": [{}], "duration": 0}
    )

    standard = {name for name in response if ":" not in name}
    assert standard == {"identifiers", "created_date", "modified_date", "action_date", "duration", "_links"}


def test_a_whole_number_may_have_a_decimal_point(api: Client) -> None:
    response = api.recorded(factories.outreach(duration=120.0))

    assert (response["duration"], type(response["duration"])) == (120, int)


def test_targets_have_contact_details(api: Client) -> None:
    target = {
        "given_name": "Jennifer",
        "postal_addresses": [{"address_lines": ["1900 Pennsylvania Ave"], "location": {"latitude": 38.919}}],
        "email_addresses": [{"address": "senator@example.gov", "primary": True}],
        "phone_numbers": [{"number": "11234567890", "do_not_call": True}],
    }

    assert api.recorded(factories.outreach(targets=[target]))["targets"] == [target]


def test_unknown_fields_are_ignored(api: Client, database: Database) -> None:
    person = factories.person(shoe_size=43, _id="mine", version=9, match_keys=["id:crm:1"])

    api.recorded(factories.outreach(person=person, person_id="somebody", advocacy_campaign_id="other", followups=[1]))

    kept = database.people.find_one()
    assert "shoe_size" not in kept
    assert (kept["version"], kept["_id"] != "mine", "id:crm:1" in kept["match_keys"]) == (1, True, False)
    assert database.outreaches.find_one()["person_id"] == kept["_id"]


def test_the_client_can_decline_the_response_body(api: Client) -> None:
    response = api.recorded(factories.outreach(**{"osdi:control": {"return_response": False}}))

    assert set(response) == {"identifiers", "_links"}


class TestALinkedPerson:
    """POST .../outreaches with a token accepts the person as a link."""

    def test_the_linked_person_has_the_outreach(self, api: Client, database: Database) -> None:
        first = api.recorded(factories.outreach())
        body = factories.outreach(person=None, _links={"osdi:person": first["_links"]["osdi:person"]})

        second = api.created(f"/advocacy_campaigns/{api.campaign_id}/outreaches", body)

        assert second["_links"]["osdi:person"] == first["_links"]["osdi:person"]
        assert database.people.count_documents({}) == 1

    @pytest.mark.parametrize("href", ["https://example.org/api/v1/people/nobody", "nonsense", "http://[bad"])
    def test_a_missing_person_is_rejected(self, api: Client, database: Database, href: str) -> None:
        body = factories.outreach(person=None, _links={"osdi:person": {"href": href}})

        response = api.record(body)

        assert response.status_code == 400
        assert "_links.osdi:person" in response.json["error"]
        assert database.outreaches.count_documents({}) == 0

    def test_a_link_without_a_token_is_rejected(self, api: Client, database: Database) -> None:
        first = api.recorded(factories.outreach())
        body = factories.outreach(person=None, _links={"osdi:person": first["_links"]["osdi:person"]})

        assert api.record(body, token=False).status_code == 400
        assert database.outreaches.count_documents({}) == 1

    def test_a_link_and_identifiers_of_different_people_are_rejected(self, api: Client, database: Database) -> None:
        first = api.recorded(factories.outreach())
        api.recorded(factories.outreach(person=factories.person(identifiers=["crm:2"])))
        body = factories.outreach(
            person={"identifiers": ["crm:2"]}, _links={"osdi:person": first["_links"]["osdi:person"]}
        )

        assert api.record(body).status_code == 409
        assert database.outreaches.count_documents({}) == 2


def test_the_campaign_counts_its_outreaches(api: Client, noise: list[dict]) -> None:
    response = api.recorded(factories.outreach())
    other = api.created("/advocacy_campaigns", {"title": "Another"})

    assert api.follow(response, "osdi:advocacy_campaign")["total_outreaches"] == len(noise) + 1
    assert other["total_outreaches"] == 0


def test_the_collections_contain_the_outreach(api: Client) -> None:
    response = api.recorded(factories.outreach())

    for relation in ("osdi:person", "osdi:advocacy_campaign"):
        page = api.follow(api.follow(response, relation), "osdi:outreaches")
        (embedded,) = page["_embedded"]["osdi:outreaches"]
        assert embedded == response
        assert page["total_records"] == 1
