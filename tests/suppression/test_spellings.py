"""Subaddresses in match keys, and the status of a phone number in a body."""

from typing import Any

import marshmallow as ma
import pytest

from osdi.match_keys import email_key, mailbox_key
from schemas.person import InlinePersonSchema

SCHEMA = InlinePersonSchema()
NO_CALLS_NO_TEXTS = {"do_not_call": True, "sms_capable": False}


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("jane@example.com", "jane@example.com"),
        ("jane+news@example.com", "jane@example.com"),
        ("Jane+News+2@EXAMPLE.com", "jane@example.com"),
        ("jane+@example.com", "jane@example.com"),
        ("jane\uff0bnews@example.com", "jane@example.com"),
        ("+jane@example.com", "+jane@example.com"),
        ("+@example.com", "+@example.com"),
        ("jane-news@example.com", "jane-news@example.com"),
        ("jane.doe@example.com", "jane.doe@example.com"),
        ("jane+news@b\u00fccher.example", "jane@xn--bcher-kva.example"),
    ],
)
def test_a_mailbox_has_no_subaddress(address: str, mailbox: str) -> None:
    assert mailbox_key(email_key(address)) == email_key(mailbox)


@pytest.mark.parametrize("key", ["phone:12025550123", "id:crm:a+b@example.com"])
def test_other_keys_stay(key: str) -> None:
    assert mailbox_key(key) == key


@pytest.mark.parametrize(
    ("sent", "loaded"),
    [
        ({"status": "unsubscribed"}, NO_CALLS_NO_TEXTS),
        ({"status": "Previous Spam Complaint"}, NO_CALLS_NO_TEXTS),
        ({"status": "bouncing"}, {"sms_capable": False}),
        ({"status": "previous bounce"}, {"sms_capable": False}),
        ({"status": "subscribed"}, {}),
        ({"status": ""}, {}),
        ({"status": None}, {}),
        ({"status": "subscribed", "sms_capable": False}, {"sms_capable": False}),
        ({"status": "unsubscribed", "do_not_call": False, "sms_capable": True}, NO_CALLS_NO_TEXTS),
        ({"sms_capable": True, "status": "unsubscribed"}, NO_CALLS_NO_TEXTS),
    ],
)
def test_the_status_of_a_phone_number_is_read_as_two_booleans(sent: dict[str, Any], loaded: dict[str, bool]) -> None:
    number = {"number": "12025550123"}

    assert SCHEMA.load({"phone_numbers": [{**number, **sent}]}) == {"phone_numbers": [{**number, **loaded}]}


@pytest.mark.parametrize("array", ["email_addresses", "phone_numbers"])
@pytest.mark.parametrize("status", ["perhaps", "x" * 500, 7, True, ["unsubscribed"], {"a": "b"}])
def test_a_status_that_nobody_can_read_is_rejected(array: str, status: object) -> None:
    entry = {"address": "jane@example.com"} if array == "email_addresses" else {"number": "12025550123"}

    with pytest.raises(ma.ValidationError) as error:
        SCHEMA.load({array: [{**entry, "status": status}]})

    assert list(error.value.messages[array][0]) == ["status"]
