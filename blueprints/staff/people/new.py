"""The form for a new person. It creates the person by the rules of the API, and says nothing about consent."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from flask import Response, redirect, request, url_for
from marshmallow import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import caller, reference, settings, store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.frame import page
from blueprints.staff.people.people import argument
from osdi.access.tokens import WRITE
from osdi.errors import ErrorDescription, OsdiError, described
from osdi.staff.people.person_actions import KnownPerson, create_person
from osdi.staff.people.search.suggestions import first_values
from schemas.outreach import PostedPersonSchema

CHANGES: Final = Access(WRITE, shows=True)
# The fields of the form, by the array of which they make an entry; names are the person's own.
NAMES: Final = ("given_name", "family_name")
ENTRIES: Final[Mapping[str, tuple[str, ...]]] = {
    "email_addresses": ("address",),
    "phone_numbers": ("number",),
    "postal_addresses": ("postal_code", "locality"),
}
FIELDS: Final = (*NAMES, *(part for parts in ENTRIES.values() for part in parts))


@pages.get("/people/new", access=CHANGES)
def new_person() -> Response:
    """Show the form for a new person"""
    text = argument("text")
    return _form(first_values(text, settings().match_key_rules) if text else {})


@pages.post("/people/new", access=CHANGES)
def add_person() -> AnyResponse:
    """Create a person"""
    typed = {name: request.form.get(name, "").strip() for name in FIELDS}
    try:
        body = PostedPersonSchema().load({"person": _person_of(typed)})
        created = create_person(store(), reference().find, body, caller(), settings())
    except KnownPerson as known:
        return page("people/person_new.html", 409, values=typed, errors={}, known=known)
    except ValidationError as error:
        return _form(typed, _errors(described(error.messages)))
    except OsdiError as error:
        if error.status != 400:
            raise
        return _form(typed, _errors(error.descriptions))
    return redirect(url_for("staff.person", person_id=created["_id"], done="person_created"), 303)


def _person_of(typed: Mapping[str, str]) -> dict[str, Any]:
    """Returns the person of the form as JSON; an empty field is left out."""
    person: dict[str, Any] = {name: typed[name] for name in NAMES if typed[name]}
    for array, parts in ENTRIES.items():
        entry = {part: typed[part] for part in parts if typed[part]}
        if entry:
            person[array] = [entry]
    return person


def _errors(descriptions: Iterable[ErrorDescription]) -> dict[str, str]:
    """Returns the sentence of each rejected property by the name of its field."""
    found: dict[str, str] = {}
    for each in descriptions:
        for path in each.properties or ("",):
            name = path.rpartition(".")[2]
            if name in FIELDS:
                found.setdefault(name, each.description)
            else:
                found.setdefault(FIELDS[0], "Enter a name, an e-mail address or a phone number.")
    return found


def _form(values: Mapping[str, str], errors: Mapping[str, str] | None = None) -> Response:
    return page("people/person_new.html", 422 if errors else 200, values=values, errors=errors or {}, known=None)
