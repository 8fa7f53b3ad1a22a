"""An invalid optional value never costs an outreach: the helpers skip it, and warnings name it without its value."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from pymongo.database import Database

from tests.support import factories
from tests.support.client import Client
from tests.support.examples import examples
from tests.support.optional_values import VALUES, bodies, not_stored

STRICT = {"Prefer": "handling=strict"}
SIGNUP = "/people/person_signup_helper"
WARNINGS = "osdi_outreach:warnings"
SECRET = "s3cret-value"
MAIL = {"email_addresses": [{"address": "jane@example.com"}]}


def with_mail(**fields: Any) -> dict[str, Any]:
    """A helper's body with an e-mail address, and these fields of the person."""
    return {"person": MAIL | fields}


# body, the property that is skipped
SKIPPED: list[tuple[dict[str, Any], str]] = [
    (with_mail(gender="s3cret-value"), "person.gender"),
    (with_mail(gender=["Female", "Male"]), "person.gender"),
    (with_mail(gender=7), "person.gender"),
    (with_mail(given_name={"first": SECRET}), "person.given_name"),
    (with_mail(given_name=True), "person.given_name"),
    (with_mail(given_name="a\x00b"), "person.given_name"),
    (with_mail(given_name="x" * 1001), "person.given_name"),
    (with_mail(birthdate=SECRET), "person.birthdate"),
    (with_mail(birthdate={"month": 13, "day": 5}), "person.birthdate.month"),
    (with_mail(languages_spoken={"a": "b"}), "person.languages_spoken"),
    (with_mail(languages_spoken=["en", {"a": SECRET}]), "person.languages_spoken[1]"),
    (with_mail(phone_numbers=[{"number": "n/a"}]), "person.phone_numbers[0].number"),
    (with_mail(phone_numbers=[{"number": "none", "number_type": "Home"}]), "person.phone_numbers[0].number"),
    (with_mail(phone_numbers="s3cret-value"), "person.phone_numbers"),
    (with_mail(phone_numbers=[SECRET]), "person.phone_numbers[0]"),
    (with_mail(phone_numbers={"number": "-"}), "person.phone_numbers[0].number"),
    (with_mail(phone_numbers={"1": {"number": "-"}}), "person.phone_numbers[0].number"),
    (
        with_mail(postal_addresses=[{"postal_code": ["1"], "locality": "Town"}]),
        "person.postal_addresses[0].postal_code",
    ),
    (with_mail(postal_addresses=[{"location": {"latitude": 91}}]), "person.postal_addresses[0].location.latitude"),
    (with_mail(custom_fields=["a"]), "person.custom_fields"),
    (with_mail(custom_fields={"a": {"b": SECRET}}), "person.custom_fields.a"),
    (with_mail(custom_fields={"a": [{"b": SECRET}]}), "person.custom_fields.a"),
    (with_mail(custom_fields={"x" * 201: "1"}), f"person.custom_fields.{'x' * 200}"),
    (with_mail(identifiers=["nocolon"]), "person.identifiers[0]"),
    (with_mail(shoe_size=43), "person.shoe_size"),
    (
        with_mail(email_addresses=[{"address": "jane@example.com"}, {"address": SECRET}]),
        "person.email_addresses[1].address",
    ),
    (with_mail() | {"action_date": "yesterday"}, "action_date"),
    (with_mail() | {"action_date": 1395140535}, "action_date"),
    (with_mail() | {"duration": "3 minutes"}, "duration"),
    (with_mail() | {"duration": -1}, "duration"),
    (with_mail() | {"subject": ["a"]}, "subject"),
    (with_mail() | {"subject": "x" * 30_000}, "subject"),
    (with_mail() | {"identifiers": ["a b:c"]}, "identifiers[0]"),
    (with_mail() | {"referrer_data": SECRET}, "referrer_data"),
    (with_mail() | {"targets": "U.S. Congress"}, "targets"),
    (with_mail() | {"targets": [{"title": "Senator"}, {"given_name": {}, "title": [1]}]}, "targets[1].title"),
    (with_mail() | {"add_tags": [["s3cret-value"]]}, "add_tags[0]"),
    (with_mail() | {"add_tags": [SECRET]}, "add_tags"),
    (with_mail() | {"add_lists_uri": "https://x/api/v1/lists/1"}, "add_lists_uri"),
    (with_mail() | {"triggers": {"autoresponse": True}}, "triggers.autoresponse"),
    (with_mail() | {"triggers": {"autoresponse": {"enabled": "perhaps"}}}, "triggers.autoresponse.enabled"),
    (with_mail() | {"add_questions_responses_uri": [{"value": SECRET}]}, "add_questions_responses_uri[0].question"),
    (with_mail() | {"add_questions_responses_uri": SECRET}, "add_questions_responses_uri"),
    (with_mail() | {"osdi:control": {"return_response": "s3cret"}}, "osdi:control.return_response"),
    (with_mail() | {"subjekt": SECRET}, "subjekt"),
]
IDS = [f"{number}-{name[:40]}" for number, (_, name) in enumerate(SKIPPED)]


