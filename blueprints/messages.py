"""Messages: templates of follow-up mails and text messages (`messages.md`)."""

from functools import partial
from typing import Any, Final

from flask import Response

from blueprints.http.api import LOCATION, Blueprint
from blueprints.http.collections import get_or_404, page_response, read_page
from blueprints.http.context import caller, hal, hal_response, reference, settings, shown_after_write, store
from blueprints.http.put_and_delete import change, remove
from blueprints.http.wrapper_links import changing_wrapper, with_wrapper
from osdi.access.tokens import READ, WRITE
from osdi.crud.create import create
from osdi.etags import etag
from osdi.followups.preview import preview
from osdi.messages.validation import check_sendable
from osdi.resources import API, MESSAGE, OUTREACH
from schemas.base.collection import PageArgumentsSchema, collection_schema
from schemas.base.delete import NoticeSchema
from schemas.base.put import put_of
from schemas.message import MessageSchema, PreviewArgumentsSchema, PreviewSchema

blp = Blueprint(
    "Messages", __name__, url_prefix=f"{API}/messages", description="Templates of follow-up mails and text messages"
)

EXAMPLES: Final = {
    "one": {
        "value": {
            "identifiers": ["crm:thanks"],  # the example of a campaign's follow-ups names it
            "type": "email",
            "name": "Thanks",
            "subject": "Thank you",
            "body": "<p>Thank you for calling.</p>",
        }
    }
}

CHECK: Final = partial(check_sendable, MESSAGE)

MessagesSchema = collection_schema("Messages", MESSAGE.collection_rel, MessageSchema)


@blp.route("")
@blp.token_required(READ)
@blp.arguments(PageArgumentsSchema(), location="query")
@blp.response(200, MessagesSchema)
def get_messages(arguments: dict[str, Any]) -> Response:
    """List the messages"""
    return page_response(MESSAGE, read_page(MESSAGE, arguments, {}), arguments, MESSAGE.collection)


@blp.route("", methods=["POST"])
@blp.token_required(WRITE)
@blp.arguments(MessageSchema(), examples=EXAMPLES)
@blp.response(200, MessageSchema, headers=LOCATION)
@blp.errors(409)
def post_message(body: dict[str, Any]) -> Response:
    """Create a message, or add to an existing one

    If a message with one of the identifiers exists, the server adds to it and returns it. Nothing is sent. The link
    `osdi:wrapper` chooses the message's wrapper. Subject and body are templates, which print fields such as
    `{{ person.given_name | default("friend") }}`; the server rejects an invalid template.
    """
    created = create(
        store(), MESSAGE, with_wrapper(body), settings().match_key_rules, by=caller().person_id, check=CHECK
    )
    return hal_response(shown_after_write(MESSAGE, created, body.get("control")))


@blp.route("/<message_id>")
@blp.token_required(READ)
@blp.response(200, MessageSchema)
@blp.errors(404)
def get_message(message_id: str) -> Response:
    """Read one message"""
    found = get_or_404(MESSAGE, message_id)
    return hal_response(hal().represent(MESSAGE, found), etag(found))


@blp.route("/<message_id>/preview")
@blp.token_required(READ)
@blp.arguments(PreviewArgumentsSchema(), location="query")
@blp.response(200, PreviewSchema)
@blp.errors(404, 409)
def get_message_preview(arguments: dict[str, Any], message_id: str) -> Response:
    """Preview a message

    The response has the message with its wrapper, filled in for an outreach or for an invented person. Nothing is sent.
    """
    message, outreach_id = get_or_404(MESSAGE, message_id), arguments.get("outreach")
    outreach = get_or_404(OUTREACH, outreach_id) if outreach_id else None
    rendered = preview(store(), reference(), settings(), message, outreach, hal().base_url)
    address = hal().href(MESSAGE.collection, message_id)
    query = f"?outreach={outreach_id}" if outreach_id else ""
    links = {"self": {"href": f"{address}/preview{query}"}, MESSAGE.rel: {"href": address}}
    return hal_response({**{name: text for name, text in rendered.items() if text}, "_links": links})


@blp.route("/<message_id>", methods=["PUT"])
@blp.token_required(WRITE)
@blp.arguments(put_of(MessageSchema))
@blp.response(200, MessageSchema)
@blp.if_match
@blp.errors(404, 409)
def put_message(body: dict[str, Any], message_id: str) -> Response:
    """Change one message

    Properties that are not in the body stay as they are. An array replaces the stored one; null clears a property or
    the link `osdi:wrapper`.
    """
    changed = change(MESSAGE, message_id, changing_wrapper(body, message_id), check=CHECK)
    return hal_response(shown_after_write(MESSAGE, changed, body["control"]), etag(changed))


@blp.route("/<message_id>", methods=["DELETE"])
@blp.token_required(WRITE)
@blp.response(200, NoticeSchema)
@blp.if_match
@blp.errors(404)
def delete_message(message_id: str) -> Response:
    """Delete one message"""
    return remove(MESSAGE, message_id)
