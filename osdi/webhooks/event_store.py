"""Webhooks and their events in the database.

The write that causes an event stores it in the changed document (see osdi.store.writes), so no event is lost. The
worker deletes it after the receiver has accepted it. A worker leases a webhook before it delivers, so that two workers
do not deliver the same events.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pymongo import ASCENDING, UpdateOne

from osdi.documents import Document
from osdi.errors import WriteConflict
from osdi.fields.webhook import ABOUT_NOW, AT_A_VERSION
from osdi.ids import new_id
from osdi.resources import OUTREACH, PERSON, Resource
from osdi.store import Store
from osdi.store.driver import READ_MS
from osdi.store.indexes import WEBHOOKS
from osdi.store.writes import WEBHOOK_EVENTS

# People first, so that a receiver gets a person's event before the events of their outreaches.
RESOURCES_WITH_EVENTS: Final = (PERSON, OUTREACH)


def all_webhooks(store: Store) -> list[Document]:
    """Returns every webhook, the oldest first."""
    return store.find(WEBHOOKS, {}, sort=("_id",))


def due_webhooks(store: Store, timestamp: dt.datetime) -> list[Document]:
    """Returns the enabled webhooks that are due, the one that has waited longest first."""
    return store.find(WEBHOOKS, {"enabled": True, "not_before": {"$lte": timestamp}}, sort=("not_before",))


def claim_webhook(store: Store, webhook: Document, ends: dt.datetime) -> str | None:
    """Leases a webhook until `ends` and returns the lease's id.

    Returns None if another worker was first or the webhook has changed, for example its URL or secret.
    """
    lease = new_id()
    unchanged = {"enabled": True, **{name: webhook[name] for name in ("_id", "version", "not_before")}}
    # The lease of a worker that died is still stored; a worker that finishes removes its lease.
    unchanged["lease"] = webhook.get("lease")
    with store.operation():
        changed = store.collection(WEBHOOKS).update_one(unchanged, {"$set": {"not_before": ends, "lease": lease}})
    return lease if changed.matched_count else None


def mark_webhook(
    store: Store, webhook_id: str, lease: str, fields: Mapping[str, Any], gone: Sequence[str] = ()
) -> bool:
    """Releases the lease, sets `fields` and removes the fields `gone`. Returns False if the lease was lost."""
    change = {"$set": dict(fields), "$unset": dict.fromkeys(("lease", *gone), "")}
    with store.operation():
        changed = store.collection(WEBHOOKS).update_one({"_id": webhook_id, "lease": lease}, change)
    return changed.matched_count == 1


def change_webhook(store: Store, webhook: Document, fields: Mapping[str, Any], gone: Sequence[str] = ()) -> None:
    """Sets `fields` of a webhook and removes the fields `gone`. Raises WriteConflict if its version has changed."""
    selected = {"_id": webhook["_id"], "version": webhook["version"]}
    change: Document = {"$set": {**fields, "version": webhook["version"] + 1}}
    if gone:
        change["$unset"] = dict.fromkeys(gone, "")
    with store.operation():
        changed = store.collection(WEBHOOKS).update_one(selected, change)
    if not changed.matched_count:
        raise WriteConflict(f"webhook {webhook['_id']} is no longer at version {webhook['version']}")


def delete_events(store: Store, webhook_id: str) -> None:
    """Deletes all waiting events of a webhook."""
    with store.operation():
        for resource in RESOURCES_WITH_EVENTS:
            store.collection(resource.collection).update_many(_waiting(webhook_id), _remove({"webhook_id": webhook_id}))


def delete_orphaned_events(store: Store) -> None:
    """Deletes the events of deleted webhooks: a process with an outdated list of webhooks can store such events."""
    known = [webhook["_id"] for webhook in all_webhooks(store)]
    waiting = {f"{WEBHOOK_EVENTS}.webhook_id": {"$exists": True, "$nin": known}}
    with store.operation():
        for resource in RESOURCES_WITH_EVENTS:
            documents = store.collection(resource.collection)
            documents.update_many(waiting, _remove({"webhook_id": {"$nin": known}}))


def has_events(store: Store, webhook_id: str) -> bool:
    """True if events wait for the webhook."""
    with store.operation():
        return any(
            store.collection(resource.collection).find_one(_waiting(webhook_id), {"_id": 1}, max_time_ms=READ_MS)
            for resource in RESOURCES_WITH_EVENTS
        )


def count_events(store: Store, webhook_id: str) -> int:
    """Returns the number of documents with waiting events for the webhook."""
    with store.operation():
        return sum(
            store.collection(resource.collection).count_documents(_waiting(webhook_id), maxTimeMS=READ_MS)
            for resource in RESOURCES_WITH_EVENTS
        )


def documents_with_events(store: Store, webhook_id: str, limit: int) -> Iterator[tuple[Resource, Document]]:
    """Yields the documents with waiting events for the webhook: up to `limit` of each collection, the oldest first."""
    for resource in RESOURCES_WITH_EVENTS:
        with store.operation():
            found = store.collection(resource.collection).find(_waiting(webhook_id)).sort("_id", ASCENDING)
            for document in found.limit(limit).max_time_ms(READ_MS):
                yield resource, document


def delete_delivered_events(store: Store, delivered: Sequence[tuple[Resource, Document, Document]]) -> None:
    """Deletes delivered events; `delivered` has each event with its document as it was sent.

    If the document has changed since then, an event about its state stays, so that the worker sends the new state.
    """
    with store.operation():
        for resource in RESOURCES_WITH_EVENTS:
            updates = [_deletion(document, event) for kind, document, event in delivered if kind is resource]
            if updates:
                store.collection(resource.collection).bulk_write(updates, ordered=False)


def _deletion(document: Document, event: Document) -> UpdateOne:
    event_filter = {"webhook_id": event["webhook_id"], "event": event["event"]}
    selected = {"_id": document["_id"]}
    if event["event"] in ABOUT_NOW:
        selected["version"] = document["version"]
    if event["event"] in AT_A_VERSION:
        event_filter["version"] = event["version"]
    return UpdateOne(selected, _remove(event_filter))


def _remove(event_filter: Mapping[str, Any]) -> Document:
    return {"$pull": {WEBHOOK_EVENTS: dict(event_filter)}}


def _waiting(webhook_id: str) -> Document:
    return {f"{WEBHOOK_EVENTS}.webhook_id": webhook_id}
