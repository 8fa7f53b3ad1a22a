"""gunicorn as a platform runs it: started, ended, killed, and started again on the same port."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from dev.mongod import free_port

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2
THREADS = 4
# Also for its end: longer than gunicorn's own grace for requests that are under way (gunicorn.conf.py).
WAIT_SECONDS = 30
# A service manager starts again and again what ends.
STARTS = 8


class ServerFailed(Exception):
    """gunicorn did not start or did not do what it was told in time; the message ends with its log."""


def eventually(condition: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Wait until the condition comes true. Raises ServerFailed that names it where it does not in so many seconds."""
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            raise ServerFailed(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.02)


class Gunicorn:
    """An application under gunicorn, with this checkout's configuration: `with Gunicorn("wsgi:app", ...) as server`."""

    def __init__(self, application: str, *, log: Path, variables: dict[str, str]) -> None:
        self.port = free_port()
        self._application = application
        self._log = log
        inherited = {name: value for name, value in os.environ.items() if name != "GUNICORN_CMD_ARGS"}
        unlimited = dict.fromkeys(("RATE_LIMIT_ANONYMOUS", "RATE_LIMIT_TOKEN", "RATE_LIMIT_CONTACT"), "")
        self._variables = {
            **inherited,
            **unlimited,
            **variables,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "WEB_CONCURRENCY": str(WORKERS),
            "WEB_THREADS": str(THREADS),
            "LOG_FORMAT": "json",
        }
        self._masters: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Gunicorn":
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End all of them at once: whoever wants them to finish has called `terminate`."""
        for master in self._masters:
            # Each is a session of its own, whose group is its workers'.
            with suppress(ProcessLookupError):
                os.killpg(master.pid, signal.SIGKILL)
            master.wait()

    @property
    def workers(self) -> list[int]:
        """The process ids of the workers that run now."""
        pid = self._masters[-1].pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def start(self) -> None:
        """Start it, again where it ends, and wait until it answers with all its workers. Raises ServerFailed."""
        for _ in range(STARTS):
            with self._log.open("ab") as log:
                master = subprocess.Popen(
                    [sys.executable, "-m", "gunicorn", self._application],
                    cwd=ROOT,
                    env=self._variables,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self._masters.append(master)
            self._wait(lambda: self._has_ended() or self._is_up(), "gunicorn")
            if not self._has_ended():
                return
        raise ServerFailed(f"gunicorn ended {STARTS} times\n{self.log_tail()}")

    def kill_master(self) -> None:
        """SIGKILL to the master alone; its workers have to find out by themselves."""
        self._masters[-1].kill()
        self._masters[-1].wait()

    def kill_all(self) -> None:
        """SIGKILL to the master and all workers at once, as when a container is ended."""
        os.killpg(self._masters[-1].pid, signal.SIGKILL)
        self._masters[-1].wait()

    def kill_worker(self, pid: int) -> None:
        """SIGKILL to a worker, and wait until another serves in its place. Raises ServerFailed."""
        os.kill(pid, signal.SIGKILL)
        self._wait(lambda: pid not in self.workers and self._all_serve(), "another worker for the one that was killed")

    def terminate(self) -> None:
        """SIGTERM, and wait until it has ended by itself. Raises ServerFailed where it does not."""
        self._masters[-1].terminate()
        self._wait(self._has_ended, "the end of gunicorn")

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of what it printed, over all its starts, but those of requests that went well."""
        told = (line for line in self._log.read_text(errors="replace").splitlines() if '"status":200' not in line)
        return "\n".join(list(told)[-lines:])

    def failures(self) -> list[str]:
        """The lines about what it did not foresee: answers of 500, and workers that died of themselves."""
        lines = self._log.read_text(errors="replace").splitlines()
        return [line for line in lines if '"status":500' in line or "Traceback" in line or "WORKER TIMEOUT" in line]

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        try:
            eventually(condition, what)
        except ServerFailed as error:
            raise ServerFailed(f"{error}\n{self.log_tail()}") from error

    def _has_ended(self) -> bool:
        return self._masters[-1].poll() is not None

    def _all_serve(self) -> bool:
        """Whether there are as many workers as there should be, and each has loaded the application."""
        workers = self.workers
        return len(workers) == WORKERS and all(map(_waits_for_events, workers))

    def _is_up(self) -> bool:
        """Whether it answers, with anything, and has its workers."""
        if self._has_ended() or not self._all_serve():
            return False
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return True


def _waits_for_events(pid: int) -> bool:
    """Whether a process polls anything, which a worker of the kind gthread does when it begins to take connections."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return any("tfd:" in entry.read_text() for entry in Path(f"/proc/{pid}/fdinfo").iterdir())
    return False
