"""The content of a submitted form as the JSON of the Record Outreach Helper, whose schema then validates it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

from osdi.action_functions.followup_kinds import AUTORESPONSE
from osdi.campaign_pages.form.controls import (
    CONFIRMED,
    FORM_TOKEN,
    NAMES,
    PERSON,
    REDIRECT,
    SOURCES,
    Control,
    Form,
    value_of,
    values_of,
)
from osdi.documents import ReadOnlyDocument

# The properties of a person's postal address by the control that fills them.
ADDRESS: Final = ("postal_code", "locality", "country")


def person_of(form: Form) -> dict[str, Any]:
    """Returns the person of the helper's JSON: every contact detail of FORM_FIELDS that the form contains."""
    person: dict[str, Any] = {}
    for control in NAMES:
        if value := value_of(form, control):
            person[control.removeprefix(PERSON)] = value
    if address := value_of(form, f"{PERSON}email_address"):
        person["email_addresses"] = [{"address": address}]
    if number := value_of(form, f"{PERSON}phone_number"):
        person["phone_numbers"] = [{"number": number}]
    postal: dict[str, Any] = {name: value for name in ADDRESS if (value := value_of(form, f"{PERSON}{name}"))}
    if street := value_of(form, f"{PERSON}street_address"):
        postal["address_lines"] = street.splitlines()
    if postal:
        person["postal_addresses"] = [postal]
    return person


def answers_of(form: Form, controls: Sequence[Control]) -> list[dict[str, Any]]:
    """Returns the answers of the helper's JSON to those questions of the form that have one."""
    answers = []
    for control in controls:
        given = values_of(form, control.name) if control.question else []
        if control.question and given:
            answer = {"responses": given} if control.is_choice else {"value": given[0]}
            answers.append({"question": control.question["_id"], **answer})
    return answers


def body_of(
    form: Form, campaign: ReadOnlyDocument, controls: Sequence[Control], referrer: Mapping[str, str]
) -> dict[str, Any]:
    """Returns the helper's JSON: person, type, answers, source, and the campaign's mail to those who take part.

    The campaign's other follow-ups, texts and calls, are not requested: a number may be somebody else's.
    """
    body: dict[str, Any] = {"person": person_of(form)}
    if campaign.get("type"):
        body["type"] = campaign["type"]
    if answers := answers_of(form, controls):
        body["add_questions_responses_uri"] = answers
    if referrer:
        body["referrer_data"] = dict(referrer)
    if campaign.get("triggers", {}).get(AUTORESPONSE, {}).get("identifiers"):
        body["triggers"] = {AUTORESPONSE: {"enabled": True}}
    return body


def typed_content(form: Form, others: Iterable[str] = ()) -> bytes:
    """Returns what the supporter has typed and chosen, in a form that is the same for each repetition.

    It leaves out the token, the source and `others`, since they may differ when a form is sent again.
    """
    left_out = {FORM_TOKEN, CONFIRMED, REDIRECT, *SOURCES, *others}
    values = {name: values_of(form, name) for name in form if name not in left_out}
    return orjson.dumps({name: each for name, each in values.items() if each}, option=orjson.OPT_SORT_KEYS)
