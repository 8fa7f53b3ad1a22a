"""Answers of people to questions (`answers.md`)."""

from typing import Any, Final

from flask import Response

from blueprints.http.api import LOCATION, Blueprint
from blueprints.http.collections import get_entry_of_person, get_or_404, page_response, read_entries
from blueprints.http.context import hal, hal_response, shown_after_write, store
from blueprints.http.expand import OF_ANSWERS, expand_references, requested_relations
from blueprints.http.put_and_delete import change_entry, remove_entry
from osdi.access.tokens import READ, WRITE
from osdi.action_functions.answers import answer_error
from osdi.crud import subresources
from osdi.etags import etag
from osdi.resources import ANSWER, API, PERSON, QUESTION, id_from
from schemas.base.collection import ExpandedPageArgumentsSchema, ExpandSchema, collection_schema
from schemas.base.delete import NoticeSchema
from schemas.base.put import put_of
from schemas.subresources import AnswerSchema

blp = Blueprint("Answers", __name__, url_prefix=API, description="Answers of people to questions")

EXAMPLES: Final = {
    "one": {
        "value": {
            "responses": ["river"],
            "_links": {"osdi:person": {"href": "https://osdi.example.org/api/v1/people/{id}"}},
        }
    }
}

AnswersSchema = collection_schema("Answers", ANSWER.collection_rel, AnswerSchema)


@blp.route("/questions/<question_id>/answers")
@blp.token_required(READ)
@blp.arguments(ExpandedPageArgumentsSchema(), location="query")
@blp.response(200, AnswersSchema)
@blp.errors(404)
def get_answers(arguments: dict[str, Any], question_id: str) -> Response:
    """List the answers of a question"""
    get_or_404(QUESTION, question_id)
    page = read_entries(subresources.ANSWERS, question_id, arguments)
    expanded = expand_references(page.documents, requested_relations(arguments, OF_ANSWERS))
    return page_response(
        ANSWER, page, arguments, QUESTION.collection, question_id, ANSWER.collection, embedded=expanded
    )


@blp.route("/people/<person_id>/answers")
@blp.token_required(READ)
@blp.arguments(ExpandedPageArgumentsSchema(), location="query")
@blp.response(200, AnswersSchema)
@blp.errors(301, 404)
def get_person_answers(arguments: dict[str, Any], person_id: str) -> Response:
    """List the answers of a person"""
    page = read_entries(subresources.ANSWERS, get_or_404(PERSON, person_id), arguments)
    expanded = expand_references(page.documents, requested_relations(arguments, OF_ANSWERS))
    return page_response(ANSWER, page, arguments, PERSON.collection, person_id, ANSWER.collection, embedded=expanded)


@blp.route("/people/<person_id>/answers/<answer_id>")
@blp.token_required(READ)
@blp.arguments(ExpandSchema(), location="query")
@blp.response(200, AnswerSchema)
@blp.errors(301, 404)
def get_person_answer(arguments: dict[str, Any], person_id: str, answer_id: str) -> Response:
    """Read one answer of a person"""
    found = get_entry_of_person(subresources.ANSWERS, person_id, answer_id)
    expanded = expand_references([found], requested_relations(arguments, OF_ANSWERS))
    return hal_response(hal().represent(ANSWER, found, embedded=expanded[answer_id]), etag(found))


@blp.route("/questions/<question_id>/answers", methods=["POST"])
@blp.token_required(WRITE)
@blp.arguments(AnswerSchema(), examples=EXAMPLES)
@blp.response(200, AnswerSchema, headers=LOCATION)
@blp.errors(404)
def post_answer(body: dict[str, Any], question_id: str) -> Response:
    """Record a person's answer to a question

    The link `osdi:person` names the person. The server rejects an answer that does not fit the question.
    """
    question = get_or_404(QUESTION, question_id)
    person_id = id_from(body["pointing"]["person"]["href"], PERSON) or ""
    fields = {name: body[name] for name in ("identifiers", *ANSWER.fields) if name in body}
    error = answer_error(question, fields)
    if error:
        raise error
    added = subresources.add(store(), subresources.ANSWERS, question_id, person_id, fields)
    return hal_response(shown_after_write(ANSWER, added, body.get("control")))


@blp.route("/questions/<question_id>/answers/<answer_id>")
@blp.token_required(READ)
@blp.arguments(ExpandSchema(), location="query")
@blp.response(200, AnswerSchema)
@blp.errors(404)
def get_answer(arguments: dict[str, Any], question_id: str, answer_id: str) -> Response:
    """Read one answer"""
    found = subresources.get(store(), subresources.ANSWERS, question_id, answer_id)
    expanded = expand_references([found], requested_relations(arguments, OF_ANSWERS))
    return hal_response(hal().represent(ANSWER, found, embedded=expanded[answer_id]), etag(found))


@blp.route("/questions/<question_id>/answers/<answer_id>", methods=["PUT"])
@blp.token_required(WRITE)
@blp.arguments(put_of(AnswerSchema))
@blp.response(200, AnswerSchema)
@blp.if_match
@blp.errors(404)
def put_answer(body: dict[str, Any], question_id: str, answer_id: str) -> Response:
    """Change one answer

    Properties that are not in the body stay as they are; null clears a property. The person and the question
    cannot be changed.
    """
    question = get_or_404(QUESTION, question_id)
    changed = change_entry(
        subresources.ANSWERS, question_id, answer_id, body, lambda entry: answer_error(question, entry)
    )
    return hal_response(shown_after_write(ANSWER, changed, body["control"]), etag(changed))


@blp.route("/questions/<question_id>/answers/<answer_id>", methods=["DELETE"])
@blp.token_required(WRITE)
@blp.response(200, NoticeSchema)
@blp.if_match
@blp.errors(404)
def delete_answer(question_id: str, answer_id: str) -> Response:
    """Delete one answer"""
    return remove_entry(subresources.ANSWERS, question_id, answer_id)
