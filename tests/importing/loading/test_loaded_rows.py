"""A second process loads the rows of a large file as this process would, and this one loads what that one does not."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from osdi import log
from osdi.importing.csv_files.column_mapping import OUTREACHES
from osdi.importing.csv_files.encoding import survey
from osdi.importing.loading import loaded_rows, loader_process
from osdi.importing.loading.chunks import MAX_BYTES, MAX_ROWS, chunks
from osdi.importing.loading.loaded_rows import LoadedRows, processors
from osdi.importing.loading.row_loader import LoadedRow, RowLoader
from osdi.importing.sources import CsvChoices, CsvSource, NdjsonSource, Source
from osdi.match_keys import MatchKeyRules
from schemas.import_bodies import load_body
from tests.importing.conftest import is_gone
from tests.importing.loading.conftest import LOADER, ROWS
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[3]
Opened = Callable[[], CsvSource]


def facts(rows: Iterator[LoadedRow]) -> list[Any]:
    """All that an import uses of the rows: their items do not have the bodies that were loaded."""
    return [(loaded, [(each.line, each.written, each.rejected) for each in item.rows()]) for item, loaded in rows]


def loaded_here(source: Source, loader: RowLoader = LOADER) -> list[Any]:
    return facts(loader.rows(source.items()))


@pytest.mark.usefixtures("second_process")
class TestASecondProcess:
    @pytest.mark.parametrize("skipped", [0, 7, ROWS - 20, ROWS - 5, ROWS])
    def test_loads_the_same_rows_in_the_same_order(self, opened: Opened, started: list[int], skipped: int) -> None:
        with closing(LoadedRows(opened(), LOADER, skipped)) as rows:
            found = facts(iter(rows))

        assert found == loaded_here(opened())[skipped:]
        assert len(started) == 1
        assert is_gone(started[0])
        assert rows.position == opened().size

    def test_loads_documents_and_outreaches_of_several_rows(self, tmp_path: Path, started: list[int]) -> None:
        loader = RowLoader(load_body, OUTREACHES, silent=False, match_key_rules=MatchKeyRules("osdi_outreach", ""))
        table, documents = tmp_path / "outreaches.csv", tmp_path / "outreaches.ndjson"
        rows = (
            f"crm:{n // 3},p{n // 3}@example.com,{n % 3 + 1},T{n},{'?' if n == 60 else '2024-12-31'},c{n}\n"
            for n in range(120)
        )
        table.write_text("identifiers,email,target_number,target_last_name,date,advocacy_campaign_id\n" + "".join(rows))
        links = '{"osdi:person": {"href": "https://example.org/api/v1/people/%s"}}'
        lines = (f'{{"type": "phone", "duration": {n}, "_links": {links % n}}}\n' for n in range(30))
        documents.write_text("".join((*lines, "{\n", "[]\n", '{"person": 1}\n')))

        def sources() -> tuple[Source, Source]:
            csv = CsvSource(table, survey(table), OUTREACHES, CsvChoices(), "osdi_outreach", None)
            return csv, NdjsonSource(documents, OUTREACHES)

        for source, same in zip(sources(), sources(), strict=True):
            with closing(source), closing(same), closing(LoadedRows(source, loader, 0)) as loaded:
                found = [(*one, item.campaign) for item, row in loaded for one in facts(iter([(item, row)]))]
                expected = [(*one, item.campaign) for item in same.items() for one in facts(loader.rows([item]))]
            assert found == expected
            assert len(found) > 30
        assert len(started) == 2

    def test_that_is_killed_leaves_the_rest_to_this_process(
        self, opened: Opened, started: list[int], capsys: pytest.CaptureFixture[str]
    ) -> None:
        log.configure("json", "info")
        with closing(LoadedRows(opened(), LOADER, 0)) as rows:
            first = facts(islice(rows, 300))
            os.kill(started[0], signal.SIGKILL)
            found = first + facts(iter(rows))

        assert found == loaded_here(opened())
        assert f'"second_process":"ended","status":{-signal.SIGKILL}' in capsys.readouterr().out

    @pytest.mark.parametrize(
        "command", [("/nonexistent/python",), (sys.executable, "-c", "import sys; sys.exit(3)")], ids=["no", "failing"]
    )
    def test_that_does_not_work_leaves_all_rows_to_this_process(
        self, opened: Opened, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
    ) -> None:
        monkeypatch.setattr(loader_process, "COMMAND", command)

        with closing(LoadedRows(opened(), LOADER, 0)) as rows:
            assert facts(iter(rows)) == loaded_here(opened())

    def test_that_cannot_open_the_file_prints_nothing(
        self, file: Path, opened: Opened, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """The row may contain personal data. This process has opened the file already."""
        source, expected = opened(), loaded_here(opened())
        file.unlink()

        with closing(LoadedRows(source, LOADER, 0)) as rows:
            assert facts(iter(rows)) == expected

        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize("rows_left", [ROWS - 1, 20])
    def test_reads_no_other_file_that_took_the_place_of_the_opened_one(
        self, file: Path, opened: Opened, rows_left: int
    ) -> None:
        source, expected = opened(), loaded_here(opened())
        head, *lines = file.read_text().splitlines(keepends=True)
        other = file.with_suffix(".new")
        other.write_text(head + "".join(lines[:rows_left]).replace("Given", "Other"))
        other.replace(file)

        with closing(LoadedRows(source, LOADER, 0)) as rows:
            assert facts(iter(rows)) == expected

    def test_that_says_too_early_that_it_is_done_costs_no_row(
        self, opened: Opened, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program = "import pickle, sys; pickle.dump(None, sys.stdout.buffer)"
        monkeypatch.setattr(loader_process, "COMMAND", (sys.executable, "-c", program))

        with closing(LoadedRows(opened(), LOADER, 0)) as rows:
            assert facts(iter(rows)) == loaded_here(opened())

    def test_is_ended_if_the_system_allows_no_thread_for_it(
        self, opened: Opened, started: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_thread(*_: object) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(loader_process.ThreadPoolExecutor, "submit", no_thread)

        with closing(LoadedRows(opened(), LOADER, 0)) as rows:
            assert facts(iter(rows)) == loaded_here(opened())

        assert all(map(is_gone, started))

    def test_ends_when_the_rows_are_closed(self, opened: Opened, started: list[int]) -> None:
        with closing(LoadedRows(opened(), LOADER, 0)) as rows:
            assert len(list(islice(rows, 300))) == 300

        assert is_gone(started[0])

    @pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
    def test_waits_for_the_import(self, file: Path, opened: Opened, started: list[int]) -> None:
        """It has read a part of the file only, however long the import takes. So its memory use does not grow."""
        with closing(LoadedRows(opened(), LOADER, 0)) as rows:
            assert len(list(islice(rows, 50))) == 50
            folder = Path(f"/proc/{started[0]}")
            (number,) = (each.name for each in (folder / "fd").iterdir() if each.resolve() == file)
            positions = [-1]

            def stands() -> bool:
                positions.append(int((folder / "fdinfo" / number).read_text().split()[1]))
                return len(positions) > 6 and len(set(positions[-6:])) == 1

            assert eventually(stands)
        assert 0 < positions[-1] < file.stat().st_size / 2


@pytest.mark.usefixtures("second_process")
@pytest.mark.parametrize(("name", "value"), [("MIN_BYTES", 10_000_000), ("processors", lambda: 1)])
def test_a_small_file_and_one_processor_need_no_second_process(
    opened: Opened, started: list[int], monkeypatch: pytest.MonkeyPatch, name: str, value: Any
) -> None:
    monkeypatch.setattr(loaded_rows, name, value)

    with closing(LoadedRows(opened(), LOADER, 0)) as rows:
        assert facts(iter(rows)) == loaded_here(opened())

    assert started == []


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_processors_are_those_that_the_process_may_use() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert processors() == 1
    finally:
        os.sched_setaffinity(0, before)
    assert processors() == len(before)


def test_the_second_process_loads_neither_http_nor_the_driver() -> None:
    """So it takes a third of the memory of the importing process, and starts in a quarter of a second."""
    program = f"import {load_body.__module__}, osdi.importing.loading.__main__, sys; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert "osdi.importing.loading.row_loader" in modules.split()
    assert {"app", "blueprints", "flask", "osdi.store", "pymongo", "werkzeug"}.isdisjoint(modules.split())


def test_a_chunk_has_few_rows_and_few_bytes(tmp_path: Path) -> None:
    file = tmp_path / "people.ndjson"
    short, long = '{"given_name": "J"}\n', '{"given_name": "%s"}\n' % ("x" * (MAX_BYTES // 2))
    file.write_text(short * (MAX_ROWS + 1) + long * 5)
    with closing(NdjsonSource(file, "people")) as source:
        found = list(chunks(source, LOADER, 0))

    assert [len(each.rows) for each in found][:1] == [MAX_ROWS]
    assert max(len(each.rows) for each in found[1:]) <= 3
    assert sum(len(each.rows) for each in found) == MAX_ROWS + 6
    assert found[-1].position == file.stat().st_size