@pytest.mark.parametrize(("body", "name"), SKIPPED, ids=IDS)
class TestAnInvalidValue:
    @pytest.mark.one_in(5)
    def test_is_skipped_and_the_outreach_is_recorded(
        self, api: Client, database: Database, body: dict[str, Any], name: str
    ) -> None:
        outreach = api.recorded({"type": "phone"} | body)

        assert outreach["type"] == "phone"
        assert [each.split(": ")[0] for each in outreach[WARNINGS]] == [name]
        assert database.people.find_one()["email_addresses"] == MAIL["email_addresses"]

    @pytest.mark.one_in(5)
    def test_is_named_with_the_outreach_but_not_stored(
        self, api: Client, database: Database, body: dict[str, Any], name: str
    ) -> None:
        assert api.record(body, token=False).json == {}

        stored = database.outreaches.find_one()
        assert [each["property"] for each in stored["warnings"]] == [name]
        assert all(each["reason"] for each in stored["warnings"])
        assert SECRET not in str(stored) + str(database.people.find_one())
        read = api.get(f"/advocacy_campaigns/{api.campaign_id}/outreaches/{stored['_id']}").json
        assert [each.split(": ")[0] for each in read[WARNINGS]] == [name]

    @pytest.mark.one_in(5)
    def test_rejects_the_request_with_strict_handling(
        self, api: Client, database: Database, body: dict[str, Any], name: str
    ) -> None:
        rejected = api.record(body, headers=dict(STRICT))

        assert (rejected.status_code, database.outreaches.count_documents({})) == (400, 0)
        assert name in rejected.json["error"]

    @pytest.mark.one_in(5)
    def test_is_skipped_by_a_signup_too(self, api: Client, database: Database, body: dict[str, Any], name: str) -> None:
        of_person = {each: body[each] for each in body if each == "person" or each.startswith("add_")}
        response = api.post(SIGNUP, of_person)

        assert response.status_code == 200
        assert database.people.count_documents({}) == 1
        if name.startswith(("person", "add_")):
            assert [each.split(": ")[0] for each in response.json[WARNINGS]] == [name]


@pytest.mark.parametrize(
    ("entry", "field", "expected"),
    [
        ({"address": "jane@example.com", "status": "perhaps"}, "status", "unsubscribed"),
        ({"address": "jane@example.com", "status": 7}, "status", "unsubscribed"),
        ({"address": "jane@example.com", "status": {"email": False}}, "status", "unsubscribed"),
        ({"number": "+16175550100", "do_not_call": "perhaps"}, "do_not_call", True),
        ({"number": "+16175550100", "do_not_call": ["no"]}, "do_not_call", True),
        ({"number": "+16175550100", "sms_capable": "perhaps"}, "sms_capable", False),
        ({"number": "+16175550100", "sms_capable": 2}, "sms_capable", False),
    ],
)
def test_an_unreadable_consent_is_stored_as_an_opt_out(
    api: Client, database: Database, entry: dict[str, Any], field: str, expected: Any
) -> None:
    array = "email_addresses" if "address" in entry else "phone_numbers"

    outreach = api.recorded({"person": {array: [entry]}})

    assert [each.split(": ")[0] for each in outreach[WARNINGS]] == [f"person.{array}[0].{field}"]
    assert database.people.find_one()[array][0][field] == expected


@pytest.mark.parametrize("status", ["unsubscribed", "subscribed", "bouncing"])
def test_the_status_of_an_unreadable_address_is_not_that_of_the_primary_one(
    api: Client, database: Database, status: str
) -> None:
    entries = [{"address": "jane@example.com"}, {"address": "nobody", "status": status, "primary": True}]

    api.recorded({"person": {"email_addresses": entries}})

    assert database.people.find_one()["email_addresses"] == [{"address": "jane@example.com"}]


@pytest.mark.parametrize(
    "person",
    [
        {"email_addresses": [{"address": "nobody"}]},
        {"email_addresses": [{"address": "nobody"}], "given_name": "Jane"},
        {"email_addresses": "nobody", "given_name": "Jane"},
        {"email_addresses": [{"address": {"$ne": 1}}], "family_name": "Doe", "phone_numbers": [{"number": "n/a"}]},
        {"email_addresses": [{"address": f"a{n}@example.com"} for n in range(11)], "given_name": "Jane"},
        {"phone_numbers": [{"number": "n/a"}]},
        {"phone_numbers": [{"number": "n/a"}], "gender": "Female"},
        {"gender": "robot"},
        {"given_name": ["Jane"]},
        {"shoe_size": 43},
        {},
        "Jane",
        ["Jane"],
        7,
        None,
    ],
    ids=str,
)
@pytest.mark.parametrize("token", [True, False], ids=["with a token", "without"])
def test_a_body_without_a_person_is_rejected_with_the_accepted_names(
    api: Client, database: Database, person: Any, token: bool
) -> None:
    for rejected in (api.record({"person": person}, token=token), api.post(SIGNUP, {"person": person}, token=token)):
        assert rejected.status_code == 400
        for name in ("email_addresses[].address", "phone_numbers[].number", "given_name", "family_name"):
            assert f"person.{name}" in rejected.json["error"]
    assert database.people.count_documents({}) == 0
    assert database.outreaches.count_documents({}) == 0


