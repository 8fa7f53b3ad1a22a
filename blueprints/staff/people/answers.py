"""The form for an answer of a person to a question: add one, and change one."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Response, redirect, request, url_for
from marshmallow import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import caller, store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.frame import page
from blueprints.staff.people.people import argument, person_or_redirect
from osdi.access.tokens import WRITE
from osdi.documents import Document
from osdi.errors import OsdiError, described
from osdi.resources import QUESTION
from osdi.staff.people.answers import (
    AnswerForm,
    add_answer,
    answer_form,
    change_answer,
    fields_of,
    new_answer_form,
)
from osdi.staff.people.names import name_of
from osdi.staff.people.search.rows import options
from schemas.base.put import put_of
from schemas.subresources import AnswerSchema

CHANGES: Final = Access(WRITE, shows=True)
PUT: Final = put_of(AnswerSchema)
MEANWHILE: Final = (
    "Somebody has changed this answer meanwhile. Stored now: {}. "
    "Yours is in the form. It is stored only if you send it again."
)


@pages.get("/people/<person_id>/answers/new", access=CHANGES)
def new_answer(person_id: str) -> Response:
    """Ask for a question, then for the answer of the person to it"""
    person, question_id = person_or_redirect(person_id), argument("question")
    if question_id:
        return _form(person, new_answer_form(store(), question_id))
    questions = options(store(), QUESTION)
    return page("people/person_question.html", person=person, name=name_of(person), questions=questions)


@pages.post("/people/<person_id>/answers/new", access=CHANGES)
def add_answer_of_person(person_id: str) -> AnyResponse:
    """Add an answer of the person"""
    person, form = person_or_redirect(person_id), new_answer_form(store(), argument("question"))
    return _stored(person, form, lambda fields: add_answer(store(), person, form, fields), "answer_added")


@pages.get("/people/<person_id>/answers/<answer_id>", access=CHANGES)
def edit_answer(person_id: str, answer_id: str) -> Response:
    """Show the form of an answer"""
    person = person_or_redirect(person_id)
    return _form(person, answer_form(store(), person, answer_id))


@pages.post("/people/<person_id>/answers/<answer_id>", access=CHANGES)
def change_answer_of_person(person_id: str, answer_id: str) -> AnyResponse:
    """Change an answer of the person"""
    person = person_or_redirect(person_id)
    form, version = answer_form(store(), person, answer_id), request.form.get("version", "")

    def change(fields: Mapping[str, Any]) -> None:
        change_answer(store(), form, answer_id, fields, version, caller())

    return _stored(person, form, change, "answer_changed")


def _stored(person: Document, form: AnswerForm, action: Callable[[Mapping[str, Any]], None], done: str) -> AnyResponse:
    """Does the action with the loaded answer, and redirects to the person; returns the form if the answer is wrong."""
    try:
        action(
            PUT.load(dict(fields_of(form, request.form.get("value", ""), request.form.getlist("responses"))))["fields"]
        )
    except ValidationError as error:
        return _form(person, form, next(described(error.messages)).description)
    except OsdiError as error:
        if error.status == 412:
            stored = form.value or ", ".join(text for key, text in form.options if key in form.responses) or "nothing"
            return _form(person, form, MEANWHILE.format(stored), 409)
        if error.status != 400:
            raise
        return _form(person, form, error.descriptions[0].description)
    return redirect(url_for("staff.person", person_id=person["_id"], done=done), 303)


def _form(person: Document, form: AnswerForm, error: str = "", status: int = 422) -> Response:
    """Returns the form, after an error with what was sent."""
    value = request.form.get("value", "") if error else form.value
    responses = request.form.getlist("responses") if error else form.responses
    errors = {"responses" if form.options else "value": error} if error else {}
    shown = {"form": form, "value": value, "responses": responses, "errors": errors}
    return page("people/person_answer.html", status if error else 200, person=person, name=name_of(person), **shown)
