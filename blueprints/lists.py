"""Lists: lists of people, named in a helper's add_lists (`lists.md`)."""

from typing import Any

from flask import Response

from blueprints.deployment import answer, hal, reference
from blueprints.openapi import Blueprint
from blueprints.pages import answer_page, existing, read_page
from osdi.auth import READ, WRITE
from osdi.resources import API, LIST
from schemas.collection import PageArgumentsSchema, collection_schema
from schemas.list import ListSchema

blp = Blueprint("Lists", __name__, url_prefix=f"{API}/lists", description="Lists of people")

ListsSchema = collection_schema("Lists", LIST.collection_rel, ListSchema)


@blp.route("")
@blp.token_required(READ)
@blp.arguments(PageArgumentsSchema(), location="query")
@blp.response(200, ListsSchema)
def get_lists(arguments: dict[str, Any]) -> Response:
    """List the lists"""
    return answer_page(LIST, read_page(LIST, arguments, {}), arguments, LIST.collection)


@blp.route("", methods=["POST"])
@blp.token_required(WRITE)
@blp.arguments(ListSchema())
@blp.response(200, ListSchema)
@blp.refuses(409)
def post_list(body: dict[str, Any]) -> Response:
    """Create a list, or add to the one that is named

    A list of the same name, or with one of the identifiers, is added to and answered instead of made twice.
    """
    created = reference().create(LIST, body)
    return answer(hal().represent(LIST, created, control=body.get("control")))


@blp.route("/<list_id>")
@blp.token_required(READ)
@blp.response(200, ListSchema)
@blp.refuses(404)
def get_list(list_id: str) -> Response:
    """Read one list"""
    return answer(hal().represent(LIST, existing(LIST, list_id)))
