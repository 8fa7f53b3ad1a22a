"""Runs a command of the server, `flask --app wsgi ...`, as a process of its own."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from faults import processes

END_SECONDS = 30


class Command:
    """A running command, such as `import people FILE`. Its output is appended to `log`."""

    def __init__(self, *arguments: str, log: Path, variables: dict[str, str]) -> None:
        self._log = log
        with log.open("ab") as output:
            command = ("flask", "--app", "wsgi", *arguments)
            self._process = processes.start(*command, env={**os.environ, **variables}, stdout=output)

    @property
    def result(self) -> int | None:
        """The exit code, or None while the command runs."""
        return self._process.poll()

    def terminate(self) -> None:
        """Sends SIGTERM and waits for the end. Raises RuntimeError if the command does not end in time."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise RuntimeError(f"a command did not end within {END_SECONDS} s\n{self.log_tail()}") from error

    def kill(self) -> None:
        """Ends the command by SIGKILL, if it still runs."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def log_tail(self, lines: int = 20) -> str:
        """Returns the last lines of the log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])
