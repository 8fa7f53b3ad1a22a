"""The file of refused lines: as they stood, each with its number and why, ready to be mended and imported again."""

import csv
import errno
import filecmp
import glob
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from osdi.exporting.csv_cells import BOM, defused, restored
from osdi.importing.csv_files.column_mapping import REFUSED_LINE, REFUSED_REASON, squashed

NUMBERS: Final = 1_000


class RefusedFile:
    """The refused lines of a source: `SOURCE.refused.csv`, numbered where that is there already.

    It is made when the first line is refused, since one that is there may hold what somebody has mended, or be made by
    another import of the source at this moment. Where an import is resumed it goes on at its path, behind its `size`.
    Raises OSError where it cannot be written.
    """

    def __init__(
        self,
        source: Path,
        header: Sequence[str] | None,
        delimiter: str = ",",
        *,
        path: Path | None = None,
        size: int = 0,
    ) -> None:
        self.path = path
        self._source = source
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

    def without_repeats(self) -> Path | None:
        """Where the refused lines are, once all are there: where an earlier file says the same this one is removed.

        None where nothing was refused.
        """
        self.close()
        if self.path is None:
            return None
        stem, suffix = glob.escape(self._source.stem), glob.escape(_suffix(self._source))
        for each in sorted(self._source.parent.glob(f"{stem}.refused*{suffix}")):
            if not each.samefile(self.path) and filecmp.cmp(each, self.path, shallow=False):
                self.path.unlink()
                return each
        return self.path

    def _opened(self) -> BinaryIO:
        if self._file is None:
            if self.path is None:
                self.path, self._file = _made(self._source)
            else:
                self._file = self.path.open("r+b")
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
        """A line of CSV, quoted as it needs, that no spreadsheet runs and that is read as the refused one is."""
        text = io.StringIO()
        safe = (defused(restored(cell)) for cell in cells)
        csv.writer(text, delimiter=self._delimiter, lineterminator="\r\n").writerow(safe)
        # What was no text stays as it was: read again it is refused again, unless it was mended.
        return text.getvalue().encode("utf-8", "surrogateescape")


def _made(source: Path) -> tuple[Path, BinaryIO]:
    """A new file under the first name that is free."""
    for path in _possible_paths(source):
        try:
            return path, path.open("xb")
        except FileExistsError:
            continue
    raise FileExistsError(errno.EEXIST, f"There are {NUMBERS} files of refused lines already", str(source))


def _possible_paths(source: Path) -> Iterator[Path]:
    for number in range(1, NUMBERS + 1):
        yield source.with_name(f"{source.stem}.refused{f'-{number}' if number > 1 else ''}{_suffix(source)}")


def _suffix(source: Path) -> str:
    return source.suffix or ".csv"


def _as_document(line: int, reason: str, written: bytes) -> bytes:
    """The line's own document with the reason in it, or where it is none an object that holds its text."""
    said: dict[str, Any] = {REFUSED_LINE: line, REFUSED_REASON: reason}
    try:
        document = orjson.loads(written)
        if isinstance(document, dict):
            return orjson.dumps({**document, **said})
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # the latter where it is deeper than can be written
        pass
    return orjson.dumps({**said, "text": written.decode("utf-8", "replace")})
