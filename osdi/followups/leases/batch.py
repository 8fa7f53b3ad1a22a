"""The batch of follow-ups that one worker has leased, and hands out one by one.

A worker begins nothing after BATCH_SECONDS, and gives the rest back. The lease is longer by that time, so each
follow-up begins with as much of a lease as if it had been leased alone.
"""

import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import Final

from osdi.followups.leases import lease_store
from osdi.followups.leases.lease_store import LeasedFollowup
from osdi.ids import now
from osdi.store import Store

# Follow-ups that are leased at a time. If a worker is killed, this many wait until its lease ends.
BATCH: Final = 25
BATCH_SECONDS: Final = 2.0

# A worker searches for lost leases at most this often; it searches for queued follow-ups for every batch.
LOST_EVERY_SECONDS: Final = 5.0

# Withdraws what was done ahead for follow-ups that are given back; returns, for each, the names of the fields that it
# loses.
Withdraw = Callable[[Sequence[LeasedFollowup]], Sequence[Collection[str]]]


class Batch:
    """Leases follow-ups, hands them out one by one, and gives back those that were not begun."""

    def __init__(self, store: Store, lease_seconds: float, withdraw: Withdraw) -> None:
        self._store = store
        self._seconds = lease_seconds + BATCH_SECONDS
        self._withdraw = withdraw
        self._left: deque[LeasedFollowup] = deque()
        self._ends = float("-inf")
        self._looked_for_lost = float("-inf")

    def next(self) -> LeasedFollowup | None:
        """Returns the next follow-up of the batch; None if none is left, or its time is over. Raises OsdiError 503."""
        if time.monotonic() >= self._ends:
            self.give_back()
        return self.first()

    def first(self) -> LeasedFollowup | None:
        """Returns the next follow-up even if the time is over: of each batch one is begun. None if none is left."""
        # A test for emptiness first is no use: at the end of the process another thread may empty the batch after it.
        try:
            return self._left.popleft()
        except IndexError:
            return None

    def lease(self, kinds: Collection[str]) -> list[LeasedFollowup]:
        """Leases the next batch of these kinds, and returns it; it is empty if nothing is due. Raises OsdiError 503."""
        self._ends = time.monotonic() + BATCH_SECONDS
        leased: list[LeasedFollowup] = []
        if time.monotonic() - self._looked_for_lost >= LOST_EVERY_SECONDS:
            leased = self._lease(kinds, lost=True)
            if not leased:
                self._looked_for_lost = time.monotonic()
        leased = leased or self._lease(kinds)
        self._left.extend(leased)
        return leased

    def stop(self) -> None:
        """Hands out no more of this batch: the next call gives the rest back."""
        self._ends = float("-inf")

    def give_back(self) -> None:
        """Queues the rest again. Raises OsdiError 503; then the next call tries it again, or the lease runs out."""
        rest: list[LeasedFollowup] = []
        while self._left:
            rest.append(self._left.popleft())
        if not rest:
            return
        try:
            ours = lease_store.not_taken_over(self._store, rest)
            lease_store.give_back(self._store, list(zip(ours, self._withdraw(ours), strict=True)))
        except Exception:
            self._left.extend(rest)
            raise

    def _lease(self, kinds: Collection[str], *, lost: bool = False) -> list[LeasedFollowup]:
        return lease_store.lease_batch(self._store, now(), self._seconds, kinds, BATCH, lost=lost)
