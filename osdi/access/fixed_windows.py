"""Fixed windows in which callers are counted, in memory that does not grow: however many call, it is three megabytes.

A window of every caller's own, as an object, would take some hundred bytes for each, and a page of a campaign that goes
round brings a hundred thousand of them in an hour. Here they lie in a table of numbers, in groups of a few: a caller's
digest says the group, and where all of the group are taken, the window that ends first is given up.
"""

import hashlib
import mmap
import os
import time
from collections.abc import Callable
from typing import Final

WINDOWS: Final = 131_072
# So many windows are looked through; with half of all taken, one in fifty groups is full.
GROUP: Final = 8
# What a window holds, each of eight bytes: the caller's digest, when it ends in milliseconds, and the count.
KEY, ENDS, COUNT = range(3)
SLOT: Final = 3
# Nobody outside can choose keys of the same group.
SECRET: Final = os.urandom(16)


class Windows:
    """Windows of so many seconds, each from its first request on. Not safe for threads: the caller holds a lock."""

    def __init__(self, seconds: float, *, windows: int = WINDOWS, clock: Callable[[], float] = time.monotonic) -> None:
        self._milliseconds = int(seconds * 1_000)
        self._clock = clock
        self._groups = max(1, windows // GROUP)
        # Pages of it that nobody was counted in take no memory yet.
        size = self._groups * GROUP * SLOT * 8
        self._table = memoryview(mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)).cast("Q")

    def count(self, caller: str) -> tuple[int, float]:
        """Count one for the caller: how many that makes in the window, and the seconds until it ends."""
        table = self._table
        digest = hashlib.blake2b(caller.encode(errors="surrogatepass"), digest_size=8, key=SECRET).digest()
        key = int.from_bytes(digest, "big")
        timestamp = int(self._clock() * 1_000)
        start = key % self._groups * GROUP * SLOT
        first = start
        for at in range(start, start + GROUP * SLOT, SLOT):
            if table[at + KEY] == key and table[at + ENDS] > timestamp:
                table[at + COUNT] += 1
                return table[at + COUNT], (table[at + ENDS] - timestamp) / 1_000
            if table[at + ENDS] < table[first + ENDS]:
                first = at
        table[first + KEY], table[first + ENDS], table[first + COUNT] = key, timestamp + self._milliseconds, 1
        return 1, self._milliseconds / 1_000
