"""Delivers events to webhooks: the worker sends signed POSTs with many events each.

A write stores an event for each webhook in the changed document. The worker leases a webhook, posts its events, and
deletes those that the receiver accepted. If the receiver fails, the worker retries for WEBHOOK_GIVE_UP_HOURS and then
disables the webhook; its events wait until it is enabled again. An event that the receiver rejects for good is set
aside (see osdi.webhooks.result). Delivery is at least once: receivers recognise a repeat
by the event's idempotency key.
"""

import datetime as dt
import hashlib
import time
from collections.abc import Sequence
from typing import Final

import orjson

from osdi import log
from osdi.deletions.records import deliverable
from osdi.documents import Document, Json, ReadOnlyDocument
from osdi.fields.webhook import ABOUT_NOW, AT_A_VERSION
from osdi.hal import Hal
from osdi.http_client.post import HttpPost, NotDelivered
from osdi.http_client.signature import sign
from osdi.ids import new_id, now, time_in
from osdi.resources import DELETION, OUTREACH, Resource
from osdi.settings import Settings
from osdi.store import Store
from osdi.store.writes import WEBHOOK_EVENTS
from osdi.webhooks import event_store
from osdi.webhooks.result import Consequence, DeliveryResult, batch_size, consequence

# Limit of the body of one POST, unless one event is larger.
MAX_BODY_BYTES: Final = 1_000_000

# Longer than a POST with its reads and writes can take.
LEASE_SECONDS: Final = 60.0

# Interval at which the worker looks again at a deletion that is not done yet, on a server without transactions.
UNDONE_SECONDS: Final = 1.0

# Interval at which the worker deletes events of deleted webhooks.
ORPHANS_SECONDS: Final = 600.0

# The invented outreach of a test event; no resource has this id.
TEST: Final = "test"
TEST_ID: Final = "00000000-0000-7000-8000-000000000000"
TEST_OUTREACH: Final = {"type": "phone", "duration": 120, "targets": [{"title": "Senator", "family_name": "Smith"}]}


