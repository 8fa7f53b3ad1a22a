"""The worker's loop: works are done side by side until nothing is left, and outlive what they meet."""

import pytest

from osdi import log
from osdi.operations import worker_loop
from osdi.operations.worker_loop import FAILURES_OF_ONCE, run


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_loop, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(worker_loop, "POLL_SECONDS", 0.01)


def test_the_worker_polls_each_second_and_waits_up_to_half_a_minute_after_failures() -> None:
    assert (worker_loop.FIRST_WAIT_SECONDS, worker_loop.MAX_WAIT_SECONDS, worker_loop.POLL_SECONDS) == (1, 30, 1)


def counting(down_from: int, failing: int = 0) -> tuple[list[int], object]:
    """Returns a list of calls, and a work that adds to it: it fails `failing` times, and then has `down_from` items."""
    done: list[int] = []

    def work() -> bool:
        done.append(len(done))
        if len(done) <= failing:
            raise ValueError("secret@example.com")
        return len(done) < down_from + failing

    return done, work


def test_each_work_is_done_until_nothing_is_left() -> None:
    first, work = counting(5)
    second, other = counting(2)

    assert run([work, other], once=True) is None  # type: ignore[list-item]

    assert (len(first), len(second)) == (5, 2)


@pytest.mark.usefixtures("short_waits")
def test_a_failed_work_is_retried(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    log.configure("json", "info")
    done, work = counting(2, failing=1)

    assert run([work], once=True) is None  # type: ignore[list-item]

    assert len(done) == 3
    output = capsysbinary.readouterr().out
    assert b"ValueError" in output
    assert b"secret@example.com" not in output


@pytest.mark.usefixtures("short_waits")
def test_with_once_a_repeatedly_failing_work_ends_the_worker() -> None:
    done, work = counting(1, failing=50)
    other_done, other = counting(4)

    assert run([work, other], once=True) == "Stopped after 3 failures in a row; see the log."  # type: ignore[list-item]

    assert len(done) == FAILURES_OF_ONCE
    assert len(other_done) == 4, "it holds up no other"
