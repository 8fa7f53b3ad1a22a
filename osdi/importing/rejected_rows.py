"""Writes the file of rejected rows: unchanged, each with its line and reason, to be corrected and imported again."""

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
from osdi.importing.csv_files.column_mapping import REJECTED_LINE, REJECTED_REASON
from osdi.values.opt_out_flags import squashed

NUMBERS: Final = 1_000


class RejectedFile:
    """The file of a source's rejected rows: `SOURCE.rejected.csv`, or with a number if that file exists.

    It is created for the first rejected row, and never overwrites a file: that may hold corrections, or belong to
    another running import. A resumed import continues the file at `path` after its first `size` bytes. Raises OSError
    if the file cannot be written.
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
        """Adds a rejected row with its line and reason. Raises OSError."""
        file = self._opened()
        if isinstance(written, bytes):
            file.write(_as_document(line, reason, written) + b"\n")
        else:
            file.write(self._row([str(line), reason, *self._without_own_columns(written)]))

    def size(self) -> int:
        """Writes everything to the disk, and returns the size in bytes. Raises OSError."""
        if self._file is None:
            return self._size
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()

    def without_repeats(self) -> Path | None:
        """Closes the file and returns its path, or None if no row was rejected.

        If an earlier file has the same content, removes this one and returns the path of the earlier one.
        """
        self.close()
        if self.path is None:
            return None
        stem, suffix = glob.escape(self._source.stem), glob.escape(_suffix(self._source))
        for each in sorted(self._source.parent.glob(f"{stem}.rejected*{suffix}")):
            if not each.samefile(self.path) and filecmp.cmp(each, self.path, shallow=False):
                self.path.unlink()
                return each
        return self.path

    def _opened(self) -> BinaryIO:
        if self._file is None:
            if self.path is None:
                self.path, self._file = _create(self._source)
            else:
                self._file = self.path.open("r+b")
            # The resumed import writes again what an interrupted import wrote after its last stored progress.
            self._file.truncate(self._size)
            self._file.seek(self._size)
            os.chmod(self.path, 0o600)  # personal data
            if self._header is not None and not self._size:
                head = self._row([REJECTED_LINE, REJECTED_REASON, *self._without_own_columns(self._header)])
                self._file.write(BOM.encode() + head)
        return self._file

    def _without_own_columns(self, cells: Sequence[str]) -> list[str]:
        """Returns the cells without line and reason, which they have if the source is a file of rejected rows."""
        own = (squashed(REJECTED_LINE), squashed(REJECTED_REASON))
        names = self._header or ()
        return [cell for index, cell in enumerate(cells) if index >= len(names) or squashed(names[index]) not in own]

    def _row(self, cells: Sequence[str]) -> bytes:
        """Returns a line of CSV that an import reads like the rejected row, and that no spreadsheet executes."""
        text = io.StringIO()
        safe = (defused(restored(cell)) for cell in cells)
        csv.writer(text, delimiter=self._delimiter, lineterminator="\r\n").writerow(safe)
        # Undecodable bytes are written unchanged: the row is rejected again unless somebody corrects it.
        return text.getvalue().encode("utf-8", "surrogateescape")


def _create(source: Path) -> tuple[Path, BinaryIO]:
    """Creates a file under the first free name. Raises OSError."""
    for path in _possible_paths(source):
        try:
            return path, path.open("xb")
        except FileExistsError:
            continue
    raise FileExistsError(errno.EEXIST, f"{NUMBERS} files of rejected rows exist. Remove some", str(source))


def _possible_paths(source: Path) -> Iterator[Path]:
    for number in range(1, NUMBERS + 1):
        yield source.with_name(f"{source.stem}.rejected{f'-{number}' if number > 1 else ''}{_suffix(source)}")


def _suffix(source: Path) -> str:
    return source.suffix or ".csv"


def _as_document(line: int, reason: str, written: bytes) -> bytes:
    """Returns the line's document with the reason in it, or an object with the line's text if it is no document."""
    added: dict[str, Any] = {REJECTED_LINE: line, REJECTED_REASON: reason}
    try:
        document = orjson.loads(written)
        if isinstance(document, dict):
            return orjson.dumps({**document, **added})
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # the latter for a document that is nested too deep
        pass
    return orjson.dumps({**added, "text": written.decode("utf-8", "replace")})
