"""Creates, changes, lists and deletes webhooks."""

from collections.abc import Mapping
from typing import Any, Final

from osdi.documents import Document
from osdi.errors import ErrorDescription, OsdiError, not_found
from osdi.etags import IfMatch, check_if_match
from osdi.http_client.signature import new_secret
from osdi.ids import new_id, now
from osdi.retry import retry_on_conflict
from osdi.store import Delete, Insert, Store
from osdi.store.indexes import WEBHOOKS
from osdi.webhooks import event_store

MAX_WEBHOOKS: Final = 20
# Why a webhook is disabled.
BY_HAND, GAVE_UP, RECEIVER_GONE = "by_hand", "gave_up", "receiver_gone"
# Fields that are removed when a webhook is enabled again, or after a successful delivery.
FAILURE: Final = ("failures", "failing_since", "last_failure", "rejected_attempts", "rejected_in_a_row")


def create(store: Store, fields: Mapping[str, Any]) -> Document:
    """Creates a webhook of `{url, events, description?, enabled?, secret?}` and returns it.

    Raises OsdiError 409 if there are already MAX_WEBHOOKS webhooks.
    """
    if len(event_store.all_webhooks(store)) >= MAX_WEBHOOKS:
        message = f"There are already {MAX_WEBHOOKS} webhooks; delete one first."
        raise OsdiError(409, ErrorDescription("TOO_MANY_WEBHOOKS", message))
    timestamp = now()
    webhook = {
        "_id": new_id(),
        "version": 1,
        "enabled": True,
        "secret": new_secret(),
        **fields,
        "created_date": timestamp,
        "modified_date": timestamp,
        "not_before": timestamp,
    }
    if not webhook["enabled"]:
        webhook["disabled_reason"] = BY_HAND
    store.write(Insert(WEBHOOKS, webhook))
    return webhook


def change(store: Store, webhook_id: str, fields: Mapping[str, Any], if_match: IfMatch = None) -> Document:
    """Changes these fields and returns the webhook. Raises OsdiError 404, 412.

    If the fields enable it, its failures are removed and its rejected events wait again.
    """

    def attempt() -> Document:
        stored = get_or_404(store, webhook_id)
        check_if_match(stored, if_match)
        timestamp = now()
        changed = {**fields, "modified_date": timestamp}
        gone: tuple[str, ...] = ()
        if fields.get("enabled") is True:
            changed["not_before"] = timestamp
            gone = (*FAILURE, "batch_events", "disabled_reason", "lease")
        elif fields.get("enabled") is False:
            changed["disabled_reason"] = BY_HAND
        event_store.change_webhook(store, stored, changed, gone)
        if fields.get("enabled") is True:
            event_store.retry_rejected_events(store, webhook_id)
        return get_or_404(store, webhook_id)

    return retry_on_conflict(attempt)


def get_or_404(store: Store, webhook_id: str) -> Document:
    """Returns the webhook with this id. Raises OsdiError 404."""
    found = store.get(WEBHOOKS, webhook_id)
    if found is None:
        raise not_found("There is no such webhook.")
    return found


def delete(store: Store, webhook_id: str, if_match: IfMatch = None) -> None:
    """Deletes the webhook and its waiting events. Raises OsdiError 404, 412."""

    def attempt() -> None:
        stored = get_or_404(store, webhook_id)
        check_if_match(stored, if_match)
        store.write(Delete(WEBHOOKS, webhook_id, stored["version"]))
        event_store.delete_events(store, webhook_id)

    retry_on_conflict(attempt)
