"""Waits for what another process or thread does."""

import time
from collections.abc import Callable

# No test depends on this time unless it fails: a busy machine needs many seconds for what takes one on an idle one.
SECONDS = 120
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.01, 0.1


def eventually(condition: Callable[[], object], *, seconds: float = SECONDS) -> bool:
    """Polls the condition; True as soon as it is true, False if that takes longer than `seconds`."""
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(2 * pause, MAX_PAUSE_SECONDS)
    return True
