"""The second process of an import, for files that are too small for it."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from osdi.importing.loading import loaded_rows, loader_process


@pytest.fixture
def second_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second process loads all rows but the first ten, also of a small file and on one processor."""
    monkeypatch.setattr(loaded_rows, "MIN_BYTES", 0)
    monkeypatch.setattr(loaded_rows, "FIRST_ROWS", 10)
    monkeypatch.setattr(loaded_rows, "processors", lambda: 2)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ids of the second processes that this process has started."""
    pids: list[int] = []
    popen: Callable[..., Any] = loader_process.subprocess.Popen

    def noted(*given: Any, **named: Any) -> Any:
        process = popen(*given, **named)
        pids.append(process.pid)
        return process

    monkeypatch.setattr(loader_process.subprocess, "Popen", noted)
    return pids


def is_gone(pid: int) -> bool:
    """True if there is no such process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
