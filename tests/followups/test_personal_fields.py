"""Which mails and texts contain data of a person: those to a contact detail that a token has confirmed.

A stranger can post their own address with the address of another person. Each case begins with such a post.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest
from pymongo.database import Database

from blueprints.http.context import EXTENSION
from osdi.access.tokens import IMPORTER
from osdi.people.signup import sign_up
from tests.followups.conftest import SECRET, Deliver
from tests.support import factories
from tests.support.client import Client
from tests.support.smtp_sink import SmtpSink
from tests.support.webhook_receiver import WebhookReceiver

VICTIM, STRANGER = "victim@example.com", "mallory@example.com"
VICTIMS_NUMBER, STRANGERS_NUMBER = "+12025550123", "+12025550199"


def person(email: str | None = None, number: str | None = None, **fields: Any) -> dict[str, Any]:
    contacts: dict[str, Any] = {"email_addresses": [{"address": email}]} if email else {}
    if number:
        contacts["phone_numbers"] = [{"number": number}]
    return contacts | fields


def anonymous(api: Client, who: dict[str, Any], kind: str | None = None) -> None:
    """Posts without a token, as a stranger can; with a kind it asks for that follow-up."""
    triggers = {"triggers": {kind: {"enabled": True}}} if kind else {}
    assert api.record(factories.outreach(person=who, **triggers), token=False).json == {}


def record_known(api: Client, who: dict[str, Any]) -> str:
    """Posts with a token, as a sync does; returns the link to the person."""
    return str(api.recorded(factories.outreach(person=who))["_links"]["osdi:person"]["href"])


@pytest.fixture(autouse=True)
def template(api: Client) -> None:
    """The campaign's mail and text print the given name."""
    greeting = "Dear {{ person.given_name | default('friend') }}!"
    api.created("/messages", factories.message(identifiers=["crm:mail"], body=f"<p>{greeting}</p>"))
    api.created("/messages", factories.text(identifiers=["crm:text"], body=greeting))
    triggers = {"autoresponse": {"identifiers": ["crm:mail"]}, "sms_response": {"identifiers": ["crm:text"]}}
    assert api.put(f"/advocacy_campaigns/{api.campaign_id}/triggers", triggers).status_code == 200


@pytest.fixture
def greeted(deliver_followups: Deliver, sink: SmtpSink, gateway: WebhookReceiver) -> Callable[[], tuple[str, str]]:
    """Runs a worker once; returns the recipient of the only mail or text, and the name in it."""

    def run() -> tuple[str, str]:
        deliver_followups()
        sent = [(to, content.decode()) for _, to, content in sink.envelopes]
        sent += [(body["to"], body["text"]) for body in (each.verified(SECRET) for each in gateway.received)]
        ((to, text),) = sent
        return to, re.findall(r"Dear (\w+)!", text)[0]

    return run


Greeted = Callable[[], tuple[str, str]]
VICTORIA = {"given_name": "Victoria"}


