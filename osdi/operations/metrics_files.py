"""The files that web processes count in: their memory is allocated before it is written.

prometheus_client maps files into memory without allocating them. If the folder is in memory (`/dev/shm`) and full, the
first write to a page that is not allocated ends the process with SIGBUS. Here a full folder is an OSError. The library
also creates a file empty, which a process that reports the metrics at that moment cannot read.
"""

import os
from contextlib import suppress
from typing import Final

from prometheus_client import mmap_dict, values

# More than the library adds to the name of a value: lengths, padding, the value and its time.
ENTRY_BYTES: Final = 64


class AllocatedFile(mmap_dict.MmapedDict):
    """A file of the library's format whose pages are all allocated. Raises OSError if there is no space."""

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        if not read_mode and not os.path.exists(filename):
            _create_allocated(filename)
        super().__init__(filename, read_mode)  # type: ignore[no-untyped-call]

    def _init_value(self, key: str) -> None:
        """Adds a value. Called by the library, which doubles the file if it is full."""
        if self._used + len(key.encode()) + ENTRY_BYTES > self._capacity:
            os.posix_fallocate(self._f.fileno(), 0, 2 * self._capacity)
        super()._init_value(key)  # type: ignore[no-untyped-call]


def _create_allocated(filename: str) -> None:
    """Creates a file that other processes never see empty: it gets its name after its memory is allocated."""
    new = f"{filename}.new"
    try:
        with open(new, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, mmap_dict._INITIAL_MMAP_SIZE)
        os.rename(new, filename)
    except OSError:
        with suppress(FileNotFoundError):
            os.unlink(new)
        raise


def use_allocated_files(place: str) -> None:
    """Makes metrics that are created from now on count in allocated files, which are named by the worker's place."""
    values.MmapedDict = AllocatedFile  # type: ignore[misc]
    values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]
