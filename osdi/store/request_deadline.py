"""The deadline of a request: it gets a response in time, whatever the database does, since a router gives up at 30 s.

Each operation has its own time-outs (see driver), and several in a row could add up to more. `pymongo.timeout` around
all of them would cost each request time, so it bounds only requests that have waited already.
"""

import time
from contextvars import ContextVar
from typing import Final

RESPONSE_SECONDS: Final = 19.0
# No operation of a request takes this long while the database is well.
SLOW_SECONDS: Final = 3.0
# A request that is late tries its next operation for this long.
MIN_SECONDS: Final = 0.5

_began: ContextVar[float | None] = ContextVar("began", default=None)


def begin() -> None:
    """Starts the deadline of a request in this thread."""
    _began.set(time.monotonic())


def end() -> None:
    """Ends the deadline: the response is made, and sending a download may take longer."""
    _began.set(None)


def left() -> float | None:
    """Returns the seconds that are left for a request that has waited for long; None for any other, or without one."""
    began = _began.get()
    if began is None:
        return None
    waited = time.monotonic() - began
    return None if waited < SLOW_SECONDS else max(MIN_SECONDS, RESPONSE_SECONDS - waited)