@pytest.mark.parametrize(
    "person",
    [
        {"given_name": "Jane", "phone_numbers": [{"number": "n/a"}]},
        {"family_name": "Doe", "email_addresses": [{"adress": "jane@example.com"}]},
        {"email_addresses": [{"address": "nobody"}], "phone_numbers": [{"number": "+16175550100"}]},
        {"email_addresses": [{"address": "nobody"}], "postal_addresses": [{"postal_code": "02134"}]},
        {"identifiers": ["crm:1"], "gender": "robot"},
    ],
    ids=str,
)
def test_a_person_who_can_still_be_known_is_recorded(api: Client, person: dict[str, Any]) -> None:
    assert len(api.recorded({"person": person})[WARNINGS]) == 1


@pytest.mark.parametrize("body", ["[]", "null", '"text"', "7", "{", ""])
def test_a_body_that_is_no_object_is_rejected(api: Client, body: str) -> None:
    assert api.record(body).status_code == 400


def test_a_linked_person_needs_nothing_inline(api: Client) -> None:
    jane = api.follow(api.recorded(with_mail()), "osdi:person")

    outreach = api.recorded({"_links": {"osdi:person": jane["_links"]["self"]}, "person": {"gender": "robot"}})

    assert outreach["_links"]["osdi:person"] == jane["_links"]["self"]
    assert len(outreach[WARNINGS]) == 1


def test_an_outreach_without_skipped_values_has_no_warnings(api: Client, database: Database) -> None:
    assert WARNINGS not in api.recorded(factories.outreach())
    assert "warnings" not in database.outreaches.find_one()


def test_warnings_are_bounded(api: Client, database: Database) -> None:
    body = with_mail() | {f"unknown{number}": 1 for number in range(150)}

    assert api.recorded(body)[WARNINGS][-1] == "50 more values were skipped."
    assert len(database.outreaches.find_one()["warnings"]) == 101


def test_a_post_to_people_and_a_put_stay_strict_about_values(api: Client) -> None:
    person = api.created("/people", with_mail())

    assert api.post("/people", with_mail(gender="robot")).status_code == 400
    assert api.put(person["_links"]["self"]["href"], {"gender": "robot"}).status_code == 400


RESPONSES = [{"key": "river", "name": "River"}, {"key": "dam", "name": "Dam"}]


@pytest.mark.parametrize(
    ("question_type", "entry", "property_"),
    [
        ("Paragraph", {"value": ""}, ".value"),
        ("Paragraph", {"value": "   "}, ".value"),
        ("Paragraph", {"value": "\u200b"}, ".value"),
        ("Paragraph", {"value": None}, ".value"),
        ("Paragraph", {}, ".value"),
        ("Paragraph", {"responses": ["river"]}, ".value"),
        ("Paragraph", {"value": {"text": "x"}}, ".value"),
        ("SingleChoice", {"responses": [""]}, ".responses"),
        ("SingleChoice", {"responses": []}, ".responses"),
        ("SingleChoice", {"responses": ["river", "dam"]}, ".responses"),
        ("SingleChoice", {"responses": ["sea"]}, ".responses"),
        ("SingleChoice", {"value": "river"}, ".responses"),
        ("MultiChoice", {"responses": []}, ".responses"),
        ("MultiChoice", {"responses": ["river", "sea"]}, ".responses"),
        ("deleted", {"value": "x"}, ".question"),
    ],
)
def test_an_answer_that_does_not_fit_is_skipped(
    api: Client, database: Database, question_type: str, entry: dict[str, Any], property_: str
) -> None:
    question = {"question_type": "Paragraph" if question_type == "deleted" else question_type}
    given_responses = {"responses": RESPONSES} if "Choice" in question_type else {}
    href = api.created("/questions", question | given_responses)["_links"]["self"]["href"]
    if question_type == "deleted":
        api.delete(href)
    body = with_mail() | {"add_questions_responses_uri": [{"question": href, **entry}]}

    warnings = api.recorded(body)[WARNINGS]

    assert warnings[0].split(": ")[0] == f"add_questions_responses_uri[0]{property_}"
    assert "answers" not in database.people.find_one()
    assert api.record(body, headers=dict(STRICT)).status_code == 400


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=bodies())
def test_any_valid_core_is_recorded_and_everything_else_is_stored_or_named(
    api: Client, database: Database, body: dict[str, Any]
) -> None:
    """The core is an e-mail address of its own; every optional place has a random value."""
    database.people.delete_many({})
    database.outreaches.delete_many({})

    outreach = api.recorded(body)

    person = api.follow(outreach, "osdi:person")
    assert not_stored(body, outreach, person, outreach.get(WARNINGS, [])) == []


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=VALUES)
@pytest.mark.parametrize("name", ["person", "identifiers", "targets", "triggers", "custom", "osdi:control"])
def test_any_value_in_one_place_is_no_server_error(api: Client, name: str, value: Any) -> None:
    assert api.record({"person": MAIL, name: value}).status_code in (200, 400, 409)
