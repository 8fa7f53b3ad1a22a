"""Fixed windows: counts are exact while the table has room, and its memory does not grow."""

import os
from pathlib import Path

import pytest

from osdi.access.fixed_windows import GROUP, WINDOWS, Windows

SECONDS = 60


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.timestamp = 1_000.0

    def __call__(self) -> float:
        return self.timestamp


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_each_caller_is_counted_separately(clock: Clock) -> None:
    windows = Windows(SECONDS, clock=clock)

    counted = [windows.count(caller)[0] for caller in ("a", "b", "a", "a", "b", "\ud800")]

    assert counted == [1, 1, 2, 3, 2, 1]


def test_a_window_lasts_from_its_first_request_on(clock: Clock) -> None:
    windows = Windows(SECONDS, clock=clock)

    assert windows.count("a") == (1, 60)
    clock.timestamp += 59.5
    assert windows.count("a") == (2, 0.5)
    clock.timestamp += 0.5
    assert windows.count("a") == (1, 60)


def test_thousands_of_callers_are_counted_exactly(clock: Clock) -> None:
    windows = Windows(SECONDS, clock=clock)
    callers = [f"caller {number}" for number in range(WINDOWS // 32)]

    for caller in callers:
        windows.count(caller)

    assert {windows.count(caller)[0] for caller in callers} == {2}


def test_in_a_full_group_the_window_that_ends_first_is_replaced(clock: Clock) -> None:
    windows = Windows(SECONDS, windows=GROUP, clock=clock)
    for number in range(GROUP + 1):
        windows.count(f"caller {number}")
        clock.timestamp += 1

    assert [windows.count(f"caller {number}")[0] for number in range(GROUP, 1, -1)] == [2] * (GROUP - 1)
    assert windows.count("caller 0")[0] == 1


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_ten_times_as_many_callers_take_no_more_memory() -> None:
    def resident() -> int:
        pages = int(Path(f"/proc/{os.getpid()}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    windows = Windows(3_600)
    for number in range(20_000):
        windows.count(str(number))
    before = resident()

    for number in range(20_000, 200_000):
        windows.count(str(number))

    assert resident() - before < 1_000_000
