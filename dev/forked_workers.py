"""pytest plugin that collects the tests once and runs them in forked processes: `-p dev.forked_workers --workers 2,4`.

A collection imports the application and makes 18,000 tests, which takes seconds of a processor. Workers of pytest-xdist
collect each for themselves. These workers are forks of the process that has collected, so they have the tests already.

`--workers 2,4` starts two workers for tests that compute, and four for tests that mostly wait (marked `waits`). One
worker runs all tests of a file, in order, since they share servers and databases. Its next file comes from the same
folder, if there is one: its tests share a browser. Files with a test that is marked `slow` come first.
"""

import os
import random
import sys
import traceback
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final

import pytest
from _pytest.capture import CaptureManager
from _pytest.tmpdir import TempPathFactory
from coverage import Coverage


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--workers", help="number of workers for tests that compute, and of those for tests that wait")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.workers:
        computing, waiting = (int(each) for each in config.option.workers.split(","))
        config.pluginmanager.register(_Distribution({False: computing, True: waiting}))


@dataclass
class _File:
    """The tests of a file that wait, or those that do not, by their numbers in the session."""

    folder: Path
    waits: bool
    tests: list[int] = field(default_factory=list)
    is_slow: bool = False


@dataclass
class _Worker:
    """A forked process, the file that it runs, and the number of tests of it that have ended."""

    pid: int
    connection: Connection
    waits: bool
    file: _File | None = None
    ended: int = 0


_ENDED: Final = ()


class _Distribution:
    """Gives the files to the workers, and their reports to pytest."""

    def __init__(self, numbers: dict[bool, int]) -> None:
        self._numbers = numbers
        self._files: list[_File] = []
        self._workers: list[_Worker] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if session.testsfailed or session.config.option.collectonly:
            return None
        self._files = _files(session.items)
        _temporary(session.config).getbasetemp()
        try:
            for waits, number in self._numbers.items():
                for _ in range(min(number, sum(each.waits == waits for each in self._files))):
                    self._start(session, waits)
            while self._workers and not (session.shouldfail or session.shouldstop):
                for connection in wait([each.connection for each in self._workers]):
                    self._receive(session, next(each for each in self._workers if each.connection is connection))
        finally:
            for worker in self._workers:
                worker.connection.close()
                os.waitpid(worker.pid, 0)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        return True

    def _start(self, session: pytest.Session, waits: bool) -> None:
        ours, theirs = Pipe()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        pid = os.fork()
        if pid == 0:
            for each in (ours, *(worker.connection for worker in self._workers)):
                each.close()
            session.config.pluginmanager.unregister(self)
            _become_worker(session, theirs)
        theirs.close()
        self._workers.append(_Worker(pid, ours, waits))

    def _receive(self, session: pytest.Session, worker: _Worker) -> None:
        """Handles what a worker sends: the reports of a test, an error outside of all tests, or that it has no file."""
        message: Any = _ENDED
        with suppress(EOFError, ConnectionError):
            message = worker.connection.recv()
        if message == _ENDED:
            self._end(session, worker)
        elif message is None:
            worker.file, worker.ended = self._next(session, worker), 0
            worker.connection.send(worker.file.tests if worker.file else None)
        elif isinstance(message, str):
            _report_error(session, "tests::a worker outside of its tests", message)
        else:
            worker.ended += 1
            _report(session, message)

    def _next(self, session: pytest.Session, worker: _Worker) -> _File | None:
        """Returns the file that a worker runs next, or None at the end."""
        files = [each for each in self._files if each.waits == worker.waits]
        if not files or session.shouldfail or session.shouldstop:
            return None
        near = [each for each in files if worker.file and each.folder == worker.file.folder]
        chosen = next((each for each in near if each.is_slow or not files[0].is_slow), files[0])
        self._files.remove(chosen)
        return chosen

    def _end(self, session: pytest.Session, worker: _Worker) -> None:
        """Handles the end of a worker. If it was in a test, the test has failed, and another worker runs the rest."""
        self._workers.remove(worker)
        worker.connection.close()
        code = os.waitstatus_to_exitcode(os.waitpid(worker.pid, 0)[1])
        if worker.file is None and code == 0:
            return
        running = worker.file.tests[worker.ended : worker.ended + 1] if worker.file else []
        name = session.items[running[0]].nodeid if running else "tests::a worker between its tests"
        _report_error(session, name, f"The worker ended with exit code {code}.")
        if worker.file and not session.shouldfail:
            del worker.file.tests[: worker.ended + 1]
            self._files[:0] = [worker.file] if worker.file.tests else []
            self._start(session, worker.waits)


