"""Follow-ups of a post without a token that states an opt-out itself: nobody is contacted against their word."""

from typing import Any

import pytest
from pymongo.database import Database

from tests.followups.conftest import Deliver
from tests.support import factories
from tests.support.client import Client

JANE, NUMBER = "jane@example.com", "+12025550123"
KINDS = ("autoresponse", "sms_response", "call_response")


def record_anonymously(api: Client, person: dict[str, Any]) -> None:
    triggers = {kind: {"enabled": True} for kind in KINDS}
    assert api.record(factories.outreach(person=person, triggers=triggers), token=False).status_code == 200


@pytest.mark.one_in(2)
@pytest.mark.usefixtures("message")
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("email", "phone", "expected"),
    [
        ({}, {}, ("sent", "sent", "sent")),
        ({"status": "subscribed"}, {"do_not_call": False, "sms_capable": True}, ("sent", "sent", "sent")),
        ({"status": "unsubscribed"}, {}, ("unsubscribed", "sent", "sent")),
        ({"status": "spam complaints"}, {}, ("spam_complaints", "sent", "sent")),
        ({"status": "bouncing"}, {}, ("bouncing", "sent", "sent")),
        ({}, {"sms_capable": False}, ("sent", "not_sms_capable", "sent")),
        ({}, {"do_not_call": True}, ("sent", "sent", "do_not_call")),
    ],
)
def test_follow_ups_respect_the_claims_of_their_own_post(
    api: Client,
    deliver_followups: Deliver,
    known: bool,
    email: dict[str, Any],
    phone: dict[str, Any],
    expected: tuple[str, str, str],
) -> None:
    contacts = {"email_addresses": [{"address": JANE}], "phone_numbers": [{"number": NUMBER}]}
    if known:
        api.recorded(factories.outreach(person=contacts))

    record_anonymously(
        api, {"email_addresses": [{"address": JANE, **email}], "phone_numbers": [{"number": NUMBER, **phone}]}
    )

    assert tuple(each.get("reason", each["state"]) for each in deliver_followups()) == expected


@pytest.mark.usefixtures("message")
def test_an_opt_out_without_an_address_is_about_each_address_of_the_post(
    api: Client, deliver_followups: Deliver
) -> None:
    contacts = {"email_addresses": [{"address": JANE}], "phone_numbers": [{"number": NUMBER}]}
    api.recorded(factories.outreach(person=contacts))

    record_anonymously(
        api,
        {
            "email_addresses": [{"address": JANE}, {"status": "unsubscribed"}],
            "phone_numbers": [{"number": NUMBER}, {"do_not_call": True, "sms_capable": False}],
        },
    )

    assert [each["reason"] for each in deliver_followups()] == ["unsubscribed", "not_sms_capable", "do_not_call"]


@pytest.mark.usefixtures("message")
def test_a_later_post_of_the_known_person_gets_its_follow_ups(
    api: Client, deliver_followups: Deliver, database: Database
) -> None:
    """The claim of a stranger stops the follow-ups of the stranger's post only."""
    contacts = {"email_addresses": [{"address": JANE}], "phone_numbers": [{"number": NUMBER}]}
    api.recorded(factories.outreach(person=contacts))
    silenced = {"email_addresses": [{"address": JANE, "status": "spam complaints"}]}
    assert api.record(factories.outreach(person=silenced), token=False).status_code == 200

    record_anonymously(api, contacts)

    assert [each["state"] for each in deliver_followups()] == ["sent", "sent", "sent"]
