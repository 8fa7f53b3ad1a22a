"""Sums of a range of days by kind, remembered by a process for as long as no rollup of these days changes.

Adding up a hundred days is most of the time that statistics take to read. A sum is remembered with the revisions of the
rollups that were added, of which each stored version has another one; it is used for the same revisions only.
"""

import threading
from collections.abc import Mapping
from typing import Final

from cachetools import LRUCache

from osdi.statistics.tally import Tally

REMEMBERED: Final = 16
# A sum of more values is not remembered: each takes some hundred bytes.
MAX_VALUES: Final = 4_000

Revisions = Mapping[str, str]


class RangeCache:
    """The sums by the id of the range's rollup; threads may share it."""

    def __init__(self) -> None:
        self._sums: LRUCache[str, tuple[Revisions, Tally]] = LRUCache(REMEMBERED)
        self._lock = threading.Lock()

    def of(self, range_id: str, revisions: Revisions) -> Tally | None:
        """Returns the sum of the days with these revisions by id, or None. The caller must not change it."""
        with self._lock:
            known, summed = self._sums.get(range_id, ({}, None))
        return summed if known == revisions else None

    def knows(self, range_id: str) -> bool:
        """True if a sum of the range is remembered, of whatever revisions."""
        with self._lock:
            return range_id in self._sums

    def remember(self, range_id: str, revisions: Revisions, summed: Tally) -> None:
        """Remembers a sum, unless it is large."""
        if sum(map(len, summed.by.values())) <= MAX_VALUES:
            with self._lock:
                self._sums[range_id] = revisions, summed
