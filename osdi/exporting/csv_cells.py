"""Cells of CSV files (RFC 4180) that a spreadsheet can open safely: no cell is a formula, and escaping is reversible.

A spreadsheet would execute a cell that begins with `=`, `+`, `-`, `@`, a tab or a line break, so such a cell gets an
apostrophe in front (https://owasp.org/www-community/attacks/CSV_Injection). A cell with apostrophes before such a
character gets one more, so that removing one always restores the value. The same applies inside a cell after a `;` or
a line break: spreadsheets in much of Europe separate cells by `;` and ignore our quotes.

Several values in one cell are separated by `; `; a `;` or backslash inside a value gets a backslash in front. Pure.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from typing import Final

BOM: Final = "\ufeff"

# Spreadsheets with East Asian settings also execute the full-width forms of the four signs.
SIGNS: Final = r"=+\-@\uff1d\uff0b\uff0d\uff20"
RUNS: Final = re.compile(rf"'*[{SIGNS}\t\r\n]")
RUNS_INSIDE: Final = re.compile(rf"[;\r\n](?='*[{SIGNS}])")
DEFUSED: Final = re.compile(rf"'+[{SIGNS}\t\r\n]")
DEFUSED_INSIDE: Final = re.compile(rf"([;\r\n])'(?='*[{SIGNS}])")
BETWEEN: Final = "; "
ESCAPED: Final = re.compile(r"[\\;]")
PIECES: Final = re.compile(r"\\.|[^\\;]+|;|\\$", re.DOTALL)

Cell = str | int | float | bool | list[str] | None


def defused(text: str) -> str:
    """Returns the text as a cell that no spreadsheet executes."""
    if RUNS_INSIDE.search(text):  # cheaper than a replacement without a match
        text = RUNS_INSIDE.sub(r"\g<0>'", text)
    return f"'{text}" if RUNS.match(text) else text


def restored(cell: str) -> str:
    """Returns the text of which `defused` made the cell."""
    if "'" not in cell:  # nearly every cell
        return cell
    cell = DEFUSED_INSIDE.sub(r"\1", cell)
    return cell[1:] if DEFUSED.match(cell) else cell


def joined(values: Iterable[str], *, plain: bool = False) -> str:
    """Returns several values as the text of one cell; each is defused unless `plain`."""
    texts = (each if plain else defused(each) for each in values)
    return BETWEEN.join(ESCAPED.sub(lambda found: f"\\{found[0]}", each) for each in texts)


def parted(cell: str) -> list[str]:
    """Returns the values of a cell that `joined` made or a person typed; an empty cell has none.

    The space after a separator is optional.
    """
    parts: list[str] = [""] if cell else []
    after_separator = False
    for piece in PIECES.findall(cell):
        if piece == ";":
            parts.append("")
        elif piece.startswith("\\"):
            parts[-1] += piece[1:]
        else:
            parts[-1] += piece.removeprefix(" ") if after_separator else piece
        after_separator = piece == ";"
    return [restored(each) for each in parts]


class CsvLines:
    """Makes the lines of a file: `CsvLines().line(["a", 1])` is `a,1` and CR LF. With `plain` nothing is defused."""

    def __init__(self, *, plain: bool = False) -> None:
        self._plain = plain
        self._written: list[str] = []
        self._writer = csv.writer(self, lineterminator="\r\n")

    def write(self, text: str) -> int:
        """Receives the csv module's output."""
        self._written.append(text)
        return len(text)

    def line(self, cells: Sequence[Cell]) -> str:
        """Returns one line. Texts are defused, lists joined, numbers unchanged; True becomes `true`."""
        self._writer.writerow([self._cell(each) for each in cells])
        line = "".join(self._written)
        self._written.clear()
        return line

    def _cell(self, value: Cell) -> str | int | float:
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, list):
            return joined(value, plain=self._plain)
        if isinstance(value, str) and not self._plain:
            return defused(value)
        return value
