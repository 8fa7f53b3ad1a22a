"""Items: people on lists (`items.md`)."""

from typing import Any, Final

from flask import Response

from blueprints.http.api import LOCATION, Blueprint
from blueprints.http.collections import get_entry_of_person, get_or_404, page_response, read_entries
from blueprints.http.context import hal, hal_response, shown_after_write, store
from blueprints.http.expand import OF_ITEMS, expand_references, requested_relations
from blueprints.http.put_and_delete import change_entry, remove_entry
from osdi.access.tokens import READ, WRITE
from osdi.crud import subresources
from osdi.etags import etag
from osdi.resources import API, ITEM, LIST, PERSON, id_from
from schemas.base.collection import ExpandedPageArgumentsSchema, ExpandSchema, collection_schema
from schemas.base.delete import NoticeSchema
from schemas.base.put import put_of
from schemas.subresources import ItemSchema

blp = Blueprint("Items", __name__, url_prefix=API, description="People on lists")

EXAMPLES: Final = {
    "one": {"value": {"_links": {"osdi:person": {"href": "https://osdi.example.org/api/v1/people/{id}"}}}}
}

ItemsSchema = collection_schema("Items", ITEM.collection_rel, ItemSchema)


@blp.route("/lists/<list_id>/items")
@blp.token_required(READ)
@blp.arguments(ExpandedPageArgumentsSchema(), location="query")
@blp.response(200, ItemsSchema)
@blp.errors(404)
def get_items(arguments: dict[str, Any], list_id: str) -> Response:
    """List the items of a list"""
    get_or_404(LIST, list_id)
    page = read_entries(subresources.ITEMS, list_id, arguments)
    expanded = expand_references(page.documents, requested_relations(arguments, OF_ITEMS))
    return page_response(ITEM, page, arguments, LIST.collection, list_id, ITEM.collection, embedded=expanded)


@blp.route("/people/<person_id>/items")
@blp.token_required(READ)
@blp.arguments(ExpandedPageArgumentsSchema(), location="query")
@blp.response(200, ItemsSchema)
@blp.errors(301, 404)
def get_person_items(arguments: dict[str, Any], person_id: str) -> Response:
    """List the items of a person"""
    page = read_entries(subresources.ITEMS, get_or_404(PERSON, person_id), arguments)
    expanded = expand_references(page.documents, requested_relations(arguments, OF_ITEMS))
    return page_response(ITEM, page, arguments, PERSON.collection, person_id, ITEM.collection, embedded=expanded)


@blp.route("/people/<person_id>/items/<item_id>")
@blp.token_required(READ)
@blp.arguments(ExpandSchema(), location="query")
@blp.response(200, ItemSchema)
@blp.errors(301, 404)
def get_person_item(arguments: dict[str, Any], person_id: str, item_id: str) -> Response:
    """Read one item of a person"""
    found = get_entry_of_person(subresources.ITEMS, person_id, item_id)
    expanded = expand_references([found], requested_relations(arguments, OF_ITEMS))
    return hal_response(hal().represent(ITEM, found, embedded=expanded[item_id]), etag(found))


@blp.route("/lists/<list_id>/items", methods=["POST"])
@blp.token_required(WRITE)
@blp.arguments(ItemSchema(), examples=EXAMPLES)
@blp.response(200, ItemSchema, headers=LOCATION)
@blp.errors(404)
def post_item(body: dict[str, Any], list_id: str) -> Response:
    """Add a person to a list

    The link `osdi:person` names the person. If the person is already on the list, the response is the existing item.
    """
    get_or_404(LIST, list_id)
    person_id = id_from(body["pointing"]["person"]["href"], PERSON) or ""
    fields = {name: body[name] for name in ("identifiers", *ITEM.fields) if name in body}
    added = subresources.add(store(), subresources.ITEMS, list_id, person_id, fields)
    return hal_response(shown_after_write(ITEM, added, body.get("control")))


@blp.route("/lists/<list_id>/items/<item_id>")
@blp.token_required(READ)
@blp.arguments(ExpandSchema(), location="query")
@blp.response(200, ItemSchema)
@blp.errors(404)
def get_item(arguments: dict[str, Any], list_id: str, item_id: str) -> Response:
    """Read one item"""
    found = subresources.get(store(), subresources.ITEMS, list_id, item_id)
    expanded = expand_references([found], requested_relations(arguments, OF_ITEMS))
    return hal_response(hal().represent(ITEM, found, embedded=expanded[item_id]), etag(found))


@blp.route("/lists/<list_id>/items/<item_id>", methods=["PUT"])
@blp.token_required(WRITE)
@blp.arguments(put_of(ItemSchema))
@blp.response(200, ItemSchema)
@blp.if_match
@blp.errors(404)
def put_item(body: dict[str, Any], list_id: str, item_id: str) -> Response:
    """Change one item

    Properties that are not in the body stay as they are; null clears a property. The person and the list
    cannot be changed.
    """
    get_or_404(LIST, list_id)
    changed = change_entry(subresources.ITEMS, list_id, item_id, body)
    return hal_response(shown_after_write(ITEM, changed, body["control"]), etag(changed))


@blp.route("/lists/<list_id>/items/<item_id>", methods=["DELETE"])
@blp.token_required(WRITE)
@blp.response(200, NoticeSchema)
@blp.if_match
@blp.errors(404)
def delete_item(list_id: str, item_id: str) -> Response:
    """Delete one item"""
    return remove_entry(subresources.ITEMS, list_id, item_id)