class TestAStrangerWhoPostsFirst:
    def test_gets_no_text_with_the_name_of_the_owner_of_an_address(self, api: Client, greeted: Greeted) -> None:
        anonymous(api, person(VICTIM, STRANGERS_NUMBER))
        record_known(api, person(VICTIM, **VICTORIA))

        anonymous(api, person(number=STRANGERS_NUMBER), "sms_response")

        assert greeted() == (STRANGERS_NUMBER, "friend")

    def test_gets_no_text_either_by_posting_both_details_again(self, api: Client, greeted: Greeted) -> None:
        anonymous(api, person(VICTIM, STRANGERS_NUMBER))
        record_known(api, person(VICTIM, **VICTORIA))

        anonymous(api, person(VICTIM, STRANGERS_NUMBER), "sms_response")

        assert greeted() == (STRANGERS_NUMBER, "friend")

    def test_leads_no_sync_to_their_record_and_gets_no_mail_with_the_name(
        self, api: Client, greeted: Greeted, database: Database
    ) -> None:
        anonymous(api, person(STRANGER, VICTIMS_NUMBER))
        record_known(api, person(number=VICTIMS_NUMBER, identifiers=["crm:phone-only"], **VICTORIA))

        anonymous(api, person(STRANGER), "autoresponse")

        assert greeted() == (STRANGER, "friend")
        strangers = database.people.find_one({"email_addresses.address": STRANGER})
        assert "identifiers" not in strangers
        assert f"phone:{VICTIMS_NUMBER[1:]}" in strangers["unclaimed_keys"]

    @pytest.mark.parametrize("first", [VICTIM, STRANGER])
    def test_gets_no_mail_with_the_name_after_staff_merge_both_records(
        self, api: Client, greeted: Greeted, first: str
    ) -> None:
        """The staff believe the stranger's claim, as both records have the number. Whose address it is stays open."""
        anonymous(api, person(STRANGER, VICTIMS_NUMBER))
        victim = record_known(api, person(VICTIM, VICTIMS_NUMBER, **VICTORIA))
        (stranger,) = [each for each in api.get("/people").json["_links"]["osdi:people"] if each["href"] != victim]
        survivor, other = (victim, stranger["href"]) if first == VICTIM else (stranger["href"], victim)
        assert api.post(f"{survivor}/merge", {"_links": {"osdi:person": {"href": other}}}).status_code == 200

        anonymous(api, person(STRANGER), "autoresponse")

        assert greeted() == (STRANGER, "friend")


class TestAnOutreachWithATokenThatNamesNoDetail:
    """A sync posts an outreach with a link to the person, and asks for the follow-up."""

    def request_autoresponse(self, api: Client, link: str) -> None:
        triggers = {"autoresponse": {"enabled": True}}
        api.recorded({"_links": {"osdi:person": {"href": link}}, "type": "phone", "triggers": triggers})

    def test_goes_to_a_confirmed_address_before_one_that_a_stranger_has_added(
        self, api: Client, greeted: Greeted
    ) -> None:
        record_known(api, person(number=VICTIMS_NUMBER, identifiers=["crm:1"], **VICTORIA))
        anonymous(api, person(STRANGER, VICTIMS_NUMBER))
        link = record_known(api, person(VICTIM, identifiers=["crm:1"]))

        self.request_autoresponse(api, link)

        assert greeted() == (VICTIM, "Victoria")

    def test_prints_nothing_to_an_address_that_only_a_stranger_has_added(self, api: Client, greeted: Greeted) -> None:
        link = record_known(api, person(number=VICTIMS_NUMBER, **VICTORIA))
        anonymous(api, person(STRANGER, VICTIMS_NUMBER))

        self.request_autoresponse(api, link)

        assert greeted() == (STRANGER, "friend")


