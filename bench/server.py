"""Runs one contender's application under gunicorn."""

import http.client
import os
import subprocess
import sys
import time
from pathlib import Path

from bench import proc
from dev.mongod import free_port

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2
THREADS = 4
START_SECONDS = 120
STOP_SECONDS = 20


class ServerFailed(Exception):
    """The application, a command or a request failed, or a result is wrong. The message may end with the log."""


def environment(extra: dict[str, str]) -> dict[str, str]:
    """Returns this process's environment plus `extra`. It makes the checkout importable and drops gunicorn options."""
    inherited = {name: value for name, value in os.environ.items() if name != "GUNICORN_CMD_ARGS"}
    return inherited | {"PYTHONPATH": str(ROOT)} | extra


class Server:
    """Runs an application under gunicorn: `with Server("bench.floor:app", ...) as server: load(server.base)`.

    `folder` is the working folder. In the checkout's root gunicorn finds our `gunicorn.conf.py`; elsewhere it uses its
    defaults. The command line always sets address, workers and threads. It sets the worker class unless our
    configuration does.
    """

    def __init__(
        self,
        app: str,
        *,
        folder: Path,
        log: Path,
        variables: dict[str, str],
        workers: int = WORKERS,
        worker_class: str = "",
    ) -> None:
        self.app = app
        self.number_of_workers = workers
        self.worker_class = worker_class or ("" if folder == ROOT else "gthread")
        self.folder = folder
        self.log = log
        self.port = free_port()
        self.variables = variables | {
            "PORT": str(self.port),
            "WEB_CONCURRENCY": str(workers),
            "WEB_THREADS": str(THREADS),
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def base(self) -> str:
        """The server's address, without a path."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Server":
        command = [sys.executable, "-m", "gunicorn", self.app, "--bind", f"127.0.0.1:{self.port}"]
        command += ["--workers", str(self.number_of_workers)]
        command += ["--worker-class", self.worker_class] if self.worker_class else []
        # gunicorn switches a class without threads to gthread if the command line names threads.
        command += ["--threads", str(THREADS)] if self.worker_class in ("", "gthread") else []
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=environment(self.variables), stdout=log, stderr=log
            )
        try:
            self._wait_until_answering(self.process)
        except ServerFailed:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    @property
    def workers(self) -> list[int]:
        """Process ids of the workers."""
        assert self.process is not None
        return proc.children(self.process.pid)

    def failure(self, message: str) -> ServerFailed:
        """Returns an error with the message and the last lines of the server's log."""
        lines = self.log.read_text(errors="replace").splitlines()[-30:]
        return ServerFailed("\n".join([f"{self.app}: {message}", *lines]))

    def _wait_until_answering(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise self.failure(f"gunicorn ended with exit code {process.returncode}")
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("GET", "/")
                connection.getresponse()
                return
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)  # not listening yet; try again until the deadline
            finally:
                connection.close()
        raise self.failure(f"no response within {START_SECONDS} s")

    def _stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
