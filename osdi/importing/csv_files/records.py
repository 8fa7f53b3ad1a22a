"""The records of a CSV file (RFC 4180), each with the line that it begins on; a broken one spoils no other.

The csv module alone would take everything behind a quote that is never closed for one field. So a record is read by
itself, within bounds, and where it turns out wrong only its first line is refused, and reading goes on with the second.

Pure: lines go in. No field is looked into.
"""

import csv
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TextIO

DELIMITERS: Final = (",", ";", "\t", "|")
DELIMITER_NAMES: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
RECORD_LENGTH: Final = 262_144  # of a field half as much, the csv module's own bound
RECORD_LINES: Final = 1_000
# As much of a line is shown that cannot be read.
SHOWN_LENGTH: Final = 10_000

NOT_CLOSED: Final = "A quotation mark is not closed."
MISPLACED: Final = "A quotation mark is not where it belongs."
TOO_LONG: Final = "A field or the whole is too long, and cut here."


@dataclass(frozen=True)
class Record:
    """A record: its first line's number, its cells, and why it cannot be taken, if so."""

    line: int
    cells: tuple[str, ...]
    refused: str | None = None


class Lines:
    """Lines of a text file, none longer than a bound, some of which may be given back."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._returned: deque[str] = deque()
        self.number = 0

    def next(self) -> str:
        """The next line with its end, or an empty string; one that is too long is cut, and longer than the bound."""
        if self._returned:
            self.number += 1
            return self._returned.popleft()
        line = self._file.readline(RECORD_LENGTH + 1)
        if line:
            self.number += 1
        if len(line) > RECORD_LENGTH and not line.endswith(("\n", "\r")):
            while (rest := self._file.readline(RECORD_LENGTH)) and not rest.endswith(("\n", "\r")):
                pass
        return line

    def give_back(self, lines: list[str]) -> None:
        """Let these lines, the last ones that were read, come again."""
        self._returned.extendleft(reversed(lines))
        self.number -= len(lines)


def records(lines: Lines, delimiter: str, columns: int) -> Iterator[Record]:
    """Every record but blank ones; any that has not as many cells as there are columns is refused."""
    while True:
        line = lines.number + 1
        cells, taken, problem = _read(lines, delimiter)
        if not taken:
            return
        if problem is None and not any(map(str.strip, cells)):
            continue
        if problem is None:
            cells, problem = _fitted(cells, columns)
        if problem is not None and len(taken) > 1:
            # Either a quotation mark opened by mistake, or one at its end: the lines below may be well.
            lines.give_back(taken[1:])
            cells, problem = cells_of(taken[0], delimiter), NOT_CLOSED
        yield Record(line, tuple(cells), problem or _unreadable(cells))


def header_of(lines: Lines, delimiter: str) -> list[str]:
    """The names of the columns, in the next record. Raises ValueError: a sentence."""
    cells, _, problem = _read(lines, delimiter)
    if problem is not None:
        raise ValueError(f"The first line, with the names of the columns, cannot be read. {problem}")
    while cells and not cells[-1].strip():
        cells.pop()
    # A line's end in a name, as forms make it of a long question, could be said in no option.
    names = [re.sub(r"\s*[\r\n]+\s*", " ", cell.strip()) for cell in cells]
    if unreadable := _unreadable(names):
        raise ValueError(f"The first line, with the names of the columns, cannot be read. {unreadable}")
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"Two columns are called '{twice}'.")
    return names


def guess_delimiter(header: str, is_known: Callable[[str], bool]) -> str:
    """The delimiter that makes most known names of a header line; of equal ones that which makes most names.

    csv.Sniffer judges by how often characters come in a sample, and may take a letter or a space for the delimiter of
    free text. The names of columns are known better.
    """

    def found(delimiter: str) -> tuple[int, int]:
        names = cells_of(header, delimiter)
        return sum(map(is_known, names)), len(names)

    return max(DELIMITERS, key=found)


def cells_of(line: str, delimiter: str) -> list[str]:
    """The cells of one line, whatever is wrong with its quotation marks."""
    return next(csv.reader([line[:SHOWN_LENGTH].rstrip("\r\n")], delimiter=delimiter), [])


def _read(lines: Lines, delimiter: str) -> tuple[list[str], list[str], str | None]:
    """The cells of the next record, the lines that it was read from, and what is wrong with it."""
    taken: list[str] = []
    length = 0

    def feed() -> Iterator[str]:
        nonlocal length
        while len(taken) < RECORD_LINES and length <= RECORD_LENGTH:
            line = lines.next()
            if not line:
                return
            taken.append(line)
            length += len(line)
            yield line

    try:
        cells = next(csv.reader(feed(), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        cells = cells_of(taken[0], delimiter)
        if length > RECORD_LENGTH or "field limit" in str(error):
            return cells, taken, TOO_LONG
        return cells, taken, NOT_CLOSED if "unexpected end" in str(error) else MISPLACED
    if length > RECORD_LENGTH:
        return cells_of(taken[0], delimiter), taken, TOO_LONG
    return cells, taken, None


def _fitted(cells: list[str], columns: int) -> tuple[list[str], str | None]:
    """The cells without empty ones behind the last column, and whether they are too few or too many."""
    while len(cells) > columns and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) == columns:
        return cells, None
    found = "is 1 cell" if len(cells) == 1 else f"are {len(cells)} cells"
    return cells, f"There {found}, but {columns} columns."


def _unreadable(cells: list[str]) -> str | None:
    text = "".join(cells)
    if "\x00" in text:
        return "Holds a NUL character."
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return "Holds bytes that are no text in the file's encoding."
    return None
