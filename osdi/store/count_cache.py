"""How many documents a query selects: counted at each reading while that is quick, else remembered for a while.

Counting reads a key of an index for each document, so a page of a large collection would take the longer the larger it
is, and a walk through it would count everything at every page. A large number is as good a few seconds later.
"""

import hashlib
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

import bson
from cachetools import TTLCache
from pymongo.collection import Collection

LARGE: Final = 10_000
"""So many keys of an index are counted anew each time: some milliseconds."""
LARGE_ENTRIES: Final = 500
"""The same of entries inside people, for which the documents are read."""
REMEMBERED: Final = 10_000


class Counts:
    """The large numbers that were counted in the last `cache_seconds`."""

    def __init__(self, cache_seconds: float) -> None:
        self._large: TTLCache[bytes, int] = TTLCache(REMEMBERED, cache_seconds)
        self._lock = threading.Lock()

    def told(self, counted: Mapping[str, Any], count: Callable[[], int], *, large: int) -> int:
        """What `count` says, or said where that was more than `large`.

        `counted` tells it from every other number; it holds what BSON holds.
        """
        # Of what was counted only a digest is kept: a filter may be long, and hold somebody's address.
        key = hashlib.sha256(bson.encode(counted)).digest()
        with self._lock:
            found = self._large.get(key)
        if found is None:
            found = count()
            if found > large:
                with self._lock:
                    self._large[key] = found
        return found


def entries(people: Collection[dict[str, Any]], array: str, field: str, value: str) -> int:
    """How many entries of an embedded array, over all people, have this value in a field."""
    having = {"$filter": {"input": f"${array}", "cond": {"$eq": [f"$$this.{field}", value]}}}
    pipeline: list[dict[str, Any]] = [
        {"$match": {f"{array}.{field}": value}},
        {"$group": {"_id": None, "entries": {"$sum": {"$size": having}}}},
    ]
    found = next(iter(people.aggregate(pipeline)), {"entries": 0})
    return int(found["entries"])