class Webhooks:
    """Delivers the events of a deployment's webhooks."""

    def __init__(self, store: Store, hal: Hal, settings: Settings, http: HttpPost) -> None:
        self._store = store
        self._hal = hal
        self._settings = settings
        self._http = http
        self._orphans_deleted_at = float("-inf")

    def deliver_next(self) -> bool:
        """Sends one webhook its waiting events; returns False if no webhook is due. Raises OsdiError 503."""
        if time.monotonic() - self._orphans_deleted_at >= ORPHANS_SECONDS:
            self._orphans_deleted_at = time.monotonic()
            event_store.delete_orphaned_events(self._store)
        for webhook in event_store.due_webhooks(self._store, now()):
            if event_store.has_events(self._store, webhook["_id"]):
                lease = event_store.lease_webhook(self._store, webhook, now() + dt.timedelta(seconds=LEASE_SECONDS))
                if lease is not None:
                    self._deliver(webhook, lease)
                return True
        return False

    def test(self, webhook: Document) -> DeliveryResult:
        """Sends the webhook a test event about an invented outreach, and returns the result."""
        timestamp = now()
        outreach = {
            "_id": TEST_ID,
            "advocacy_campaign_id": TEST_ID,
            "created_date": timestamp,
            "modified_date": timestamp,
            "action_date": timestamp,
            **TEST_OUTREACH,
        }
        entry = {
            "idempotency_key": f"{TEST}:{new_id()}",
            self._own("event"): TEST,
            OUTREACH.rel: self._hal.represent(OUTREACH, outreach),
        }
        return self._post(webhook, [entry])

    def _deliver(self, webhook: Document, lease: str) -> None:
        events, entries = self._batch(webhook["_id"], batch_size(webhook))
        if not entries:
            # Only deletions that are not done yet may wait.
            again = now() + dt.timedelta(seconds=UNDONE_SECONDS)
            event_store.mark_webhook(self._store, webhook["_id"], lease, {"not_before": again})
            return
        result = self._post(webhook, entries)
        give_up = dt.timedelta(hours=self._settings.webhook_give_up_hours)
        after = consequence(webhook, result, len(entries), now(), give_up)
        if result.delivered:
            event_store.delete_delivered_events(self._store, events)
        elif after.rejected:
            event_store.reject_event(self._store, *events[0], reason=str(result.failure))
        attempt = _attempt(result, len(entries))
        event_store.mark_webhook(self._store, webhook["_id"], lease, after.fields, gone=after.gone, attempt=attempt)
        self._log(webhook, entries, result, after)

    @staticmethod
    def _log(webhook: Document, entries: Sequence[Json], result: DeliveryResult, after: Consequence) -> None:
        line = log.logger()
        line.info(
            "webhook", webhook_id=webhook["_id"], events=len(entries), status=result.status, reason=result.failure
        )
        if after.rejected:
            line.warning("webhook", webhook_id=webhook["_id"], rejected=entries[0]["idempotency_key"])
        if after.disabled:
            line.error("webhook", webhook_id=webhook["_id"], disabled=after.disabled)

    def _batch(self, webhook_id: str, max_events: int) -> tuple[list[tuple[Resource, Document, Document]], list[Json]]:
        """Returns the next events with their documents, and the entries of the body. At most half are about people."""
        events: list[tuple[Resource, Document, Document]] = []
        entries: list[Json] = []
        size = 0
        for resource, document in event_store.documents_with_events(self._store, webhook_id, max(1, max_events // 2)):
            if resource is DELETION and not deliverable(self._store, document):
                continue
            representation = self._hal.represent(resource, document)
            length = len(orjson.dumps(representation))
            own = [event for event in document[WEBHOOK_EVENTS] if event["webhook_id"] == webhook_id]
            for event in own:
                if entries and (size + length > MAX_BODY_BYTES or len(entries) >= max_events):
                    return events, entries
                size += length
                events.append((resource, document, event))
                entries.append(
                    {
                        "idempotency_key": idempotency_key(event, document),
                        self._own("event"): event["event"],
                        self._hal.relation(resource): representation,
                    }
                )
        return events, entries

    def _post(self, webhook: Document, entries: Sequence[Json]) -> DeliveryResult:
        body = orjson.dumps(entries, option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z)
        # The id depends on the events only, so a receiver that follows Standard Webhooks recognises a repeated POST.
        keys = "\n".join(entry["idempotency_key"] for entry in entries)
        message_id = f"msg_{hashlib.sha256(keys.encode()).hexdigest()[:32]}"
        headers = sign(webhook["secret"], message_id, time_in(dt.UTC), body)
        began = time.monotonic()
        try:
            response = self._http.post(webhook["url"], body, {"Content-Type": "application/json", **headers})
        except NotDelivered as error:
            return DeliveryResult(reason=error.reason, milliseconds=_milliseconds_since(began))
        return DeliveryResult(
            response.status,
            retry_after=response.retry_after,
            milliseconds=_milliseconds_since(began),
            excerpt=response.excerpt,
        )

    def _own(self, name: str) -> str:
        return f"{self._hal.namespace}:{name}"


def _milliseconds_since(began: float) -> int:
    """Returns the milliseconds since a reading of the monotonic clock."""
    return round((time.monotonic() - began) * 1000)


def _attempt(result: DeliveryResult, events: int) -> Document:
    """Returns the entry of a webhook's `deliveries`; after a success it has no excerpt of the response."""
    details = {"status": result.status, "failure": result.failure, "response": result.excerpt if result.failure else ""}
    stated = {name: each for name, each in details.items() if each}
    return {"date": now(), "events": events, "milliseconds": result.milliseconds, **stated}


def idempotency_key(entry: ReadOnlyDocument, document: ReadOnlyDocument) -> str:
    """Returns the key by which a receiver recognises an event that it has received before."""
    parts = [entry["event"], document["_id"]]
    if entry["event"] in ABOUT_NOW:
        parts.append(str(document["version"]))
    if entry["event"] in AT_A_VERSION:
        parts.append(str(entry["version"]))
    return ":".join(parts)
