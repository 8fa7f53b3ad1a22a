"""Counts in memory which sites frame the forms of campaigns, so that a request for a form writes nothing as a rule.

The first frame of a site is written as soon as its response is sent, further ones of this process every five minutes.
Whatever requests come, a process writes at most MAX_WRITES sites in a second.
"""

import datetime as dt
import math
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cachetools import FIFOCache

from osdi import log
from osdi.campaign_pages.embedding.frame_sources import may_frame, site_of
from osdi.campaign_pages.embedding.site_store import BLOCKED, NAMELESS, SHOWN, UNKNOWN, add_frames
from osdi.errors import OsdiError, WriteConflict
from osdi.ids import now
from osdi.store import Store

# A header Sec-Fetch-Dest with one of these says that a browser puts the response into a frame.
FRAMES: Final = frozenset({"iframe", "frame", "embed", "object"})
WRITE_EVERY_SECONDS: Final = 300.0
PAUSE_SECONDS: Final = 1.0
MAX_WRITES: Final = 20
# The counts that a process has in memory. If there are more, the oldest is lost.
MAX_COUNTS: Final = 1_000
# Campaign, origin and outcome.
Key = tuple[str, str, str]


@dataclass
class _Count:
    """Frames that are not written yet, the origins that the campaign lists, and when a write was last tried."""

    number: int = 0
    listed: Sequence[str] = ()
    last: dt.datetime = dt.datetime.min
    written: float = -math.inf


class SiteCounts:
    """The counts of one process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counts: FIFOCache[Key, _Count] = FIFOCache(MAX_COUNTS)
        self._lock = threading.Lock()
        # Before this moment nothing is written, and before the other one no count but the present is looked at.
        self._resumes = self._looks = -math.inf

    def count(self, campaign_id: str, referrer: str, *, listed: Sequence[str], sources: Sequence[str]) -> bool:
        """Counts one frame, by the address of the page around it as a browser sent it; True if `write` has work.

        `sources` are those of the response's `frame-ancestors`, and `listed` the origins that the campaign lists.
        """
        origin = site_of(referrer) or NAMELESS
        outcome = UNKNOWN if origin == NAMELESS else SHOWN if may_frame(sources, origin) else BLOCKED
        with self._lock:
            counted = self._counts.setdefault((campaign_id, origin, outcome), _Count())
            counted.number += 1
            counted.listed, counted.last = listed, now()
            return self._has_work(counted)

    def write(self) -> None:
        """Writes the counts that are due. After a failure they stay in memory, and the log says so."""
        with self._lock:
            timestamp = time.monotonic()
            if timestamp < self._resumes:
                return
            taken = [(key, each, each.number) for key, each in self._due(timestamp)][:MAX_WRITES]
            self._resumes = timestamp + PAUSE_SECONDS
            for _, each, _ in taken:
                each.number, each.written = 0, timestamp
        for key, each, number in taken:
            try:
                add_frames(self._store, *key, number, listed=each.listed, timestamp=each.last)
            except (OsdiError, WriteConflict) as error:
                with self._lock:
                    each.number += number
                log.logger().warning("embedding_sites", advocacy_campaign_id=key[0], exc_info=error)

    def _has_work(self, counted: _Count) -> bool:
        """True if this count or another is due; looks at others once in PAUSE_SECONDS. The caller has the lock."""
        timestamp = time.monotonic()
        if timestamp < self._resumes:
            return False
        if timestamp - counted.written >= WRITE_EVERY_SECONDS:
            return True
        if timestamp < self._looks:
            return False
        self._looks = timestamp + PAUSE_SECONDS
        return any(True for _ in self._due(timestamp))

    def _due(self, timestamp: float) -> Iterator[tuple[Key, _Count]]:
        """Yields the counts to write at a time; the caller has the lock."""
        yield from (
            item
            for item in self._counts.items()
            if item[1].number and timestamp - item[1].written >= WRITE_EVERY_SECONDS
        )
