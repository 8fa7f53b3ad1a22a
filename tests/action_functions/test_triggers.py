"""The triggers of a post become follow-ups of the outreach, with a message or with a reason why there is none."""

from typing import Any

import pytest
from pymongo.database import Database

from tests.support import factories
from tests.support.client import Client

KINDS = ("autoresponse", "sms_response", "call_response")


def body_with_trigger(kind: str = "autoresponse", *identifiers: str, **fields: Any) -> dict[str, Any]:
    """Returns a helper's body that requests one follow-up."""
    return factories.outreach(triggers={kind: {"enabled": True, "identifiers": list(identifiers)}}, **fields)


def message_body(kind: str = "autoresponse", **fields: Any) -> dict[str, Any]:
    """Returns the body of a message that fits a kind of follow-up."""
    return factories.message(**fields) if kind == "autoresponse" else factories.text(**fields)


def set_campaign_messages(api: Client, kind: str, *identifiers: str) -> None:
    """Sets the campaign's messages for a kind of follow-up."""
    path = f"/advocacy_campaigns/{api.campaign_id}/triggers"
    response = api.put(path, {kind: {"identifiers": list(identifiers)}})
    assert response.status_code == 200, response.get_data(as_text=True)


def followups(database: Database) -> list[dict[str, Any]]:
    return list(database.outreaches.find_one({}, sort=[("_id", -1)]).get("followups", ()))


def message_id(message: dict[str, Any]) -> str:
    return str(message["_links"]["self"]["href"].rsplit("/", 1)[1])


@pytest.mark.parametrize("kind", KINDS)
class TestWithAToken:
    def test_the_named_message_is_chosen(self, api: Client, database: Database, kind: str) -> None:
        message = api.created("/messages", message_body(kind, identifiers=["crm:one"]))
        api.created("/messages", message_body(kind, identifiers=["crm:two"]))

        api.recorded(body_with_trigger(kind, "crm:one"))

        (followup,) = followups(database)
        assert (followup["state"], followup["message_id"]) == ("queued", message_id(message))
        assert followup["not_before"]

    def test_the_first_existing_message_is_chosen(self, api: Client, database: Database, kind: str) -> None:
        message = api.created("/messages", message_body(kind, identifiers=["crm:second"]))
        api.created("/messages", message_body(kind, identifiers=["crm:third"]))

        api.recorded(body_with_trigger(kind, "crm:first", "crm:second", "crm:third"))

        assert followups(database)[0]["message_id"] == message_id(message)

    def test_without_identifiers_the_campaigns_default_is_chosen(
        self, api: Client, database: Database, kind: str
    ) -> None:
        message = api.created("/messages", message_body(kind, identifiers=["crm:default"]))
        api.created("/messages", message_body(kind, identifiers=["crm:other"]))
        set_campaign_messages(api, kind, "crm:default", "crm:other")

        api.recorded(body_with_trigger(kind))

        assert followups(database)[0]["message_id"] == message_id(message)

    def test_a_missing_message_becomes_a_warning(self, api: Client, database: Database, kind: str) -> None:
        response = api.recorded(body_with_trigger(kind, "crm:nothing"))

        assert response["osdi_outreach:warnings"] == [
            f"triggers.{kind}: there is no message of these identifiers that fits."
        ]
        (followup,) = response["osdi_outreach:followups"]
        assert (followup["kind"], followup["state"], followup["reason"]) == (kind, "skipped", "no_message")
        assert "not_before" not in followups(database)[0]

    def test_strict_handling_rejects_a_missing_message_and_writes_nothing(
        self, api: Client, database: Database, kind: str
    ) -> None:
        response = api.record(body_with_trigger(kind, "crm:nothing"), headers={"Prefer": "handling=strict"})

        assert response.status_code == 400
        assert response.json["osdi:error"]["resource_status"][0]["error_descriptions"][0]["properties"] == [
            f"triggers.{kind}"
        ]
        assert database.outreaches.count_documents({}) == 0

    def test_a_disabled_trigger_is_ignored(self, api: Client, database: Database, kind: str) -> None:
        api.recorded(factories.outreach(triggers={kind: {"enabled": False}}))

        assert followups(database) == []

    def test_the_outreach_contains_the_state_of_the_follow_up(self, api: Client, kind: str) -> None:
        api.created("/messages", message_body(kind, identifiers=["crm:one"]))

        followup = api.recorded(body_with_trigger(kind, "crm:one"))["osdi_outreach:followups"][0]

        assert (followup["kind"], followup["state"], followup["identifiers"], followup["attempts"]) == (
            kind,
            "queued",
            ["crm:one"],
            0,
        )
        assert followup["id"]
        assert "to" not in followup


