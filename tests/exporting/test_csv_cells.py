"""CSV cells: no spreadsheet executes them, and reading restores the values."""

import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from osdi.exporting.csv_cells import DEFUSED, Cell, CsvLines, defused, joined, parted, restored

SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
RUNS = (*SIGNS, "\t", "\r", "\n")
# Characters with a meaning in CSV, in spreadsheets or in our escaping are drawn often.
TEXT = st.text(alphabet=st.one_of(st.sampled_from([*"'\",;\\ ", *RUNS]), st.characters(codec="utf-8")), max_size=20)


def read(text: str) -> list[list[str]]:
    """Returns the rows as the standard library reads them."""
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize("begins", RUNS)
def test_a_cell_that_a_spreadsheet_would_execute_is_defused(begins: str) -> None:
    assert read(CsvLines().line([f"{begins}1+cmd|' /C calc'!A0", "a"])) == [[f"'{begins}1+cmd|' /C calc'!A0", "a"]]


@pytest.mark.parametrize("begins", RUNS)
def test_with_plain_nothing_is_defused(begins: str) -> None:
    assert read(CsvLines(plain=True).line([f"{begins}1", [f"{begins}1", "a"]])) == [[f"{begins}1", f"{begins}1; a"]]


def cells_by_semicolon(line: str) -> list[str]:
    """Returns the cells of a line as a spreadsheet reads them that separates cells by semicolons and ignores quotes."""
    return re.split(r"[;\r\n]", line)


@pytest.mark.parametrize("between", [";", "\n", "\r\n", "\r", "x;y\n", "';", ";'"])
@pytest.mark.parametrize("begins", SIGNS)
def test_a_formula_after_a_semicolon_or_line_break_is_defused(begins: str, between: str) -> None:
    value = f"a{between}{begins}cmd|'/C calc'!A0;x"

    for cell in (value, [value], ["b", value]):
        line = CsvLines().line([1, cell, 2])
        assert not [each for each in cells_by_semicolon(line) if each.startswith(SIGNS)]
    assert restored(defused(value)) == value


@pytest.mark.parametrize("text", ["", "a", "'", "''", "'quoted'", "12", " =1", "a=1", "O'Neill", "a; b\nc", "a;'b"])
def test_harmless_text_is_unchanged(text: str) -> None:
    assert defused(text) == text


@given(TEXT)
@example("'+1")
@example("''=1")
def test_defusing_is_reversible(text: str) -> None:
    cell = defused(text)

    assert not cell.startswith(RUNS)
    assert restored(cell) == text


@given(st.lists(TEXT).filter(lambda values: values != [""]))
def test_joining_is_reversible(values: list[str]) -> None:
    assert parted(joined(values)) == values


@given(st.lists(TEXT))
def test_no_value_of_a_joined_cell_begins_with_a_sign(values: list[str]) -> None:
    assert not joined(values).startswith(RUNS)
    for cell in cells_by_semicolon(joined(values)):
        assert not cell.startswith(SIGNS)


@pytest.mark.parametrize("cell", ["a;b", "a; b", "'a; b"])
def test_a_typed_list_is_parted(cell: str) -> None:
    assert [each.strip("'") for each in parted(cell)] == ["a", "b"]


CELLS = st.one_of(TEXT, st.lists(TEXT, min_size=2), st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False))


@given(st.lists(st.lists(CELLS, min_size=1), min_size=1))
def test_every_row_is_read_back_by_the_standard_library(rows: list[list[Cell]]) -> None:
    lines = CsvLines()
    text = "".join(lines.line(row) for row in rows)

    found = read(text)

    assert text.endswith("\r\n")
    assert len(found) == len(rows)
    for row, cells in zip(rows, found, strict=True):
        for value, cell in zip(row, cells, strict=True):
            assert read_as(cell, value) == value


def read_as(cell: str, value: Cell) -> Cell:
    """Returns the cell, read as the type of the value."""
    if value is None:
        return None if cell == "" else cell
    if isinstance(value, bool):
        return {"true": True, "false": False}[cell]
    if isinstance(value, list):
        return parted(cell)
    return restored(cell) if isinstance(value, str) else type(value)(cell)


def test_a_negative_number_is_not_defused() -> None:
    assert CsvLines().line([-5, -0.5]) == "-5,-0.5\r\n"
    assert DEFUSED.match("'-5")
