"""The write log of a request: each document that the store inserts, changes or deletes, recorded once it is stored.

`start()` opens a list for this thread, and the store appends to it. An aborted transaction records nothing. A commit of
unknown outcome records nothing either, though its documents may be stored.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final

from osdi.resources import DELETION
from osdi.store.indexes import CUSTOM_NAMES, DELETIONS, INVALIDATIONS, SIGNING_KEYS

# Notes for the worker, records of deletions, and keys that the first request creates.
NOT_DATA: Final = frozenset((CUSTOM_NAMES, DELETIONS, DELETION.collection, INVALIDATIONS, SIGNING_KEYS))

_written: Final[ContextVar[list[str] | None]] = ContextVar("written", default=None)


def start() -> list[str]:
    """Returns a new list, to which everything is appended that this thread writes from now on."""
    opened: list[str] = []
    _written.set(opened)
    return opened


def end() -> None:
    """Stops recording in this thread."""
    _written.set(None)


def record(collection: str, document_id: str) -> None:
    """Records one document, as `collection/id`."""
    opened = _written.get()
    if opened is not None and collection not in NOT_DATA:
        opened.append(f"{collection}/{document_id}")


def record_many(collection: str, query: Mapping[str, Any], count: int) -> None:
    """Records `count` documents, if any, as `collection?field=id (count)`: their ids might not fit into a line.

    Of the query only ids are recorded; other values may be personal data.
    """
    opened = _written.get()
    if opened is not None and count:
        named = "&".join(f"{field}={value}" for field, value in query.items() if field.endswith("_id"))
        opened.append(f"{collection}?{named} ({count})")
