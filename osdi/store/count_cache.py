"""Large counts, which are remembered for some seconds; small ones are counted at each reading.

Counting reads one index key for each document, so a page of a large collection would take longer as the collection
grows, and a client that follows all pages would have everything counted at each page. A large number that is some
seconds old is good enough.
"""

import hashlib
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

import bson
from cachetools import TTLCache

# Counting this many index keys takes some milliseconds.
LARGE: Final = 10_000
REMEMBERED: Final = 10_000


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
