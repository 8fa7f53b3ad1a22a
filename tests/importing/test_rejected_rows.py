"""The file of rejected rows: its content, and that it overwrites no other file."""

import csv
from pathlib import Path

import orjson
import pytest

from osdi.exporting.csv_cells import restored
from osdi.importing.rejected_rows import RejectedFile

HEADER = ("email", "note")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "people.csv"


def lines(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("cell", ["=1+1", "'=1+1", "''=1+1", "'Jane", "-", "plain", '"; ', "two\nlines"])
def test_a_cell_is_read_like_the_rejected_one(source: Path, cell: str) -> None:
    file = RejectedFile(source, HEADER)
    file.add(2, "why", ("a@example.com", cell))

    (_, row) = lines(file.without_repeats() or source)

    assert restored(row[3]) == restored(cell)
    assert not row[3].startswith(("=", "-"))


def test_two_concurrent_imports_of_one_source_have_a_file_each(source: Path) -> None:
    one, other = RejectedFile(source, HEADER), RejectedFile(source, HEADER)
    one.add(2, "why", ("a", "b"))
    other.add(3, "why", ("c", "d"))

    found = [file.without_repeats() for file in (one, other)]

    assert [path and path.name for path in found] == ["people.rejected.csv", "people.rejected-2.csv"]
    assert [lines(path)[1][0] for path in found if path] == ["2", "3"]


def test_a_relative_and_an_absolute_path_are_the_same_file(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(source.parent)
    begun = RejectedFile(Path("people.csv"), HEADER)
    begun.add(2, "why", ("a", "b"))
    size = begun.size()
    begun.close()
    resumed = RejectedFile(source, HEADER, path=begun.path, size=size)
    resumed.add(3, "why", ("c", "d"))

    found = resumed.without_repeats()

    assert found is not None
    assert [row[0] for row in lines(found)] == ["rejected_line", "2", "3"]


def test_there_is_no_file_without_rejected_rows(source: Path) -> None:
    assert RejectedFile(source, HEADER).without_repeats() is None
    assert list(source.parent.iterdir()) == []


def test_a_document_that_is_nested_too_deep_is_kept_as_text(source: Path) -> None:
    deep = b'{"a":' + b"[" * 300 + b"]" * 300 + b"}"
    file = RejectedFile(source.with_suffix(".ndjson"), None)
    file.add(1, "why", deep)

    path = file.without_repeats()

    assert path is not None
    assert orjson.loads(path.read_bytes()) == {"rejected_line": 1, "rejected_reason": "why", "text": deep.decode()}
