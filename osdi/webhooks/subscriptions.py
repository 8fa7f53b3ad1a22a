"""Checked changes of webhooks, and test events, for the API, the commands and the staff pages."""

from collections.abc import Mapping
from typing import Any

from osdi.documents import Document
from osdi.errors import invalid
from osdi.etags import IfMatch
from osdi.fields.limits import MAX_LINE_LENGTH
from osdi.fields.webhook import EVENTS
from osdi.hal import Hal
from osdi.http_client.signature import check_secret, new_secret
from osdi.settings import Settings
from osdi.store import Store
from osdi.webhooks import registry
from osdi.webhooks.result import DeliveryResult


def create_webhook(store: Store, settings: Settings, fields: Mapping[str, Any]) -> Document:
    """Creates a webhook of `{url, events?, description?, enabled?, secret?}`, by default for all events; returns it.

    Raises OsdiError 400 for a wrong value, 409 if there are too many webhooks.
    """
    _check(fields, settings)
    return registry.create(store, {"events": list(EVENTS), **fields})


def change_webhook(
    store: Store, settings: Settings, webhook_id: str, fields: Mapping[str, Any], if_match: IfMatch = None
) -> Document:
    """Changes these fields and returns the webhook; a secret of None becomes a new one.

    Raises OsdiError 400 for a wrong value, 404, 412.
    """
    _check(fields, settings)
    secret = {"secret": fields["secret"] or new_secret()} if "secret" in fields else {}
    return registry.change(store, webhook_id, {**fields, **secret}, if_match)


def send_test(store: Store, hal: Hal, settings: Settings, webhook_id: str) -> DeliveryResult:
    """Sends a webhook a test event, waits for the response, and returns the result. Raises OsdiError 404."""
    from osdi.http_client.post import HttpPost  # urllib3 takes 1 MB, and only a test needs it in a web process
    from osdi.webhooks.delivery import Webhooks

    webhook = registry.get_or_404(store, webhook_id)
    return Webhooks(store, hal, settings, HttpPost(settings.webhook_networks)).test(webhook)


def _check(fields: Mapping[str, Any], settings: Settings) -> None:
    """Raises OsdiError 400 for a URL that the server may not call, an unknown event or none, or an invalid secret."""
    if "events" in fields and not (fields["events"] and set(fields["events"]) <= set(EVENTS)):
        raise invalid(f"Choose at least one of {', '.join(EVENTS)}.", "events")
    if len(fields.get("description") or "") > MAX_LINE_LENGTH:
        raise invalid(f"Use at most {MAX_LINE_LENGTH} characters.", "description")
    if "url" in fields:
        from osdi.http_client.allowed_addresses import PrivateAddress, check_url  # imports urllib3

        try:
            check_url(fields["url"], settings.webhook_networks)
        except PrivateAddress as error:
            raise invalid(f"{error} The setting WEBHOOK_NETWORKS can allow its network.", "url") from error
        except ValueError as error:
            raise invalid(str(error), "url") from error
    if fields.get("secret"):
        try:
            check_secret(fields["secret"])
        except ValueError as error:
            raise invalid(str(error), "secret") from error
