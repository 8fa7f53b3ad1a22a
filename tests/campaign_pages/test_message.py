"""The message of a post: from a template, in the supporter's own words, or from answers to prompts."""

from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from osdi.campaign_pages.message import Message, script_of, start_texts, text_of
from osdi.campaign_pages.message_labels import filled_in
from osdi.campaign_pages.page_settings import PageSettings
from osdi.campaign_pages.targets import InvalidChoice
from osdi.fields.limits import MAX_ANONYMOUS_TEXT_LENGTH

LABELS = {
    "given_name": "first name",
    "family_name": "last name",
    "postal_code": "postal code",
    "target.title": "title",
    "target.family_name": "name of the addressee",
}
BEN = {"title": "Senator", "given_name": "Ben", "family_name": "Öhm"}
CARA = {"title": "Mayor", "given_name": "Cara", "family_name": "Nu"}
PERSON = {
    "given_name": "Jane",
    "family_name": "Doe",
    "postal_addresses": [{"postal_code": "10115", "locality": "Berlin"}],
}
LETTER = "Dear {{ targets[0].title }} {{ targets[0].family_name }},\n\nsave the river.\n\n{{ person.given_name }}"


def post(
    values: dict[str, Any] | None = None,
    *,
    templates: tuple[str, ...] = (LETTER,),
    targets: list[dict[str, str]] | None = None,
    person: dict[str, Any] = PERSON,
    selection: str = "all",
    **message: Any,
) -> Message | None:
    listed = [BEN] if targets is None else targets
    page = PageSettings.of({"page": {"message": message, "targets": {"selection": selection}}})
    campaign = {"templates": list(templates), "target_list": [BEN, CARA]}
    return text_of(MultiDict(values or {}), campaign, page, LABELS, person, listed)


def offered(*templates: str, selection: str = "all", **page: Any) -> tuple[str, ...]:
    settings = PageSettings.of({"page": {"targets": {"selection": selection}, **page}})
    return start_texts({"templates": list(templates), "target_list": [BEN, CARA]}, settings, LABELS)


@pytest.mark.parametrize(
    ("template", "selection", "text"),
    [
        (LETTER, "all", "Dear Senator Öhm,\n\nsave the river.\n\n[first name]"),
        (LETTER, "choose", "Dear [title] [name of the addressee],\n\nsave the river.\n\n[first name]"),
        ("I live in {{ person.postal_addresses[0].postal_code }}.", "all", "I live in [postal code]."),
        ("{% if person.phone_numbers %}Call me.{% endif %}Thanks", "all", "Thanks"),
        ("{% for target in targets %}{{ target.family_name }} {% endfor %}", "all", "Öhm Nu"),
        ("50 % off {{ sale", "all", "50 % off {{ sale"),
        ("{{ person.__class__ }} {{ secret }}", "all", "{{ person.__class__ }} {{ secret }}"),
        ("<p>Dear <b>all</b>,</p><p>{{ person.given_name }}</p>", "all", "Dear all,\n\n[first name]"),
        ("One\r\nTwo", "all", "One\nTwo"),
        ("", "all", ""),
    ],
)
def test_a_form_offers_each_template_with_labels_for_what_is_not_known(
    template: str, selection: str, text: str
) -> None:
    assert offered(template, selection=selection) == (text,)


def test_a_form_offers_several_templates() -> None:
    assert offered("One", "Two") == ("One", "Two")


def test_a_campaign_without_templates_offers_no_text() -> None:
    assert offered() == ()


def test_a_field_that_the_form_does_not_ask_for_has_no_label() -> None:
    template = "{{ person.given_name | default('A neighbour') }}"
    assert offered(template, fields=[{"name": "email_address"}]) == ("A neighbour",)


@pytest.mark.parametrize(
    "sent",
    [
        "Dear Senator Öhm,\n\nsave the river.\n\n[first name]",
        "Dear Senator Öhm,\r\n\r\nsave the river.\r\n\r\n[first name]  \r\n",
    ],
    ids=["as offered", "with the line ends of a browser and spaces"],
)
def test_a_text_that_was_not_changed_is_filled_in_by_the_template(sent: str) -> None:
    assert post({"message": sent}) == Message("Dear Senator Öhm,\n\nsave the river.\n\nJane")


def test_a_changed_text_is_filled_in_and_counts_as_own_words() -> None:
    sent = "Dear [title] [name of the addressee],\r\nI swim there.\r\n[first name] [last name], [postal code]"
    assert post({"message": sent}) == Message("Dear Senator Öhm,\nI swim there.\nJane Doe, 10115", changed=True)


def test_a_value_is_not_filled_in_twice() -> None:
    assert filled_in("[first name]", LABELS, {"given_name": "[last name]", "family_name": "x"}, [BEN]) == "[last name]"


