"""Mistakes in a submitted form that the supporter can correct, by control: they are shown before anything is recorded.

A value that a page does not require costs no outreach if the helper's schema cannot read it: the schema skips it. Only
an e-mail address that cannot be read is always a mistake, since no mail reaches it.

Pure: the texts for people are in the templates.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from osdi.campaign_pages.form.controls import EMAIL_ADDRESS, NAMES, PERSON, Control, Form, value_of
from osdi.errors import described

MISSING: Final = "missing"
ONE_NAME_MISSING: Final = "one_name_missing"
NOBODY: Final = "nobody"
UNREADABLE: Final = "unreadable"
NOT_ANSWERED: Final = "not_answered"

# The control whose value is at the beginning of a path in the helper's JSON.
PATHS: Final[Mapping[str, str]] = {
    "person.given_name": f"{PERSON}given_name",
    "person.family_name": f"{PERSON}family_name",
    "person.email_addresses": EMAIL_ADDRESS,
    "person.phone_numbers": f"{PERSON}phone_number",
    "person.postal_addresses[0].address_lines": f"{PERSON}street_address",
    "person.postal_addresses[0].postal_code": f"{PERSON}postal_code",
    "person.postal_addresses[0].locality": f"{PERSON}locality",
    "person.postal_addresses[0].country": f"{PERSON}country",
}


def errors_of(
    form: Form, controls: Sequence[Control], skipped: Mapping[Any, Any], *, nobody: bool = False
) -> dict[str, str]:
    """Returns the mistakes by control, in the order of the form; each is a constant of this module.

    `skipped` are the messages of the helper's schema about values that it cannot read. `nobody` is True if nothing that
    remains says who the supporter is.
    """
    unreadable = {control for path in _paths(skipped) for control in _controls_at(path)}
    errors: dict[str, str] = {}
    for control in controls:
        if error := _error_of(form, control, unreadable):
            errors[control.name] = error
    if EMAIL_ADDRESS in unreadable:
        errors.setdefault(EMAIL_ADDRESS, UNREADABLE)
    if any(each.one_of_names for each in controls) and not any(value_of(form, name) for name in NAMES):
        first = next(each.name for each in controls if each.one_of_names)
        errors.setdefault(first, ONE_NAME_MISSING)
    if nobody and not errors:
        errors[_first_of_person(controls)] = NOBODY
    return _in_order(errors, controls)


def _error_of(form: Form, control: Control, unreadable: set[str]) -> str | None:
    """Returns the mistake of one control, or None."""
    given = [value for value in form.getlist(control.name) if value.strip()]
    if control.required and not given:
        return NOT_ANSWERED if control.is_choice else MISSING
    if control.required and control.name in unreadable:
        return UNREADABLE
    if control.required and control.question and control.is_choice:
        keys = {response["key"] for response in control.question.get("responses", ())}
        return None if keys.issuperset(given) else NOT_ANSWERED
    return None


def _paths(skipped: Mapping[Any, Any]) -> list[str]:
    """Returns the path of each value that the schema cannot read, such as `person.phone_numbers[0].number`."""
    return [path for each in described(skipped) for path in each.properties]


def _controls_at(path: str) -> list[str]:
    """Returns the controls whose values are at a path of the helper's JSON, or below it."""
    return [control for known, control in PATHS.items() if path.startswith(known) or known.startswith(f"{path}[")]


def _first_of_person(controls: Sequence[Control]) -> str:
    return next((each.name for each in controls if not each.question), EMAIL_ADDRESS)


def _in_order(errors: Mapping[str, str], controls: Sequence[Control]) -> dict[str, str]:
    places = [each.name for each in controls if each.name in errors]
    return {name: errors[name] for name in dict.fromkeys((*places, *errors))}
