"""The worker process: follow-ups, webhooks, merges that are to be finished, and what is not to be kept any longer.

It may be started as often as is useful. Each work has a thread, so that a receiver of webhooks that is slow holds up no
mail. Nothing is kept in memory: whatever dies is taken over by another worker, or by this one when it starts again.
SIGTERM lets what is being sent end first.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

from osdi import log
from osdi.errors import OsdiError
from osdi.retrying import wait_seconds
from osdi.store.schema import WrongDatabase

POLL_SECONDS: Final = 1.0
STOP_SECONDS: Final = 25.0
FAILURES_OF_ONCE: Final = 3
# After a failure; doubled with each further one in a row.
FIRST_WAIT_SECONDS: Final = 1.0
LONGEST_WAIT_SECONDS: Final = 30.0

Work = Callable[[], bool]


def run(works: Iterable[Work], *, once: bool = False) -> str | None:
    """Do all works side by side, each until there is nothing left, over and over until SIGTERM or SIGINT.

    A work does one thing and says whether there may be more. With `once` all ends when nothing is left, or when it has
    failed several times in a row. Returns what is wrong, as a sentence, where something was left in the middle.
    """
    stop, gave_up = threading.Event(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    refused: list[str] = []
    threads = [
        threading.Thread(target=_loop, args=(work, stop, gave_up if once else None, refused), daemon=True)
        for work in works
    ]
    for thread in threads:
        thread.start()
    while not stop.is_set() and any(thread.is_alive() for thread in threads):
        stop.wait(POLL_SECONDS)
    ends = time.monotonic() + STOP_SECONDS
    for thread in threads:
        thread.join(max(0.0, ends - time.monotonic()))
    if refused:
        return refused[0]
    if any(thread.is_alive() for thread in threads):
        return "Something was still being sent; another worker takes it over."
    return "It failed again and again; the log tells why." if gave_up.is_set() else None


def _loop(work: Work, stop: threading.Event, gave_up: threading.Event | None, refused: list[str]) -> None:
    """Do the work until `stop`; where there is a `gave_up`, until nothing is left or that is set.

    A database that is not for this program stops all; why stands in `refused`.
    """
    failures = 0
    while not stop.is_set():
        try:
            more = work()
            failures = 0
        except WrongDatabase as error:
            refused.append(str(error))
            stop.set()
            return
        except Exception as error:  # a worker outlives what it meets; what it was doing is taken up again
            failures += 1
            away = isinstance(error, OsdiError) and error.status == 503
            log.logger().error("worker", waiting="the database" if away else None, exc_info=error)
            if gave_up is not None and failures >= FAILURES_OF_ONCE:
                gave_up.set()
                return
            stop.wait(wait_seconds(failures, first=FIRST_WAIT_SECONDS, longest=LONGEST_WAIT_SECONDS))
            continue
        if not more:
            if gave_up is not None:
                return
            stop.wait(POLL_SECONDS)