def test_what_a_supporter_does_not_say_is_left_out() -> None:
    assert filled_in("Dear Ben, [first name] [last name]!", LABELS, {}, []) == "Dear Ben,!"


def test_a_value_of_several_lines_becomes_one_line() -> None:
    assert (
        filled_in("[first name]", LABELS, {"given_name": "Jane\r\nBcc: x@example.org"}, []) == "Jane Bcc: x@example.org"
    )


def test_labels_of_targets_stay_until_they_are_chosen() -> None:
    page = PageSettings.of({"page": {"targets": {"selection": "postal_code"}}})
    campaign = {"templates": [LETTER], "target_list": [BEN, CARA]}
    message = text_of(MultiDict({"message": ""}), campaign, page, LABELS, PERSON, None)
    assert message == Message("Dear [title] [name of the addressee],\n\nsave the river.\n\nJane")
    assert filled_in(message.text, LABELS, PERSON, [CARA]).startswith("Dear Mayor Nu,")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"template": "1", "message": "One"}, "Two"),
        ({"template": "1", "message": ""}, "Two"),
        ({"template": "0", "message": "Two"}, "One"),
        ({"message": "One"}, "One"),
        ({"template": "1", "message": "Mine"}, "Mine"),
    ],
)
def test_the_chosen_template_is_the_text_unless_the_supporter_wrote_an_own_one(
    values: dict[str, str], text: str
) -> None:
    message = post(values, templates=("One", "Two"))
    assert message == Message(text, changed=text == "Mine")


@pytest.mark.parametrize("sent", ["2", "-1", "x", "0x1", "01"])
def test_a_template_that_does_not_exist_is_rejected(sent: str) -> None:
    with pytest.raises(InvalidChoice) as raised:
        post({"template": sent}, templates=("One", "Two"))
    assert (raised.value.control, raised.value.reason) == ("template", "no_template")


def test_a_fixed_text_cannot_be_changed() -> None:
    assert post({"message": "Mine"}, templates=("Ours",), rule="fixed") == Message("Ours")
    assert post({}, templates=("Ours",), rule="fixed") == Message("Ours")


def test_a_form_without_a_message_has_none() -> None:
    assert post({}, templates=("Ours",)) is None
    assert post({"message": " "}, templates=()) is None
    assert post({}, templates=(), rule="fixed") is None


@pytest.mark.parametrize(
    ("template", "answers", "text"),
    [
        ("Dear all,", ["I swim.", "I fish."], "Dear all,\n\nI swim.\n\nI fish."),
        ("Dear all,\n\n[answers]\n\nYours", ["I swim.", " "], "Dear all,\n\nI swim.\n\nYours"),
        ("Dear all,\n[answers]\nYours", ["", ""], "Dear all,\n\nYours"),
        ("Dear all,", ["One\r\ntwo", "b", "one more than asked"], "Dear all,\n\nOne\ntwo\n\nb"),
        ("Dear all,", [], "Dear all,"),
        ("", ["I swim."], "I swim."),
    ],
)
def test_answers_to_prompts_join_into_the_text(template: str, answers: list[str], text: str) -> None:
    values = {"prompt": answers, "message": "is ignored"}
    message = post(values, templates=(template,), rule="prompts", prompts=("Why?", "How?"))
    assert message == Message(text, changed=any(answer.strip() for answer in answers))


@pytest.mark.parametrize(
    ("values", "rule", "control"),
    [
        ({"message": "x" * (MAX_ANONYMOUS_TEXT_LENGTH + 1)}, "editable", "message"),
        ({"prompt": ["x" * (MAX_ANONYMOUS_TEXT_LENGTH + 1)]}, "prompts", "prompt"),
    ],
)
def test_a_text_that_is_too_long_is_rejected(values: dict[str, Any], rule: str, control: str) -> None:
    with pytest.raises(InvalidChoice) as raised:
        post(values, rule=rule, prompts=("Why?",))
    assert (raised.value.control, raised.value.reason) == (control, "too_long")


def test_a_text_may_be_as_long_as_it_is_stored() -> None:
    message = post({"message": "x" * MAX_ANONYMOUS_TEXT_LENGTH})
    assert message is not None
    assert len(message.text) == MAX_ANONYMOUS_TEXT_LENGTH


def test_words_in_braces_of_a_supporter_are_text() -> None:
    sent = "{{ person.email_addresses }} {% for x in targets %}"
    assert post({"message": sent}) == Message(sent, changed=True)


def test_a_script_is_filled_in_for_the_person_and_the_targets() -> None:
    campaign = {"templates": ["Hello {{ targets[0].family_name }}", "I am {{ person.given_name }}"]}
    assert script_of(campaign, PERSON, [CARA]) == "Hello Nu\n\nI am Jane"
