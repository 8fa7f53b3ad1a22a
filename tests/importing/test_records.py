"""Records of a CSV file: broken lines are rejected, and do not affect the others."""

import io
import time

import pytest

from osdi.importing.csv_files.column_mapping import PEOPLE, known_field
from osdi.importing.csv_files.records import (
    MAX_COLUMNS,
    MAX_RECORD_LENGTH,
    MAX_RECORD_LINES,
    MISPLACED,
    NOT_CLOSED,
    TOO_LONG,
    Lines,
    guess_delimiter,
    header_of,
    records,
)

GOOD = "a,b,c\n"


def read(text: str, columns: int = 3) -> list[tuple[int, tuple[str, ...], str | None]]:
    found = records(Lines(io.StringIO(text, newline="")), ",", columns)
    return [(each.line, each.cells, each.rejected) for each in found]


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("a,b,c\n", ("a", "b", "c")),
        ("a,b,c", ("a", "b", "c")),
        ("a,b,c\r\n", ("a", "b", "c")),
        ("a,b,c\r", ("a", "b", "c")),
        ('"a","b, and","c"\n', ("a", "b, and", "c")),
        ('"say ""hi""",b,c\n', ('say "hi"', "b", "c")),
        ('"two\nlines",b,c\n', ("two\nlines", "b", "c")),
        ('5" pipe,b,c\n', ('5" pipe', "b", "c")),
        ("a,b,c,,\n", ("a", "b", "c")),
        (",,c\n", ("", "", "c")),
        ("=1+1,+49,-x\n", ("=1+1", "+49", "-x")),
    ],
)
def test_a_record_is_read(text: str, cells: tuple[str, ...]) -> None:
    assert read(text) == [(1, cells, None)]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("a,b,c,d\n", "There are 4 cells, but 3 columns."),
        ('a,"b,c\n', NOT_CLOSED),
        ('"a"b,c,d\n', MISPLACED),
        ("a,b\x00,c\n", "Contains a NUL character."),
        ("a,b\udcff,c\n", "Contains bytes that are invalid in the file's encoding."),
        (f"a,{'b' * 1_000_000},c\n", TOO_LONG),
        (f'a,"{"b" * 200_000}",c\n', TOO_LONG),
    ],
)
def test_a_broken_line_is_rejected_alone(broken: str, reason: str) -> None:
    found = read(GOOD + broken + GOOD + GOOD)

    assert [(line, rejected) for line, _, rejected in found] == [(1, None), (2, reason), (3, None), (4, None)]
    assert all(sum(map(len, cells)) < 20_000 for _, cells, _ in found)


def test_records_between_two_unclosed_quotation_marks_are_read() -> None:
    found = read('x,"y,z\n' + GOOD * 3 + 'x,"y,z\n' + GOOD)

    assert [(line, rejected) for line, _, rejected in found] == [
        (1, NOT_CLOSED), (2, None), (3, None), (4, None), (5, NOT_CLOSED), (6, None),
    ]  # fmt: skip


def test_an_unclosed_quotation_mark_ends_after_a_limited_number_of_lines() -> None:
    found = read('x,"y,z\n' + GOOD * (MAX_RECORD_LINES * 2))

    assert len(found) == MAX_RECORD_LINES * 2 + 1
    assert [rejected for _, _, rejected in found[:2]] == [NOT_CLOSED, None]


def test_line_numbers_count_lines_not_records() -> None:
    assert [line for line, _, _ in read('"a\n\n1",b,c\n\n' + GOOD)] == [1, 5]


def test_blank_lines_are_ignored() -> None:
    assert read("\n  \n,,\n") == []


def test_a_long_line_is_read_in_pieces() -> None:
    class PiecewiseOnly(io.StringIO):
        def readline(self, size: int | None = -1, /) -> str:
            assert size is not None
            assert 0 < size <= MAX_RECORD_LENGTH + 1
            return super().readline(size)

    found = list(records(Lines(PiecewiseOnly("x" * (MAX_RECORD_LENGTH * 5) + "\n" + GOOD)), ",", 3))

    assert [each.rejected for each in found] == [TOO_LONG, None]


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        ("first_name,last_name,email", ","),
        ("Vorname;Nachname;E-Mail", ";"),
        ("first_name\tlast_name\temail", "\t"),
        ("first_name|email", "|"),
        ('"Last, first";email;zip', ";"),
        ("email", ","),
        ("anything;at;all", ";"),
    ],
)
def test_the_delimiter_is_guessed_from_the_names_of_columns(header: str, delimiter: str) -> None:
    assert guess_delimiter(header, lambda name: known_field(name, PEOPLE) is not None) == delimiter


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('email,"zip\n', "cannot be read. A quotation mark is not closed."),
        ("email,zip\udcff\n", "cannot be read. Contains bytes that are invalid"),
        ("a," * MAX_COLUMNS + "a\n", "The file has 4,001 columns. At most 4,000 can be read."),
    ],
)
def test_an_invalid_header_is_an_error(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        header_of(Lines(io.StringIO(text)), ",")


def test_a_column_name_with_line_breaks_becomes_one_line() -> None:
    assert header_of(Lines(io.StringIO('email," Your\nfavourite \r\n fish"\n', newline="")), ",") == [
        "email",
        "Your favourite fish",
    ]


@pytest.mark.parametrize("short", ["a\n", "a,b\n", "a,\n", "a,b,\n", "a\r\n"])
def test_missing_cells_at_the_end_of_a_row_are_empty(short: str) -> None:
    (line, cells, rejected), *others = read(short + GOOD)

    assert (line, rejected, len(cells), cells[0], cells[2]) == (1, None, 3, "a", "")
    assert [each[2] for each in others] == [None]


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("Comments,Comments\n", ["Comments", "Comments (2)"]),
        ("a,b,a,a\n", ["a", "b", "a (2)", "a (3)"]),
        ("a,a (2),a\n", ["a", "a (2)", "a (3)"]),
        ("a (2),a,a\n", ["a (2)", "a", "a (3)"]),
        ("a, a ,A\n", ["a", "a (2)", "A"]),
        ("a,,\n", ["a", "", ""]),
        (",a,\n", ["", "a", ""]),
        ("UNSUB_CAMPAIGN_ID,UNSUB_CAMPAIGN_ID\n", ["UNSUB_CAMPAIGN_ID", "UNSUB_CAMPAIGN_ID (2)"]),
        ("Phone,Phone\n", ["Phone", "Phone (2)"]),
    ],
)
def test_columns_of_the_same_name_get_different_names(header: str, names: list[str]) -> None:
    assert header_of(Lines(io.StringIO(header, newline="")), ",") == names


@pytest.mark.parametrize("name", ["a", "a (2)"])
def test_as_many_columns_of_one_name_as_a_file_may_have_are_named_at_once(name: str) -> None:
    started = time.monotonic()

    names = header_of(Lines(io.StringIO(",".join([name] * MAX_COLUMNS) + "\n")), ",")

    assert time.monotonic() - started < 5  # a search for each number in all names takes a minute and more
    assert len(set(names)) == MAX_COLUMNS
    assert names[:2] == [name, f"{name} (2)"]
    assert names[-1] == f"{name} ({MAX_COLUMNS})"


@pytest.mark.parametrize("between", [" " * 130_000, "\t \x0b" * 40_000])
def test_a_column_name_with_a_long_gap_is_read_at_once(between: str) -> None:
    started = time.process_time()

    assert header_of(Lines(io.StringIO(f"a{between}b\n", newline="")), ",") == [f"a{between}b"]

    assert time.process_time() - started < 2
