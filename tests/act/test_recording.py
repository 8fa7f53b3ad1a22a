"""A supporter sends the form of a campaign page: what is recorded, and what the page answers."""

from collections.abc import Callable
from typing import Any

import pytest
from pymongo.database import Database

from tests.fixtures.campaign_pages import JANE, CampaignPage, soup, typed_into
from tests.support.client import Client

Publish = Callable[..., CampaignPage]

SUFFIXES = pytest.mark.parametrize("suffix", ["", "/embed"])


@SUFFIXES
def test_a_form_is_recorded_and_the_response_is_the_next_step(
    publish: Publish, database: Database, suffix: str
) -> None:
    page = publish(type="email")

    response = page.record(suffix=suffix)

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    (outreach,) = database.outreaches.find()
    (person,) = database.people.find()
    assert outreach["person_id"] == person["_id"]
    assert outreach["advocacy_campaign_id"] == page.campaign["_id"]
    assert outreach["type"] == "email"
    assert (person["given_name"], person["family_name"]) == ("Jane", "Doe")
    assert person["email_addresses"][0]["address"] == "jane@example.com"
    assert "status" not in person["email_addresses"][0]
    assert person["postal_addresses"][0]["postal_code"] == "20009"


def test_every_contact_detail_is_stored(publish: Publish, database: Database) -> None:
    fields = ["phone_number", "street_address", "locality", "country"]
    typed = {
        **JANE,
        "person.phone_number": "+1 202 555 0164",
        "person.street_address": "1600 Main Street\r\nApartment 3",
        "person.locality": "Washington",
        "person.country": "United States",
    }

    publish({"fields": [{"name": each} for each in fields]}).record(typed)

    (person,) = database.people.find()
    (address,) = person["postal_addresses"]
    assert person["phone_numbers"][0]["number"] == "+1 202 555 0164"
    assert address["address_lines"] == ["1600 Main Street", "Apartment 3"]
    assert (address["locality"], address["country"], address["postal_code"]) == ("Washington", "US", "20009")


REQUIRED_NAMES: dict[str, Any] = {
    "fields": [
        {"name": "given_name", "required": True},
        {"name": "family_name"},
        {"name": "email_address"},
        {"name": "phone_number"},
    ]
}
REQUIRED_PHONE: dict[str, Any] = {"fields": [{"name": "given_name"}, {"name": "phone_number", "required": True}]}
ONE_NAME: dict[str, Any] = {"fields": [{"name": "family_name", "required": True}, {"name": "email_address"}]}
NOTHING: dict[str, Any] = {"fields": [{"name": "given_name"}, {"name": "email_address"}]}

MISTAKES = {
    "a required address is missing": ({}, {"person.given_name": "Jane"}, ["person-email_address"]),
    "a required address is blank": ({}, {"person.email_address": "  "}, ["person-email_address"]),
    "an address cannot be read": ({}, {"person.email_address": "jane@"}, ["person-email_address"]),
    "an optional address cannot be read": (
        NOTHING,
        {"person.given_name": "Jane", "person.email_address": "jane.example.com"},
        ["person-email_address"],
    ),
    "both names are missing": (REQUIRED_NAMES, {"person.phone_number": "2025550164"}, ["person-given_name"]),
    "the only name is missing": (ONE_NAME, {"person.email_address": "jane@example.com"}, ["person-family_name"]),
    "a required number cannot be read": (
        REQUIRED_PHONE,
        {"person.given_name": "Jane", "person.phone_number": "n/a"},
        ["person-phone_number"],
    ),
    "nothing is filled in": (NOTHING, {}, ["person-given_name"]),
    "several mistakes": (
        {"fields": [{"name": "email_address", "required": True}, {"name": "postal_code", "required": True}]},
        {},
        ["person-email_address", "person-postal_code"],
    ),
}


