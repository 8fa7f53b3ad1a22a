"""Delivers follow-ups: leases one, has it prepared, sends it, and marks the result on its outreach.

The guarantee is at least once. The worker marks a follow-up after it was sent; if the worker dies in between, its lease
runs out and another worker sends the follow-up again. Such lost leases are counted on the follow-up. A message carries
the id of its follow-up (the Message-ID of a mail is made of it), so that a repeat can be recognised.
"""

import datetime as dt
import time
from collections.abc import Mapping
from functools import partial
from typing import Final, Protocol

from osdi import log
from osdi.action_functions.followup_kinds import FAILED, KINDS, QUEUED, SENT
from osdi.crud.reference_cache import Reference
from osdi.documents import Document
from osdi.errors import OsdiError
from osdi.followups import outbox_store
from osdi.followups.outbox_store import LeasedFollowup
from osdi.followups.preparation import OutgoingMessage, Postpone, Preparation, Stop
from osdi.ids import now
from osdi.retry import backoff_seconds, retry_while_unavailable
from osdi.settings import Settings
from osdi.store import Store

# A worker searches for lost leases at most this often; it searches for queued follow-ups in every call.
LOST_EVERY_SECONDS: Final = 5.0

# For this long a worker tries to store the result of a delivery while the database is unavailable.
MARK_SECONDS: Final = 60.0
MARK_PAUSE_SECONDS: Final = 0.5


class DeliveryFailed(Exception):
    """A transport could not send a message. If `permanent`, the message is not tried again.

    If `everything`, no message of this kind can be sent now, so the kind is paused. `retry_after` is the number of
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

    def extend(self, kind: str, at_least: float = 0.0) -> None:
        """Pauses a kind, each time for about twice as long, and for `at_least` as many seconds."""
        failures = self._failures[kind] = self._failures.get(kind, 0) + 1
        seconds = max(at_least, backoff_seconds(failures, first=2, longest=60))
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
        self._looked_for_lost = float("-inf")

    def do_next(self) -> bool:
        """Delivers the follow-up that has waited longest; returns False if none is due.

        Raises OsdiError 503 if the database is unavailable. After an unexpected error it queues the follow-up again, or
        ends it as failed, and raises the error.
        """
        leased = self._lease_next(now())
        if leased is None:
            return False
        began = time.perf_counter()
        state, reason = self._deliver(leased)
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
        """Closes all connections."""
        for transport in self._transports.values():
            transport.close()
        self._preparation.close()

    def _lease_next(self, timestamp: dt.datetime) -> LeasedFollowup | None:
        kinds = self._pauses.open_kinds(timestamp)
        seconds = self._settings.followup_lease_seconds
        if time.monotonic() - self._looked_for_lost >= LOST_EVERY_SECONDS:
            leased = outbox_store.lease_next(self._store, timestamp, seconds, kinds, lost=True)
            if leased is not None:
                return leased
            self._looked_for_lost = time.monotonic()
        return outbox_store.lease_next(self._store, timestamp, seconds, kinds)

    def _deliver(self, leased: LeasedFollowup) -> tuple[str, str | None]:
        """Sends and marks. Returns the state and, unless it is sent, the reason. Raises OsdiError 503."""
        try:
            self._send(leased)
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
        """Prepares and sends. Raises Stop, Postpone, OsdiError."""
        followup = leased.followup
        kind = followup["kind"]
        message = self._preparation.prepare(leased)
        try:
            self._transports[kind].send(message)
        except DeliveryFailed as error:
            if error.permanent:
                raise Stop(FAILED, error.reason) from error
            if error.whole_kind:
                self._pauses.extend(kind, error.retry_after)
            seconds = max(error.retry_after, backoff_seconds(followup["attempts"]))
            raise Postpone(error.reason, seconds, tried=True) from error
        self._pauses.reset(kind)

    def _end(self, leased: LeasedFollowup, state: str, reason: str) -> tuple[str, str]:
        if not leased.followup["by_token"]:
            outbox_store.release_interval(self._store, leased)
        self._mark(leased, {"state": state, "reason": reason}, gone=("not_before",))
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
        self._mark(leased, fields)
        return QUEUED, postpone.reason

    def _mark(self, leased: LeasedFollowup, fields: Document, *, gone: tuple[str, ...] = ()) -> None:
        """Marks it, and retries while the database is unavailable: a message that is not marked is sent twice.

        Raises OsdiError 503 after MARK_SECONDS or the length of a lease, whichever is shorter.
        """
        seconds = min(MARK_SECONDS, self._settings.followup_lease_seconds)
        mark = partial(outbox_store.mark, self._store, leased, fields, gone=gone)
        retry_while_unavailable(mark, seconds, pause=MARK_PAUSE_SECONDS)
