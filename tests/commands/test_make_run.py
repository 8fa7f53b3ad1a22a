"""`make run` as a person uses it: what it prints works, it keeps the data, and it stops what it started."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import requests

from dev import run
from dev.mongod import free_port
from osdi.store.driver import MOCK
from tests.support.fork_server import ForkedProcess, popen
from tests.support.live import ROOT
from tests.support.waiting import eventually

SECONDS = 60

needs_proc = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc to see child processes")


@pytest.fixture(scope="module")
def first(mongod_folder: Path) -> Iterator["MakeRun"]:
    """The first start in a folder, with an outreach."""
    with MakeRun(mongod_folder / "make-run") as started:
        started.outreach = bash(started.commands()[1])
        yield started


@pytest.fixture(scope="module")
def second(first: "MakeRun") -> Iterator["MakeRun"]:
    """The next start in the folder. It has another port: another process may use the first one meanwhile."""
    assert first.interrupt() == []
    with MakeRun(first.folder, web_concurrency="1") as started:
        yield started


@needs_proc
def test_make_run_prints_what_works(first: "MakeRun") -> None:
    assert bash(first.commands()[0]) == {}
    assert first.outreach["type"] == "phone"
    started = {process_name(pid) for pid in descendants(first.pid)}
    assert {"mongod", "gunicorn"} <= started
    assert first.command("token").stdout.strip() == first.token()
    assert f"http://localhost:{first.port}/staff/link/" in first.command("staff", "link", "ada@example.org").stdout


@needs_proc
def test_make_run_stops_what_it_started(first: "MakeRun") -> None:
    assert first.interrupt() == []


@pytest.mark.slow
@needs_proc
def test_make_run_keeps_the_data(first: "MakeRun", second: "MakeRun") -> None:
    token = first.token()
    there, here = f":{first.port}/", f":{second.port}/"
    address = first.outreach["_links"]["self"]["href"].replace(there, here)
    response = requests.get(address, headers={"OSDI-API-Token": token}, timeout=SECONDS)

    assert second.token() == token
    assert second.database() == first.database()
    assert json.loads(response.text.replace(here, there)) == first.outreach


@pytest.mark.slow
@needs_proc
def test_two_make_run_on_one_database_are_rejected(second: "MakeRun") -> None:
    with (
        pytest.raises(RuntimeError, match="another program uses the data in var/mongodb/"),
        MakeRun(second.folder),
    ):
        pass


def test_make_run_stops_if_the_data_are_damaged(mongod_folder: Path) -> None:
    data = mongod_folder / "make-run-damaged" / "var" / "mongodb" / "data"
    data.mkdir(parents=True)
    for name in ("WiredTiger", "WiredTiger.turtle", "WiredTiger.wt", "storage.bson"):
        (data / name).write_bytes(b"damaged")

    with pytest.raises(RuntimeError, match=r"(?s)mongod did not start.*MONGODB_URI="), MakeRun(data.parents[2]):
        pass


def test_make_run_stops_if_there_is_no_packaged_mongod(mongod_folder: Path) -> None:
    folder = mongod_folder / "make-run-without"
    without_mongod = folder / "stub" / "fiftyone"
    without_mongod.mkdir(parents=True)
    (without_mongod / "__init__.py").touch()

    with (
        pytest.raises(RuntimeError, match=r"(?s)no packaged mongod for .*MONGODB_URI=mongomock://"),
        MakeRun(folder, first_on_path=str(without_mongod.parent)),
    ):
        pass


@pytest.mark.slow
def test_make_run_keeps_data_in_memory_only_if_the_setting_says_so(mongod_folder: Path) -> None:
    with MakeRun(mongod_folder / "make-run-in-memory", mongodb_uri=MOCK) as started:
        without_token, with_token = started.commands()

        assert "NOTHING IS KEPT" in started.output
        assert bash(without_token) == {}
        assert bash(with_token)["type"] == "phone"
        assert started.interrupt() == []


def test_make_run_compiles_the_application_before_the_web_process_imports_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all(find_spec(name) for name in run.APPLICATION.removeprefix("import ").split(", "))
    (tmp_path / "small.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path / "compiled"))
    monkeypatch.setattr(run, "APPLICATION", "import small")

    with contextlib.ExitStack() as stack:
        assert run._compile_ahead(stack).wait(SECONDS) == 0

    assert len([*(tmp_path / "compiled").rglob("small.*.pyc")]) == 1


@dataclass
class MakeRun:
    """The supervisor behind `make run`, in a folder of its own. It is forked, and starts other processes as it does."""

    folder: Path
    port: int = 0
    first_on_path: str = ""
    mongodb_uri: str = ""
    web_concurrency: str = "2"
    process: ForkedProcess | None = None
    outreach: dict[str, Any] = field(default_factory=dict)

    @property
    def pid(self) -> int:
        assert self.process
        return self.process.pid

    @property
    def output(self) -> str:
        return self.log.read_text()

    def commands(self) -> list[str]:
        """The curl commands, exactly as printed."""
        return re.findall(r"^curl .*?(?=\n\n)", self.output, re.MULTILINE | re.DOTALL)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs bin/osdi in another folder; the test fails unless it succeeds."""
        program = self.folder / "bin" / "osdi"
        if not program.exists():
            program.parent.mkdir()
            shutil.copy(ROOT / "bin" / "osdi", program)
            (self.folder / "app.py").symlink_to(ROOT / "app.py")
            (self.folder / ".venv" / "bin").mkdir(parents=True)
            (self.folder / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
            (self.folder / ".venv" / "bin" / "python").chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MONGODB_", "PUBLIC_"))}
        ended = subprocess.run(
            [str(program), *arguments], cwd="/", env=kept, capture_output=True, text=True, timeout=SECONDS
        )
        assert ended.returncode == 0, ended.stderr
        return ended

    def database(self) -> str:
        """The line of the output that names the port of the database."""
        found = re.search(r"MongoDB runs on port \d+", self.output)
        assert found
        return found[0]

    def token(self) -> str:
        found = re.search(r"OSDI-API-Token: ([^']+)", self.output)
        assert found
        return found[1]

    def interrupt(self) -> list[int]:
        """Press Ctrl-C; returns the processes it had started that still run after it ended."""
        assert self.process
        started = descendants(self.pid) if self.process.poll() is None else []
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(2 * SECONDS) == 0, self.output
        left = [pid for pid in started if Path(f"/proc/{pid}").exists()]
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return left

    def __enter__(self) -> "MakeRun":
        self.folder.mkdir(exist_ok=True)
        self.port = self.port or free_port()
        # The checkout's root as far as gunicorn can tell, with data of its own.
        settings = self.folder / "gunicorn.conf.py"
        settings.unlink(missing_ok=True)
        settings.symlink_to(ROOT / settings.name)
        self.log = Path(tempfile.mkstemp(dir=self.folder, suffix=".log")[1])
        path = os.pathsep.join(filter(None, (self.first_on_path, str(ROOT))))
        chosen = {"PYTHONPATH": path, "HOST": "127.0.0.1", "PORT": str(self.port)}
        chosen |= {"MONGODB_URI": self.mongodb_uri, "WEB_CONCURRENCY": self.web_concurrency}
        with self.log.open("wb") as output:
            self.process = popen("dev.run", env={**os.environ, **chosen}, stdout=output, cwd=self.folder)
        process = self.process
        eventually(lambda: "Stop: Ctrl-C" in self.output or process.poll() is not None, seconds=2 * SECONDS)
        if "Stop: Ctrl-C" not in self.output:
            self.__exit__()
            raise RuntimeError(f"make run did not start:\n{self.output}")
        return self

    def __exit__(self, *_: object) -> None:
        if self.process and self.process.poll() is None:
            for pid in [self.pid, *descendants(self.pid)]:
                os.kill(pid, signal.SIGKILL)
            self.process.wait()


def bash(command: str) -> Any:
    """The JSON that a pasted command answers."""
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and those that they did."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*children, *(each for child in children for each in descendants(child))]


def process_name(pid: int) -> str:
    """Returns the name of what a process runs: `mongod`, or the Python module."""
    arguments = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return arguments[2] if arguments[1] == "-m" else Path(arguments[0]).name
