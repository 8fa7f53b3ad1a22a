"""Decides what follows from the result of a POST to a webhook: success, a smaller batch, a rejected event, or a retry.

A receiver that rejects the content of a batch gets half as many events, down to one, and a quarter more after each
success. An event that is rejected alone is set aside, so that it does not block the events behind it. Any other failure
is retried after a growing pause.

Pure: takes the stored webhook and the result, returns the webhook's new fields.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from osdi.documents import Document, ReadOnlyDocument
from osdi.retry import backoff_seconds
from osdi.webhooks.registry import FAILURE, GAVE_UP, RECEIVER_GONE

# Events of one POST.
MAX_BATCH_EVENTS: Final = 200

FIRST_WAIT_SECONDS: Final = 5.0
MAX_WAIT_SECONDS: Final = 3_600.0

GONE: Final = 410
TOO_LARGE: Final = 413
# Statuses about the content of a request, and the number of attempts after which an event that was sent alone is
# rejected for good. A size never heals; a receiver that responds with 400 may have an error that somebody corrects.
ATTEMPTS_ALONE: Final = {400: 5, TOO_LARGE: 1, 422: 5}
# After this number of rejected events in a row the receiver is at fault: no other event is set aside until the
# receiver accepts one.
MAX_REJECTED_IN_A_ROW: Final = 10


@dataclass(frozen=True)
class DeliveryResult:
    """Result of a POST: the status of the response, or the reason why there is none.

    `retry_after` is the number of seconds for which the receiver asks us to wait, `milliseconds` the duration of the
    POST, and `excerpt` the beginning of the response's body.
    """

    status: int | None = None
    reason: str | None = None
    retry_after: float | None = None
    milliseconds: int = 0
    excerpt: str = ""

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def failure(self) -> str | None:
        """The reason of a failure, such as `status_500` or `timeout`; None after success."""
        return None if self.delivered else self.reason or f"status_{self.status}"


@dataclass(frozen=True)
class Consequence:
    """New fields of the webhook, and names of fields to remove. If `rejected`, the event that was sent is set aside."""

    fields: Document
    gone: tuple[str, ...] = ()
    rejected: bool = False

    @property
    def disabled(self) -> str | None:
        """The reason why the webhook is disabled, if it is."""
        return self.fields.get("disabled_reason")


def batch_size(webhook: ReadOnlyDocument) -> int:
    """Returns the largest number of events of the next POST."""
    return min(MAX_BATCH_EVENTS, int(webhook.get("batch_events", MAX_BATCH_EVENTS)))


def consequence(
    webhook: ReadOnlyDocument, result: DeliveryResult, sent: int, timestamp: dt.datetime, give_up: dt.timedelta
) -> Consequence:
    """Returns what follows from the result of a POST with `sent` events. `give_up` is the longest time of failures."""
    if result.delivered:
        return _after_success(webhook, timestamp)
    if result.status not in ATTEMPTS_ALONE:
        return _after_failure(webhook, result, timestamp, give_up)
    if sent > 1:
        wait = dt.timedelta(seconds=result.retry_after or 0.0)
        return Consequence({"batch_events": sent // 2, "not_before": timestamp + wait})
    return _after_rejection(webhook, result, timestamp, give_up)


def _after_success(webhook: ReadOnlyDocument, timestamp: dt.datetime) -> Consequence:
    fields: Document = {"not_before": timestamp, "last_delivered_date": timestamp}
    size = batch_size(webhook)
    grown = size + max(1, size // 4)
    if grown >= MAX_BATCH_EVENTS:
        return Consequence(fields, gone=(*FAILURE, "batch_events"))
    return Consequence(fields | {"batch_events": grown}, gone=FAILURE)


def _after_rejection(
    webhook: ReadOnlyDocument, result: DeliveryResult, timestamp: dt.datetime, give_up: dt.timedelta
) -> Consequence:
    """Returns what follows if an event was rejected alone."""
    attempts = webhook.get("rejected_attempts", 0) + 1
    in_a_row = webhook.get("rejected_in_a_row", 0)
    # RFC 9110, section 15.5.14: with Retry-After a 413 is temporary.
    lasting = result.retry_after is None and attempts >= ATTEMPTS_ALONE[result.status or TOO_LARGE]
    if lasting and in_a_row < MAX_REJECTED_IN_A_ROW:
        fields = {"not_before": timestamp, "rejected_in_a_row": in_a_row + 1, "rejected_attempts": 0}
        return Consequence(fields, rejected=True)
    failed = _after_failure(webhook, result, timestamp, give_up)
    return Consequence(failed.fields | {"rejected_attempts": attempts})


def _after_failure(
    webhook: ReadOnlyDocument, result: DeliveryResult, timestamp: dt.datetime, give_up: dt.timedelta
) -> Consequence:
    """Returns the time of the next attempt, or that the webhook is disabled."""
    failures, since = webhook.get("failures", 0) + 1, webhook.get("failing_since", timestamp)
    seconds = max(
        result.retry_after or 0.0, backoff_seconds(failures, first=FIRST_WAIT_SECONDS, max_seconds=MAX_WAIT_SECONDS)
    )
    fields: Document = {
        "failures": failures,
        "failing_since": since,
        "last_failure": result.failure,
        "not_before": timestamp + dt.timedelta(seconds=seconds),
    }
    if result.status == GONE or timestamp - since >= give_up:
        fields |= {"enabled": False, "disabled_reason": RECEIVER_GONE if result.status == GONE else GAVE_UP}
    return Consequence(fields)
