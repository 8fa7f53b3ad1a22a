"""Webhooks: the list, the last deliveries of each, and forms to create, test, enable, disable and delete them."""

from typing import Any

from flask import Response, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import hal, settings, store
from blueprints.staff.blueprint import pages
from blueprints.staff.frame import page
from blueprints.staff.settings.access import ADMINISTRATOR, FRESH_ADMINISTRATOR
from blueprints.staff.settings.errors import Errors, or_form
from osdi.fields.webhook import EVENTS
from osdi.staff.settings.webhook_list import webhook_list, webhook_row
from osdi.store.indexes import WEBHOOKS
from osdi.webhooks import registry
from osdi.webhooks.subscriptions import change_webhook, create_webhook, send_test


@pages.get("/settings/webhooks", access=ADMINISTRATOR)
def webhooks() -> Response:
    """List the webhooks"""
    return page("settings/webhooks.html", webhooks=webhook_list(store()))


@pages.get("/settings/webhooks/new", access=FRESH_ADMINISTRATOR)
def new_webhook() -> Response:
    """Show the form for a new webhook"""
    return _form(events=list(EVENTS))


@pages.post("/settings/webhooks/new", access=FRESH_ADMINISTRATOR)
def add_webhook() -> AnyResponse:
    """Create a webhook and show its secret once"""
    return or_form(_create, _form)


@pages.get("/settings/webhooks/<webhook_id>", access=ADMINISTRATOR)
def webhook(webhook_id: str) -> Response:
    """Show the state of a webhook and its last deliveries"""
    return page("settings/webhook.html", found=webhook_row(store(), webhook_id))


@pages.post("/settings/webhooks/<webhook_id>/test", access=ADMINISTRATOR)
def send_test_event(webhook_id: str) -> Response:
    """Send a test event and show the response"""
    result = send_test(store(), hal(), settings(), webhook_id)
    g.acted_on = [f"{WEBHOOKS}/{webhook_id}"]  # for the audit log: nothing is written
    return page("settings/webhook.html", found=webhook_row(store(), webhook_id), result=result)


@pages.post("/settings/webhooks/<webhook_id>/enable", access=ADMINISTRATOR)
def enable_webhook(webhook_id: str) -> AnyResponse:
    """Send events to a webhook again"""
    registry.change(store(), webhook_id, {"enabled": True})
    return redirect(url_for("staff.webhook", webhook_id=webhook_id, done="webhook_enabled"), 303)


@pages.get("/settings/webhooks/<webhook_id>/disable", access=ADMINISTRATOR)
def disable_webhook_form(webhook_id: str) -> Response:
    """Ask before a webhook is disabled"""
    return page("settings/disable_webhook.html", found=webhook_row(store(), webhook_id))


@pages.post("/settings/webhooks/<webhook_id>/disable", access=ADMINISTRATOR)
def disable_webhook(webhook_id: str) -> AnyResponse:
    """Send no more events to a webhook"""
    registry.change(store(), webhook_id, {"enabled": False})
    return redirect(url_for("staff.webhook", webhook_id=webhook_id, done="webhook_disabled"), 303)


@pages.get("/settings/webhooks/<webhook_id>/secret", access=FRESH_ADMINISTRATOR)
def webhook_secret_form(webhook_id: str) -> Response:
    """Ask before a webhook gets a new secret"""
    return page("settings/new_webhook_secret.html", found=webhook_row(store(), webhook_id))


@pages.post("/settings/webhooks/<webhook_id>/secret", access=FRESH_ADMINISTRATOR)
def replace_webhook_secret(webhook_id: str) -> Response:
    """Give a webhook a new secret and show it once"""
    changed = change_webhook(store(), settings(), webhook_id, {"secret": None})
    return page("settings/webhook_secret.html", webhook=changed, replaced=True)


@pages.get("/settings/webhooks/<webhook_id>/delete", access=ADMINISTRATOR)
def delete_webhook_form(webhook_id: str) -> Response:
    """Ask before a webhook is deleted"""
    return page("settings/delete_webhook.html", found=webhook_row(store(), webhook_id))


@pages.post("/settings/webhooks/<webhook_id>/delete", access=ADMINISTRATOR)
def remove_webhook(webhook_id: str) -> AnyResponse:
    """Delete a webhook and its waiting events"""
    registry.delete(store(), webhook_id)
    return redirect(url_for("staff.webhooks", done="webhook_deleted"), 303)


def _create() -> Response:
    return page("settings/webhook_secret.html", webhook=create_webhook(store(), settings(), _typed()))


def _typed() -> dict[str, Any]:
    texts = {name: request.form.get(name, "").strip() for name in ("url", "description")}
    return {**texts, "events": list(dict.fromkeys(request.form.getlist("events")))}


def _form(status: int = 200, errors: Errors | None = None, **values: Any) -> Response:
    return page("settings/new_webhook.html", status, typed=_typed() | values, errors=errors or {})
