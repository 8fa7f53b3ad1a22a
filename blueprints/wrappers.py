"""Wrappers: headers and footers around messages (`wrappers.md`)."""

from functools import partial
from typing import Any, Final

from flask import Response

from blueprints.http.api import LOCATION, Blueprint
from blueprints.http.collections import get_or_404, page_response, read_page
from blueprints.http.context import caller, hal, hal_response, settings, shown_after_write, store
from blueprints.http.put_and_delete import change, remove
from osdi.access.tokens import READ, WRITE
from osdi.crud.create import create
from osdi.etags import etag
from osdi.messages.validation import check_sendable
from osdi.resources import API, WRAPPER
from schemas.base.collection import PageArgumentsSchema, collection_schema
from schemas.base.delete import NoticeSchema
from schemas.base.put import put_of
from schemas.wrapper import WrapperSchema

blp = Blueprint("Wrappers", __name__, url_prefix=f"{API}/wrappers", description="Headers and footers around messages")

EXAMPLES: Final = {
    "one": {
        "value": {
            "name": "Letterhead",
            "header": "<p>The river campaign</p>",
            "footer": "<p>Sent by the river campaign, 1 Quay, Riverton.</p>",
            "wrapper_type": "email",
            "default": True,
        }
    }
}

CHECK: Final = partial(check_sendable, WRAPPER)

WrappersSchema = collection_schema("Wrappers", WRAPPER.collection_rel, WrapperSchema)


@blp.route("")
@blp.token_required(READ)
@blp.arguments(PageArgumentsSchema(), location="query")
@blp.response(200, WrappersSchema)
def get_wrappers(arguments: dict[str, Any]) -> Response:
    """List the wrappers"""
    return page_response(WRAPPER, read_page(WRAPPER, arguments, {}), arguments, WRAPPER.collection)


@blp.route("", methods=["POST"])
@blp.token_required(WRITE)
@blp.arguments(WrapperSchema(), examples=EXAMPLES)
@blp.response(200, WrapperSchema, headers=LOCATION)
@blp.errors(409)
def post_wrapper(body: dict[str, Any]) -> Response:
    """Create a wrapper, or add to an existing one

    If a wrapper with one of the identifiers exists, the server adds to it and returns it. Header and footer are
    templates, like a message's body.
    """
    created = create(store(), WRAPPER, body, settings().match_key_rules, by=caller().person_id, check=CHECK)
    return hal_response(shown_after_write(WRAPPER, created, body.get("control")))


@blp.route("/<wrapper_id>")
@blp.token_required(READ)
@blp.response(200, WrapperSchema)
@blp.errors(404)
def get_wrapper(wrapper_id: str) -> Response:
    """Read one wrapper"""
    found = get_or_404(WRAPPER, wrapper_id)
    return hal_response(hal().represent(WRAPPER, found), etag(found))


@blp.route("/<wrapper_id>", methods=["PUT"])
@blp.token_required(WRITE)
@blp.arguments(put_of(WrapperSchema))
@blp.response(200, WrapperSchema)
@blp.if_match
@blp.errors(404, 409)
def put_wrapper(body: dict[str, Any], wrapper_id: str) -> Response:
    """Change one wrapper

    Properties that are not in the body stay as they are; null clears a property.
    """
    changed = change(WRAPPER, wrapper_id, body, check=CHECK)
    return hal_response(shown_after_write(WRAPPER, changed, body["control"]), etag(changed))


@blp.route("/<wrapper_id>", methods=["DELETE"])
@blp.token_required(WRITE)
@blp.response(200, NoticeSchema)
@blp.if_match
@blp.errors(404)
def delete_wrapper(wrapper_id: str) -> Response:
    """Delete one wrapper

    Messages with this wrapper stay, without a wrapper of their own.
    """
    return remove(WRAPPER, wrapper_id)