@pytest.mark.parametrize("kind", KINDS)
class TestWithoutAToken:
    CONTACTS = {
        "email_addresses": [{"address": "first@example.com"}, {"address": "jane@example.com", "primary": True}],
        "phone_numbers": [{"number": "12025550123", "primary": True}],
    }

    def test_the_campaigns_default_is_sent_to_the_posted_contact_detail(
        self, api: Client, database: Database, kind: str
    ) -> None:
        api.created("/messages", message_body(kind, identifiers=["crm:default"]))
        set_campaign_messages(api, kind, "crm:default")

        api.record(body_with_trigger(kind, person=self.CONTACTS), token=False)

        (followup,) = followups(database)
        expected = "jane@example.com" if kind == "autoresponse" else "12025550123"
        assert (followup["state"], followup["to"], followup["by_token"]) == ("queued", expected, False)

    def test_a_message_of_the_campaign_can_be_chosen(self, api: Client, database: Database, kind: str) -> None:
        api.created("/messages", message_body(kind, identifiers=["crm:default"]))
        message = api.created("/messages", message_body(kind, identifiers=["crm:chosen"]))
        set_campaign_messages(api, kind, "crm:default", "crm:chosen")

        api.record(body_with_trigger(kind, "crm:chosen", person=self.CONTACTS), token=False)

        assert followups(database)[0]["message_id"] == message_id(message)

    def test_no_other_message_can_be_chosen(self, api: Client, database: Database, kind: str) -> None:
        api.created("/messages", message_body(kind, identifiers=["crm:default"]))
        other = api.created("/messages", message_body(kind, identifiers=["crm:draft"]))
        set_campaign_messages(api, kind, "crm:default")

        for named in ("crm:draft", other["_links"]["self"]["href"]):
            api.record(body_with_trigger(kind, named, person=self.CONTACTS), token=False)

            assert followups(database)[0]["reason"] == "no_message"

    def test_an_unreadable_identifier_does_not_send_the_default_message(
        self, api: Client, database: Database, kind: str
    ) -> None:
        other = api.created("/messages", message_body(kind, identifiers=["crm:default"]))
        set_campaign_messages(api, kind, "crm:default")

        api.record(body_with_trigger(kind, message_id(other), person=self.CONTACTS), token=False)

        assert followups(database) == []
        assert database.outreaches.find_one()["warnings"][0]["property"] == f"triggers.{kind}.identifiers"

    def test_a_stored_contact_detail_is_not_used(self, api: Client, database: Database, kind: str) -> None:
        api.created("/messages", message_body(kind, identifiers=["crm:default"]))
        set_campaign_messages(api, kind, "crm:default")
        posted = "phone_numbers" if kind == "autoresponse" else "email_addresses"

        api.record(body_with_trigger(kind, person={posted: self.CONTACTS[posted]}), token=False)

        assert (followups(database)[0]["state"], followups(database)[0]["reason"]) == ("skipped", "no_address")

    def test_the_response_is_empty(self, api: Client, kind: str) -> None:
        assert api.record(body_with_trigger(kind, "crm:nothing"), token=False).json == {}


def test_a_message_of_the_wrong_type_is_not_chosen(api: Client, database: Database) -> None:
    api.created("/messages", factories.text(identifiers=["crm:text"]))

    api.recorded(body_with_trigger("autoresponse", "crm:text"))

    assert followups(database)[0]["reason"] == "no_message"


@pytest.mark.parametrize("missing", ["subject", "body"])
def test_an_incomplete_message_is_not_chosen(api: Client, database: Database, missing: str) -> None:
    api.created("/messages", factories.message(identifiers=["crm:half"], **{missing: None}))

    api.recorded(body_with_trigger("autoresponse", "crm:half"))

    assert followups(database)[0]["reason"] == "no_message"


