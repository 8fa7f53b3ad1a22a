"""The file of refused lines: as they stood, each with its number and why, ready to be mended and imported again."""

import csv
import filecmp
import glob
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from osdi.csv_text import BOM, defused
from osdi.importing.columns import REFUSED_LINE, REFUSED_REASON, squashed

NUMBERS: Final = 1_000


def free_path(path: Path) -> Path:
    """Where the refused lines of a file go: `FILE.refused.csv`, numbered where that is there already.

    One that is there may hold what somebody has mended.
    """
    stem, suffix = (path.stem, path.suffix or ".csv")
    for number in range(1, NUMBERS):
        found = path.with_name(f"{stem}.refused{f'-{number}' if number > 1 else ''}{suffix}")
        if not found.exists():
            return found
    raise ValueError(f"There are {NUMBERS} files of refused lines of {path.name} already.")


def without_repeats(path: Path, source: Path) -> Path:
    """The path, or that of an earlier file of refused lines that says the same: then the new one is removed."""
    for each in sorted(source.parent.glob(f"{glob.escape(source.stem)}.refused*{glob.escape(source.suffix)}")):
        if each != path and filecmp.cmp(each, path, shallow=False):
            path.unlink()
            return each
    return path


class RefusedFile:
    """Made when the first line is refused; goes on at a size where an import is resumed."""

    def __init__(self, path: Path, header: Sequence[str] | None, delimiter: str = ",", *, size: int = 0) -> None:
        self.path = path
        self._header = header
        self._delimiter = delimiter
        self._size = size
        self._file: BinaryIO | None = None

    def add(self, line: int, reason: str, written: tuple[str, ...] | bytes) -> None:
        """Add a refused line."""
        file = self._opened()
        if isinstance(written, bytes):
            file.write(_as_document(line, reason, written) + b"\n")
        else:
            file.write(self._row([str(line), reason, *self._without_former(written)]))

    def size(self) -> int:
        """How many bytes it has, all of them on the disk."""
        if self._file is None:
            return self._size
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        """Close it."""
        if self._file is not None:
            self._file.close()

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self._file = self.path.open("r+b" if self._size else "xb")
            # Whatever an import that broke off wrote behind its last mark is written again.
            self._file.truncate(self._size)
            self._file.seek(self._size)
            os.chmod(self.path, 0o600)  # it holds people's data
            if self._header is not None and not self._size:
                head = self._row([REFUSED_LINE, REFUSED_REASON, *self._without_former(self._header)])
                self._file.write(BOM.encode() + head)
        return self._file

    def _without_former(self, cells: Sequence[str]) -> list[str]:
        """The cells but those of a former file of refused lines."""
        former = (squashed(REFUSED_LINE), squashed(REFUSED_REASON))
        names = self._header or ()
        return [cell for index, cell in enumerate(cells) if index >= len(names) or squashed(names[index]) not in former]

    def _row(self, cells: Sequence[str]) -> bytes:
        """A line of CSV, quoted as it needs, which no spreadsheet runs."""
        text = io.StringIO()
        csv.writer(text, delimiter=self._delimiter, lineterminator="\r\n").writerow(map(defused, cells))
        # What was no text stays as it was: read again it is refused again, unless it was mended.
        return text.getvalue().encode("utf-8", "surrogateescape")


def _as_document(line: int, reason: str, written: bytes) -> bytes:
    """The line's own document with the reason in it, or where it is none an object that holds its text."""
    said: dict[str, Any] = {REFUSED_LINE: line, REFUSED_REASON: reason}
    try:
        document = orjson.loads(written)
    except orjson.JSONDecodeError:
        document = None
    if isinstance(document, dict):
        return orjson.dumps({**document, **said})
    return orjson.dumps({**said, "text": written.decode("utf-8", "replace")})
