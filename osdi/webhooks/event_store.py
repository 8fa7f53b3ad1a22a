"""What webhooks wait for in the store: events noted in the documents that they are about, until they are told.

An event is noted by the very write that makes it happen (see writes), so none is lost, and taken off once the receiver
has it. Who tells a webhook has leased it, so two workers do not tell the same.
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

# People come first: whoever is told of an outreach has been told of its person.
NOTED_IN: Final = (PERSON, OUTREACH)


def all_webhooks(store: Store) -> list[Document]:
    """Every webhook, the oldest first."""
    return store.find(WEBHOOKS, {}, sort=("_id",))


def due_webhooks(store: Store, timestamp: dt.datetime) -> list[Document]:
    """The enabled webhooks that may be told something now, whoever has waited longest first."""
    return store.find(WEBHOOKS, {"enabled": True, "not_before": {"$lte": timestamp}}, sort=("not_before",))


def claim_webhook(store: Store, webhook: Document, ends: dt.datetime) -> str | None:
    """Lease a webhook until then; None where somebody else was first or changed it, such as its address or secret."""
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
    """Give the lease back with what came of it; False where it was lost meanwhile."""
    change = {"$set": dict(fields), "$unset": dict.fromkeys(("lease", *gone), "")}
    with store.operation():
        changed = store.collection(WEBHOOKS).update_one({"_id": webhook_id, "lease": lease}, change)
    return changed.matched_count == 1


def change_webhook(store: Store, webhook: Document, fields: Mapping[str, Any], gone: Sequence[str] = ()) -> None:
    """Set and remove fields of a webhook that nobody else has changed. Raises WriteConflict where somebody has."""
    selected = {"_id": webhook["_id"], "version": webhook["version"]}
    change: Document = {"$set": {**fields, "version": webhook["version"] + 1}}
    if gone:
        change["$unset"] = dict.fromkeys(gone, "")
    with store.operation():
        changed = store.collection(WEBHOOKS).update_one(selected, change)
    if not changed.matched_count:
        raise WriteConflict(f"webhook {webhook['_id']} is no longer at version {webhook['version']}")


def forget_events(store: Store, webhook_id: str) -> None:
    """Take off everything that waits for a webhook."""
    with store.operation():
        for resource in NOTED_IN:
            store.collection(resource.collection).update_many(_waiting(webhook_id), _told({"webhook_id": webhook_id}))


def forget_orphans(store: Store) -> None:
    """Take off what waits for webhooks that are no more: a process may have noted it just before it knew."""
    known = [webhook["_id"] for webhook in all_webhooks(store)]
    waiting = {f"{WEBHOOK_EVENTS}.webhook_id": {"$exists": True, "$nin": known}}
    with store.operation():
        for resource in NOTED_IN:
            documents = store.collection(resource.collection)
            documents.update_many(waiting, _told({"webhook_id": {"$nin": known}}))


def has_events(store: Store, webhook_id: str) -> bool:
    """Whether something waits for the webhook."""
    with store.operation():
        return any(
            store.collection(resource.collection).find_one(_waiting(webhook_id), {"_id": 1}, max_time_ms=READ_MS)
            for resource in NOTED_IN
        )


def count_events(store: Store, webhook_id: str) -> int:
    """How many documents wait to be told to the webhook."""
    with store.operation():
        return sum(
            store.collection(resource.collection).count_documents(_waiting(webhook_id), maxTimeMS=READ_MS)
            for resource in NOTED_IN
        )


def documents_with_events(store: Store, webhook_id: str, limit: int) -> Iterator[tuple[Resource, Document]]:
    """The documents about which something waits for the webhook: of each collection so many, the oldest first."""
    for resource in NOTED_IN:
        with store.operation():
            found = store.collection(resource.collection).find(_waiting(webhook_id)).sort("_id", ASCENDING)
            for document in found.limit(limit).max_time_ms(READ_MS):
                yield resource, document


def take_off(store: Store, told: Sequence[tuple[Resource, Document, Document]]) -> None:
    """Take off events that were told: each with the document as it was told, which may have moved on since."""
    with store.operation():
        for resource in NOTED_IN:
            updates = [_taking_off(document, event) for of, document, event in told if of is resource]
            if updates:
                store.collection(resource.collection).bulk_write(updates, ordered=False)


def _taking_off(document: Document, event: Document) -> UpdateOne:
    named = {"webhook_id": event["webhook_id"], "event": event["event"]}
    selected = {"_id": document["_id"]}
    if event["event"] in ABOUT_NOW:
        selected["version"] = document["version"]
    if event["event"] in AT_A_VERSION:
        named["version"] = event["version"]
    return UpdateOne(selected, _told(named))


def _told(named: Mapping[str, Any]) -> Document:
    return {"$pull": {WEBHOOK_EVENTS: dict(named)}}


def _waiting(webhook_id: str) -> Document:
    return {f"{WEBHOOK_EVENTS}.webhook_id": webhook_id}
