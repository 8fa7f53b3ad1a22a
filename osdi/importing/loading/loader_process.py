"""The second process of an import, as the importing process sees it."""

import errno
import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from osdi.importing.loading.chunks import Chunk
from osdi.importing.loading.row_loader import RowLoader
from osdi.importing.sources import Source

# -P: files of the present folder are no modules.
COMMAND: Final = (sys.executable, "-P", "-m", "osdi.importing.loading")
# Chunks that are received before they are needed: as many rows as two batches have. Then the process waits.
AHEAD: Final = 8


@dataclass
class LoaderEnded(Exception):
    """The process has ended before it has loaded all rows. A negative status is the number of a signal."""

    status: int


class LoaderProcess:
    """A process that reads a source from its beginning and loads the rows after the first `skipped` ones.

    A thread receives them. The process has a process group of its own, so Ctrl-C reaches the importing process only.
    """

    def __init__(self, source: Source, loader: RowLoader, skipped: int) -> None:
        """Starts the process. Raises OSError if there cannot be another one."""
        work = pickle.dumps((source, loader, skipped))
        path = os.pathsep.join(map(os.path.abspath, sys.path))
        self._process = subprocess.Popen(  # noqa: S603
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            process_group=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="import-loader")
        try:
            self._pool.submit(self._send, work)
        except RuntimeError as error:  # the system allows no more threads
            self._input.close()
            self.close()
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from error

    def chunks(self) -> Iterator[Chunk]:
        """Yields all chunks. Raises LoaderEnded."""
        received = deque(self._pool.submit(self._receive) for _ in range(AHEAD))
        while (chunk := received.popleft().result()) is not None:
            received.append(self._pool.submit(self._receive))
            yield chunk

    def status(self) -> int:
        """Returns the exit status of the process, once it has ended."""
        return self._process.wait()

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._pool.shutdown()
        self._output.close()
        self._process.wait()

    def _send(self, work: bytes) -> None:
        with suppress(BrokenPipeError), self._input:  # if the process has ended, `_receive` finds that
            self._input.write(work)

    def _receive(self) -> Chunk | None:
        """Returns the next chunk, or None after the last one. Raises LoaderEnded."""
        try:
            chunk: Chunk | None = pickle.load(self._output)  # noqa: S301 - of a process of our own
        except (EOFError, pickle.UnpicklingError):
            raise LoaderEnded(self.status()) from None
        return chunk
