"""Records of a CSV file (RFC 4180), each with the number of its first line; a broken record does not affect others.

The csv module alone would read everything after an unclosed quotation mark as one field. So each record is read
separately, within limits. If a record is broken, only its first line is rejected; reading continues with the second.

Pure. Does not interpret cells.
"""

import csv
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TextIO

DELIMITERS: Final = (",", ";", "\t", "|")
DELIMITER_NAMES: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MAX_RECORD_LENGTH: Final = 262_144  # the csv module limits a field to half of this
MAX_RECORD_LINES: Final = 1_000
# Some checks of columns compare each with the others, so more columns would hold up the worker.
MAX_COLUMNS: Final = 4_000
# Characters of a broken line that are kept for the file of rejected rows.
MAX_SHOWN_LENGTH: Final = 10_000

NOT_CLOSED: Final = "A quotation mark is not closed."
MISPLACED: Final = "A quotation mark is misplaced."
TOO_LONG: Final = "A field or the whole row is too long; it is cut here."


@dataclass(frozen=True)
class Record:
    """A record: the number of its first line, its cells, and the reason if it is rejected."""

    line: int
    cells: tuple[str, ...]
    rejected: str | None = None


class Lines:
    """Lines of a text file, cut at a maximum length; the last lines read can be pushed back."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._returned: deque[str] = deque()
        self.number = 0

    def next(self) -> str:
        """Returns the next line with its line end, or an empty string at the end of the file.

        A line of more than MAX_RECORD_LENGTH characters is cut after one more.
        """
        if self._returned:
            self.number += 1
            return self._returned.popleft()
        line = self._file.readline(MAX_RECORD_LENGTH + 1)
        if line:
            self.number += 1
        if len(line) > MAX_RECORD_LENGTH and not line.endswith(("\n", "\r")):
            while (rest := self._file.readline(MAX_RECORD_LENGTH)) and not rest.endswith(("\n", "\r")):
                pass
        return line

    def give_back(self, lines: list[str]) -> None:
        """Pushes back the last lines that were read, so that `next` returns them again."""
        self._returned.extendleft(reversed(lines))
        self.number -= len(lines)


def records(lines: Lines, delimiter: str, columns: int) -> Iterator[Record]:
    """Yields every record that is not blank; a record with too many cells has a reason for rejection.

    Spreadsheets leave out empty cells at the end of a row, so missing ones are empty.
    """
    while True:
        line = lines.number + 1
        cells, read_lines, problem = _read(lines, delimiter)
        if not read_lines:
            return
        if problem is None and not any(map(str.strip, cells)):
            continue
        if problem is None:
            cells, problem = _fitted(cells, columns)
        if problem is not None and len(read_lines) > 1:
            # A quotation mark was opened by mistake, so the lines below may be valid records.
            lines.give_back(read_lines[1:])
            cells, problem = cells_of(read_lines[0], delimiter), NOT_CLOSED
        yield Record(line, tuple(cells), problem or _unreadable(cells))


def header_of(lines: Lines, delimiter: str) -> list[str]:
    """Returns the names of the columns from the next record, all different; some can be empty.

    Raises ValueError, whose text is for the user.
    """
    cells, _, problem = _read(lines, delimiter)
    if problem is not None:
        raise ValueError(f"The first line, with the names of the columns, cannot be read. {problem}")
    if len(cells) > MAX_COLUMNS:
        raise ValueError(
            f"The file has {len(cells):,} columns. At most {MAX_COLUMNS:,} can be read. Remove the others."
        )
    # Forms make column names of long questions; an option of the command could not contain their line breaks.
    names = [" ".join(filter(None, map(str.strip, re.split(r"[\r\n]", cell)))) for cell in cells]
    if unreadable := _unreadable(names):
        raise ValueError(f"The first line, with the names of the columns, cannot be read. {unreadable}")
    return _distinct(names)


def _distinct(names: list[str]) -> list[str]:
    """Returns the names; the second of two equal ones, such as `Comments`, becomes `Comments (2)`."""
    found: list[str] = []
    used, given = set[str](), frozenset(names)
    numbers: dict[str, int] = {}  # the next number of each name, so that equal names need no search
    for name in names:
        number, new = numbers.get(name, 2), name
        while name and (new in used or (new != name and new in given)):
            new, number = f"{name} ({number})", number + 1
        numbers[name] = number
        used.add(new)
        found.append(new)
    return found


def guess_delimiter(header: str, is_known: Callable[[str], bool]) -> str:
    """Returns the delimiter that yields the most known column names; among equals, the most names.

    csv.Sniffer counts characters in a sample, and may choose a letter or a space for free text.
    """

    def score(delimiter: str) -> tuple[int, int]:
        names = cells_of(header, delimiter)
        return sum(map(is_known, names)), len(names)

    return max(DELIMITERS, key=score)


def cells_of(line: str, delimiter: str) -> list[str]:
    """Returns the cells of one line, even if its quotation marks are wrong."""
    return next(csv.reader([line[:MAX_SHOWN_LENGTH].rstrip("\r\n")], delimiter=delimiter), [])


def _read(lines: Lines, delimiter: str) -> tuple[list[str], list[str], str | None]:
    """Returns the cells of the next record, the lines that it was read from, and the reason if it is broken."""
    read_lines: list[str] = []
    length = 0

    def feed() -> Iterator[str]:
        nonlocal length
        while len(read_lines) < MAX_RECORD_LINES and length <= MAX_RECORD_LENGTH:
            line = lines.next()
            if not line:
                return
            read_lines.append(line)
            length += len(line)
            yield line

    try:
        cells = next(csv.reader(feed(), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        cells = cells_of(read_lines[0], delimiter)
        if length > MAX_RECORD_LENGTH or "field limit" in str(error):
            return cells, read_lines, TOO_LONG
        return cells, read_lines, NOT_CLOSED if "unexpected end" in str(error) else MISPLACED
    if length > MAX_RECORD_LENGTH:
        return cells_of(read_lines[0], delimiter), read_lines, TOO_LONG
    return cells, read_lines, None


def _fitted(cells: list[str], columns: int) -> tuple[list[str], str | None]:
    """Returns a cell for each column, and the reason if there are more cells."""
    while len(cells) > columns and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) <= columns:
        return [*cells, *([""] * (columns - len(cells)))], None
    return cells, f"There are {len(cells)} cells, but {columns} column{'s' if columns > 1 else ''}."


def _unreadable(cells: list[str]) -> str | None:
    text = "".join(cells)
    if "\x00" in text:
        return "Contains a NUL character."
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return "Contains bytes that are invalid in the file's encoding."
    return None
