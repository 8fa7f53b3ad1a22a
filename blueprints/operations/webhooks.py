"""Webhooks: which other systems are told what happens here. No resource of the standard: ours beside it."""

from typing import Any, Final

from flask import Response

from blueprints.http.api import Blueprint
from blueprints.http.context import answer, hal, settings, store
from blueprints.http.put_and_delete import if_match
from osdi.access.tokens import ADMIN
from osdi.documents import Document, Json
from osdi.errors import invalid
from osdi.etags import etag
from osdi.fields.webhook import EVENTS
from osdi.http_client.allowed_addresses import check_url
from osdi.http_client.post import HttpPost
from osdi.http_client.signature import check_secret, new_secret
from osdi.resources import API
from osdi.webhooks import delivery, registry
from osdi.webhooks.event_store import all_webhooks, count_events
from schemas.base.delete import NoticeSchema
from schemas.operations.webhook import WebhookListSchema, WebhookPutSchema, WebhookSchema, WebhookTestSchema

blp = Blueprint("Webhooks", __name__, url_prefix=f"{API}/webhooks", description="Which systems are told what happens")

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
EXAMPLES: Final = {
    "one": {"value": {"url": "https://crm.example.org/osdi", "events": ["outreach_recorded", "unsubscribed"]}}
}


@blp.route("")
@blp.token_required(ADMIN)
@blp.response(200, WebhookListSchema)
def get_webhooks() -> Response:
    """List the webhooks"""
    links = {"self": {"href": hal().href("webhooks")}}
    return answer({"webhooks": [_shown(each) for each in all_webhooks(store())], "_links": links})


@blp.route("", methods=["POST"])
@blp.token_required(ADMIN)
@blp.arguments(WebhookSchema(), examples=EXAMPLES)
@blp.response(200, WebhookSchema)
@blp.refuses(409)
def post_webhook(body: dict[str, Any]) -> Response:
    """Create a webhook

    It is told of what happens from now on. The answer holds the secret by which the receiver checks signatures; it is
    shown only now.
    """
    _check(body)
    made = registry.create(store(), {"events": list(EVENTS), **body})
    return answer(_shown(made) | {"secret": made["secret"]}, etag(made))


@blp.route("/<webhook_id>")
@blp.token_required(ADMIN)
@blp.response(200, WebhookSchema)
@blp.refuses(404)
def get_webhook(webhook_id: str) -> Response:
    """Read one webhook, and how it stands"""
    found = registry.get_or_404(store(), webhook_id)
    return answer(_shown(found), etag(found))


@blp.route("/<webhook_id>", methods=["PUT"])
@blp.token_required(ADMIN)
@blp.arguments(WebhookPutSchema(), examples={"again": {"value": {"enabled": True}}})
@blp.response(200, WebhookSchema)
@blp.if_match
@blp.refuses(404)
def put_webhook(body: dict[str, Any], webhook_id: str) -> Response:
    """Change one webhook

    Only what is named changes. A webhook that is enabled again is told at once what waits for it; what happened while
    it was disabled it is never told. A secret of null is replaced by a new one, which the answer holds.
    """
    _check(body)
    secret = {"secret": body["secret"] or new_secret()} if "secret" in body else {}
    changed = registry.change(store(), webhook_id, body | secret, if_match())
    return answer(_shown(changed) | secret, etag(changed))


@blp.route("/<webhook_id>", methods=["DELETE"])
@blp.token_required(ADMIN)
@blp.response(200, NoticeSchema)
@blp.if_match
@blp.refuses(404)
def delete_webhook(webhook_id: str) -> Response:
    """Delete one webhook, and what waits for it"""
    registry.delete(store(), webhook_id, if_match())
    return answer({"notice": "This webhook was successfully deleted."})


@blp.route("/<webhook_id>/test", methods=["POST"])
@blp.token_required(ADMIN)
@blp.response(200, WebhookTestSchema)
@blp.refuses(404)
def test_webhook(webhook_id: str) -> Response:
    """Tell a webhook of an outreach that nobody made

    The receiver is called while you wait, and the answer says what came of it.
    """
    webhook = registry.get_or_404(store(), webhook_id)
    told = delivery.Webhooks(store(), hal(), settings(), HttpPost(settings().webhook_networks)).test(webhook)
    said = {"status": told.status, "failure": told.failure}
    address = hal().href("webhooks", webhook_id)
    links = {"self": {"href": f"{address}/test"}, "webhook": {"href": address}}
    return answer({"taken": told.taken, **{name: each for name, each in said.items() if each}, "_links": links})


def _check(body: dict[str, Any]) -> None:
    """Raises OsdiError 400 for an address that is not to be called, or a secret that is none."""
    if "url" in body:
        try:
            check_url(body["url"], settings().webhook_networks)
        except ValueError as error:
            raise invalid(str(error), "url") from error
    if body.get("secret"):
        try:
            check_secret(body["secret"])
        except ValueError as error:
            raise invalid(str(error), "secret") from error


def _shown(webhook: Document) -> Json:
    address = hal().href("webhooks", webhook["_id"])
    tried_again = {"next_attempt_date": webhook["not_before"]} if webhook.get("failures") and webhook["enabled"] else {}
    return {
        "id": webhook["_id"],
        **{name: webhook[name] for name in SHOWN if name in webhook},
        **tried_again,
        "waiting": count_events(store(), webhook["_id"]),
        "_links": {"self": {"href": address}, "test": {"href": f"{address}/test"}},
    }
