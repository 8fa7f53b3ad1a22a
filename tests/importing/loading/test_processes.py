"""Signals to the processes of an import: none outlives the other, and the import is as without the second one."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from pymongo.database import Database

from bench.proc import children
from osdi.settings import Settings
from tests.importing.conftest import is_gone
from tests.support.client import Client
from tests.support.fork_server import ForkedProcess, popen
from tests.support.waiting import eventually

ROWS = 1_500
EAGER = "tests.importing.loading.eager_command"
SECONDS = 120

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the second process in /proc")


class Command(NamedTuple):
    """A started import, with its second process once that has started."""

    process: ForkedProcess
    out: Path
    err: Path

    def second(self) -> int:
        assert eventually(lambda: children(self.process.pid))
        return children(self.process.pid)[0]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("email,fish\n" + "".join(f"p{number}@example.com,{'x' * 500}\n" for number in range(ROWS)))
    return path


@pytest.fixture
def start(api: Client, settings: Settings, file: Path, tmp_path: Path) -> Iterator[Callable[..., Command]]:
    """Starts `import people` as a process."""
    started: list[ForkedProcess] = []

    def command(*options: str) -> Command:
        environment = {**os.environ, "MONGODB_URI": settings.mongodb_uri, "LOG_FORMAT": "json"}
        words = ("import", "people", str(file), *options)
        files = [tmp_path / f"{name}-{len(started)}" for name in ("output", "errors")]
        with files[0].open("wb") as out, files[1].open("wb") as err:
            started.append(popen(EAGER, *words, env=environment, stdout=out, stderr=err))
        return Command(started[-1], *files)

    yield command
    for each in started:
        each.kill()


@pytest.fixture
def slow_inserts(fail: Callable[..., None]) -> None:
    """Each batch takes long without computing, so that the import is met in the middle, also on a busy machine."""
    fail("alwaysOn", ["insert"], blockConnection=True, blockTimeMS=700)


def rows_done(database: Database) -> int:
    found = database.imports.find_one()
    return int(found["report"]["rows"]) if found else 0


def state_of(pid: int) -> str:
    """The state of a process; Z if it has ended and its parent does not know yet."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.usefixtures("slow_inserts")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_import_that_is_stopped_ends_the_second_process_and_is_resumed(
    start: Callable[..., Command], database: Database, fail: Callable[..., None], number: signal.Signals
) -> None:
    """A container or a terminal may send the signal to both processes, in any order."""
    command = start()
    second = command.second()
    assert os.getpgid(second) == second
    assert eventually(lambda: rows_done(database) > 0)
    os.kill(second, number)
    before = rows_done(database)
    assert eventually(lambda: rows_done(database) > before)
    assert state_of(second) != "Z"  # it has ignored the signal
    os.killpg(command.process.pid, number)

    assert command.process.wait(SECONDS) == 128 + number
    assert is_gone(second)
    error = command.err.read_text()
    assert "Stopped after " in error
    assert "The same command with --resume continues." in error
    assert "Traceback" not in error
    done = database.people.count_documents({})
    assert 0 < done < ROWS
    fail("off", ["insert"])
    assert start("--resume").process.wait(SECONDS) == 0
    assert database.people.count_documents({}) == ROWS
    # A batch that was being stored at the end counts as unchanged.
    assert sum(database.imports.find_one()["report"]["people"].values()) == ROWS  # type: ignore[index]


@pytest.mark.usefixtures("slow_inserts")
def test_the_second_process_of_a_killed_import_ends(start: Callable[..., Command], database: Database) -> None:
    command = start()
    second = command.second()
    assert eventually(lambda: rows_done(database) > 0)
    command.process.kill()

    assert eventually(lambda: is_gone(second))
    assert command.err.read_text() == ""


def test_an_import_whose_second_process_is_killed_imports_all_rows(
    start: Callable[..., Command], database: Database
) -> None:
    command = start()
    os.kill(command.second(), signal.SIGKILL)

    assert command.process.wait(SECONDS) == 0
    assert database.people.count_documents({}) == ROWS
    assert f'"second_process":"ended","status":{-signal.SIGKILL}' in command.out.read_text()
    assert command.err.read_text() == ""
