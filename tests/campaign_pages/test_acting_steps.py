"""The step after recording, by the type of the campaign, and the outcome that a supporter states."""

from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from osdi.campaign_pages.acting.addresses import address_lines, first_address
from osdi.campaign_pages.acting.outcome import OF_ANY, OF_CALL, Outcome, outcome_of
from osdi.campaign_pages.acting.steps import step_of
from osdi.campaign_pages.targets import InvalidChoice

ADA = {
    "given_name": "Ada",
    "family_name": "Lovelace",
    "organization": "Parliament",
    "email_addresses": [{"address": "second@example.org"}, {"address": "ada@example.org", "primary": True}],
    "phone_numbers": [{"number": "+49 30 22732152"}, {"number": "+49 30 22732152"}, {"number": "x"}],
    "postal_addresses": [{"address_lines": ["Platz 1"], "postal_code": "11011", "locality": "Berlin"}],
}
OFFICE = {"organization": "Water Office"}
PERSON = {
    "given_name": "Jane",
    "family_name": "Doe",
    "postal_addresses": [{"address_lines": ["River Street 1"], "postal_code": "10115", "locality": "Berlin"}],
}


@pytest.mark.parametrize(
    ("kind", "step"),
    [
        ("email", "email"),
        ("Email ", "email"),
        ("phone", "phone"),
        ("postal mail", "letter"),
        ("in-person", "visit"),
        ("fax", "other"),
        ("<script>", "other"),
    ],
)
def test_the_type_of_the_campaign_decides_on_the_step(kind: str, step: str) -> None:
    assert step_of({"type": kind}, {}, [ADA], "Text").kind == step


def test_a_campaign_without_a_type_is_for_e_mails() -> None:
    assert step_of({}, {}, [ADA], "Text").kind == "email"


def test_a_mail_has_a_link_for_all_and_one_for_each() -> None:
    other = {"given_name": "Ben", "email_addresses": [{"address": "ben@example.org"}, {"address": "no address"}]}
    step = step_of({"type": "email", "title": "River"}, PERSON, [ADA, other, OFFICE], "Text")
    assert step.mail is not None
    assert step.mail.mail_program == "mailto:ada@example.org,ben@example.org?subject=River&body=Text"
    assert [each.mail and each.mail.mail_program for each in step.addressees] == [
        "mailto:ada@example.org?subject=River&body=Text",
        "mailto:ben@example.org?subject=River&body=Text",
        None,
    ]


def test_an_address_of_two_targets_gets_one_mail() -> None:
    step = step_of({"type": "email"}, {}, [ADA, {**ADA, "given_name": "Ben"}], "")
    assert step.mail is not None
    assert step.mail.mail_program == "mailto:ada@example.org"


def test_a_call_has_a_script_and_each_number_once() -> None:
    campaign = {"type": "phone", "templates": ["Hello {{ targets[0].family_name }}, {{ person.given_name }} here."]}
    step = step_of(campaign, PERSON, [ADA, OFFICE], None)
    assert step.text == "Hello Lovelace, Jane here."
    assert [[phone.link for phone in each.phones] for each in step.addressees] == [["tel:+49-30-22732152"], []]
    assert step.mail is None


def test_a_letter_has_the_lines_of_sender_and_addressee() -> None:
    step = step_of({"type": "postal mail"}, PERSON, [ADA], "Text")
    assert step.sender == ("Jane Doe", "River Street 1", "10115 Berlin")
    assert step.addressees[0].address == ("Platz 1", "11011 Berlin")
    assert step.addressees[0].organization == "Parliament"


def test_a_step_without_person_and_targets_has_the_text() -> None:
    step = step_of({"type": "postal mail"}, {}, [], "Text")
    assert (step.sender, step.addressees, step.text) == ((), (), "Text")


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        (
            {"address_lines": ["1 Main St", ""], "locality": "Boston", "region": "MA", "postal_code": "02108"}
            | {"country": "US"},
            ("1 Main St", "Boston, MA 02108", "US"),
        ),
        (
            {"address_lines": ["10 High St"], "locality": "London", "postal_code": "SW1A 1AA", "country": "GB"},
            ("10 High St", "London", "SW1A 1AA", "GB"),
        ),
        (
            {"venue": "Town hall", "postal_code": "10115", "locality": "Berlin", "country": "DE"},
            ("Town hall", "10115 Berlin", "DE"),
        ),
        ({"postal_code": "10115"}, ("10115",)),
        ({"country": "US", "region": "MA"}, ("MA", "US")),
        ({}, ()),
    ],
)
def test_an_address_is_written_as_in_its_country(address: dict[str, Any], lines: tuple[str, ...]) -> None:
    assert address_lines(address) == lines


