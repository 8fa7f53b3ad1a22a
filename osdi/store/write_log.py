"""What a request writes: each document that the store inserts, changes or deletes, noted once it is stored.

Whoever wants to know opens a list by `start()`; the store notes into it without knowing who that is. What a
transaction gave up is not noted. Where the outcome of a commit stays unknown nothing is noted, though it may be there.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final

from osdi.store.indexes import INVALIDATIONS

_written: Final[ContextVar[list[str] | None]] = ContextVar("written", default=None)


def start() -> list[str]:
    """A new list, to which everything goes that this thread writes from now on."""
    opened: list[str] = []
    _written.set(opened)
    return opened


def end() -> None:
    """Nothing is noted any more."""
    _written.set(None)


def record(collection: str, document_id: str) -> None:
    """Note one document, as `collection/id`."""
    opened = _written.get()
    if opened is not None and collection != INVALIDATIONS:  # what is noted for the statistics is nobody's change
        opened.append(f"{collection}/{document_id}")


def record_many(collection: str, query: Mapping[str, Any], count: int) -> None:
    """Note `count` documents, if any, as `collection?field=id (count)`: there may be more than a line can hold.

    Only ids are told of the query. Whatever else it compares with may be somebody's.
    """
    opened = _written.get()
    if opened is not None and count:
        named = "&".join(f"{field}={value}" for field, value in query.items() if field.endswith("_id"))
        opened.append(f"{collection}?{named} ({count})")