@pytest.mark.parametrize(("asked", "typed", "wrong"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_shown_before_anything_is_recorded(
    publish: Publish, database: Database, asked: dict[str, Any], typed: dict[str, str], wrong: list[str]
) -> None:
    response = publish(asked).record(typed)

    page = soup(response)
    assert response.status_code == 422
    assert database.outreaches.count_documents({}) == database.people.count_documents({}) == 0
    links = [str(each["href"]) for each in page.select(".errors a")]
    assert links == [f"#act-{each}" for each in wrong]
    for link in links:
        control = page.select_one(link)
        assert control is not None
        assert control["aria-invalid"] == "true"
        described_by = page.find(id=control["aria-describedby"])
        assert described_by is not None
        assert described_by.get_text().strip()
    assert page.select_one(".errors[data-focus][role=alert]") is not None


ACCEPTED = {
    "only the first name": (REQUIRED_NAMES, {"person.given_name": "Jane"}),
    "only the last name": (REQUIRED_NAMES, {"person.family_name": "Doe"}),
    "an optional number that cannot be read": (
        REQUIRED_NAMES,
        {"person.given_name": "Jane", "person.phone_number": "none of your business"},
    ),
    "an optional number of too many digits": (
        REQUIRED_NAMES,
        {"person.given_name": "Jane", "person.phone_number": "1" * 60},
    ),
    "an unknown answer to an optional question": (NOTHING, {"person.given_name": "Jane", "answers.x": "y"}),
    "an optional name that is too long": (
        {"fields": [{"name": "given_name"}, {"name": "email_address"}]},
        {"person.given_name": "x" * 1_500, "person.email_address": "jane@example.com"},
    ),
}


@pytest.mark.parametrize(("asked", "typed"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_an_optional_value_costs_no_outreach(
    publish: Publish, database: Database, asked: dict[str, Any], typed: dict[str, str]
) -> None:
    assert publish(asked).record(typed).status_code == 200

    assert database.outreaches.count_documents({}) == 1


def test_a_form_with_mistakes_keeps_what_was_typed(publish: Publish, database: Database) -> None:
    page = publish({"fields": [{"name": "email_address", "required": True}, {"name": "street_address"}]})
    typed = {"person.email_address": '"><script>', "person.street_address": "\nSeaside\r\n12 <b>"}

    again = typed_into(soup(page.record(typed)))

    assert again["person.email_address"] == '"><script>'
    assert again["person.street_address"] == "Seaside\n12 <b>"
    response = page.post({**again, "person.email_address": "jane@example.com"})
    assert response.status_code == 200
    assert database.outreaches.count_documents({}) == 1


QUESTION_MISTAKES = {
    "no answer": ("SingleChoice", [], "Please choose one of the answers."),
    "an unknown answer": ("SingleChoice", ["maybe"], "Please choose one of the answers."),
    "no answer of several": ("MultiChoice", [], "Please choose one of the answers."),
    "no text": ("Paragraph", [" "], "Please fill in this field."),
}


@pytest.mark.parametrize(("kind", "given", "sentence"), QUESTION_MISTAKES.values(), ids=QUESTION_MISTAKES.keys())
def test_a_required_question_needs_an_answer(
    publish: Publish, api: Client, database: Database, kind: str, given: list[str], sentence: str
) -> None:
    question_id = question(api, kind)
    page = publish({"fields": [{"name": "given_name"}, {"question": "crm:q", "required": True}]})

    response = page.record({"person.given_name": "Jane", f"answers.{question_id}": given})

    assert response.status_code == 422
    (link,) = soup(response).select(".errors a")
    assert link.get_text().startswith("Shall we?")
    assert link.get_text().endswith(sentence)
    assert soup(response).select_one(str(link["href"]))["name"] == f"answers.{question_id}"
    assert database.outreaches.count_documents({}) == 0


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        ("SingleChoice", ["yes"], {"responses": ["yes"]}),
        ("MultiChoice", ["yes", "no"], {"responses": ["yes", "no"]}),
        ("Paragraph", ["Because\r\nof the <river>"], {"value": "Because\nof the <river>"}),
    ],
)
def test_an_answer_to_a_question_is_stored(
    publish: Publish, api: Client, database: Database, kind: str, given: list[str], stored: dict[str, Any]
) -> None:
    question_id = question(api, kind)
    page = publish({"fields": [{"name": "given_name"}, {"question": "crm:q"}]})

    assert page.record({"person.given_name": "Jane", f"answers.{question_id}": given}).status_code == 200

    (person,) = database.people.find()
    (answer,) = person["answers"]
    assert answer["question_id"] == question_id
    assert stored.items() <= answer.items()


@pytest.mark.parametrize(
    ("kind", "given"), [("SingleChoice", ["maybe"]), ("SingleChoice", ["yes", "no"]), ("MultiChoice", ["yes", "x"])]
)
def test_an_answer_that_an_optional_question_does_not_accept_costs_no_outreach(
    publish: Publish, api: Client, database: Database, kind: str, given: list[str]
) -> None:
    question_id = question(api, kind)
    page = publish({"fields": [{"name": "given_name"}, {"question": "crm:q"}]})

    assert page.record({"person.given_name": "Jane", f"answers.{question_id}": given}).status_code == 200

    (outreach,) = database.outreaches.find()
    assert outreach["warnings"]


def question(api: Client, kind: str) -> str:
    """Creates a question of this type, and returns its id."""
    responses = {} if kind == "Paragraph" else {"responses": [{"key": "yes"}, {"key": "no"}]}
    body = {"title": "Shall we?", "question_type": kind, "identifiers": ["crm:q"], **responses}
    return str(api.created("/questions", body)["_links"]["self"]["href"]).rsplit("/", 1)[1]
