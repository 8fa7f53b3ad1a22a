"""SIGINT and SIGTERM of a command: the first one ends it in order, the next one at once.

Imports nothing of this project: the program loads this module before all others, which take most of its start.
"""

import os
import signal
from types import FrameType
from typing import Final

INTERRUPTED: Final = 130
TERMINATED: Final = 143
SENTENCES: Final = {INTERRUPTED: "Ended by Ctrl-C.", TERMINATED: "Ended by SIGTERM."}


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a command in the same order as Ctrl-C does."""


def end_at_once(number: int, _: FrameType | None = None) -> None:
    """Ends the process with a sentence, and without what is left to do."""
    code = TERMINATED if number == signal.SIGTERM else INTERRUPTED
    os.write(2, f"{SENTENCES[code]}\n".encode())
    os._exit(code)


def end_in_order(number: int, _: FrameType | None = None) -> None:
    """Raises KeyboardInterrupt or Terminated, which the command passes on as it cleans up."""
    handle_by(end_at_once)
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def handle_by(handler: "signal._HANDLER") -> None:
    """Sets the handler of both signals. One that the process ignores, as in the background of a script, stays so."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)
