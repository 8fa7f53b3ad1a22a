"""Starts Python programs of this folder as processes, each in a session of its own.

Tests replace `start`: a fork of a process that has imported the application starts quickly.
"""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Protocol

ROOT = Path(__file__).resolve().parent.parent


class Process(Protocol):
    """The part of subprocess.Popen that is used here."""

    pid: int

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, number: int, /) -> None: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


def _start(module: str, *arguments: str, env: Mapping[str, str], stdout: IO[Any]) -> Process:
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stdout,
        start_new_session=True,
    )


# Starts `python -m MODULE ARGUMENTS` as leader of its process group. Its output goes to the file.
start: Callable[..., Process] = _start