class TestAConfirmedDetail:
    """A detail that a token holder has posted gets the person's name, also if a post without a token came first."""

    def by_post(self, api: Client) -> None:
        record_known(api, person(VICTIM, VICTIMS_NUMBER, **VICTORIA))

    def by_put(self, api: Client) -> None:
        put = api.put(record_known(api, person(VICTIM)), person(VICTIM, VICTIMS_NUMBER, **VICTORIA))
        assert put.status_code == 200

    def by_import(self, api: Client) -> None:
        deployed = api.http.application.extensions[EXTENSION]
        body = {"person": person(VICTIM, VICTIMS_NUMBER, **VICTORIA)}
        sign_up(deployed.store, deployed.reference.find, body, IMPORTER, deployed.settings)

    @pytest.mark.one_in(4)
    @pytest.mark.parametrize("confirmed", [by_post, by_put, by_import])
    @pytest.mark.parametrize(
        ("who", "kind", "to"),
        [
            (person(VICTIM), "autoresponse", VICTIM),
            (person(number=VICTIMS_NUMBER), "sms_response", VICTIMS_NUMBER),
            (person(VICTIM, VICTIMS_NUMBER), "sms_response", VICTIMS_NUMBER),
        ],
    )
    def test_gets_the_name(
        self, api: Client, greeted: Greeted, confirmed: Any, who: dict[str, Any], kind: str, to: str
    ) -> None:
        anonymous(api, person(VICTIM, VICTIMS_NUMBER))
        confirmed(self, api)

        anonymous(api, who, kind)

        assert greeted() == (to, "Victoria")

    def test_stays_confirmed_after_a_merge(self, api: Client, greeted: Greeted) -> None:
        survivor = record_known(api, person("other@example.com", identifiers=["crm:1"]))
        duplicate = record_known(api, person(VICTIM, **VICTORIA))
        assert api.post(f"{survivor}/merge", {"_links": {"osdi:person": {"href": duplicate}}}).status_code == 200

        anonymous(api, person(VICTIM), "autoresponse")

        assert greeted() == (VICTIM, "Victoria")

    def test_is_confirmed_no_more_once_a_put_has_removed_it(self, api: Client, database: Database) -> None:
        link = record_known(api, person(VICTIM, VICTIMS_NUMBER))

        api.put(link, person("new@example.com"))

        confirmed = database.people.find_one()["confirmed_keys"]
        assert sorted(confirmed) == ["email:new@example.com", f"phone:{VICTIMS_NUMBER[1:]}"]


class TestAPersonOfAnonymousPostsOnly:
    """The name was posted by somebody who named the same address, and goes to that address only."""

    @pytest.mark.parametrize(
        ("first", "then"),
        [
            (person(VICTIM, **VICTORIA), person(VICTIM)),
            (person(VICTIM), person(VICTIM, **VICTORIA)),
            (person(VICTIM, VICTIMS_NUMBER, **VICTORIA), person(VICTIM)),
        ],
    )
    def test_is_named_in_mails_to_the_address_that_they_claimed(
        self, api: Client, greeted: Greeted, first: dict[str, Any], then: dict[str, Any]
    ) -> None:
        anonymous(api, first)

        anonymous(api, then, "autoresponse")

        assert greeted() == (VICTIM, "Victoria")

    def test_is_not_named_in_texts_to_a_number_that_nobody_confirmed(self, api: Client, greeted: Greeted) -> None:
        anonymous(api, person(VICTIM, STRANGERS_NUMBER, **VICTORIA))

        anonymous(api, person(VICTIM, STRANGERS_NUMBER), "sms_response")

        assert greeted() == (STRANGERS_NUMBER, "friend")

    @pytest.mark.parametrize("change", ["a post by a link", "a PUT"])
    def test_is_not_named_after_a_token_holder_has_added_something(
        self, api: Client, greeted: Greeted, database: Database, change: str
    ) -> None:
        anonymous(api, person(STRANGER))
        link = f"/people/{database.people.find_one()['_id']}"
        if change == "a PUT":
            assert api.put(link, VICTORIA).status_code == 200
        else:
            href = f"http://localhost/api/v1{link}"
            api.recorded(factories.outreach(person=VICTORIA, _links={"osdi:person": {"href": href}}))

        anonymous(api, person(STRANGER), "autoresponse")

        assert greeted() == (STRANGER, "friend")


def test_a_stored_person_of_an_earlier_release_is_not_named_until_a_token_confirms_the_detail(
    api: Client, greeted: Greeted, database: Database
) -> None:
    record_known(api, person(VICTIM, **VICTORIA))
    database.people.update_one({}, {"$unset": {"confirmed_keys": ""}})

    anonymous(api, person(VICTIM), "autoresponse")

    assert greeted() == (VICTIM, "friend")
    record_known(api, person(VICTIM))
    assert database.people.find_one()["confirmed_keys"] == [f"email:{VICTIM}"]
