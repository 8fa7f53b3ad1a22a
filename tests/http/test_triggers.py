"""What a post's triggers become: a follow-up with a message inside the outreach, or the reason why there is none."""

from typing import Any

import pytest
from pymongo.database import Database

from tests import factories
from tests.client import Client

KINDS = ("autoresponse", "sms_response", "call_response")


def operation(kind: str = "autoresponse", *identifiers: str, **fields: Any) -> dict[str, Any]:
    """A helper's body that asks for one follow-up."""
    return factories.outreach(triggers={kind: {"enabled": True, "identifiers": list(identifiers)}}, **fields)


def made(kind: str = "autoresponse", **fields: Any) -> dict[str, Any]:
    """A message's body that fits a kind of follow-up."""
    return factories.message(**fields) if kind == "autoresponse" else factories.text(**fields)


def offer(api: Client, kind: str, *identifiers: str) -> None:
    """Let the campaign name these messages for a kind of follow-up."""
    path = f"/advocacy_campaigns/{api.campaign_id}/triggers"
    response = api.put(path, {kind: {"identifiers": list(identifiers)}})
    assert response.status_code == 200, response.get_data(as_text=True)


def followups(database: Database) -> list[dict[str, Any]]:
    return list(database.outreaches.find_one({}, sort=[("_id", -1)]).get("followups", ()))


def message_id(message: dict[str, Any]) -> str:
    return str(message["_links"]["self"]["href"].rsplit("/", 1)[1])


@pytest.mark.parametrize("kind", KINDS)
class TestWithAToken:
    def test_the_message_that_is_named_is_chosen(self, api: Client, database: Database, kind: str) -> None:
        message = api.created("/messages", made(kind, identifiers=["crm:one"]))
        api.created("/messages", made(kind, identifiers=["crm:two"]))

        api.recorded(operation(kind, "crm:one"))

        (followup,) = followups(database)
        assert (followup["state"], followup["message_id"]) == ("queued", message_id(message))
        assert followup["not_before"]

    def test_of_several_the_first_that_exists(self, api: Client, database: Database, kind: str) -> None:
        message = api.created("/messages", made(kind, identifiers=["crm:second"]))
        api.created("/messages", made(kind, identifiers=["crm:third"]))

        api.recorded(operation(kind, "crm:first", "crm:second", "crm:third"))

        assert followups(database)[0]["message_id"] == message_id(message)

    def test_without_identifiers_the_campaigns_default(self, api: Client, database: Database, kind: str) -> None:
        message = api.created("/messages", made(kind, identifiers=["crm:default"]))
        api.created("/messages", made(kind, identifiers=["crm:other"]))
        offer(api, kind, "crm:default", "crm:other")

        api.recorded(operation(kind))

        assert followups(database)[0]["message_id"] == message_id(message)

    def test_a_message_that_does_not_exist_is_told(self, api: Client, database: Database, kind: str) -> None:
        answer = api.recorded(operation(kind, "crm:nothing"))

        assert answer["osdi_outreach:warnings"] == [
            f"triggers.{kind}: there is no message of these identifiers that fits."
        ]
        (shown,) = answer["osdi_outreach:followups"]
        assert (shown["kind"], shown["state"], shown["reason"]) == (kind, "skipped", "no_message")
        assert "not_before" not in followups(database)[0]

    def test_strict_handling_refuses_it_and_writes_nothing(self, api: Client, database: Database, kind: str) -> None:
        response = api.record(operation(kind, "crm:nothing"), headers={"Prefer": "handling=strict"})

        assert response.status_code == 400
        assert response.json["osdi:error"]["resource_status"][0]["error_descriptions"][0]["properties"] == [
            f"triggers.{kind}"
        ]
        assert database.outreaches.count_documents({}) == 0

    def test_what_is_not_enabled_is_not_asked_for(self, api: Client, database: Database, kind: str) -> None:
        api.recorded(factories.outreach(triggers={kind: {"enabled": False}}))

        assert followups(database) == []

    def test_the_outreach_shows_what_became_of_it(self, api: Client, kind: str) -> None:
        api.created("/messages", made(kind, identifiers=["crm:one"]))

        shown = api.recorded(operation(kind, "crm:one"))["osdi_outreach:followups"][0]

        assert (shown["kind"], shown["state"], shown["identifiers"], shown["attempts"]) == (
            kind,
            "queued",
            ["crm:one"],
            0,
        )
        assert shown["id"]
        assert "to" not in shown


