"""The server as it runs in production: real gunicorn in a process of its own, started and ended by a test.

Output goes to a file, so a server that logs much never blocks on a full pipe.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import requests

from dev.mongod import free_port
from faults.server import waits_for_events
from osdi.resources import API
from tests.support.factories import UNLIMITED
from tests.support.fork_server import ForkedProcess, popen

ROOT = Path(__file__).parents[2]
START_SECONDS = 120
# Longer than gunicorn's own grace for requests that are under way (gunicorn.conf.py).
STOP_SECONDS = 60


class Live:
    """gunicorn on a free loopback port: `with Live({"MONGODB_URI": uri}) as live: requests.get(live.url)`."""

    def __init__(
        self,
        environment: dict[str, str],
        *,
        workers: int = 1,
        threads: int = 4,
        application: str = "wsgi:app",
        command: Sequence[str] = ("gunicorn",),
    ) -> None:
        """`command` is a module with its first arguments. It runs gunicorn; its last argument is the application."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.application = application
        self.command = command
        self.number = workers
        self.environment = {
            **os.environ,
            **{name.upper(): str(value) for name, value in UNLIMITED.items()},
            **environment,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "WEB_CONCURRENCY": str(workers),
            "WEB_THREADS": str(threads),
        }
        self.process: ForkedProcess | None = None

    @property
    def output(self) -> str:
        """Everything that the server has printed so far, or until it was stopped."""
        if self._output.closed:
            return self._last_output
        return Path(self._output.name).read_text(errors="replace")

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def workers(self) -> list[int]:
        """The worker processes that run now."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def start(self) -> "Live":
        """Starts gunicorn and waits until the API entry point answers. Raises RuntimeError with its output."""
        self._output = tempfile.NamedTemporaryFile(prefix="osdi-live-", suffix=".log")  # noqa: SIM115  # closed by stop
        # It has a session of its own: Ctrl-C in the terminal reaches the test, which stops the server.
        self.process = popen(*self.command, self.application, env=self.environment, stdout=self._output)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self._all_serve() and requests.get(f"{self.url}{API}/", timeout=5).ok:
                    return self
                time.sleep(0.02)
            except (requests.ConnectionError, requests.Timeout):
                time.sleep(0.05)  # not listening yet, or busy starting: retried until the deadline
        self.stop()
        raise RuntimeError(f"gunicorn did not respond:\n{self.output}")

    def _all_serve(self) -> bool:
        """True if all workers serve. A worker that is still starting would ignore SIGTERM: stopping would take 25 s."""
        if sys.platform != "linux":
            return True
        with suppress(FileNotFoundError):
            workers = self.workers()
            return len(workers) == self.number and all(map(waits_for_events, workers))
        return False

    def stop(self) -> None:
        """End the process that this object started: SIGTERM, and SIGKILL past the bound."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)  # the workers too, which are in the session that start() made
                self.process.wait()
        self._last_output = self.output
        self._output.close()

    def __enter__(self) -> "Live":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class Worker:
    """The worker in a process of its own: `with Worker({"MONGODB_URI": uri, "SMTP_URL": ...}): ...`."""

    def __init__(self, environment: dict[str, str], *, module: str = "flask") -> None:
        """`module` contains the flask command."""
        self.module = module
        self.environment = {**os.environ, "PUBLIC_URL": "http://127.0.0.1", "LOG_FORMAT": "json", **environment}
        self.process: ForkedProcess | None = None
        self._file = tempfile.NamedTemporaryFile(prefix="osdi-worker-", suffix=".log")  # noqa: SIM115  # closed by stop

    @property
    def output(self) -> str:
        """Everything that it has printed, over all its starts."""
        return Path(self._file.name).read_text(errors="replace")

    def start(self) -> "Worker":
        """Starts the worker, and does not wait for it."""
        self.process = popen(self.module, "--app", "wsgi", "worker", env=self.environment, stdout=self._file)
        return self

    def kill(self) -> None:
        """SIGKILL, in the middle of whatever it does."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        """SIGTERM; its exit code once it has ended, which it has to do within the bound."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def close(self) -> None:
        """Ends the process, if it has not ended, and deletes its output."""
        self.kill()
        self._file.close()

    def __enter__(self) -> "Worker":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()
