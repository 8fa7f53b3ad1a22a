"""Group commit: writes that threads of one process want at the same time are done together.

Each write waits for the disk, and costs commands of the driver. Threads can share both: the first one writes at once,
and those that come in the meantime wait. When it has finished, the first of them writes for all of them, and so on. So
no thread waits for others to come, and the busier the process is, the more writes share a transaction.

Each caller gets the result of its own write. A transaction of a group that is rejected stores nothing, and each thread
does its own write then. Pure: the store gives the two functions that write.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Final

from osdi.errors import DatabaseUnavailable, OsdiError
from osdi.store import request_deadline
from osdi.store.writes import Write

Writes = tuple[Write, ...]

# Each document is encoded before any is sent, so a group must fit into one message of the driver.
MAX_GROUP: Final = 16
# A database that hangs keeps the thread that writes. The others then try it themselves, each for its own time.
MAX_WAIT_SECONDS: Final = 1.0


class _Pending:
    """The writes of one thread that waits, and what the thread shall do next."""

    __slots__ = ("error", "group", "is_written", "signal", "writes")

    def __init__(self, writes: Writes) -> None:
        self.writes = writes
        # Another thread releases it once.
        self.signal = threading.Lock()
        self.signal.acquire()
        # Set if this thread writes for these: its own writes come first.
        self.group: list[_Pending] = []
        self.is_written = False
        self.error: OsdiError | None = None


class GroupCommit:
    """Does the writes of the threads of one process, one group after the other.

    `write_one` does the writes of one thread, and raises if they are not done. `write_group` does those of several
    threads, each all or none. It returns the places in the group of those that the database rejected.
    If it raises DatabaseUnavailable, the outcome is unknown; after any other error nothing is written.
    """

    def __init__(
        self, write_one: Callable[[Writes], None], write_group: Callable[[Sequence[Writes]], Sequence[int]]
    ) -> None:
        self._write_one = write_one
        self._write_group = write_group
        self._lock = threading.Lock()
        self._is_writing = False
        self._waiting: list[_Pending] = []

    @property
    def waiting(self) -> int:
        """The number of threads that wait until another one has finished its writes."""
        return len(self._waiting)

    def write(self, writes: Writes) -> None:
        """Does the writes, alone or in a group. Raises what `write_one` raises."""
        if request_deadline.left() is not None:  # a request that is late must not wait for others
            self._write_one(writes)
            return
        pending = _Pending(writes)
        with self._lock:
            if self._is_writing:
                self._waiting.append(pending)
            else:
                self._is_writing = True
                pending.group = [pending]
        if not pending.group:
            self._wait(pending)
        if pending.group:
            self._write_for(pending.group)
        if pending.error is not None:
            raise pending.error
        if not pending.is_written:
            self._write_one(writes)

    def _wait(self, pending: _Pending) -> None:
        """Returns when the writes are done, or when this thread has to do something."""
        if pending.signal.acquire(timeout=MAX_WAIT_SECONDS):
            return
        with self._lock:
            if pending in self._waiting:
                self._waiting.remove(pending)
                return
        pending.signal.acquire()  # a thread has begun to write them, and its time-outs are those of any write

    def _write_for(self, group: Sequence[_Pending]) -> None:
        """Does the writes of a group, whose first are those of this thread. Then the next group begins."""
        first, *others = group
        try:
            if others:
                self._write_together(group)
            else:
                self._write_one(first.writes)
                first.is_written = True
        finally:
            self._start_next()
            for each in others:
                each.signal.release()

    def _write_together(self, group: Sequence[_Pending]) -> None:
        """Sets what became of each of the group."""
        for each in group:
            each.error = DatabaseUnavailable()  # if this thread is ended
        try:
            rejected = self._write_group([each.writes for each in group])
        except DatabaseUnavailable:
            return
        except Exception:  # each thread does its own write, and gets its own error
            rejected = range(len(group))
        for place, each in enumerate(group):
            each.error = None
            each.is_written = place not in rejected

    def _start_next(self) -> None:
        """Lets the first of the waiting threads write for all of them."""
        with self._lock:
            group, self._waiting = self._waiting[:MAX_GROUP], self._waiting[MAX_GROUP:]
            self._is_writing = bool(group)
            if group:
                group[0].group = group
                group[0].signal.release()
