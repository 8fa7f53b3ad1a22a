"""The form for names and contact details of a person, and what it says about errors and about a change by others."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Response, redirect, request, url_for
from marshmallow import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import caller, settings, store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.frame import page
from blueprints.staff.people.people import person_or_redirect
from osdi.access.tokens import WRITE
from osdi.documents import Document
from osdi.errors import OsdiError, described
from osdi.etags import etag
from osdi.staff.people import person_actions
from osdi.staff.people.names import NAME_PARTS, name_of
from osdi.staff.people.person_form import PARTS, Changes, differences, errors_by_field, form_values
from schemas.base.put import put_of
from schemas.person import PersonSchema

CHANGES: Final = Access(WRITE, shows=True)
VERSION: Final = "version"
PUT: Final = put_of(PersonSchema)


@pages.get("/people/<person_id>/edit", access=CHANGES)
def edit_person(person_id: str) -> Response:
    """Show the form for names and contact details"""
    person = person_or_redirect(person_id)
    return _form(person, form_values(person))


@pages.post("/people/<person_id>/edit", access=CHANGES)
def change_person(person_id: str) -> AnyResponse:
    """Store the names and contact details of the form"""
    person, typed = person_or_redirect(person_id), request.form.to_dict()
    if typed.get(VERSION) != etag(person):
        return _conflict(person, typed)
    return _stored(person, typed, person_actions.requested_changes(store(), person, typed, settings().match_key_rules))


def _stored(person: Document, typed: Mapping[str, str], changes: Changes) -> AnyResponse:
    """Stores the changes, and leads to the person's page; returns the form with what was typed if it is wrong."""
    if not changes.body:
        return redirect(url_for("staff.person", person_id=person["_id"], done="person_unchanged"), 303)
    try:
        person_actions.change_person(store(), person, PUT.load(changes.body), caller(), settings().match_key_rules)
    except ValidationError as error:
        return _form(person, {**form_values(person), **typed}, errors_by_field(changes, described(error.messages)))
    except OsdiError as error:
        if error.status == 412:
            return _conflict(person_or_redirect(person["_id"]), typed)
        if error.status != 400:
            raise
        return _form(person, {**form_values(person), **typed}, errors_by_field(changes, error.descriptions))
    return redirect(url_for("staff.person", person_id=person["_id"], done="person_changed"), 303)


def _form(person: Document, values: Mapping[str, str], errors: Mapping[str, str] | None = None) -> Response:
    arrays = {array: range(len(person.get(array, ())) + 1) for array in PARTS}
    parts: dict[str, Any] = {"names": NAME_PARTS, "arrays": arrays, "parts": PARTS}
    shown = {"person": person, "name": name_of(person), "values": values, "errors": errors or {}}
    return page("people/person_edit.html", 422 if errors else 200, version=etag(person), **shown, **parts)


def _conflict(person: Document, typed: Mapping[str, str]) -> Response:
    """Returns a page with what was typed beside what is stored now, so that nothing is lost."""
    return page(
        "people/person_conflict.html", 409, person=person, name=name_of(person), rows=differences(person, typed)
    )
