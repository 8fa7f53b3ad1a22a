"""The loaded rows of a file: of a large one by a second process, if the machine has a processor for it.

The second process costs a start. So this process loads the first rows itself meanwhile. It also loads the rest if the
second one ends too early, for example because the system has run out of memory.
"""

import os
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice
from typing import Final

from osdi import log
from osdi.importing.loading.loader_process import LoaderEnded, LoaderProcess
from osdi.importing.loading.row_loader import LoadedRow, RowLoader
from osdi.importing.sources import Source

# Loading the rows of a smaller file takes less than the start of a process.
MIN_BYTES: Final = 1_000_000
# As many rows as are imported while the process starts.
FIRST_ROWS: Final = 1_000


class LoadedRows:
    """The rows of a source after the first `skipped` ones, each with its loaded body.

    `position` is the number of bytes that have been read for the rows so far. Close it: the second process ends then.
    """

    def __init__(self, source: Source, loader: RowLoader, skipped: int) -> None:
        self.position = source.position
        self._source, self._loader = source, loader
        self._done = skipped
        self._here = self._loaded_here()
        self._rows = self._loaded()

    def __iter__(self) -> Iterator[LoadedRow]:
        return self._rows

    def close(self) -> None:
        """Ends the second process, if there is one."""
        self._rows.close()

    def _loaded(self) -> Generator[LoadedRow, None, None]:
        if process := self._started():
            with closing(process):
                yield from islice(self._here, FIRST_ROWS)
                try:
                    yield from self._received(process)
                    return
                except LoaderEnded as ended:
                    log.logger().warning("import", second_process="ended", status=ended.status)
        yield from self._here

    def _started(self) -> LoaderProcess | None:
        """Returns a process that loads the rows after the next FIRST_ROWS, if it saves time."""
        if self._source.size < MIN_BYTES or processors() < 2:
            return None
        try:
            return LoaderProcess(self._source, self._loader, self._done + FIRST_ROWS)
        except OSError as error:  # the system allows no more processes, or has no memory
            log.logger().warning("import", second_process="not started", error=error.strerror)
            return None

    def _loaded_here(self) -> Iterator[LoadedRow]:
        """Yields the rows that were not yielded before, loaded by this process."""
        for index, item in enumerate(self._source.items()):
            if index >= self._done:
                self._done, self.position = index + 1, self._source.position
                yield item, self._loader.load(item)

    def _received(self, process: LoaderProcess) -> Iterator[LoadedRow]:
        """Yields the rows that the process has loaded. Raises LoaderEnded."""
        for chunk in process.chunks():
            self._done, self.position = self._done + len(chunk.rows), chunk.position
            yield from chunk.rows
        if self.position < self._source.size:  # no row may be left out, whatever that process has read
            raise LoaderEnded(process.status())


def processors() -> int:
    """Returns the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
