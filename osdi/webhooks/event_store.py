"""Webhooks and their events in the database.

The write that causes an event stores it in the changed document (see osdi.store.writes), so no event is lost. The
worker deletes it after the receiver has accepted it. An event that the receiver rejects for good moves to another array
of the document, and back when the webhook is enabled again; so it never outlives its document. A worker leases a
webhook before it delivers, so that two workers do not deliver the same events.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, UpdateOne

from osdi.documents import Document
from osdi.errors import WriteConflict
from osdi.fields.webhook import ABOUT_NOW, AT_A_VERSION
from osdi.ids import new_id, now
from osdi.resources import DELETION, OUTREACH, PERSON, Resource
from osdi.store import Store, write_log
from osdi.store.driver import READ_MS
from osdi.store.indexes import WEBHOOKS
from osdi.store.writes import WEBHOOK_EVENTS, WEBHOOK_REJECTIONS

# People first, so that a receiver gets a person's event before the events of their outreaches; last what was deleted.
RESOURCES_WITH_EVENTS: Final = (PERSON, OUTREACH, DELETION)
ARRAYS: Final = (WEBHOOK_EVENTS, WEBHOOK_REJECTIONS)
MAX_DELIVERIES: Final = 20


def all_webhooks(store: Store) -> list[Document]:
    """Returns every webhook, the oldest first."""
    return store.find(WEBHOOKS, {}, sort=("_id",))


def due_webhooks(store: Store, timestamp: dt.datetime) -> list[Document]:
    """Returns the enabled webhooks that are due, the one that has waited longest first."""
    return store.find(WEBHOOKS, {"enabled": True, "not_before": {"$lte": timestamp}}, sort=("not_before",))


def lease_webhook(store: Store, webhook: Document, ends: dt.datetime) -> str | None:
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
    store: Store,
    webhook_id: str,
    lease: str,
    fields: Mapping[str, Any],
    gone: Sequence[str] = (),
    attempt: Document | None = None,
) -> bool:
    """Releases the lease, sets `fields` and removes the fields `gone`. Returns False if the lease was lost.

    `attempt` describes a POST. The webhook keeps the last MAX_DELIVERIES of them.
    """
    change: Document = {"$set": dict(fields), "$unset": dict.fromkeys(("lease", *gone), "")}
    if attempt:
        change["$push"] = {"deliveries": {"$each": [attempt], "$slice": -MAX_DELIVERIES}}
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
    write_log.record(WEBHOOKS, webhook["_id"])


def delete_events(store: Store, webhook_id: str) -> None:
    """Deletes all waiting and rejected events of a webhook."""
    with store.operation():
        for resource in RESOURCES_WITH_EVENTS:
            for array in ARRAYS:
                theirs = {f"{array}.webhook_id": webhook_id}
                store.collection(resource.collection).update_many(theirs, _remove({"webhook_id": webhook_id}))


def delete_orphaned_events(store: Store) -> None:
    """Deletes the events of deleted webhooks: a process with an outdated list of webhooks can store such events."""
    known = [webhook["_id"] for webhook in all_webhooks(store)]
    with store.operation():
        for resource in RESOURCES_WITH_EVENTS:
            for array in ARRAYS:
                orphaned = {f"{array}.webhook_id": {"$exists": True, "$nin": known}}
                store.collection(resource.collection).update_many(orphaned, _remove({"webhook_id": {"$nin": known}}))


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


def reject_event(store: Store, resource: Resource, document: Document, event: Document, reason: str) -> None:
    """Sets a waiting event aside: it is not sent again until the webhook is enabled again.

    If the document has changed since then, an event about its state stays, because the new state may be accepted.
    """
    event_filter = _event_filter(event)
    rejection = {**event_filter, "reason": reason, "date": now()}
    collection = store.collection(resource.collection)
    with store.operation():
        # First the rejection of an earlier state, which this one replaces.
        collection.update_one({"_id": document["_id"]}, {"$pull": {WEBHOOK_REJECTIONS: event_filter}})
        collection.update_one(
            {**_unchanged(document, event), WEBHOOK_EVENTS: {"$elemMatch": event_filter}},
            {"$pull": {WEBHOOK_EVENTS: event_filter}, "$push": {WEBHOOK_REJECTIONS: rejection}},
        )


def count_rejected(store: Store, webhook_id: str) -> int:
    """Returns the number of documents with events that the webhook's receiver has rejected for good."""
    with store.operation():
        return sum(
            store.collection(resource.collection).count_documents(_rejected(webhook_id), maxTimeMS=READ_MS)
            for resource in RESOURCES_WITH_EVENTS
        )


def rejected_events(store: Store, webhook_id: str, limit: int) -> list[tuple[Resource, Document, Document]]:
    """Returns rejected events with their documents: of up to `limit` documents of each collection, the newest first."""
    found = []
    with store.operation():
        for resource in RESOURCES_WITH_EVENTS:
            documents = store.collection(resource.collection).find(_rejected(webhook_id)).sort("_id", DESCENDING)
            for document in documents.limit(limit).max_time_ms(READ_MS):
                rejections = [each for each in document[WEBHOOK_REJECTIONS] if each["webhook_id"] == webhook_id]
                found += [(resource, document, rejection) for rejection in rejections]
    return found


def retry_rejected_events(store: Store, webhook_id: str) -> None:
    """Lets all rejected events of a webhook wait again."""
    theirs = {"$eq": ["$$this.webhook_id", {"$literal": webhook_id}]}
    rejections = {"$ifNull": [f"${WEBHOOK_REJECTIONS}", []]}
    event = {name: f"$$each.{name}" for name in ("webhook_id", "event", "version")}
    moved = {"$map": {"input": {"$filter": {"input": rejections, "cond": theirs}}, "as": "each", "in": event}}
    change = {
        WEBHOOK_EVENTS: {"$setUnion": [{"$ifNull": [f"${WEBHOOK_EVENTS}", []]}, moved]},
        WEBHOOK_REJECTIONS: {"$filter": {"input": rejections, "cond": {"$not": [theirs]}}},
    }
    with store.operation():
        for resource in RESOURCES_WITH_EVENTS:
            store.collection(resource.collection).update_many(_rejected(webhook_id), [{"$set": change}])


def _deletion(document: Document, event: Document) -> UpdateOne:
    return UpdateOne(_unchanged(document, event), _remove(_event_filter(event)))


def _event_filter(event: Document) -> Document:
    names = ("webhook_id", "event", *(("version",) if event["event"] in AT_A_VERSION else ()))
    return {name: event[name] for name in names}


def _unchanged(document: Document, event: Document) -> Document:
    """Returns the filter for the document; for an event about its state, only in the version that was sent."""
    state = {"version": document["version"]} if event["event"] in ABOUT_NOW else {}
    return {"_id": document["_id"], **state}


def _remove(event_filter: Mapping[str, Any]) -> Document:
    return {"$pull": {array: dict(event_filter) for array in ARRAYS}}


def _waiting(webhook_id: str) -> Document:
    return {f"{WEBHOOK_EVENTS}.webhook_id": webhook_id}


def _rejected(webhook_id: str) -> Document:
    return {f"{WEBHOOK_REJECTIONS}.webhook_id": webhook_id}
