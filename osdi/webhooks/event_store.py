"""Stores webhooks and their events: an event is in the document that it is about, until it is delivered.

The write that causes an event also stores it (see store/writes.py), so none is lost; it is removed once the receiver
has it. A worker leases a webhook before it delivers, so that two workers do not deliver the same events.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pymongo import ASCENDING, UpdateOne

from osdi.documents import Document
from osdi.errors import WriteConflict
from osdi.ids import new_id
from osdi.resources import OUTREACH, PERSON, Resource
from osdi.store import Store
from osdi.store.change_events import ABOUT_NOW, AT_A_VERSION
from osdi.store.driver import READ_MS
from osdi.store.indexes import WEBHOOKS
from osdi.store.writes import WEBHOOK_EVENTS

# People come first: a receiver gets a person before their outreaches.
NOTED_IN: Final = (PERSON, OUTREACH)


def all_webhooks(store: Store) -> list[Document]:
    """Returns all webhooks, the oldest first."""
    with store.operation():
        return list(store.collection(WEBHOOKS).find().sort("_id", ASCENDING).max_time_ms(READ_MS))


def due_webhooks(store: Store, timestamp: dt.datetime) -> list[Document]:
    """Returns the enabled webhooks that are due, the one that has waited longest first."""
    with store.operation():
        found = store.collection(WEBHOOKS).find({"enabled": True, "not_before": {"$lte": timestamp}})
        return list(found.sort("not_before", ASCENDING).max_time_ms(READ_MS))


def claim_webhook(store: Store, webhook: Document, ends: dt.datetime) -> str | None:
    """Leases a webhook until `ends`, and returns the lease; None if it was leased or changed meanwhile."""
    lease = new_id()
    unchanged = {"enabled": True, **{name: webhook[name] for name in ("_id", "version", "not_before")}}
    # A lease that was lost is still there; one that was given back is not.
    unchanged["lease"] = webhook.get("lease")
    with store.operation():
        changed = store.collection(WEBHOOKS).update_one(unchanged, {"$set": {"not_before": ends, "lease": lease}})
    return lease if changed.matched_count else None


def mark_webhook(
    store: Store, webhook_id: str, lease: str, fields: Mapping[str, Any], gone: Sequence[str] = ()
) -> bool:
    """Returns the lease with the result in `fields`; False if the lease was lost meanwhile."""
    change = {"$set": dict(fields), "$unset": dict.fromkeys(("lease", *gone), "")}
    with store.operation():
        changed = store.collection(WEBHOOKS).update_one({"_id": webhook_id, "lease": lease}, change)
    return changed.matched_count == 1


def change_webhook(store: Store, webhook: Document, fields: Mapping[str, Any], gone: Sequence[str] = ()) -> None:
    """Sets and removes fields of a webhook. Raises WriteConflict if it was changed meanwhile."""
    selected = {"_id": webhook["_id"], "version": webhook["version"]}
    change: Document = {"$set": {**fields, "version": webhook["version"] + 1}}
    if gone:
        change["$unset"] = dict.fromkeys(gone, "")
    with store.operation():
        changed = store.collection(WEBHOOKS).update_one(selected, change)
    if not changed.matched_count:
        raise WriteConflict(f"webhook {webhook['_id']} is no longer at version {webhook['version']}")


def forget_events(store: Store, webhook_id: str) -> None:
    """Removes all events of a webhook."""
    with store.operation():
        for resource in NOTED_IN:
            store.collection(resource.collection).update_many(_waiting(webhook_id), _pull({"webhook_id": webhook_id}))


def forget_orphans(store: Store) -> None:
    """Removes the events of webhooks that do not exist: a process with an old list of webhooks may have stored some."""
    known = [webhook["_id"] for webhook in all_webhooks(store)]
    waiting = {f"{WEBHOOK_EVENTS}.webhook_id": {"$exists": True, "$nin": known}}
    with store.operation():
        for resource in NOTED_IN:
            documents = store.collection(resource.collection)
            documents.update_many(waiting, _pull({"webhook_id": {"$nin": known}}))


def has_events(store: Store, webhook_id: str) -> bool:
    """True if there are events for the webhook."""
    with store.operation():
        return any(
            store.collection(resource.collection).find_one(_waiting(webhook_id), {"_id": 1}, max_time_ms=READ_MS)
            for resource in NOTED_IN
        )


def count_events(store: Store, webhook_id: str) -> int:
    """Returns the number of documents with events for the webhook."""
    with store.operation():
        return sum(
            store.collection(resource.collection).count_documents(_waiting(webhook_id), maxTimeMS=READ_MS)
            for resource in NOTED_IN
        )


def documents_with_events(store: Store, webhook_id: str, limit: int) -> Iterator[tuple[Resource, Document]]:
    """Yields the documents with events for the webhook: of each collection at most `limit`, the oldest first."""
    for resource in NOTED_IN:
        with store.operation():
            found = store.collection(resource.collection).find(_waiting(webhook_id)).sort("_id", ASCENDING)
            for document in found.limit(limit).max_time_ms(READ_MS):
                yield resource, document


def remove_delivered(store: Store, delivered: Sequence[tuple[Resource, Document, Document]]) -> None:
    """Removes events that were delivered: resource, document as it was delivered, event. It may have changed since."""
    with store.operation():
        for resource in NOTED_IN:
            updates = [_removal_of(document, event) for of, document, event in delivered if of is resource]
            if updates:
                store.collection(resource.collection).bulk_write(updates, ordered=False)


def _removal_of(document: Document, event: Document) -> UpdateOne:
    named = {"webhook_id": event["webhook_id"], "event": event["event"]}
    selected = {"_id": document["_id"]}
    if event["event"] in ABOUT_NOW:
        selected["version"] = document["version"]
    if event["event"] in AT_A_VERSION:
        named["version"] = event["version"]
    return UpdateOne(selected, _pull(named))


def _pull(named: Mapping[str, Any]) -> Document:
    return {"$pull": {WEBHOOK_EVENTS: dict(named)}}


def _waiting(webhook_id: str) -> Document:
    return {f"{WEBHOOK_EVENTS}.webhook_id": webhook_id}
