"""The loop of the worker process: follow-ups, webhooks, unfinished merges, retention, old keys and statistics.

Any number of workers can run. Each kind of work has a thread, so that a slow webhook receiver does not delay mails. All
state is in the database: if a worker dies, another one takes over its work, or the same one after a restart. After
SIGTERM the worker finishes what it is sending.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Final

from osdi import log
from osdi.errors import OsdiError
from osdi.retry import backoff_seconds
from osdi.store.schema_version import WrongDatabase

POLL_SECONDS: Final = 1.0
# After a failure; doubled with each further one in a row.
FIRST_WAIT_SECONDS: Final = 1.0
MAX_WAIT_SECONDS: Final = 30.0
STOP_SECONDS: Final = 25.0
FAILURES_OF_ONCE: Final = 3

Work = Callable[[], bool]


def run(works: Iterable[Work], *, once: bool = False) -> str | None:
    """Runs each work in its own thread until SIGTERM or SIGINT.

    A work does one thing and returns True if there may be more. With `once`, a thread ends when nothing is left or
    after FAILURES_OF_ONCE failures in a row. Returns a sentence with the problem if work is unfinished, else None.
    Raises KeyboardInterrupt at the end if SIGINT stopped it.
    """
    stop, gave_up, signals = threading.Event(), threading.Event(), set[int]()

    def end(number: int, _: FrameType | None) -> None:
        signals.add(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    errors: list[str] = []
    threads = [
        threading.Thread(target=_loop, args=(work, stop, gave_up if once else None, errors), daemon=True)
        for work in works
    ]
    for thread in threads:
        thread.start()
    while not stop.is_set() and any(thread.is_alive() for thread in threads):
        stop.wait(POLL_SECONDS)
    ends = time.monotonic() + STOP_SECONDS
    for thread in threads:
        thread.join(max(0.0, ends - time.monotonic()))
    if errors:
        return errors[0]
    if any(thread.is_alive() for thread in threads):
        return f"Work was unfinished after {STOP_SECONDS:g} s; another worker will take it over."
    if signals == {signal.SIGINT}:
        raise KeyboardInterrupt
    return f"Stopped after {FAILURES_OF_ONCE} failures in a row; see the log." if gave_up.is_set() else None


def _loop(work: Work, stop: threading.Event, gave_up: threading.Event | None, errors: list[str]) -> None:
    """Does the work until `stop`; with `gave_up` until nothing is left or FAILURES_OF_ONCE failures in a row.

    If the database belongs to another version of the program, adds the reason to `errors` and stops all threads.
    """
    failures = 0
    while not stop.is_set():
        try:
            more = work()
            failures = 0
        except WrongDatabase as error:
            errors.append(str(error))
            stop.set()
            return
        except Exception as error:  # the worker survives any error and tries the same work again
            failures += 1
            unavailable = isinstance(error, OsdiError) and error.status == 503
            log.logger().error("worker", waiting="the database" if unavailable else None, exc_info=error)
            if gave_up is not None and failures >= FAILURES_OF_ONCE:
                gave_up.set()
                return
            # Not by osdi.retry: a signal ends this wait, after which the work must not be attempted once more.
            stop.wait(backoff_seconds(failures, first=FIRST_WAIT_SECONDS, max_seconds=MAX_WAIT_SECONDS))
            continue
        if not more:
            if gave_up is not None:
                return
            stop.wait(POLL_SECONDS)
