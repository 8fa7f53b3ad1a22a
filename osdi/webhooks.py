"""Webhooks: other systems are told what happened here, by a signed POST of many events at once.

The process: a write notes an event for each webhook in the document that it is about; a worker leases a webhook, posts
what waits for it, and takes off what was taken. A receiver that is away is tried again for WEBHOOK_GIVE_UP_HOURS, then
its webhook is disabled; what was noted until then waits until it is enabled again. The guarantee is at least once, and
each event carries an idempotency key by which a repeat is known.
"""

import datetime as dt
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from osdi import log
from osdi.documents import Document, Json
from osdi.errors import ErrorDescription, OsdiError, not_found
from osdi.events import idempotency_key
from osdi.hal import Hal
from osdi.http_post import HttpPost, NotDelivered
from osdi.ids import new_id, now
from osdi.if_match import check_if_match
from osdi.resources import OUTREACH, Resource
from osdi.retrying import look_again, wait_seconds
from osdi.settings import Settings
from osdi.signature import new_secret, sign
from osdi.store import Delete, Insert, Store
from osdi.store import webhook_events as noted
from osdi.store.indexes import WEBHOOKS
from osdi.store.writes import WEBHOOK_EVENTS

# Of one POST: events (people that change all the time leave half to outreaches), and bytes of its body unless a single
# one is larger.
EVENTS: Final = 200
BODY_BYTES: Final = 1_000_000

# Longer than a POST and what is around it may take.
LEASE_SECONDS: Final = 60.0
FIRST_WAIT: Final = 5.0
LONGEST_WAIT: Final = 3_600.0

# How often what waits for nobody is looked for.
ORPHANS_SECONDS: Final = 600.0

WEBHOOKS_AT_MOST: Final = 20
GONE: Final = 410

# The outreach of a test: under an address where nothing is.
TEST: Final = "test"
NOBODYS: Final = "00000000-0000-7000-8000-000000000000"
TEST_OUTREACH: Final = {"type": "phone", "duration": 120, "targets": [{"title": "Senator", "family_name": "Smith"}]}

# Why a webhook is disabled.
BY_HAND, GAVE_UP, RECEIVER_GONE = "by_hand", "gave_up", "receiver_gone"

# What a webhook forgets when it is enabled again, or has reached its receiver.
FAILURE: Final = ("failures", "failing_since", "last_failure")


@dataclass(frozen=True)
class Told:
    """What came of a POST: the status that was answered, or why there was none."""

    status: int | None = None
    reason: str | None = None

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def failure(self) -> str | None:
        """Why it was not taken, such as `status_500` or `timeout`."""
        return None if self.taken else self.reason or f"status_{self.status}"


