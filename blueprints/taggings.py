"""Taggings: tags on people (`taggings.md`)."""

from typing import Any, Final

from flask import Response

from blueprints.http.api import LOCATION, Blueprint
from blueprints.http.collections import get_entry_of_person, get_or_404, page_response, read_entries
from blueprints.http.context import hal, hal_response, shown_after_write, store
from blueprints.http.expand import OF_TAGGINGS, expand_references, requested_relations
from blueprints.http.put_and_delete import change_entry, remove_entry
from osdi.access.tokens import READ, WRITE
from osdi.crud import subresources
from osdi.etags import etag
from osdi.resources import API, PERSON, TAG, TAGGING, id_from
from schemas.base.collection import ExpandedPageArgumentsSchema, ExpandSchema, collection_schema
from schemas.base.delete import NoticeSchema
from schemas.base.put import put_of
from schemas.subresources import TaggingSchema

blp = Blueprint("Taggings", __name__, url_prefix=API, description="Tags on people")

EXAMPLES: Final = {
    "one": {"value": {"_links": {"osdi:person": {"href": "https://osdi.example.org/api/v1/people/{id}"}}}}
}

TaggingsSchema = collection_schema("Taggings", TAGGING.collection_rel, TaggingSchema)


@blp.route("/tags/<tag_id>/taggings")
@blp.token_required(READ)
@blp.arguments(ExpandedPageArgumentsSchema(), location="query")
@blp.response(200, TaggingsSchema)
@blp.errors(404)
def get_taggings(arguments: dict[str, Any], tag_id: str) -> Response:
    """List the taggings of a tag"""
    get_or_404(TAG, tag_id)
    page = read_entries(subresources.TAGGINGS, tag_id, arguments)
    expanded = expand_references(page.documents, requested_relations(arguments, OF_TAGGINGS))
    return page_response(TAGGING, page, arguments, TAG.collection, tag_id, TAGGING.collection, embedded=expanded)


@blp.route("/people/<person_id>/taggings")
@blp.token_required(READ)
@blp.arguments(ExpandedPageArgumentsSchema(), location="query")
@blp.response(200, TaggingsSchema)
@blp.errors(301, 404)
def get_person_taggings(arguments: dict[str, Any], person_id: str) -> Response:
    """List the taggings of a person"""
    page = read_entries(subresources.TAGGINGS, get_or_404(PERSON, person_id), arguments)
    expanded = expand_references(page.documents, requested_relations(arguments, OF_TAGGINGS))
    return page_response(TAGGING, page, arguments, PERSON.collection, person_id, TAGGING.collection, embedded=expanded)


@blp.route("/people/<person_id>/taggings/<tagging_id>")
@blp.token_required(READ)
@blp.arguments(ExpandSchema(), location="query")
@blp.response(200, TaggingSchema)
@blp.errors(301, 404)
def get_person_tagging(arguments: dict[str, Any], person_id: str, tagging_id: str) -> Response:
    """Read one tagging of a person"""
    found = get_entry_of_person(subresources.TAGGINGS, person_id, tagging_id)
    expanded = expand_references([found], requested_relations(arguments, OF_TAGGINGS))
    return hal_response(hal().represent(TAGGING, found, embedded=expanded[tagging_id]), etag(found))


@blp.route("/tags/<tag_id>/taggings", methods=["POST"])
@blp.token_required(WRITE)
@blp.arguments(TaggingSchema(), examples=EXAMPLES)
@blp.response(200, TaggingSchema, headers=LOCATION)
@blp.errors(404)
def post_tagging(body: dict[str, Any], tag_id: str) -> Response:
    """Tag a person

    The link `osdi:person` names the person. If the person already has the tag, the response is the existing tagging.
    """
    get_or_404(TAG, tag_id)
    person_id = id_from(body["pointing"]["person"]["href"], PERSON) or ""
    fields = {name: body[name] for name in ("identifiers", *TAGGING.fields) if name in body}
    added = subresources.add(store(), subresources.TAGGINGS, tag_id, person_id, fields)
    return hal_response(shown_after_write(TAGGING, added, body.get("control")))


@blp.route("/tags/<tag_id>/taggings/<tagging_id>")
@blp.token_required(READ)
@blp.arguments(ExpandSchema(), location="query")
@blp.response(200, TaggingSchema)
@blp.errors(404)
def get_tagging(arguments: dict[str, Any], tag_id: str, tagging_id: str) -> Response:
    """Read one tagging"""
    found = subresources.get(store(), subresources.TAGGINGS, tag_id, tagging_id)
    expanded = expand_references([found], requested_relations(arguments, OF_TAGGINGS))
    return hal_response(hal().represent(TAGGING, found, embedded=expanded[tagging_id]), etag(found))


@blp.route("/tags/<tag_id>/taggings/<tagging_id>", methods=["PUT"])
@blp.token_required(WRITE)
@blp.arguments(put_of(TaggingSchema))
@blp.response(200, TaggingSchema)
@blp.if_match
@blp.errors(404)
def put_tagging(body: dict[str, Any], tag_id: str, tagging_id: str) -> Response:
    """Change one tagging

    Properties that are not in the body stay as they are; null clears a property. The person and the tag
    cannot be changed.
    """
    get_or_404(TAG, tag_id)
    changed = change_entry(subresources.TAGGINGS, tag_id, tagging_id, body)
    return hal_response(shown_after_write(TAGGING, changed, body["control"]), etag(changed))


@blp.route("/tags/<tag_id>/taggings/<tagging_id>", methods=["DELETE"])
@blp.token_required(WRITE)
@blp.response(200, NoticeSchema)
@blp.if_match
@blp.errors(404)
def delete_tagging(tag_id: str, tagging_id: str) -> Response:
    """Delete one tagging"""
    return remove_entry(subresources.TAGGINGS, tag_id, tagging_id)
