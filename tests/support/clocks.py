"""A machine whose clock is wrong, for the process of a test."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import uuid_utils

from osdi import ids


class _Clock:
    """The module `time` with another `time()`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def time(self) -> float:
        return time.time() + self._seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


class _Uuids:
    """The module `uuid_utils` whose ids have another time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def uuid7(self) -> uuid_utils.UUID:
        return uuid_utils.uuid7(nanoseconds=time.time_ns() + int(self._seconds * 1e9))


def shift_clock(monkeypatch: pytest.MonkeyPatch, seconds: float) -> Callable[[], None]:
    """Makes this process's clock `seconds` wrong, and forgets what was measured by the right one, until the test ends.

    A store measures the clock again with its next operation if it is new, or was closed.
    """
    monkeypatch.setattr(ids, "_ahead", 0.0)
    for module in ("osdi.ids", "osdi.store.driver"):
        monkeypatch.setattr(f"{module}.time", _Clock(seconds))
    monkeypatch.setattr("osdi.ids.uuid_utils", _Uuids(seconds))
    return monkeypatch.undo
