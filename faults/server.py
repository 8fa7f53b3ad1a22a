"""Runs gunicorn as a platform does: starts it, ends or kills it, and restarts it on the same port."""

import http.client
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from dev.mongod import free_port
from faults import processes

WORKERS = 2
THREADS = 4
# For start and end: longer than the graceful_timeout of gunicorn.conf.py, and enough for a busy machine.
WAIT_SECONDS = 120
# Maximum number of attempts to start gunicorn, as a service manager makes them.
STARTS = 8


class ServerFailed(Exception):
    """gunicorn did not start or react in time; the message ends with its log."""


def eventually(condition: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Waits until the condition is true. Raises ServerFailed with `what` if it is not true within `seconds`."""
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            raise ServerFailed(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(0.02)


class Gunicorn:
    """Runs an application under gunicorn with our configuration: `with Gunicorn("wsgi:app", ...) as server`."""

    def __init__(self, application: str, *, log: Path, variables: dict[str, str]) -> None:
        self.port = free_port()
        self._application = application
        self._log = log
        inherited = {name: value for name, value in os.environ.items() if name != "GUNICORN_CMD_ARGS"}
        limits = ("ANONYMOUS", "ANONYMOUS_BYTES", "TOKEN", "CONTACT")
        unlimited = {f"RATE_LIMIT_{each}": "" for each in limits}
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
        self._masters: list[processes.Process] = []

    def __enter__(self) -> "Gunicorn":
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Kills all processes. Call `terminate` before to let them finish."""
        for master in self._masters:
            # Each master has its own session and process group, which contains its workers.
            with suppress(ProcessLookupError):
                os.killpg(master.pid, signal.SIGKILL)
            master.wait()

    @property
    def workers(self) -> list[int]:
        """Process ids of the running workers."""
        pid = self._masters[-1].pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def start(self) -> None:
        """Starts gunicorn, again if it ends, and waits until all workers serve. Raises ServerFailed."""
        for _ in range(STARTS):
            with self._log.open("ab") as log:
                master = processes.start("gunicorn", self._application, env=self._variables, stdout=log)
            self._masters.append(master)
            self._wait(lambda: self._has_ended() or self._is_up(), "the start of gunicorn")
            if not self._has_ended():
                return
        raise ServerFailed(f"gunicorn ended {STARTS} times\n{self.log_tail()}")

    def kill_master(self) -> None:
        """Kills only the master by SIGKILL. Its workers must notice that by themselves."""
        self._masters[-1].kill()
        self._masters[-1].wait()

    def kill_all(self) -> None:
        """Kills the master and all workers by SIGKILL, as when a container is killed."""
        os.killpg(self._masters[-1].pid, signal.SIGKILL)
        self._masters[-1].wait()

    def kill_worker(self, pid: int) -> None:
        """Kills a worker by SIGKILL and waits until another one serves instead. Raises ServerFailed."""
        os.kill(pid, signal.SIGKILL)
        self._wait(lambda: pid not in self.workers and self._all_serve(), "the replacement of a killed worker")

    def terminate(self) -> None:
        """Sends SIGTERM and waits until gunicorn has ended. Raises ServerFailed if it does not end in time."""
        self._masters[-1].terminate()
        self._wait(self._has_ended, "the end of gunicorn")

    def log_tail(self, lines: int = 20) -> str:
        """Returns the last lines of the log over all starts, without those of requests that got 200."""
        printed = (line for line in self._log.read_text(errors="replace").splitlines() if '"status":200' not in line)
        return "\n".join(list(printed)[-lines:])

    def failures(self) -> list[str]:
        """Returns the log lines about internal errors: answers of 500, tracebacks, and workers that timed out."""
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
        """True if all WORKERS workers run and have loaded the application."""
        workers = self.workers
        return len(workers) == WORKERS and all(map(waits_for_events, workers))

    def _is_up(self) -> bool:
        """True if all workers serve and gunicorn answers, with any status."""
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


def waits_for_events(pid: int) -> bool:
    """True if a process uses epoll. A gthread worker does that as soon as it accepts connections."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return any("tfd:" in entry.read_text() for entry in Path(f"/proc/{pid}/fdinfo").iterdir())
    return False
