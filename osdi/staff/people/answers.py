"""A person's answers to questions: the form for one of them, and its change, by the rules of the API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from osdi.access.tokens import Caller
from osdi.action_functions.answers import answer_error
from osdi.crud import subresources
from osdi.crud.put import Change
from osdi.crud.subresources import ANSWERS, get_of_person
from osdi.documents import Document, ReadOnlyDocument
from osdi.errors import invalid, not_found
from osdi.etags import etag
from osdi.fields.question import CHOICES
from osdi.resources import QUESTION
from osdi.staff.people.names import label_of
from osdi.store import Store

SEVERAL: Final = CHOICES[1]


@dataclass(frozen=True)
class AnswerForm:
    """The form of an answer: the question, the accepted responses (none for a free text), and what is stored."""

    question_id: str
    question: str
    options: tuple[tuple[str, str], ...]
    several: bool
    value: str
    responses: tuple[str, ...]
    version: str


def new_answer_form(store: Store, question_id: str) -> AnswerForm:
    """Returns the form for an answer to this question. Raises OsdiError 404."""
    return _form(_question(store, question_id), {}, "")


def answer_form(store: Store, person: Document, answer_id: str) -> AnswerForm:
    """Returns the form of an answer of the person. Raises OsdiError 404."""
    answer = get_of_person(store, ANSWERS, person, answer_id)
    return _form(_question(store, answer["question_id"]), answer, etag(answer))


def fields_of(form: AnswerForm, typed: str, chosen: Sequence[str]) -> Mapping[str, Any]:
    """Returns the JSON of an answer to the question of this form."""
    return {"responses": list(chosen)} if form.options else {"value": typed}


def add_answer(store: Store, person: ReadOnlyDocument, form: AnswerForm, fields: Mapping[str, Any]) -> None:
    """Adds an answer of loaded fields. Raises OsdiError 400 if the question does not accept it, 413, 503."""
    error = answer_error(_question(store, form.question_id), fields)
    if error:
        raise error
    subresources.add(store, ANSWERS, form.question_id, person["_id"], fields)


def change_answer(
    store: Store, form: AnswerForm, answer_id: str, fields: Mapping[str, Any], version: str, caller: Caller
) -> None:
    """Changes an answer to the loaded fields, if nobody has changed it since the form was opened.

    Raises OsdiError 400 if the question does not accept it, 404, 412, 503.
    """
    question = _question(store, form.question_id)
    if not any(fields.values()):
        raise invalid("The answer is blank. Remove it instead.", "value")
    change = Change(fields, (), frozenset({version}), caller.person_id)
    subresources.change(
        store, ANSWERS, form.question_id, answer_id, change, lambda entry: answer_error(question, entry)
    )


def _question(store: Store, question_id: str) -> Document:
    found = store.get(QUESTION.collection, question_id)
    if found is None:
        raise not_found("There is no such question.", QUESTION.rel)
    return found


def _form(question: ReadOnlyDocument, answer: ReadOnlyDocument, version: str) -> AnswerForm:
    responses = question.get("responses", ()) if question["question_type"] in CHOICES else ()
    options = tuple((each["key"], str(each.get("title") or each.get("name") or each["key"])) for each in responses)
    several = question["question_type"] == SEVERAL
    kept = (str(answer.get("value", "")), tuple(answer.get("responses", ())))
    return AnswerForm(question["_id"], label_of(question), options, several, *kept, version)
