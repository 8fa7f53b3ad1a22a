"""Opt-outs that a client says in the words of another program: in a person, in an entry, and beside the person."""

from typing import Any

import pytest

from schemas.person import InlinePersonSchema
from tests.support.client import Client

MAIL, CALLS, TEXTS = "e-mails", "calls", "texts"
EVERYTHING = {MAIL, CALLS, TEXTS}
ADDRESS, NUMBER = "jane@example.com", "+12025550101"

IN_PERSON: tuple[tuple[dict[str, Any], set[str]], ...] = (
    ({"do_not_contact": True}, EVERYTHING),
    ({"doNotContact": "1"}, EVERYTHING),
    ({"deceased": "2019-03-01"}, EVERYTHING),
    ({"is_deceased": "Y"}, EVERYTHING),
    ({"contact_allowed": False}, EVERYTHING),
    ({"ok_to_contact": "no"}, EVERYTHING),
    ({"unsubscribed": True}, {MAIL}),
    ({"opted_out": 1}, {MAIL}),
    ({"action_network:opted_out": "yes"}, {MAIL}),
    ({"email_opt_out": "on"}, {MAIL}),
    ({"hasOptedOutOfEmail": "true"}, {MAIL}),
    ({"unsubscribed_at": "2021-02-03T11:00:00Z"}, {MAIL}),
    ({"opt_in": False}, {MAIL}),
    ({"email_opt_in": "0"}, {MAIL}),
    ({"is_subscribed": "N"}, {MAIL}),
    ({"accepts_marketing": False}, {MAIL}),
    ({"newsletter": "nein"}, {MAIL}),
    ({"status": "unsubscribed"}, {MAIL}),
    ({"email_status": "Opted Out"}, {MAIL}),
    ({"subscription_status": "bounced"}, {MAIL}),
    ({"bounced": True}, {MAIL}),
    ({"do_not_call": True}, {CALLS}),
    ({"do_not_phone": "x"}, {CALLS}),
    ({"phone_opt_in": "false"}, {CALLS}),
    ({"do_not_text": True}, {TEXTS}),
    ({"sms_opt_in": False}, {TEXTS}),
    ({"sms_capable": False}, {TEXTS}),
    ({"do_not_call": True, "sms_opt_out": True}, {CALLS, TEXTS}),
)
# Not an opt-out, or not about e-mails, calls or texts.
NO_OPT_OUTS: tuple[dict[str, Any], ...] = (
    {"do_not_contact": False},
    {"unsubscribed": "0"},
    {"opted_out": None},
    {"opted_out": ""},
    {"opted_out": "unknown"},
    {"unsubscribed_at": "0000-00-00 00:00:00"},
    {"opt_in": True},
    {"newsletter": "weekly"},
    {"newsletter": ["river", "dam"]},
    {"status": "cancelled"},
    {"status": "gold member"},
    {"status": "active"},
    {"do_not_mail": True},
    {"favourite_fish": "no"},
    {"subscribed": {"news": True}},
)
IN_EMAIL: tuple[dict[str, Any], ...] = (
    {"unsubscribed": True},
    {"opted_out": "1"},
    {"do_not_email": True},
    {"do_not_mail": True},
    {"no_contact": True},
    {"subscribed": False},
    {"Status": "unsubscribed"},
    {"email_status": "opted out"},
    {"action_network:status": "unsubscribed"},
    {"unsubscribed": True, "status": "subscribed"},
)
IN_PHONE: tuple[tuple[dict[str, Any], set[str]], ...] = (
    ({"unsubscribed": True}, {CALLS, TEXTS}),
    ({"opted_out": True}, {CALLS, TEXTS}),
    ({"do_not_contact": "yes"}, {CALLS, TEXTS}),
    ({"Status": "unsubscribed"}, {CALLS, TEXTS}),
    ({"subscribed": False}, {CALLS, TEXTS}),
    ({"doNotCall": True}, {CALLS}),
    ({"do_not_phone": 1}, {CALLS}),
    ({"do_not_text": True}, {TEXTS}),
    ({"sms_opt_out": True}, {TEXTS}),
    ({"sms_opt_in": False}, {TEXTS}),
    ({"sms_opt_in": False, "sms_capable": True}, {TEXTS}),
)
PATHS = ("/people", "/people/person_signup_helper", "record_outreach_helper")


def body(person: dict[str, Any] | None = None, email: Any = None, phone: Any = None) -> dict[str, Any]:
    emails, numbers = [{"address": ADDRESS, **(email or {})}], [{"number": NUMBER, **(phone or {})}]
    return {"given_name": "Jane", "email_addresses": emails, "phone_numbers": numbers, **(person or {})}


