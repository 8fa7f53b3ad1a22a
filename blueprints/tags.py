"""Tags: labels for people, which a helper's add_tags refers to (`tags.md`)."""

from typing import Any, Final

from flask import Response

from blueprints.http.api import LOCATION, Blueprint
from blueprints.http.collections import get_or_404, page_response, read_page
from blueprints.http.context import caller, hal, hal_response, settings, shown_after_write, store
from blueprints.http.put_and_delete import change, remove
from osdi.access.tokens import READ, WRITE
from osdi.crud.create import create
from osdi.etags import etag
from osdi.resources import API, TAG
from schemas.base.collection import PageArgumentsSchema, collection_schema
from schemas.base.delete import NoticeSchema
from schemas.base.put import put_of
from schemas.tag import TagSchema

blp = Blueprint("Tags", __name__, url_prefix=f"{API}/tags", description="Labels for people")

EXAMPLES: Final = {"one": {"value": {"name": "Volunteers", "description": "Everybody who has signed up to volunteer."}}}

TagsSchema = collection_schema("Tags", TAG.collection_rel, TagSchema)


@blp.route("")
@blp.token_required(READ)
@blp.arguments(PageArgumentsSchema(), location="query")
@blp.response(200, TagsSchema)
def get_tags(arguments: dict[str, Any]) -> Response:
    """List the tags"""
    return page_response(TAG, read_page(TAG, arguments, {}), arguments, TAG.collection)


@blp.route("", methods=["POST"])
@blp.token_required(WRITE)
@blp.arguments(TagSchema(), examples=EXAMPLES)
@blp.response(200, TagSchema, headers=LOCATION)
@blp.errors(409)
def post_tag(body: dict[str, Any]) -> Response:
    """Create a tag, or add to an existing one

    If a tag with the same name or one of the identifiers exists, the server adds to it and returns it.
    """
    created = create(store(), TAG, body, settings().match_key_rules, by=caller().person_id)
    return hal_response(shown_after_write(TAG, created, body.get("control")))


@blp.route("/<tag_id>")
@blp.token_required(READ)
@blp.response(200, TagSchema)
@blp.errors(404)
def get_tag(tag_id: str) -> Response:
    """Read one tag"""
    found = get_or_404(TAG, tag_id)
    return hal_response(hal().represent(TAG, found), etag(found))


@blp.route("/<tag_id>", methods=["PUT"])
@blp.token_required(WRITE)
@blp.arguments(put_of(TagSchema))
@blp.response(200, TagSchema)
@blp.if_match
@blp.errors(404, 409)
def put_tag(body: dict[str, Any], tag_id: str) -> Response:
    """Change one tag

    Properties that are not in the body stay as they are. An array replaces the stored one; null clears a property.
    """
    changed = change(TAG, tag_id, body)
    return hal_response(shown_after_write(TAG, changed, body["control"]), etag(changed))


@blp.route("/<tag_id>", methods=["DELETE"])
@blp.token_required(WRITE)
@blp.response(200, NoticeSchema)
@blp.if_match
@blp.errors(404)
def delete_tag(tag_id: str) -> Response:
    """Delete one tag

    The server also deletes its taggings.
    """
    return remove(TAG, tag_id)
