"""Questions, which a helper's add_questions_responses_uri answers (`questions.md`)."""

from typing import Any, Final

from flask import Response

from blueprints.http.api import LOCATION, Blueprint
from blueprints.http.collections import get_or_404, page_response, read_page
from blueprints.http.context import caller, hal, hal_response, settings, shown_after_write, store
from blueprints.http.put_and_delete import change, remove
from osdi.access.tokens import READ, WRITE
from osdi.crud.create import create
from osdi.etags import etag
from osdi.resources import API, QUESTION
from schemas.base.collection import PageArgumentsSchema, collection_schema
from schemas.base.delete import NoticeSchema
from schemas.base.put import put_of
from schemas.question import QuestionSchema

blp = Blueprint("Questions", __name__, url_prefix=f"{API}/questions", description="Questions that people answer")

EXAMPLES: Final = {
    "one": {
        "value": {
            "title": "What moves you?",
            "question_type": "MultiChoice",
            "responses": [{"key": "river", "title": "The river"}, {"key": "town", "title": "The town"}],
        }
    }
}

QuestionsSchema = collection_schema("Questions", QUESTION.collection_rel, QuestionSchema)


@blp.route("")
@blp.token_required(READ)
@blp.arguments(PageArgumentsSchema(), location="query")
@blp.response(200, QuestionsSchema)
def get_questions(arguments: dict[str, Any]) -> Response:
    """List the questions"""
    return page_response(QUESTION, read_page(QUESTION, arguments, {}), arguments, QUESTION.collection)


@blp.route("", methods=["POST"])
@blp.token_required(WRITE)
@blp.arguments(QuestionSchema(), examples=EXAMPLES)
@blp.response(200, QuestionSchema, headers=LOCATION)
@blp.errors(409)
def post_question(body: dict[str, Any]) -> Response:
    """Create a question, or add to an existing one

    If a question with one of the identifiers exists, the server adds to it and returns it.
    """
    created = create(store(), QUESTION, body, settings().match_key_rules, by=caller().person_id)
    return hal_response(shown_after_write(QUESTION, created, body.get("control")))


@blp.route("/<question_id>")
@blp.token_required(READ)
@blp.response(200, QuestionSchema)
@blp.errors(404)
def get_question(question_id: str) -> Response:
    """Read one question"""
    found = get_or_404(QUESTION, question_id)
    return hal_response(hal().represent(QUESTION, found), etag(found))


@blp.route("/<question_id>", methods=["PUT"])
@blp.token_required(WRITE)
@blp.arguments(put_of(QuestionSchema))
@blp.response(200, QuestionSchema)
@blp.if_match
@blp.errors(404, 409)
def put_question(body: dict[str, Any], question_id: str) -> Response:
    """Change one question

    Properties that are not in the body stay as they are. An array replaces the stored one; null clears a property.
    """
    changed = change(QUESTION, question_id, body, check=QuestionSchema().check_whole)
    return hal_response(shown_after_write(QUESTION, changed, body["control"]), etag(changed))


@blp.route("/<question_id>", methods=["DELETE"])
@blp.token_required(WRITE)
@blp.response(200, NoticeSchema)
@blp.if_match
@blp.errors(404)
def delete_question(question_id: str) -> Response:
    """Delete one question

    The server also deletes its answers; the people stay.
    """
    return remove(QUESTION, question_id)
