"""Looking again after a lost race: how often, how long, and what the client is told in the end."""

import random
from collections.abc import Callable
from typing import TypeVar

import tenacity

from osdi.errors import WriteConflict, unavailable

Result = TypeVar("Result")

# A loss usually means that somebody else's write went through, so a few rounds suffice. The bounds are for many clients
# at one document and for elections, and stay well under a platform's 30 s.
ATTEMPTS = 30
SECONDS = 8

_retrying = tenacity.Retrying(
    retry=tenacity.retry_if_exception_type(WriteConflict),
    wait=tenacity.wait_random_exponential(multiplier=0.004, max=0.25),
    stop=tenacity.stop_after_attempt(ATTEMPTS) | tenacity.stop_after_delay(SECONDS),
    reraise=True,
)


def retry_on_conflict(attempt: Callable[[], Result]) -> Result:
    """Call `attempt` until it loses no race. Raises OsdiError 503 after ATTEMPTS or SECONDS."""
    try:
        return attempt()  # the usual case pays nothing for the machinery
    except WriteConflict:
        pass
    try:
        return _retrying(attempt)
    except WriteConflict as error:
        raise unavailable("Too many requests write to the same record at once.", seconds=1) from error


def backoff_seconds(attempts: int, *, first: float = 30, longest: float = 3600) -> float:
    """How long to wait after so many attempts: twice as long each time, with jitter, so that many do not come at once.

    The arithmetic of tenacity's `wait_random_exponential`, for what is tried again by another process, days later.
    """
    bound = min(longest, first * 2.0 ** min(attempts - 1, 30))
    return random.uniform(bound / 2, bound)  # noqa: S311  # nothing secret
