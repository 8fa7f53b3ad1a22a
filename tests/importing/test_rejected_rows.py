"""The file of refused lines: what stands in it, and that no other file is lost by it."""

import csv
from pathlib import Path

import orjson
import pytest

from osdi.exporting.csv_cells import restored
from osdi.importing.rejected_rows import RefusedFile

HEADER = ("email", "note")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "people.csv"


def lines(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("cell", ["=1+1", "'=1+1", "''=1+1", "'Jane", "-", "plain", '"; ', "two\nlines"])
def test_a_cell_is_read_again_as_the_one_that_was_refused(source: Path, cell: str) -> None:
    file = RefusedFile(source, HEADER)
    file.add(2, "why", ("a@example.com", cell))

    (_, row) = lines(file.without_repeats() or source)

    assert restored(row[3]) == restored(cell)
    assert not row[3].startswith(("=", "-"))


def test_two_imports_of_one_source_at_once_each_have_their_own(source: Path) -> None:
    one, other = RefusedFile(source, HEADER), RefusedFile(source, HEADER)
    one.add(2, "why", ("a", "b"))
    other.add(3, "why", ("c", "d"))

    found = [file.without_repeats() for file in (one, other)]

    assert [path and path.name for path in found] == ["people.refused.csv", "people.refused-2.csv"]
    assert [lines(path)[1][0] for path in found if path] == ["2", "3"]


def test_it_is_not_taken_for_an_earlier_one_under_another_name_of_its_folder(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(source.parent)
    begun = RefusedFile(Path("people.csv"), HEADER)
    begun.add(2, "why", ("a", "b"))
    size = begun.size()
    begun.close()
    resumed = RefusedFile(source, HEADER, path=begun.path, size=size)
    resumed.add(3, "why", ("c", "d"))

    found = resumed.without_repeats()

    assert found is not None
    assert [row[0] for row in lines(found)] == ["refused_line", "2", "3"]


def test_where_nothing_was_refused_there_is_none(source: Path) -> None:
    assert RefusedFile(source, HEADER).without_repeats() is None
    assert list(source.parent.iterdir()) == []


def test_a_document_that_is_too_deep_to_be_written_is_kept_as_its_text(source: Path) -> None:
    deep = b'{"a":' + b"[" * 300 + b"]" * 300 + b"}"
    file = RefusedFile(source.with_suffix(".ndjson"), None)
    file.add(1, "why", deep)

    path = file.without_repeats()

    assert path is not None
    assert orjson.loads(path.read_bytes()) == {"refused_line": 1, "refused_reason": "why", "text": deep.decode()}
