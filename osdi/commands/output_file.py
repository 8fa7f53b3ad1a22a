"""Files that commands write: each appears when it is whole, and only its owner may read what is in it."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import click


@contextmanager
def destination(path: Path | None) -> Iterator[BinaryIO]:
    """Where to write: standard output, or a file that takes its place when all is written, readable by its owner only.

    What ends before that, by Ctrl-C or SIGTERM too, leaves nothing. Raises click.FileError where it cannot be made.
    """
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        file = os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise click.FileError(str(path), error.strerror or "cannot be written") from error
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException as error:
        with suppress(FileNotFoundError):
            unfinished.unlink()
        if isinstance(error, OSError):
            raise click.FileError(str(path), error.strerror or "cannot be written") from error
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def progress(length: int | None, label: str) -> Any:
    """A bar on standard error, which only a terminal shows; without a length it counts until `length` is set."""
    bar: Any = click.progressbar(length=length or 0, label=label, file=sys.stderr, show_pos=True)
    bar.length = length
    return bar
