"""Comma-separated values (RFC 4180) that a spreadsheet may open: no cell is a formula, and all can be undone.

A cell that a spreadsheet would run, since it begins with `=`, `+`, `-`, `@`, a tab or a line's end, gets an apostrophe
in front (https://owasp.org/www-community/attacks/CSV_Injection). One that begins with apostrophes and then such a
character gets one more, so that taking one off always gives back what was there. The same is done inside a cell behind
a `;` or a line's end: where a spreadsheet's cells are parted by `;`, as in much of Europe, our quotes mean nothing to
it, and a cell of its own begins there.

Several values in one cell stand behind `; `, and a `;` or backslash inside one of them behind a backslash.

Pure.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from typing import Final

BOM: Final = "\ufeff"

# The wide forms of the four signs run in spreadsheets of East Asian settings.
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
    """The text as a cell that no spreadsheet runs."""
    if RUNS_INSIDE.search(text):  # which costs less than to replace nothing
        text = RUNS_INSIDE.sub(r"\g<0>'", text)
    return f"'{text}" if RUNS.match(text) else text


def restored(cell: str) -> str:
    """What was written by `defused`."""
    cell = DEFUSED_INSIDE.sub(r"\1", cell)
    return cell[1:] if DEFUSED.match(cell) else cell


def joined(values: Iterable[str], *, plain: bool = False) -> str:
    """Several values as the text of one cell, each defused."""
    texts = (each if plain else defused(each) for each in values)
    return BETWEEN.join(ESCAPED.sub(lambda found: f"\\{found[0]}", each) for each in texts)


def parted(cell: str) -> list[str]:
    """The values that `joined` made a cell of; the space behind a separator may be missing. A blank cell has none."""
    parts: list[str] = [""] if cell else []
    begins = False
    for piece in PIECES.findall(cell):
        if piece == ";":
            parts.append("")
        elif piece.startswith("\\"):
            parts[-1] += piece[1:]
        else:
            parts[-1] += piece.removeprefix(" ") if begins else piece
        begins = piece == ";"
    return [restored(each) for each in parts]


class CsvLines:
    """Makes the lines of a file: `CsvLines().line(["a", 1])` is `a,1` and CR LF. With `plain` nothing is defused."""

    def __init__(self, *, plain: bool = False) -> None:
        self._plain = plain
        self._made: list[str] = []
        self._writer = csv.writer(self, lineterminator="\r\n")

    def write(self, text: str) -> int:
        """What the csv module writes to."""
        self._made.append(text)
        return len(text)

    def line(self, cells: Sequence[Cell]) -> str:
        """One line. Texts are defused, lists are joined, numbers are left as they are, and True is `true`."""
        self._writer.writerow([self._cell(each) for each in cells])
        made = "".join(self._made)
        self._made.clear()
        return made

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
