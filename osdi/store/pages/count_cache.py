"""Large counts, which are remembered for some seconds; small ones are counted at each reading.

Counting reads one index key for each document, so a page of a large collection would take longer as the collection
grows, and a client that follows all pages would have everything counted at each page. A large number that is some
seconds old is good enough.

MongoDB also keeps the number of all documents of a collection. Reading it is cheap, but it is wrong after an unclean
shutdown of a standalone, by a difference that stays the same. So that number is never trusted by itself: a large
collection is counted once, and its number then tells by how much the count has changed.
"""

import hashlib
import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import bson
from cachetools import TTLCache

# Counting this many index keys takes some milliseconds.
LARGE: Final = 10_000
REMEMBERED: Final = 10_000
# A document that is written while a collection is counted may be missing in the count for this long.
COLLECTION_SECONDS: Final = 600.0


class CountCache:
    """The large numbers that were counted in the last `cache_seconds`; threads may share it."""

    def __init__(self, cache_seconds: float) -> None:
        self._large: TTLCache[bytes, int] = TTLCache(REMEMBERED, cache_seconds)
        self._lock = threading.Lock()

    def get(self, counted: Mapping[str, Any], count: Callable[[], int], *, large: int) -> int:
        """Returns the result of `count`, or an earlier one for the same `counted` that was more than `large`.

        `counted` holds what BSON holds.
        """
        # The key is a digest only: a filter may be long, and may contain an address of a person.
        key = hashlib.sha256(bson.encode(counted)).digest()
        with self._lock:
            found = self._large.get(key)
        if found is None:
            found = count()
            if found > large:
                with self._lock:
                    self._large[key] = found
        return found


@dataclass(frozen=True)
class _Counted:
    """The difference between a collection's count and the number that the server keeps; and that server."""

    difference: int
    server: Hashable


class CollectionCounts:
    """The numbers of all documents of large collections; threads may share it."""

    def __init__(self) -> None:
        self._counted: TTLCache[str, _Counted] = TTLCache(REMEMBERED, COLLECTION_SECONDS)
        self._lock = threading.Lock()

    def get(
        self,
        collection: str,
        server: Hashable,
        kept: Callable[[], int],
        count: Callable[[int | None], int | None],
        *,
        large: int,
    ) -> int:
        """Returns the number of documents: counted up to `large`, and beyond it by the number that the server keeps.

        `kept` returns that number. `count` counts to a limit or, with None, everything; it returns None if that takes
        too long. `server` changes when a server process starts or another one becomes primary: each keeps another
        number.
        """
        with self._lock:
            counted = self._counted.get(collection)
        if counted is None or counted.server != server:
            found = count(large + 1)
            if found is not None and found <= large:
                return found
            before = kept()
            found = count(None)
            # Without a count there is nothing better than the server's number.
            counted = _Counted(0 if found is None else found - before, server)
            with self._lock:
                self._counted[collection] = counted
        return max(0, kept() + counted.difference)
