"""Positions of far pages: which document is at which place of a collection, remembered for some minutes.

The database steps over each document ahead of a page that is asked for by its number. A client that reads page after
page would wait longer for each. So a process remembers where the last pages ended, and steps from there.
"""

import hashlib
import threading
from dataclasses import dataclass
from typing import Final

import bson
from cachetools import LRUCache, TTLCache

from osdi.documents import Query
from osdi.paging import Page

# Nearer pages cost less than what is remembered could save.
REMEMBERED_FROM: Final = 10_000
# More documents are not stepped over: a million take a quarter of a second.
MAX_STEPS: Final = 1_000_000
REMEMBERED_SECONDS: Final = 600.0
MAX_QUERIES: Final = 100
MAX_POSITIONS_OF_QUERY: Final = 200


@dataclass(frozen=True)
class KnownPosition:
    """A position that is known, by its cursor, and the number of steps from there. Without a cursor it is the start."""

    steps: int
    cursor: str | None


class PagePositions:
    """The ends of the far pages that were read in the last REMEMBERED_SECONDS; threads may share it."""

    def __init__(self) -> None:
        self._known: LRUCache[bytes, TTLCache[int, str]] = LRUCache(MAX_QUERIES)
        self._lock = threading.Lock()

    def nearest(self, collection: str, query: Query, page: int, per_page: int) -> KnownPosition:
        """Returns the last known position ahead of a page."""
        start = (page - 1) * per_page
        if start < REMEMBERED_FROM:
            return KnownPosition(start, None)
        with self._lock:
            known = self._known.get(_key(collection, query), TTLCache(1, 0))
            position = max((each for each in known if each <= start), default=0)
            return KnownPosition(start - position, known[position] if position else None)

    def remember(self, collection: str, query: Query, page: Page) -> None:
        """Remembers where a page ends that was read by its number."""
        end = page.page * page.per_page
        if end < REMEMBERED_FROM:
            return
        key = _key(collection, query)
        with self._lock:
            if key not in self._known:
                self._known[key] = TTLCache(MAX_POSITIONS_OF_QUERY, REMEMBERED_SECONDS)
            self._known[key][end] = page.cursor_at(-1)


def _key(collection: str, query: Query) -> bytes:
    """Returns a key for a query; a digest, since a filter may contain an address of a person."""
    return hashlib.sha256(bson.encode({collection: query})).digest()
