"""A circuit that opens while no server takes writes: who asks then is told at once instead of holding a thread.

The driver watches the servers on connections of its own and tells here what it sees, so that nobody has to try in
order to find out, neither that the database is away nor that it is back. For as long as an election may take, requests
wait, and each only for what is left of that time, however long it stood in line before; after that they are refused.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pymongo import timeout
from pymongo.monitoring import (
    TopologyClosedEvent,
    TopologyDescriptionChangedEvent,
    TopologyListener,
    TopologyOpenedEvent,
)

from osdi.errors import unavailable
from osdi.store import request_deadline

# The driver tells what it sees up to a second later, and whoever found a server must still have time to be answered.
LEAST_SECONDS: Final = 1.0


class CircuitBreaker(TopologyListener):
    """Listens to one client. `patience` says how many seconds requests wait for a server that takes writes."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._away_since: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether requests are refused now."""
        since = self._away_since
        return since is not None and time.monotonic() >= since + self._patience

    @contextmanager
    def operation(self) -> Iterator[None]:
        """Around what is asked of the database. Raises OsdiError 503 where it is known to be away for too long."""
        since, left = self._away_since, request_deadline.left()
        if since is None and left is None:
            yield
            return
        if since is not None:
            patience = since + self._patience - time.monotonic()
            if patience <= 0:
                raise unavailable("The database does not answer at the moment.")
            left = min(patience + LEAST_SECONDS, math.inf if left is None else left)
        with timeout(left):
            yield

    def opened(self, event: TopologyOpenedEvent) -> None:
        """Nothing: what is known at first comes as a change."""

    def description_changed(self, event: TopologyDescriptionChangedEvent) -> None:
        """Called in a thread of the driver's own for every change that it sees."""
        if event.new_description.has_writable_server():
            self._away_since = None
        elif self._away_since is None:
            self._away_since = time.monotonic()

    def closed(self, event: TopologyClosedEvent) -> None:
        """Nothing: a client that was closed is not asked any more."""
