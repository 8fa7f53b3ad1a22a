"""Group commit: transactions that threads of one process want at the same time are one transaction.

Each transaction waits for the disk, and costs commands of the driver. Threads can share both: the first one writes at
once, and those that come in the meantime form a group, of which one writes for all. A second group begins while the
first is being written, so that the processor has work. No thread waits while nothing is being written. The busier the
process is, the larger the groups are.

Each caller gets the result of its own writes. A transaction that is rejected stores nothing, and each thread does its
own writes then. After any other error nobody knows if it is stored, and each thread gets 503: an outreach that is
written again could be stored twice. Pure: the store gives the two functions that write.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Final

from osdi.errors import DatabaseUnavailable, WriteConflict
from osdi.store import request_deadline
from osdi.store.writes import Write

Writes = tuple[Write, ...]

MAX_GROUP: Final = 16
# With one at once, posts take longer (docs/decisions/0059-group-commit.md). With more, the groups are smaller.
MAX_GROUPS: Final = 2
MIN_SECOND_GROUP: Final = 2
# A database that hangs keeps the threads that write. The others then try it themselves, each for its own time.
MAX_WAIT_SECONDS: Final = 1.0
TOO_LARGE: Final = 413


class _Pending:
    """The writes of one thread that waits, and what the thread shall do next."""

    __slots__ = ("error", "group", "is_written", "signal", "writes")

    def __init__(self, writes: Writes) -> None:
        self.writes = writes
        # Another thread releases it once.
        self.signal = threading.Lock()
        self.signal.acquire()
        # Set if this thread writes for these; its own writes are among them.
        self.group: list[_Pending] = []
        self.is_written = False
        self.error: DatabaseUnavailable | None = None


class GroupCommit:
    """Does the writes of the threads of one process, one group after the other.

    `write_one` does the writes of one thread, and raises if they are not done. `write_group` does those of several
    threads, all or none. If it raises WriteConflict or OsdiError 413, nothing is written; after any other error the
    outcome is unknown.
    """

    def __init__(self, write_one: Callable[[Writes], None], write_group: Callable[[Sequence[Writes]], None]) -> None:
        self._write_one = write_one
        self._write_group = write_group
        self._lock = threading.Lock()
        self._in_flight = 0
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
            self._waiting.append(pending)
            self._start_group()
        try:
            self._wait(pending)
        except BaseException:  # such as Ctrl-C
            self._leave(pending)
            raise
        if pending.group:
            self._write_for(pending.group, pending)
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

    def _leave(self, pending: _Pending) -> None:
        """Lets the others go on without this thread, and write alone if it should have written for them."""
        with self._lock:
            if pending in self._waiting:
                self._waiting.remove(pending)
        if pending.group:
            self._release(pending.group, pending)

    def _write_for(self, group: Sequence[_Pending], own: _Pending) -> None:
        """Does the writes of a group, among them those of this thread. Then the next group begins."""
        try:
            if len(group) > 1:
                self._write_together(group)
            else:
                self._write_one(own.writes)
                own.is_written = True
        finally:
            self._release(group, own)

    def _release(self, group: Sequence[_Pending], own: _Pending) -> None:
        """Starts the next group, and lets the other threads of this one go on."""
        with self._lock:
            self._in_flight -= 1
            self._start_group()
        for each in group:
            if each is not own:
                each.signal.release()

    def _write_together(self, group: Sequence[_Pending]) -> None:
        """Sets what became of each of the group."""
        for each in group:
            each.error = DatabaseUnavailable()  # if this thread is ended meanwhile
        try:
            self._write_group([each.writes for each in group])
        except Exception as error:
            rejected = isinstance(error, WriteConflict) or getattr(error, "status", None) == TOO_LARGE
            for each in group:
                each.error = None if rejected else unknown_outcome(error)
        else:
            for each in group:
                each.error, each.is_written = None, True

    def _start_group(self) -> None:
        """Lets one of the waiting threads write for all of them, if it is time. The caller has the lock."""
        enough = MIN_SECOND_GROUP if self._in_flight else 1
        if self._in_flight >= MAX_GROUPS or len(self._waiting) < enough:
            return
        group, self._waiting = self._waiting[:MAX_GROUP], self._waiting[MAX_GROUP:]
        self._in_flight += 1
        # A thread that comes is the last one, so it goes on without a switch of threads.
        group[-1].group = group
        group[-1].signal.release()


def unknown_outcome(cause: Exception) -> DatabaseUnavailable:
    """Returns the error for a thread whose writes may be stored or not, with its cause for the log."""
    error = DatabaseUnavailable()
    error.__cause__ = cause
    return error
