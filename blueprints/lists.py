"""Lists of people, which a helper's add_lists refers to (`lists.md`)."""

from typing import Any, Final

from flask import Response

from blueprints.http.api import LOCATION, Blueprint
from blueprints.http.collections import get_or_404, page_response, read_page, with_total
from blueprints.http.context import caller, hal, hal_response, settings, shown_after_write, store
from blueprints.http.put_and_delete import change, remove
from osdi.access.tokens import READ, WRITE
from osdi.crud.create import create
from osdi.etags import etag
from osdi.resources import API, LIST
from schemas.base.collection import PageArgumentsSchema, collection_schema
from schemas.base.delete import NoticeSchema
from schemas.base.put import put_of
from schemas.list import ListSchema

blp = Blueprint("Lists", __name__, url_prefix=f"{API}/lists", description="Lists of people")

EXAMPLES: Final = {"one": {"value": {"name": "Newsletter", "title": "Our newsletter"}}}

ListsSchema = collection_schema("Lists", LIST.collection_rel, ListSchema)


@blp.route("")
@blp.token_required(READ)
@blp.arguments(PageArgumentsSchema(), location="query")
@blp.response(200, ListsSchema)
def get_lists(arguments: dict[str, Any]) -> Response:
    """List the lists"""
    page = read_page(LIST, arguments, {})
    page = page.with_documents(with_total(LIST, each) for each in page.documents)
    return page_response(LIST, page, arguments, LIST.collection)


@blp.route("", methods=["POST"])
@blp.token_required(WRITE)
@blp.arguments(ListSchema(), examples=EXAMPLES)
@blp.response(200, ListSchema, headers=LOCATION)
@blp.errors(409)
def post_list(body: dict[str, Any]) -> Response:
    """Create a list, or add to an existing one

    If a list with the same name or one of the identifiers exists, the server adds to it and returns it.
    """
    created = with_total(LIST, create(store(), LIST, body, settings().match_key_rules, by=caller().person_id))
    return hal_response(shown_after_write(LIST, created, body.get("control")))


@blp.route("/<list_id>")
@blp.token_required(READ)
@blp.response(200, ListSchema)
@blp.errors(404)
def get_list(list_id: str) -> Response:
    """Read one list"""
    found = get_or_404(LIST, list_id)
    return hal_response(hal().represent(LIST, with_total(LIST, found)), etag(found))


@blp.route("/<list_id>", methods=["PUT"])
@blp.token_required(WRITE)
@blp.arguments(put_of(ListSchema))
@blp.response(200, ListSchema)
@blp.if_match
@blp.errors(404, 409)
def put_list(body: dict[str, Any], list_id: str) -> Response:
    """Change one list

    Properties that are not in the body stay as they are. An array replaces the stored one; null clears a property.
    """
    changed = change(LIST, list_id, body)
    return hal_response(shown_after_write(LIST, with_total(LIST, changed), body["control"]), etag(changed))


@blp.route("/<list_id>", methods=["DELETE"])
@blp.token_required(WRITE)
@blp.response(200, NoticeSchema)
@blp.if_match
@blp.errors(404)
def delete_list(list_id: str) -> Response:
    """Delete one list

    The server also deletes its items; the people stay.
    """
    return remove(LIST, list_id)
