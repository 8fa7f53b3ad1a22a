"""Circuit breaker: while no server accepts writes, operations fail fast with 503 instead of blocking a thread.

The driver watches the servers on its own connections and reports each change here. So no request has to try in order to
find out that the database is away, or that it is back. Requests wait for as long as an election may take, each only for
the rest of that time; after it they fail.
"""

import math
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from pymongo import timeout
from pymongo.monitoring import (
    TopologyClosedEvent,
    TopologyDescriptionChangedEvent,
    TopologyListener,
    TopologyOpenedEvent,
)

from osdi.errors import DatabaseUnavailable
from osdi.store import request_deadline

# The driver reports a change up to a second later, and an operation that found a server needs time for its reply.
MIN_SECONDS: Final = 1.0
UNBOUNDED: Final = nullcontext()


class CircuitBreaker(TopologyListener):
    """Listens to one client; `wait_seconds` is the time that requests wait for a server that accepts writes."""

    def __init__(self, wait_seconds: float) -> None:
        self._wait_seconds = wait_seconds
        self._away_since: float | None = None

    @property
    def is_open(self) -> bool:
        """True if operations fail at once now."""
        since = self._away_since
        return since is not None and time.monotonic() >= since + self._wait_seconds

    def operation(self) -> AbstractContextManager[None]:
        """Returns a context that bounds an operation.

        Raises OsdiError 503 if the database has been away for longer than `wait_seconds`.
        """
        since, left = self._away_since, request_deadline.left()
        if since is None and left is None:
            return UNBOUNDED
        if since is not None:
            remaining = since + self._wait_seconds - time.monotonic()
            if remaining <= 0:
                raise DatabaseUnavailable
            left = min(remaining + MIN_SECONDS, math.inf if left is None else left)
        return timeout(left)

    def opened(self, event: TopologyOpenedEvent) -> None:
        """Does nothing: the first state is reported as a change."""

    def description_changed(self, event: TopologyDescriptionChangedEvent) -> None:
        """Opens or closes the circuit. The driver calls it, in a thread of its own, for each change that it sees."""
        if event.new_description.has_writable_server():
            self._away_since = None
        elif self._away_since is None:
            self._away_since = time.monotonic()

    def closed(self, event: TopologyClosedEvent) -> None:
        """Does nothing: a closed client is not used any more."""
