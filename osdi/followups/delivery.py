"""Delivers follow-ups: leases a batch, has each prepared, sends it, and marks the result on its outreach.

The guarantee is at least once. The worker marks a follow-up after it was sent; if the worker dies in between, its lease
runs out and another worker sends the follow-up again. Such lost leases are counted on the follow-up. A message carries
the id of its follow-up (the Message-ID of a mail is made of it), so that a repeat can be recognised. Each result is
stored before the next follow-up is begun, so of a batch only one can be sent twice.
"""

import datetime as dt
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Final, Protocol

from osdi import log
from osdi.action_functions.followup_kinds import FAILED, KINDS, QUEUED, SENT
from osdi.crud.reference_cache import Reference
from osdi.documents import Document
from osdi.errors import OsdiError
from osdi.followups.leases import lease_store
from osdi.followups.leases.batch import Batch
from osdi.followups.leases.lease_store import LeasedFollowup
from osdi.followups.limits.interval_store import release_intervals
from osdi.followups.outcomes import Gone, Postpone, Stop
from osdi.followups.preparation import OutgoingMessage, Preparation
from osdi.ids import now
from osdi.retry import backoff_seconds, retry_while_unavailable
from osdi.settings import Settings
from osdi.store import Store

# For this long a worker tries to store the result of a delivery while the database is unavailable.
MARK_SECONDS: Final = 60.0
MARK_PAUSE_SECONDS: Final = 0.5


