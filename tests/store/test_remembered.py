"""Results that a store remembers for a while if reading them is slow."""

from collections.abc import Callable
from typing import Any

import pytest

from osdi.store import Store, store


@pytest.fixture
def read() -> Callable[[], str]:
    """Returns a function that counts how often it is called."""
    calls: list[Any] = []

    def read() -> str:
        calls.append(None)
        return str(len(calls))

    return read


@pytest.mark.parametrize(
    ("slow_seconds", "cache_seconds", "found"),
    [(-1.0, 60.0, ["1", "1"]), (60.0, 60.0, ["1", "2"]), (-1.0, 0.0, ["1", "2"])],
    ids=["a slow one", "a fast one", "without a cache"],
)
def test_a_result_is_remembered_if_it_was_slow(
    read: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    slow_seconds: float,
    cache_seconds: float,
    found: list[str],
) -> None:
    monkeypatch.setattr(store, "SLOW_SECONDS", slow_seconds)
    one = Store("mongomock://", cache_seconds=cache_seconds)

    assert [one.remembered_if_slow("name", read) for _ in found] == found
    assert one.remembered_if_slow("another name", read) == str(int(found[-1]) + 1)
