"""Webhooks and the feed of deletions: other systems learn of changes. These routes are not in the standard."""

from typing import Any, Final
from urllib.parse import urlencode

from flask import Response

from blueprints.http.api import LOCATION, Blueprint
from blueprints.http.context import hal, hal_response, settings, store
from blueprints.http.put_and_delete import if_match
from osdi.access.tokens import ADMIN, READ
from osdi.deletions.feed import deletions
from osdi.documents import Document, Json
from osdi.etags import etag
from osdi.resources import API, DELETION
from osdi.webhooks import registry
from osdi.webhooks.event_store import all_webhooks, count_events, count_rejected, rejected_events
from osdi.webhooks.subscriptions import change_webhook, create_webhook, send_test
from schemas.base.delete import NoticeSchema
from schemas.operations.deletions import DeletionsArgumentsSchema, DeletionsSchema
from schemas.operations.webhook import WebhookListSchema, WebhookPutSchema, WebhookSchema, WebhookTestSchema

blp = Blueprint(
    "Webhooks", __name__, url_prefix=f"{API}/webhooks", description="Subscriptions of other systems to events"
)
feed = Blueprint("Deletions", __name__, url_prefix=API, description="What was deleted, so that copies can be removed")

SHOWN: Final = (
    "url",
    "events",
    "description",
    "enabled",
    "created_date",
    "modified_date",
    "disabled_reason",
    "failures",
    "failing_since",
    "last_failure",
    "last_delivered_date",
)
# The number of people, and of outreaches, whose rejected events are shown.
REJECTED_SHOWN: Final = 50
EXAMPLES: Final = {
    "one": {"value": {"url": "https://crm.example.org/osdi", "events": ["outreach_recorded", "unsubscribed"]}}
}


@blp.route("")
@blp.token_required(ADMIN)
@blp.response(200, WebhookListSchema)
def get_webhooks() -> Response:
    """List the webhooks"""
    links = {"self": {"href": hal().href("webhooks")}}
    return hal_response({"webhooks": [_represent(each) for each in all_webhooks(store())], "_links": links})


@blp.route("", methods=["POST"])
@blp.token_required(ADMIN)
@blp.arguments(WebhookSchema(), examples=EXAMPLES)
@blp.response(200, WebhookSchema, headers=LOCATION)
@blp.errors(409)
def post_webhook(body: dict[str, Any]) -> Response:
    """Create a webhook

    The webhook gets the events from now on. The response contains the secret by which the receiver checks signatures;
    no later response shows it.
    """
    made = create_webhook(store(), settings(), body)
    return hal_response(_represent(made) | {"secret": made["secret"]}, etag(made))


@blp.route("/<webhook_id>")
@blp.token_required(ADMIN)
@blp.response(200, WebhookSchema)
@blp.errors(404)
def get_webhook(webhook_id: str) -> Response:
    """Read one webhook and its state"""
    found = registry.get_or_404(store(), webhook_id)
    return hal_response(_represent(found), etag(found))


@blp.route("/<webhook_id>", methods=["PUT"])
@blp.token_required(ADMIN)
@blp.arguments(WebhookPutSchema(), examples={"again": {"value": {"enabled": True}}})
@blp.response(200, WebhookSchema)
@blp.if_match
@blp.errors(404)
def put_webhook(body: dict[str, Any], webhook_id: str) -> Response:
    """Change one webhook

    Properties that are not in the body stay as they are. A webhook that is enabled again gets its waiting and its
    rejected events, but none from the time when it was disabled. A secret of null is replaced by a new one, which the
    response contains.
    """
    changed = change_webhook(store(), settings(), webhook_id, body, if_match())
    secret = {"secret": changed["secret"]} if "secret" in body else {}
    return hal_response(_represent(changed) | secret, etag(changed))


@blp.route("/<webhook_id>", methods=["DELETE"])
@blp.token_required(ADMIN)
@blp.response(200, NoticeSchema)
@blp.if_match
@blp.errors(404)
def delete_webhook(webhook_id: str) -> Response:
    """Delete one webhook and its waiting events"""
    registry.delete(store(), webhook_id, if_match())
    return hal_response({"notice": "This webhook was successfully deleted."})


@blp.route("/<webhook_id>/test", methods=["POST"])
@blp.token_required(ADMIN)
@blp.response(200, WebhookTestSchema)
@blp.errors(404)
def test_webhook(webhook_id: str) -> Response:
    """Send a webhook a test event

    The server calls the receiver with an invented outreach, waits for its response, and returns the result.
    """
    result = send_test(store(), hal(), settings(), webhook_id)
    details = {"status": result.status, "failure": result.failure}
    stated = {name: each for name, each in details.items() if each}
    address = hal().href("webhooks", webhook_id)
    links = {"webhook": {"href": address}}
    return hal_response({"delivered": result.delivered, **stated, "_links": links})


@feed.route("/deletions")
@feed.token_required(READ)
@feed.arguments(DeletionsArgumentsSchema(), location="query")
@feed.response(200, DeletionsSchema)
@feed.errors(410)
def get_deletions(arguments: dict[str, Any]) -> Response:
    """List what was deleted

    The feed has people who were deleted, merged or erased, deleted outreaches, and deleted campaigns, which stand for
    all of their outreaches. It holds ids only, and shows a deletion two minutes later at most. Deletions are kept for
    90 days; a cursor or time before that gets 410.
    """
    per_page = min(arguments.get("per_page", settings().per_page), settings().max_pagesize)
    found = deletions(store(), limit=per_page, since=arguments.get("since"), after=arguments.get("after"))
    size = {"per_page": arguments["per_page"]} if "per_page" in arguments else {}
    links = {"self": {"href": _deletions_address(arguments)}}
    if found.more:
        links["next"] = {"href": _deletions_address({**size, "after": found.cursor})}
    records = [hal().represent(DELETION, each) for each in found.records]
    return hal_response({"per_page": per_page, "cursor": found.cursor, "deletions": records, "_links": links})


def _represent(webhook: Document) -> Json:
    address = hal().href("webhooks", webhook["_id"])
    next_attempt = (
        {"next_attempt_date": webhook["not_before"]} if webhook.get("failures") and webhook["enabled"] else {}
    )
    return {
        "id": webhook["_id"],
        **{name: webhook[name] for name in SHOWN if name in webhook},
        **next_attempt,
        "deliveries": webhook.get("deliveries", [])[::-1],
        "waiting": count_events(store(), webhook["_id"]),
        "rejected": count_rejected(store(), webhook["_id"]),
        "rejected_events": [
            {name: rejection[name] for name in ("event", "reason", "date")}
            | {"_links": {hal().relation(resource): {"href": hal().href_of(resource, document)}}}
            for resource, document, rejection in rejected_events(store(), webhook["_id"], REJECTED_SHOWN)
        ],
        "_links": {"self": {"href": address}, "test": {"href": f"{address}/test"}},
    }


def _deletions_address(arguments: dict[str, Any]) -> str:
    stated = {name: f"{each.isoformat()}Z" if name == "since" else each for name, each in arguments.items()}
    return hal().href("deletions") + (f"?{urlencode(stated)}" if stated else "")