def test_the_primary_address_is_shown() -> None:
    first, main = {"locality": "Bonn"}, {"locality": "Berlin", "primary": True}
    assert first_address({"postal_addresses": [{}, first, main]}) == ("Berlin",)
    assert first_address({"postal_addresses": [{}, first]}) == ("Bonn",)
    assert first_address({}) == ()


@pytest.mark.parametrize(
    ("values", "notes", "duration"),
    [
        ({"outcome.0": "reached", "minutes.0": "4"}, "Ada Lovelace: reached, 4 min", 240),
        ({"outcome.0": "voicemail", "minutes.0": ""}, "Ada Lovelace: left a voicemail", None),
        ({"outcome.0": "no_answer"}, "Ada Lovelace: no answer", None),
        ({"outcome.0": "not_made", "minutes.0": "0"}, "Ada Lovelace: not made, 0 min", 0),
        ({"outcome.0": "reached", "minutes.0": "2,5"}, "Ada Lovelace: reached, 3 min", 180),
        ({"outcome.0": "reached", "minutes.0": "2.0"}, "Ada Lovelace: reached, 2 min", 120),
        ({"outcome.0": "reached", "minutes.0": "600"}, "Ada Lovelace: reached, 600 min", 36_000),
        (
            {"outcome.0": "reached", "minutes.0": "4", "outcome.1": "reached", "minutes.1": "1"},
            "Ada Lovelace: reached, 4 min\nWater Office: reached, 1 min",
            300,
        ),
        ({"outcome.1": "no_answer", "outcome.2": "reached"}, "Water Office: no answer", None),
    ],
)
def test_the_outcome_of_calls_becomes_notes_and_duration(
    values: dict[str, str], notes: str, duration: int | None
) -> None:
    assert outcome_of(MultiDict(values), [ADA, OFFICE], OF_CALL) == Outcome(notes, duration)


def test_a_call_without_a_target_has_an_outcome() -> None:
    assert outcome_of(MultiDict({"outcome.0": "reached"}), [], OF_CALL) == Outcome("reached")


@pytest.mark.parametrize(
    ("values", "kind", "control", "reason"),
    [
        ({}, "phone", "outcome.0", "no_outcome"),
        ({"outcome.0": " "}, "phone", "outcome.0", "no_outcome"),
        ({"outcome.0": "done"}, "phone", "outcome.0", "unknown_outcome"),
        ({"outcome.0": "reached"}, "in-person", "outcome.0", "unknown_outcome"),
        ({"outcome.1": "<script>"}, "phone", "outcome.1", "unknown_outcome"),
        *(
            ({"outcome.0": "reached", "minutes.0": minutes}, "phone", "minutes.0", "no_minutes")
            for minutes in ("-1", "601", "600.1", "9999", "1e3", "a", "1:30", "\u0663", "1.2.3", "0x10")
        ),
    ],
)
def test_an_outcome_that_cannot_be_read_is_rejected(
    values: dict[str, str], kind: str, control: str, reason: str
) -> None:
    with pytest.raises(InvalidChoice) as raised:
        outcome_of(MultiDict(values), [ADA, OFFICE], OF_CALL if kind == "phone" else OF_ANY)
    assert (raised.value.control, raised.value.reason) == (control, reason)


def test_a_visit_is_done_or_not_made() -> None:
    assert outcome_of(MultiDict({"outcome.0": "done"}), [ADA], OF_ANY) == Outcome("Ada Lovelace: done")


def test_a_text_of_the_campaign_is_addressed_to_each_target() -> None:
    campaign = {"type": "postal mail", "templates": ["Dear {{ targets[0].given_name }}, {{ person.given_name }}"]}
    targets = [{"given_name": "Ada"}, {"given_name": "Ben"}]
    step = step_of(campaign, PERSON, targets, "Dear Ada, Jane")
    assert [each.text for each in step.addressees] == ["Dear Ada, Jane", "Dear Ben, Jane"]


def test_a_text_in_own_words_is_the_same_for_each_target() -> None:
    campaign = {"type": "postal mail", "templates": ["Dear {{ targets[0].given_name }}"]}
    step = step_of(campaign, PERSON, [{"given_name": "Ada"}, {"given_name": "Ben"}], "Dear both")
    assert [each.text for each in step.addressees] == ["Dear both", "Dear both"]