class TestTheCampaignsTriggers:
    def test_they_are_empty_at_first(self, api: Client) -> None:
        response = api.get(f"/advocacy_campaigns/{api.campaign_id}/triggers")

        assert (response.status_code, set(response.json)) == (200, {"_links"})

    def test_they_are_stored_by_kind(self, api: Client) -> None:
        api.created("/messages", factories.message(identifiers=["crm:mail"]))
        api.created("/messages", factories.text(identifiers=["crm:text"]))
        set_campaign_messages(api, "autoresponse", "crm:mail")
        set_campaign_messages(api, "sms_response", "crm:text")

        response = api.get(f"/advocacy_campaigns/{api.campaign_id}/triggers").json

        assert response["autoresponse"] == {"identifiers": ["crm:mail"]}
        assert response["sms_response"] == {"identifiers": ["crm:text"]}

    @pytest.mark.parametrize("nothing", [None, {"identifiers": []}])
    def test_they_can_be_removed(self, api: Client, database: Database, nothing: Any) -> None:
        api.created("/messages", factories.message(identifiers=["crm:mail"]))
        set_campaign_messages(api, "autoresponse", "crm:mail")

        assert api.put(f"/advocacy_campaigns/{api.campaign_id}/triggers", {"autoresponse": nothing}).status_code == 200

        api.recorded(body_with_trigger())
        assert followups(database)[0]["reason"] == "no_message"

    def test_a_missing_message_is_rejected(self, api: Client) -> None:
        response = api.put(
            f"/advocacy_campaigns/{api.campaign_id}/triggers", {"autoresponse": {"identifiers": ["crm:nothing"]}}
        )

        assert response.status_code == 400
        assert response.json["error"].startswith("autoresponse.identifiers[0]: There is no message")

    def test_a_message_of_the_wrong_type_is_rejected(self, api: Client) -> None:
        api.created("/messages", factories.text(identifiers=["crm:text"]))

        response = api.put(
            f"/advocacy_campaigns/{api.campaign_id}/triggers", {"autoresponse": {"identifiers": ["crm:text"]}}
        )

        assert response.status_code == 400
        assert "type email, a subject and a body" in response.json["error"]


class TestAMailForEveryOutreach:
    """The campaign's option `every_outreach`."""

    @pytest.fixture(autouse=True)
    def option(self, api: Client) -> None:
        api.created("/messages", message_body(identifiers=["crm:one"]))
        self.set(api, every_outreach=True)

    @staticmethod
    def set(api: Client, **option: Any) -> None:
        body = {"autoresponse": {"identifiers": ["crm:one"], **option}}
        assert api.put(f"/advocacy_campaigns/{api.campaign_id}/triggers", body).status_code == 200

    @pytest.mark.parametrize("token", [True, False])
    @pytest.mark.parametrize(
        ("triggers", "kinds"),
        [
            (None, ["autoresponse"]),
            ({}, ["autoresponse"]),
            ({"autoresponse": {"identifiers": ["crm:one"]}}, ["autoresponse"]),
            ({"autoresponse": {"enabled": True}}, ["autoresponse"]),
            ({"autoresponse": {"enabled": False}}, []),
        ],
        ids=str,
    )
    def test_is_queued_unless_the_post_disables_it(
        self, api: Client, database: Database, triggers: Any, kinds: list[str], token: bool
    ) -> None:
        body = factories.outreach(**({} if triggers is None else {"triggers": triggers}))

        assert api.record(body, token=token).status_code == 200

        queued = [(each["kind"], each["state"], each["by_token"]) for each in followups(database)]
        assert queued == [(kind, "queued", token) for kind in kinds]

    def test_is_off_by_default(self, api: Client, database: Database) -> None:
        self.set(api)

        api.recorded(factories.outreach())

        assert followups(database) == []

    def test_is_shown_with_the_campaigns_messages(self, api: Client) -> None:
        shown = api.get(f"/advocacy_campaigns/{api.campaign_id}/triggers").get_json()

        assert shown["autoresponse"] == {"identifiers": ["crm:one"], "every_outreach": True}

    @pytest.mark.parametrize("value", ["maybe", [], {}], ids=str)
    def test_rejects_what_is_neither_true_nor_false(self, api: Client, value: Any) -> None:
        body = {"autoresponse": {"identifiers": [], "every_outreach": value}}

        assert api.put(f"/advocacy_campaigns/{api.campaign_id}/triggers", body).status_code == 400

    def test_is_not_sent_if_posts_without_a_token_may_have_no_triggers(self, api: Client, database: Database) -> None:
        allowed = {"anonymous_posts": {"actions": ["tags"]}}
        database.advocacy_campaigns.update_one({}, {"$set": allowed})

        assert api.record(factories.outreach(), token=False).status_code == 200

        assert followups(database) == []

    @pytest.mark.parametrize("token", [True, False])
    def test_rejects_no_post_and_warns_nobody_if_its_message_is_missing(
        self, api: Client, database: Database, token: bool
    ) -> None:
        database.messages.delete_many({})

        response = api.record(factories.outreach(), token=token, headers={"Prefer": "handling=strict"})

        assert response.status_code == 200
        assert "warnings" not in response.get_data(as_text=True)
        assert followups(database) == []
