"""Numbers to which texts and calls go: an anonymous post cannot cause one to an expensive or foreign number."""

import pytest
from pymongo.database import Database

from osdi.followups.phone_destinations import rejected_number
from osdi.settings import Settings
from tests.followups.conftest import Deliver
from tests.support import factories
from tests.support.client import Client
from tests.support.webhook_receiver import WebhookReceiver

US, GERMAN, CANADIAN = "+12025550123", "+4930901820", "+16135550123"


@pytest.mark.parametrize(
    ("number", "countries", "anonymous", "by_token"),
    [
        (US, ("US",), None, None),
        (US, ("DE", "US"), None, None),
        (US, ("*",), None, None),
        (US, (), "country_not_allowed", None),
        (US, ("DE",), "country_not_allowed", None),
        (GERMAN, ("US",), "country_not_allowed", None),
        (GERMAN, ("DE",), None, None),
        # Countries that share the code +1 are different countries.
        (CANADIAN, ("US",), "country_not_allowed", None),
        ("+18765550123", ("US", "CA"), "country_not_allowed", None),
        # A premium-rate number and a number without a country.
        ("+19005551234", ("US",), "premium_rate", None),
        ("+19005551234", ("*",), "premium_rate", None),
        ("+80012345678", ("US",), "country_not_allowed", None),
        # Possible, but of no area code that exists.
        ("+15550001111", ("*",), "invalid_number", None),
        ("+1202", ("*",), "invalid_number", "invalid_number"),
        ("+12025550123999", ("*",), "invalid_number", "invalid_number"),
        ("+9991234567", ("*",), "invalid_number", "invalid_number"),
    ],
)
def test_a_number_is_rejected_with_a_reason(
    number: str, countries: tuple[str, ...], anonymous: str | None, by_token: str | None
) -> None:
    assert rejected_number(number, countries, by_token=False) == anonymous
    assert rejected_number(number, countries, by_token=True) == by_token


@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        ({}, ()),
        ({"phone_region": "GB"}, ("GB",)),
        ({"phone_countries": ("US", "CA")}, ("US", "CA")),
        ({"phone_region": "GB", "phone_countries": ("US",)}, ("US",)),
    ],
)
def test_the_countries_are_the_setting_or_the_region(settings: dict, allowed: tuple[str, ...]) -> None:
    assert Settings(**settings).allowed_phone_countries == allowed


@pytest.mark.one_in(3)
@pytest.mark.usefixtures("message")
@pytest.mark.parametrize("kind", ["sms_response", "call_response"])
@pytest.mark.parametrize(
    ("number", "token", "outcome"),
    [
        (US, False, ("sent", None)),
        (GERMAN, False, ("skipped", "country_not_allowed")),
        (GERMAN, True, ("sent", None)),
        ("+1202555", True, ("skipped", "invalid_number")),
    ],
)
def test_a_followup_is_sent_to_allowed_countries_only(
    api: Client,
    deliver_followups: Deliver,
    gateway: WebhookReceiver,
    kind: str,
    number: str,
    token: bool,
    outcome: tuple,
) -> None:
    person = {"phone_numbers": [{"number": number}]}
    assert api.record(factories.outreach(person=person, triggers={kind: {"enabled": True}}), token=token)

    (followup,) = deliver_followups(phone_countries=("US",))

    assert (followup["state"], followup.get("reason")) == outcome
    assert len(gateway.received) == (outcome[0] == "sent")


@pytest.mark.usefixtures("message")
@pytest.mark.parametrize(
    ("limits", "sent"),
    [
        ({"rate_limit_phone": "2/hour"}, {"autoresponse": 4, "sms_response": 2, "call_response": 2}),
        ({"rate_limit_mail": "1/hour"}, {"autoresponse": 1, "sms_response": 4, "call_response": 4}),
        ({"rate_limit_phone": "9/hour;3/day"}, {"autoresponse": 4, "sms_response": 3, "call_response": 3}),
    ],
)
def test_texts_and_calls_have_a_sending_limit_of_their_own(
    api: Client, deliver_followups: Deliver, database: Database, limits: dict[str, str], sent: dict[str, int]
) -> None:
    for number in range(4):
        person = {
            "email_addresses": [{"address": f"person{number}@example.com"}],
            "phone_numbers": [{"number": f"+1202555012{number}"}],
        }
        triggers = {kind: {"enabled": True} for kind in sent}
        assert api.record(factories.outreach(person=person, triggers=triggers), token=False).status_code == 200

    deliver_followups(**limits)

    followups = [each for outreach in database.outreaches.find() for each in outreach["followups"]]
    assert {kind: [each["state"] for each in followups if each["kind"] == kind].count("sent") for kind in sent} == sent
    assert {each["reason"] for each in followups if each["state"] != "sent"} == {"too_many"}


def test_fewer_texts_than_mails_are_sent_by_default() -> None:
    assert (Settings().rate_limit_mail, Settings().rate_limit_phone) == ("1000/hour", "100/hour;500/day")
