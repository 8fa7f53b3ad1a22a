"""Output of commands: text and tables on a terminal, and files.

Text that is stored, posted or imported may contain characters that make a terminal act. Everything that a command
prints goes through `printable`.
"""

import datetime as dt
import errno
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import click

# The control characters C0 (but tab and line feed) and C1, line and paragraph separators, the bidirectional embeddings,
# overrides and isolates, and halves of surrogate pairs.
CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
REPLACEMENT: Final = "?"
STANDARD_OUTPUT: Final = "Standard output"
STANDARD_ERROR: Final = "Standard error"


def printable(text: str) -> str:
    """Returns the text with a question mark for each control character; line feeds and tabs stay."""
    return CONTROLS.sub(REPLACEMENT, text)


def printable_json(text: str) -> str:
    """Returns a JSON text with its control characters escaped, so that its value is the same."""
    return CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def echo(text: str, *, err: bool = False) -> None:
    """Prints the printable text and a line feed, on standard output or standard error. Raises OSError."""
    with _named(STANDARD_ERROR if err else STANDARD_OUTPUT):
        click.echo(printable(text), err=err)


@contextmanager
def _named(stream: str) -> Iterator[None]:
    """Adds the name of the stream to an OSError that names no file."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or stream
        raise


def confirm(question: str) -> None:
    """Asks for a yes. Raises click.Abort for another answer."""
    click.confirm(printable(question), abort=True)


def one_line(text: str, length: int | None = None) -> str:
    """Returns the printable text on one line, shortened to `length` characters."""
    line = printable(text).replace("\n", REPLACEMENT).replace("\t", REPLACEMENT)
    return line if length is None or len(line) <= length else f"{line[: length - 3]}..."


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a line for each row, below a line with the names of the columns."""
    lines = [[one_line(cell) for cell in line] for line in (columns, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def minute(timestamp: dt.datetime) -> str:
    """Returns a timestamp (naive UTC) to the minute."""
    return f"{timestamp:%Y-%m-%dT%H:%MZ}"


class _Terminal:
    """A terminal as a binary file: what is written is made printable. Each write has whole characters of UTF-8."""

    def write(self, data: bytes) -> None:
        click.echo(printable(data.decode(errors="replace").replace("\r\n", "\n")), nl=False)


@contextmanager
def destination(path: Path | None, *, new: bool = False) -> Iterator[BinaryIO]:
    """Yields a file for writing: standard output, or a file that appears when all is written.

    Only the owner can read the file. If the command ends early, also by Ctrl-C or SIGTERM, no file is left. A device or
    pipe is written directly. Raises click.ClickException if the file cannot be written, and click.UsageError if it
    has to be `new` and exists.
    """
    if path is None:
        with _named(STANDARD_OUTPUT):
            if sys.stdout is None:  # as after `>&-`
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            yield cast(BinaryIO, _Terminal()) if sys.stdout.isatty() else sys.stdout.buffer
            sys.stdout.flush()
        return
    try:
        if new and path.exists():
            raise click.UsageError(f"{path} exists already. Choose another name.")
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                yield file
        else:
            yield from _appearing(path)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or 'cannot be written'}.") from error


def _appearing(path: Path) -> Iterator[BinaryIO]:
    """Yields a file with another name, which gets its own at the end and is deleted after an error. Raises OSError."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    file = os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            unfinished.unlink()
        raise


def progress(length: int | None, label: str) -> Any:
    """Returns a progress bar on standard error, which only a terminal shows.

    Without a length it counts, until its attribute `length` is set.
    """
    bar: Any = click.progressbar(length=length or 0, label=label, file=sys.stderr, show_pos=True)
    bar.length = length
    return bar
