"""What may hang and takes no time-out of its own, such as the system's lookup of a name, asked for a bounded time."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Answer = TypeVar("Answer")


def in_time(ask: Callable[[], Answer], seconds: float) -> Answer:
    """What `ask` returns or raises. Raises TimeoutError after so many seconds; the thread that asks is left behind."""
    answer: Future[Answer] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except Exception as error:  # for the thread that waits
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return answer.result(seconds)