class DeliveryFailed(Exception):
    """A transport could not send a message. If `permanent`, the message is not tried again.

    If `whole_kind`, no message of this kind can be sent now, so the kind is paused. `retry_after` is the number of
    seconds for which the server asks us to wait.
    """

    def __init__(
        self, reason: str, *, permanent: bool = False, whole_kind: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.whole_kind = whole_kind
        self.retry_after = retry_after or 0.0


class Transport(Protocol):
    """A way to send one kind of follow-up."""

    def send(self, message: OutgoingMessage) -> None:
        """Hands the message over. Raises DeliveryFailed."""

    def close(self) -> None:
        """Closes connections."""


class Pauses:
    """Remembers until when each kind of follow-up is paused: while a server is down, attempts would only fail."""

    def __init__(self) -> None:
        self._until: dict[str, dt.datetime] = {}
        self._failures: dict[str, int] = {}

    def open_kinds(self, timestamp: dt.datetime) -> list[str]:
        """Returns the kinds that are not paused at that time (naive UTC)."""
        return [kind for kind in KINDS if self._until.get(kind, timestamp) <= timestamp]

    def extend(self, kind: str, min_seconds: float = 0.0) -> None:
        """Pauses a kind, each time for about twice as long, and for at least `min_seconds`."""
        failures = self._failures[kind] = self._failures.get(kind, 0) + 1
        seconds = max(min_seconds, backoff_seconds(failures, first=2, max_seconds=60))
        self._until[kind] = now() + dt.timedelta(seconds=seconds)

    def reset(self, kind: str) -> None:
        """Resets a kind after a success: its next pause is short again."""
        self._failures.pop(kind, None)


class Followups:
    """Delivers the follow-ups of a deployment. Each thread has its own, because transports keep connections."""

    def __init__(
        self, store: Store, reference: Reference, settings: Settings, transports: Mapping[str, Transport]
    ) -> None:
        self._store = store
        self._settings = settings
        self._transports = transports
        self._preparation = Preparation(store, reference, settings, transports)
        self._pauses = Pauses()
        self._batch = Batch(store, settings.followup_lease_seconds, self._withdraw)

    def do_next(self) -> bool:
        """Delivers one follow-up of those that have waited longest; returns False if none is due.

        Raises OsdiError 503 if the database is unavailable. After an unexpected error it queues the follow-up again, or
        ends it as failed, and raises the error.
        """
        leased = self._batch.next() or self._lease_next()
        if leased is None:
            return False
        began = time.perf_counter()
        try:
            state, reason = self._deliver(leased)
        except Exception:
            self._batch.stop()  # so that of the batch only this one may have been sent without a mark
            raise
        log.logger().info(
            "followup",
            outreach_id=leased.outreach["_id"],
            followup_id=leased.followup["_id"],
            kind=leased.followup["kind"],
            state=state,
            reason=reason,
            attempts=leased.followup["attempts"],
            leases_lost=leased.followup.get("leases_lost", 0),
            milliseconds=round((time.perf_counter() - began) * 1000, 1),
        )
        return True

    def close(self) -> None:
        """Gives back what was leased and not begun, and closes all connections."""
        with suppress(OsdiError):  # the leases run out
            self._batch.give_back()
        for transport in self._transports.values():
            transport.close()
        self._preparation.close()

    def _lease_next(self) -> LeasedFollowup | None:
        """Leases a batch and returns its first follow-up; None if none is due. Raises OsdiError 503."""
        batch = self._batch.lease(self._pauses.open_kinds(now()))
        if batch:
            try:
                self._preparation.begin(batch)
            except Exception:
                self._batch.stop()
                raise
        return self._batch.first()

    def _deliver(self, leased: LeasedFollowup) -> tuple[str, str | None]:
        """Sends and marks. Returns the state and, unless it is sent, the reason. Raises OsdiError 503."""
        try:
            self._send(leased)
        except Gone:
            return "gone", None
        except Stop as stop:
            return self._end(leased, stop.state, stop.reason)
        except Postpone as postpone:
            return self._postpone(leased, postpone)
        except OsdiError:
            raise  # the database is unavailable, and nothing can be marked: the lease runs out
        except Exception:
            seconds = backoff_seconds(leased.followup["attempts"])
            self._postpone(leased, Postpone("error", seconds, tried=True))
            raise
        # The recipient is not needed any more, and would outlive a person who is deleted.
        self._mark(leased, {"state": SENT, "sent_date": now()}, gone=("not_before", "reason", "to"))
        return SENT, None

    def _send(self, leased: LeasedFollowup) -> None:
        """Prepares and sends. Raises Stop, Postpone, Gone, OsdiError."""
        followup = leased.followup
        kind = followup["kind"]
        try:
            message = self._preparation.prepare(leased)
        except (Stop, Postpone, Gone):
            self._preparation.withdraw(leased)
            raise
        try:
            self._transports[kind].send(message)
        except DeliveryFailed as error:
            if error.permanent:
                raise Stop(FAILED, error.reason) from error
            if error.whole_kind:
                self._pauses.extend(kind, error.retry_after)
                self._batch.stop()  # it may have more of the kind
            seconds = max(error.retry_after, backoff_seconds(followup["attempts"]))
            raise Postpone(error.reason, seconds, tried=True) from error
        self._pauses.reset(kind)

    def _end(self, leased: LeasedFollowup, state: str, reason: str) -> tuple[str, str]:
        if not leased.followup["by_token"]:
            release_intervals(self._store, [leased.followup["_id"]])
        self._mark(
            leased, {"state": state, "reason": reason}, gone=("not_before", *self._preparation.withdrawn(leased))
        )
        return state, reason

    def _postpone(self, leased: LeasedFollowup, postpone: Postpone) -> tuple[str, str]:
        """Queues it again, unless it was first queued longer than FOLLOWUP_GIVE_UP_HOURS ago."""
        followup, timestamp = leased.followup, now()
        given_up = followup["queued_date"] + dt.timedelta(hours=self._settings.followup_give_up_hours)
        if timestamp >= given_up:
            return self._end(leased, FAILED, postpone.reason)
        fields = {
            "state": QUEUED,
            "reason": postpone.reason,
            "not_before": min(timestamp + dt.timedelta(seconds=postpone.seconds), given_up),
            # One that only had to wait was not attempted; one that was attempted has passed the sending limits.
            "attempts": followup["attempts"] if postpone.tried else followup["attempts"] - 1,
            **({"admitted": True} if postpone.tried else {}),
        }
        self._mark(leased, fields, gone=self._preparation.withdrawn(leased))
        return QUEUED, postpone.reason

    def _withdraw(self, leased: LeasedFollowup) -> tuple[str, ...]:
        """Withdraws a follow-up that is given back; returns the names of the fields that it loses."""
        self._preparation.withdraw(leased)
        return self._preparation.withdrawn(leased)

    def _mark(self, leased: LeasedFollowup, fields: Document, *, gone: tuple[str, ...] = ()) -> None:
        """Marks it, and retries while the database is unavailable: a message that is not marked is sent twice.

        Raises OsdiError 503 after MARK_SECONDS or the length of a lease, whichever is shorter.
        """
        seconds = min(MARK_SECONDS, self._settings.followup_lease_seconds)
        mark = partial(lease_store.mark, self._store, leased, fields, gone=gone)
        retry_while_unavailable(mark, seconds, pause=MARK_PAUSE_SECONDS)
