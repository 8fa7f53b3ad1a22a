"""Counts calls in fixed windows of time, in a table of three megabytes that does not grow.

One object per caller would take some hundred bytes, and a popular campaign page brings a hundred thousand callers in an
hour. The table has groups of a few windows each. A caller's digest selects the group. If the group is full, the window
that ends first is replaced.
"""

import hashlib
import mmap
import os
import time
from collections.abc import Callable
from typing import Final

WINDOWS: Final = 131_072
# The number of windows in a group; with half of all windows in use, one in fifty groups is full.
GROUP: Final = 8
# The three numbers of a window, of eight bytes each: the caller's digest, its end in milliseconds, and the count.
KEY, ENDS, COUNT = range(3)
SLOT: Final = 3
# With a secret key clients cannot choose callers of the same group.
SECRET: Final = os.urandom(16)


class Windows:
    """Windows of `seconds`, each from its first request on. Not safe for threads: the caller holds a lock."""

    def __init__(self, seconds: float, *, windows: int = WINDOWS, clock: Callable[[], float] = time.monotonic) -> None:
        self._milliseconds = int(seconds * 1_000)
        self._clock = clock
        self._groups = max(1, windows // GROUP)
        # The operating system allocates a page of it when it is first written.
        size = self._groups * GROUP * SLOT * 8
        self._table = memoryview(mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)).cast("Q")

    def count(self, caller: str, cost: int = 1) -> tuple[int, float]:
        """Adds `cost` to the caller's window; returns its sum, and the seconds until the window ends."""
        table = self._table
        digest = hashlib.blake2b(caller.encode(errors="surrogatepass"), digest_size=8, key=SECRET).digest()
        key = int.from_bytes(digest, "big")
        timestamp = int(self._clock() * 1_000)
        start = key % self._groups * GROUP * SLOT
        first = start
        for at in range(start, start + GROUP * SLOT, SLOT):
            if table[at + KEY] == key and table[at + ENDS] > timestamp:
                table[at + COUNT] += cost
                return table[at + COUNT], (table[at + ENDS] - timestamp) / 1_000
            if table[at + ENDS] < table[first + ENDS]:
                first = at
        table[first + KEY], table[first + ENDS], table[first + COUNT] = key, timestamp + self._milliseconds, cost
        return cost, self._milliseconds / 1_000