def _files(items: Sequence[pytest.Item]) -> list[_File]:
    found: dict[tuple[Path, bool], _File] = {}
    for number, item in enumerate(items):
        waits = item.get_closest_marker("waits") is not None
        file = found.setdefault((item.path, waits), _File(item.path.parent, waits))
        file.tests.append(number)
        file.is_slow = file.is_slow or item.get_closest_marker("slow") is not None
    return sorted(found.values(), key=lambda file: not file.is_slow)


def _report(session: pytest.Session, reports: list[dict[str, Any]]) -> None:
    """Passes the reports of a test to the plugins of this process, as if it had run here."""
    hook, config = session.config.hook, session.config
    read = [hook.pytest_report_from_serializable(config=config, data=data) for data in reports]
    if read:
        hook.pytest_runtest_logstart(nodeid=read[0].nodeid, location=read[0].location)
        for report in read:
            hook.pytest_runtest_logreport(report=report)
        hook.pytest_runtest_logfinish(nodeid=read[0].nodeid, location=read[0].location)


def _report_error(session: pytest.Session, name: str, text: str) -> None:
    path, _, rest = name.partition("::")
    location = (path, None, rest)
    report = pytest.TestReport(name, location, {}, "failed", text, "call")
    session.config.hook.pytest_runtest_logstart(nodeid=name, location=location)
    session.config.hook.pytest_runtest_logreport(report=report)
    session.config.hook.pytest_runtest_logfinish(nodeid=name, location=location)


def _temporary(config: pytest.Config) -> TempPathFactory:
    return config._tmp_path_factory  # type: ignore[attr-defined, no-any-return]


def _become_worker(session: pytest.Session, connection: Connection) -> None:
    """Runs the files that arrive on the connection, and ends the process."""
    code = 1
    try:
        random.seed()  # each worker would have the numbers of the others
        plugins = session.config.pluginmanager
        plugins.unregister(name="terminalreporter")
        capture: CaptureManager = plugins.getplugin("capturemanager")
        capture.stop_global_capturing()  # its files are those of all workers
        capture.start_global_capturing()
        capture.suspend_global_capture()
        factory = _temporary(session.config)
        factory._basetemp = factory.getbasetemp() / f"worker-{os.getpid()}"
        factory._basetemp.mkdir(mode=0o700)
        _run_files(session, connection)
        code = 0
    except (EOFError, ConnectionError, KeyboardInterrupt):
        pass  # the process that started this one has ended, or Ctrl-C was pressed
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        if measured := Coverage.current():
            measured.stop()
            measured.save()
        for stream in (sys.__stdout__, sys.__stderr__):
            if stream:
                stream.flush()
        os._exit(code)  # what the first process does at its end is not done again


def _run_files(session: pytest.Session, connection: Connection) -> None:
    reports = _Reports(session.config)
    session.config.pluginmanager.register(reports)
    try:
        connection.send(None)
        while numbers := connection.recv():
            items = [session.items[number] for number in numbers]
            session._setupstate.teardown_exact(items[0])  # fixtures of another folder
            # The fixtures of the folder stay, if the next file is in it.
            folder: Any = items[-1].getparent(pytest.File).parent
            for item, following in zip(items, [*items[1:], folder], strict=True):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                connection.send(reports.serialized())
            connection.send(None)
    finally:
        try:
            session._setupstate.teardown_exact(None)
        except Exception:
            connection.send(traceback.format_exc())


class _Reports:
    """Keeps the reports of the test that runs, without those of a set-up that passed: only some options read them."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._needs_all = config.option.durations is not None or config.option.xmlpath is not None
        self._found: list[pytest.TestReport] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self._needs_all or report.when == "call" or not report.passed:
            self._found.append(report)

    def serialized(self) -> list[dict[str, Any]]:
        """Returns the reports, and forgets them."""
        found, self._found = self._found, []
        serialize = self._config.hook.pytest_report_to_serializable
        return [serialize(config=self._config, report=report) for report in found]


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable(report: pytest.TestReport) -> Generator[None, dict[str, Any] | None, Any]:
    """Shortens the report of a passed test: nobody reads its output and its names."""
    data = yield
    if data is not None and report.passed and isinstance(report, pytest.TestReport):
        data["sections"], data["keywords"] = [], {}
    return data
