"""How the person of a post was found: noted where it is decided, for whoever counts.

What a request did last is kept in its thread, so an attempt that lost a race does not count. Nobody has to listen.
"""

from contextvars import ContextVar
from typing import Final

LINK: Final = "link"
NEW: Final = "new"
RETRY: Final = "retry"

_matched: Final[ContextVar[str | None]] = ContextVar("matched", default=None)


def note(kind: str | None) -> None:
    """Note by what kind of key somebody was found, or LINK, NEW or RETRY; None once it was counted."""
    _matched.set(kind)


def noted() -> str | None:
    """What was noted last."""
    return _matched.get()