@pytest.mark.parametrize("kind", KINDS)
class TestWithoutAToken:
    CONTACTS = {
        "email_addresses": [{"address": "first@example.com"}, {"address": "jane@example.com", "primary": True}],
        "phone_numbers": [{"number": "12025550123", "primary": True}],
    }

    def test_the_campaigns_default_goes_to_what_was_posted(self, api: Client, database: Database, kind: str) -> None:
        api.created("/messages", made(kind, identifiers=["crm:default"]))
        offer(api, kind, "crm:default")

        api.record(operation(kind, person=self.CONTACTS), token=False)

        (followup,) = followups(database)
        expected = "jane@example.com" if kind == "autoresponse" else "12025550123"
        assert (followup["state"], followup["to"], followup["by_token"]) == ("queued", expected, False)

    def test_one_of_the_campaigns_may_be_chosen(self, api: Client, database: Database, kind: str) -> None:
        api.created("/messages", made(kind, identifiers=["crm:default"]))
        message = api.created("/messages", made(kind, identifiers=["crm:chosen"]))
        offer(api, kind, "crm:default", "crm:chosen")

        api.record(operation(kind, "crm:chosen", person=self.CONTACTS), token=False)

        assert followups(database)[0]["message_id"] == message_id(message)

    def test_no_other_message_can_be_chosen(self, api: Client, database: Database, kind: str) -> None:
        api.created("/messages", made(kind, identifiers=["crm:default"]))
        other = api.created("/messages", made(kind, identifiers=["crm:draft"]))
        offer(api, kind, "crm:default")

        for named in ("crm:draft", message_id(other), other["_links"]["self"]["href"]):
            api.record(operation(kind, named, person=self.CONTACTS), token=False)

            assert followups(database)[0]["reason"] == "no_message"

    def test_nobody_is_reached_who_was_not_posted(self, api: Client, database: Database, kind: str) -> None:
        api.created("/messages", made(kind, identifiers=["crm:default"]))
        offer(api, kind, "crm:default")
        posted = "phone_numbers" if kind == "autoresponse" else "email_addresses"

        api.record(operation(kind, person={posted: self.CONTACTS[posted]}), token=False)

        assert (followups(database)[0]["state"], followups(database)[0]["reason"]) == ("skipped", "no_address")

    def test_the_answer_is_empty_all_the_same(self, api: Client, kind: str) -> None:
        assert api.record(operation(kind, "crm:nothing"), token=False).json == {}


def test_a_message_of_the_wrong_type_is_not_chosen(api: Client, database: Database) -> None:
    api.created("/messages", factories.text(identifiers=["crm:text"]))

    api.recorded(operation("autoresponse", "crm:text"))

    assert followups(database)[0]["reason"] == "no_message"


@pytest.mark.parametrize("missing", ["subject", "body"])
def test_a_message_that_is_not_complete_is_not_chosen(api: Client, database: Database, missing: str) -> None:
    api.created("/messages", factories.message(identifiers=["crm:half"], **{missing: None}))

    api.recorded(operation("autoresponse", "crm:half"))

    assert followups(database)[0]["reason"] == "no_message"


class TestTheCampaignsTriggers:
    def test_are_empty_at_first(self, api: Client) -> None:
        answer = api.get(f"/advocacy_campaigns/{api.campaign_id}/triggers")

        assert (answer.status_code, set(answer.json)) == (200, {"_links"})

    def test_are_kept_by_kind(self, api: Client) -> None:
        api.created("/messages", factories.message(identifiers=["crm:mail"]))
        api.created("/messages", factories.text(identifiers=["crm:text"]))
        offer(api, "autoresponse", "crm:mail")
        offer(api, "sms_response", "crm:text")

        answer = api.get(f"/advocacy_campaigns/{api.campaign_id}/triggers").json

        assert answer["autoresponse"] == {"identifiers": ["crm:mail"]}
        assert answer["sms_response"] == {"identifiers": ["crm:text"]}

    @pytest.mark.parametrize("nothing", [None, {"identifiers": []}])
    def test_can_be_taken_away(self, api: Client, database: Database, nothing: Any) -> None:
        api.created("/messages", factories.message(identifiers=["crm:mail"]))
        offer(api, "autoresponse", "crm:mail")

        assert api.put(f"/advocacy_campaigns/{api.campaign_id}/triggers", {"autoresponse": nothing}).status_code == 200

        api.recorded(operation())
        assert followups(database)[0]["reason"] == "no_message"

    def test_name_messages_that_exist(self, api: Client) -> None:
        answer = api.put(
            f"/advocacy_campaigns/{api.campaign_id}/triggers", {"autoresponse": {"identifiers": ["crm:nothing"]}}
        )

        assert answer.status_code == 400
        assert answer.json["error"].startswith("autoresponse.identifiers[0]: There is no message")

    def test_name_messages_that_fit(self, api: Client) -> None:
        api.created("/messages", factories.text(identifiers=["crm:text"]))

        answer = api.put(
            f"/advocacy_campaigns/{api.campaign_id}/triggers", {"autoresponse": {"identifiers": ["crm:text"]}}
        )

        assert answer.status_code == 400
        assert "type email, a subject and a body" in answer.json["error"]
