"""What the days of a campaign have by kind in all, remembered by a process for as long as none of them has changed.

Adding up a hundred days is most of what it costs to read statistics. Which documents were added up is remembered by
their revisions, of which each is another one; so what is remembered is of these documents or it is not used.
"""

import threading
from collections.abc import Mapping
from typing import Final

from cachetools import LRUCache

from osdi.statistics.tally import Tally

REMEMBERED: Final = 16
# A sum of more values is not remembered, for what it would take in memory: some hundred bytes each.
LARGEST: Final = 4_000

Revisions = Mapping[str, str]


class RangeCache:
    """By the id of a range's slot, what its days have; threads may share it."""

    def __init__(self) -> None:
        self._sums: LRUCache[str, tuple[Revisions, Tally]] = LRUCache(REMEMBERED)
        self._lock = threading.Lock()

    def of(self, range_id: str, revisions: Revisions) -> Tally | None:
        """What the days with these revisions, by id, have by kind; None where that is not known. Not to be changed."""
        with self._lock:
            known, summed = self._sums.get(range_id, ({}, None))
        return summed if known == revisions else None

    def knows(self, range_id: str) -> bool:
        """Whether there is any sum of the range."""
        with self._lock:
            return range_id in self._sums

    def remember(self, range_id: str, revisions: Revisions, summed: Tally) -> None:
        """Remember it, unless it is large."""
        if sum(map(len, summed.by.values())) <= LARGEST:
            with self._lock:
                self._sums[range_id] = revisions, summed
