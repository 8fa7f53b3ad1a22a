"""CSV that no spreadsheet runs, and that reads back as it was."""

import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from osdi.exporting.csv_cells import DEFUSED, Cell, CsvLines, defused, joined, parted, restored

SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
RUNS = (*SIGNS, "\t", "\r", "\n")
# What means something to CSV, to spreadsheets or to us is drawn often.
TEXT = st.text(alphabet=st.one_of(st.sampled_from([*"'\",;\\ ", *RUNS]), st.characters(codec="utf-8")), max_size=20)


def read(text: str) -> list[list[str]]:
    """The rows as the standard library reads them."""
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize("begins", RUNS)
def test_what_a_spreadsheet_would_run_is_defused(begins: str) -> None:
    assert read(CsvLines().line([f"{begins}1+cmd|' /C calc'!A0", "a"])) == [[f"'{begins}1+cmd|' /C calc'!A0", "a"]]


@pytest.mark.parametrize("begins", RUNS)
def test_plain_leaves_it_as_it_is(begins: str) -> None:
    assert read(CsvLines(plain=True).line([f"{begins}1", [f"{begins}1", "a"]])) == [[f"{begins}1", f"{begins}1; a"]]


def cells_by_semicolon(line: str) -> list[str]:
    """The cells of a line as a spreadsheet finds them where a semicolon parts cells: no cell begins with our quotes."""
    return re.split(r"[;\r\n]", line)


@pytest.mark.parametrize("between", [";", "\n", "\r\n", "\r", "x;y\n", "';", ";'"])
@pytest.mark.parametrize("begins", SIGNS)
def test_what_runs_where_a_semicolon_separates_cells_is_defused(begins: str, between: str) -> None:
    value = f"a{between}{begins}cmd|'/C calc'!A0;x"

    for cell in (value, [value], ["b", value]):
        line = CsvLines().line([1, cell, 2])
        assert not [each for each in cells_by_semicolon(line) if each.startswith(SIGNS)]
    assert restored(defused(value)) == value


@pytest.mark.parametrize("text", ["", "a", "'", "''", "'quoted'", "12", " =1", "a=1", "O'Neill", "a; b\nc", "a;'b"])
def test_what_nothing_runs_stays(text: str) -> None:
    assert defused(text) == text


@given(TEXT)
@example("'+1")
@example("''=1")
def test_defusing_is_undone(text: str) -> None:
    cell = defused(text)

    assert not cell.startswith(RUNS)
    assert restored(cell) == text


@given(st.lists(TEXT).filter(lambda values: values != [""]))
def test_joining_is_undone(values: list[str]) -> None:
    assert parted(joined(values)) == values


@given(st.lists(TEXT))
def test_no_value_of_a_joined_cell_runs_where_a_semicolon_separates_cells(values: list[str]) -> None:
    assert not joined(values).startswith(RUNS)
    for cell in cells_by_semicolon(joined(values)):
        assert not cell.startswith(SIGNS)


@pytest.mark.parametrize("cell", ["a;b", "a; b", "'a; b"])
def test_a_hand_made_list_is_parted_too(cell: str) -> None:
    assert [each.strip("'") for each in parted(cell)] == ["a", "b"]


CELLS = st.one_of(TEXT, st.lists(TEXT, min_size=2), st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False))


@given(st.lists(st.lists(CELLS, min_size=1), min_size=1))
def test_every_row_is_read_back_by_others(rows: list[list[Cell]]) -> None:
    lines = CsvLines()
    text = "".join(lines.line(row) for row in rows)

    found = read(text)

    assert text.endswith("\r\n")
    assert len(found) == len(rows)
    for row, cells in zip(rows, found, strict=True):
        for value, cell in zip(row, cells, strict=True):
            assert back(cell, value) == value


def back(cell: str, value: Cell) -> Cell:
    """What a cell says, read as the kind of thing that the value is."""
    if value is None:
        return None if cell == "" else cell
    if isinstance(value, bool):
        return {"true": True, "false": False}[cell]
    if isinstance(value, list):
        return parted(cell)
    return restored(cell) if isinstance(value, str) else type(value)(cell)


def test_a_number_is_none_to_defuse() -> None:
    assert CsvLines().line([-5, -0.5]) == "-5,-0.5\r\n"
    assert DEFUSED.match("'-5")
