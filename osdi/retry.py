"""Retries: after a write conflict, while the database is unavailable, and the wait before a worker's next attempt.

tenacity decides when an attempt is repeated. Frequent callers make the first attempt without it, since its bookkeeping
takes longer than a read of one document. Pure: reads and writes nothing itself.
"""

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

import tenacity

from osdi.errors import OsdiError, WriteConflict, unavailable

Result = TypeVar("Result")
Attempt = Callable[[], Result]

# A conflict usually means that another request's write succeeded, so a few attempts are enough. These bounds allow for
# many clients that write to one document, and for elections. They stay well under a platform's 30 s.
MAX_ATTEMPTS: Final = 30
MAX_SECONDS: Final = 8

# Between two attempts at a database that is unavailable.
PAUSE_SECONDS: Final = 1.0

_retrying = tenacity.Retrying(
    retry=tenacity.retry_if_exception_type(WriteConflict),
    wait=tenacity.wait_random_exponential(multiplier=0.004, max=0.25),
    stop=tenacity.stop_after_attempt(MAX_ATTEMPTS) | tenacity.stop_after_delay(MAX_SECONDS),
    reraise=True,
)


def retry_on_conflict(attempt: Attempt[Result]) -> Result:
    """Returns the result of `attempt`, which is called again after each WriteConflict.

    Raises OsdiError 503 after MAX_ATTEMPTS or MAX_SECONDS.
    """
    try:
        return attempt()
    except WriteConflict:
        pass
    try:
        return _retrying(attempt)
    except WriteConflict as error:
        raise unavailable("Too many requests write to the same record at once.", seconds=1) from error


def retry_while_unavailable(attempt: Attempt[Result], seconds: float, *, pause: float | None = None) -> Result:
    """Returns the result of `attempt`, which is called again while the database is unavailable.

    Raises the last OsdiError 503 once `seconds` have passed since the first one, and at once if a retry cannot help.
    `pause` is the time between two attempts; by default PAUSE_SECONDS.
    """
    pause = PAUSE_SECONDS if pause is None else pause
    try:
        return attempt()
    except OsdiError as error:
        if seconds <= 0 or not is_unavailable(error):
            raise
    time.sleep(pause)
    return retry_for(seconds - pause, attempt, is_unavailable, pause=pause)


def is_unavailable(error: BaseException) -> bool:
    """True if the database is unavailable and a retry may succeed."""
    return isinstance(error, OsdiError) and error.status == 503 and not error.needs_operator


def retry_for(
    seconds: float,
    attempt: Attempt[Result],
    retry_if: Callable[[BaseException], bool],
    *,
    pause: float,
    on_first_failure: Callable[[], None] = lambda: None,
) -> Result:
    """Returns the result of `attempt`, which is called again after each error that `retry_if` accepts.

    Raises the last error once `seconds` have passed. `pause` is the time in seconds between two attempts.
    `on_first_failure` is called once, before the first pause.
    """

    def report(state: tenacity.RetryCallState) -> None:
        if state.attempt_number == 1:
            on_first_failure()

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(retry_if),
        wait=tenacity.wait_fixed(pause),
        stop=tenacity.stop_after_delay(seconds),
        before_sleep=report,
        reraise=True,
    )
    return retrying(attempt)


def retry_with_backoff(
    attempt: Attempt[Result],
    retry_if: type[Exception],
    *,
    attempts: int,
    first: float,
    max_seconds: float,
    min_seconds: Callable[[BaseException], float] = lambda error: 0.0,
) -> Result:
    """Returns the result of `attempt`, which is called again after each error of the type `retry_if`.

    Raises the last error after `attempts`. The pauses are random, and twice as long each time: up to `first` seconds at
    first, and `max_seconds` at last; each has at least `min_seconds`, the seconds that its error asks for.
    """
    backoff = tenacity.wait_random_exponential(multiplier=first, max=max_seconds)

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        return max(backoff(state), min_seconds(error) if error else 0.0)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(retry_if),
        wait=wait,
        stop=tenacity.stop_after_attempt(attempts),
        reraise=True,
    )
    return retrying(attempt)


def backoff_seconds(attempts: int, *, first: float = 30, max_seconds: float = 3600) -> float:
    """Returns the seconds until the next attempt, after this number of attempts.

    It doubles each time, and is random within a factor of two, so that many attempts do not come at the same time. This
    is not tenacity's wait: the next attempt may be made by another process, days later.
    """
    bound = min(max_seconds, first * 2.0 ** min(attempts - 1, 30))
    return random.uniform(bound / 2, bound)  # noqa: S311  # nothing secret
