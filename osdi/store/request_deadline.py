"""By when a request is answered, whatever the database does: a platform's router gives up at 30 s.

Each operation has its own time-outs (see driver), which several in a row could add up to more. To bound all of them by
`pymongo.timeout` would cost every request; so only those are bounded that have waited already.
"""

import time
from contextvars import ContextVar
from typing import Final

ANSWER_SECONDS: Final = 19.0
# No operation of a request takes as long while all is well.
SLOW_SECONDS: Final = 3.0
# What has come so far is tried, rather than given up in advance.
LEAST_SECONDS: Final = 0.5

_began: ContextVar[float | None] = ContextVar("began", default=None)


def begin() -> None:
    """A request begins in this thread now."""
    _began.set(time.monotonic())


def end() -> None:
    """It is answered; what this thread does next, such as sending a download, takes as long as it takes."""
    _began.set(None)


def left() -> float | None:
    """The seconds that a request which has waited for long may still wait; None for any other, or without one."""
    began = _began.get()
    if began is None:
        return None
    waited = time.monotonic() - began
    return None if waited < SLOW_SECONDS else max(LEAST_SECONDS, ANSWER_SECONDS - waited)