class Webhooks:
    """Tells the webhooks of a deployment."""

    def __init__(self, store: Store, hal: Hal, settings: Settings, http: HttpPost) -> None:
        self._store = store
        self._hal = hal
        self._settings = settings
        self._http = http
        self._looked_for_orphans = float("-inf")

    def deliver_next(self) -> bool:
        """Tell one webhook what waits for it; False where nothing is due. Raises OsdiError 503."""
        if time.monotonic() - self._looked_for_orphans >= ORPHANS_SECONDS:
            self._looked_for_orphans = time.monotonic()
            noted.forget_orphans(self._store)
        for webhook in noted.due_webhooks(self._store, now()):
            if noted.has_events(self._store, webhook["_id"]):
                lease = noted.claim_webhook(self._store, webhook, now() + dt.timedelta(seconds=LEASE_SECONDS))
                if lease is not None:
                    self._deliver(webhook, lease)
                return True
        return False

    def test(self, webhook: Document) -> Told:
        """Tell the webhook of an outreach that nobody made."""
        moment = now()
        outreach = {
            "_id": NOBODYS,
            "advocacy_campaign_id": NOBODYS,
            "created_date": moment,
            "modified_date": moment,
            "action_date": moment,
            **TEST_OUTREACH,
        }
        entry = {
            "idempotency_key": f"{TEST}:{new_id()}",
            self._own("event"): TEST,
            OUTREACH.rel: self._hal.represent(OUTREACH, outreach),
        }
        return self._post(webhook, [entry])

    def _deliver(self, webhook: Document, lease: str) -> None:
        told, entries = self._batch(webhook["_id"])
        if not entries:
            noted.mark_webhook(self._store, webhook["_id"], lease, {"not_before": now()})
            return
        result = self._post(webhook, entries)
        if result.taken:
            noted.take_off(self._store, told)
            fields = {"not_before": now(), "last_delivered_date": now()}
            noted.mark_webhook(self._store, webhook["_id"], lease, fields, gone=FAILURE)
        else:
            noted.mark_webhook(self._store, webhook["_id"], lease, self._after_failure(webhook, result))
        log.logger().info(
            "webhook", webhook_id=webhook["_id"], events=len(entries), status=result.status, reason=result.failure
        )

    def _batch(self, webhook_id: str) -> tuple[list[tuple[Resource, Document, Document]], list[Json]]:
        """What is told next: each event with its document, and the entries of the body."""
        told: list[tuple[Resource, Document, Document]] = []
        entries: list[Json] = []
        size = 0
        for resource, document in noted.documents_with_events(self._store, webhook_id, max(1, EVENTS // 2)):
            shown = self._hal.represent(resource, document)
            length = len(orjson.dumps(shown))
            mine = [event for event in document[WEBHOOK_EVENTS] if event["webhook_id"] == webhook_id]
            for event in mine:
                if entries and (size + length > BODY_BYTES or len(entries) >= EVENTS):
                    return told, entries
                size += length
                told.append((resource, document, event))
                entries.append(
                    {
                        "idempotency_key": idempotency_key(event, document),
                        self._own("event"): event["event"],
                        resource.rel: shown,
                    }
                )
        return told, entries

    def _post(self, webhook: Document, entries: Sequence[Json]) -> Told:
        body = orjson.dumps(entries, option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z)
        # The same events under the same id: so a receiver that knows Standard Webhooks sees a repeat of the whole.
        keys = "\n".join(entry["idempotency_key"] for entry in entries)
        message_id = f"msg_{hashlib.sha256(keys.encode()).hexdigest()[:32]}"
        headers = sign(webhook["secret"], message_id, dt.datetime.now(dt.UTC), body)
        try:
            status = self._http.post(webhook["url"], body, {"Content-Type": "application/json", **headers})
        except NotDelivered as error:
            return Told(reason=error.reason)
        return Told(status)

    def _after_failure(self, webhook: Document, result: Told) -> Document:
        """What the webhook notes of a failure: when it is tried again, or that it is disabled."""
        moment = now()
        failures, since = webhook.get("failures", 0) + 1, webhook.get("failing_since", moment)
        seconds = wait_seconds(failures, first=FIRST_WAIT, longest=LONGEST_WAIT)
        fields: Document = {
            "failures": failures,
            "failing_since": since,
            "last_failure": result.failure,
            "not_before": moment + dt.timedelta(seconds=seconds),
        }
        given_up = moment - since >= dt.timedelta(hours=self._settings.webhook_give_up_hours)
        if given_up or result.status == GONE:
            fields |= {"enabled": False, "disabled_reason": RECEIVER_GONE if result.status == GONE else GAVE_UP}
            log.logger().error("webhook", webhook_id=webhook["_id"], disabled=fields["disabled_reason"])
        return fields

    def _own(self, name: str) -> str:
        return f"{self._hal.namespace}:{name}"


def create(store: Store, fields: Mapping[str, Any]) -> Document:
    """A new webhook of `{url, events, description?, enabled?, secret?}`. Raises OsdiError 409 past WEBHOOKS_AT_MOST."""
    if len(noted.all_webhooks(store)) >= WEBHOOKS_AT_MOST:
        message = f"There are {WEBHOOKS_AT_MOST} webhooks; delete one first."
        raise OsdiError(409, ErrorDescription("TOO_MANY_WEBHOOKS", message))
    moment = now()
    webhook = {
        "_id": new_id(),
        "version": 1,
        "enabled": True,
        "secret": new_secret(),
        **fields,
        "created_date": moment,
        "modified_date": moment,
        "not_before": moment,
    }
    if not webhook["enabled"]:
        webhook["disabled_reason"] = BY_HAND
    store.write(Insert(WEBHOOKS, webhook))
    return webhook


def change(store: Store, webhook_id: str, fields: Mapping[str, Any], if_match: str | None = None) -> Document:
    """The webhook with these fields changed; enabling it forgets its failures. Raises OsdiError 404, 412."""

    def attempt() -> Document:
        stored = existing(store, webhook_id)
        check_if_match(stored, if_match)
        moment = now()
        changed = {**fields, "modified_date": moment}
        gone: tuple[str, ...] = ()
        if fields.get("enabled") is True:
            changed["not_before"] = moment
            gone = (*FAILURE, "disabled_reason", "lease")
        elif fields.get("enabled") is False:
            changed["disabled_reason"] = BY_HAND
        noted.change_webhook(store, stored, changed, gone)
        return existing(store, webhook_id)

    return look_again(attempt)


def existing(store: Store, webhook_id: str) -> Document:
    """The webhook with this id. Raises OsdiError 404."""
    found = store.get(WEBHOOKS, webhook_id)
    if found is None:
        raise not_found("There is no such webhook.")
    return found


def delete(store: Store, webhook_id: str, if_match: str | None = None) -> None:
    """Delete the webhook; what waits for it is told nobody. Raises OsdiError 404, 412."""

    def attempt() -> None:
        stored = existing(store, webhook_id)
        check_if_match(stored, if_match)
        store.write(Delete(WEBHOOKS, webhook_id, stored["version"]))
        noted.forget_events(store, webhook_id)

    look_again(attempt)