def opt_outs(person: dict[str, Any]) -> set[str]:
    """Returns what a person opted out of at every address or number."""
    found = set()
    if all(each.get("status") in ("unsubscribed", "bouncing", "spam complaints") for each in person["email_addresses"]):
        found.add(MAIL)
    if all(each.get("do_not_call") for each in person["phone_numbers"]):
        found.add(CALLS)
    if all(each.get("sms_capable") is False for each in person["phone_numbers"]):
        found.add(TEXTS)
    return found


def name(value: Any) -> str:
    """Returns the id of a parameter: a set in the order of its words, which is the same in each process."""
    return "+".join(sorted(value)) if isinstance(value, set) else str(value)


@pytest.mark.parametrize(("said", "opted_out"), IN_PERSON, ids=name)
def test_a_flag_of_a_person_is_about_all_posted_addresses_and_numbers(
    said: dict[str, Any], opted_out: set[str]
) -> None:
    assert opt_outs(InlinePersonSchema().load(body(said))) == opted_out


@pytest.mark.parametrize("said", NO_OPT_OUTS, ids=str)
def test_a_field_that_is_no_opt_out_changes_nothing(said: dict[str, Any]) -> None:
    assert InlinePersonSchema().load(body(said)) == InlinePersonSchema().load(body())


@pytest.mark.parametrize("said", IN_EMAIL, ids=str)
def test_a_flag_of_an_address_is_about_it(said: dict[str, Any]) -> None:
    loaded = InlinePersonSchema().load(body(email=said))

    assert loaded["email_addresses"] == [{"address": ADDRESS, "status": "unsubscribed"}]
    assert opt_outs(loaded) == {MAIL}


@pytest.mark.parametrize(("said", "opted_out"), IN_PHONE, ids=name)
def test_a_flag_of_a_number_is_about_it(said: dict[str, Any], opted_out: set[str]) -> None:
    assert opt_outs(InlinePersonSchema().load(body(phone=said))) == opted_out


def stored(api: Client) -> dict[str, Any]:
    (person,) = api.get(f"/people?filter=email_addresses/address eq '{ADDRESS}'").json["_embedded"]["osdi:people"]
    return dict(person)


def post(api: Client, path: str, sent: dict[str, Any]) -> Any:
    return api.record(sent) if path == PATHS[-1] else api.post(path, sent)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("beside", [False, True], ids=["in the person", "beside the person"])
def test_a_flag_counts_on_every_path_of_a_post(path: str, beside: bool, api: Client) -> None:
    flag = {"do_not_contact": "Y"}
    sent = {"person": body(), **flag} if beside else {"person": body(flag)}

    assert post(api, path, sent).status_code == 200

    assert opt_outs(stored(api)) == EVERYTHING


def test_a_flag_without_contact_details_is_about_the_stored_primary_ones(api: Client) -> None:
    api.created("/people", body({"identifiers": ["crm:1"]}))

    api.created("/people", {"identifiers": ["crm:1"], "do_not_contact": True})

    assert opt_outs(stored(api)) == EVERYTHING


@pytest.mark.parametrize("where", ["person", "email", "phone"])
def test_an_opt_out_flag_that_nobody_can_read_is_an_error_and_in_a_helper_an_opt_out(where: str, api: Client) -> None:
    sent = {"person": body(**{where: {"opted_out": "perhaps"}})}

    assert api.post("/people", sent).status_code == 400
    response = api.recorded(sent)

    assert opt_outs(stored(api)) == ({CALLS, TEXTS} if where == "phone" else {MAIL})
    assert any("opted_out" in each for name, value in response.items() if name.endswith(":warnings") for each in value)


def test_a_put_rejects_a_flag_about_the_person_and_reads_one_of_an_entry(api: Client) -> None:
    href = api.created("/people", body())["_links"]["self"]["href"]

    rejected = api.put(href, {"given_name": "Jan", "do_not_contact": True})
    assert rejected.status_code == 400
    assert "email_addresses[].status" in rejected.text
    assert api.put(href, {"given_name": "Jan", "do_not_contact": False}).status_code == 200
    assert api.put(href, {"phone_numbers": [{"number": NUMBER, "do_not_text": True}]}).status_code == 200

    assert opt_outs(stored(api)) == {TEXTS}


@pytest.mark.parametrize("words", [" (do not call)", " - DNC", " please don't text", " nicht anrufen"])
def test_words_behind_a_number_opt_out_of_calls_and_texts(words: str) -> None:
    loaded = InlinePersonSchema().load(body(phone={"number": NUMBER + words}))

    assert loaded["phone_numbers"] == [{"number": NUMBER, "do_not_call": True, "sms_capable": False}]


@pytest.mark.parametrize("number", [NUMBER, "202-555-0101 ext. 5", "1-800-FLOWERS", "tel:+12025550101", 12025550101])
def test_other_numbers_opt_out_of_nothing(number: Any) -> None:
    assert opt_outs(InlinePersonSchema().load(body(phone={"number": number}))) == set()
