"""Retries after a write conflict and while the database is unavailable, and their limits."""

import threading
import time

import pytest

from osdi import retry
from osdi.errors import OsdiError, WriteConflict, unavailable
from osdi.retry import backoff_seconds, retry_for, retry_on_conflict, retry_while_unavailable, retry_with_backoff
from osdi.store.schema_version import WrongDatabase


class Attempts:
    """Raises the given errors, one at each call, and then returns "done"; counts the calls."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        if self._errors:
            raise self._errors.pop(0)
        return "done"


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses of this thread in seconds; only they advance its clock. Threads of pymongo keep the real one."""
    slept: list[float] = []
    own, sleep, monotonic = threading.get_ident(), time.sleep, time.monotonic
    monkeypatch.setattr(
        "time.sleep", lambda seconds: (slept.append if threading.get_ident() == own else sleep)(seconds)
    )
    monkeypatch.setattr("time.monotonic", lambda: sum(slept) if threading.get_ident() == own else monotonic())
    return slept


class Wait(Exception):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


@pytest.mark.parametrize(("requested", "waits"), [([50.0, 0.0], [50.0]), ([0.0, 70.0], [70.0])])
def test_a_pause_is_at_least_as_long_as_the_error_requests(
    sleeps: list[float], requested: list[float], waits: list[float]
) -> None:
    attempts = Attempts(*(Wait(seconds) for seconds in requested))

    retry_with_backoff(attempts, Wait, attempts=5, first=1, max_seconds=10, min_seconds=lambda error: error.seconds)

    assert [each for each in sleeps if each >= 50] == waits
    assert len(sleeps) == 2


class TestOnConflict:
    def test_an_attempt_that_succeeds_later_returns_its_result(self) -> None:
        attempts = Attempts(WriteConflict("first"), WriteConflict("second"))

        assert retry_on_conflict(attempts) == "done"
        assert attempts.count == 3

    def test_an_attempt_that_never_succeeds_is_503(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(retry._retrying, "sleep", lambda _: None)
        attempts = Attempts(*(WriteConflict("always") for _ in range(100)))

        with pytest.raises(OsdiError) as caught:
            retry_on_conflict(attempts)

        assert caught.value.status == 503
        assert "Retry-After" in caught.value.headers
        assert attempts.count == retry.MAX_ATTEMPTS + 1

    def test_any_other_error_is_not_retried(self) -> None:
        attempts = Attempts(ValueError())

        with pytest.raises(ValueError):
            retry_on_conflict(attempts)
        assert attempts.count == 1


class TestWhileUnavailable:
    def test_a_successful_attempt_does_not_pause(self, sleeps: list[float]) -> None:
        assert retry_while_unavailable(Attempts(), 60) == "done"
        assert sleeps == []

    def test_an_attempt_is_repeated_after_a_pause(self, sleeps: list[float]) -> None:
        attempts = Attempts(unavailable("a"), unavailable("b"), unavailable("c"))

        assert retry_while_unavailable(attempts, 60, pause=0.5) == "done"
        assert sleeps == [0.5] * 3

    @pytest.mark.parametrize(("seconds", "count"), [(0, 1), (1, 2), (3, 4)])
    def test_the_last_error_is_raised_after_the_time(self, sleeps: list[float], seconds: float, count: int) -> None:
        attempts = Attempts(*(unavailable(str(number)) for number in range(1, 100)))

        with pytest.raises(OsdiError, match=f"^{count}$"):
            retry_while_unavailable(attempts, seconds)
        assert sum(sleeps) == seconds

    @pytest.mark.parametrize("error", [OsdiError(409), WriteConflict("x"), ValueError("x"), WrongDatabase("x")])
    def test_an_error_that_a_retry_does_not_change_is_raised_at_once(
        self, sleeps: list[float], error: Exception
    ) -> None:
        attempts = Attempts(error)

        with pytest.raises(type(error)):
            retry_while_unavailable(attempts, 60)
        assert (attempts.count, sleeps) == (1, [])


class TestForAWhile:
    def test_only_the_first_failure_is_reported_before_the_pause(self, sleeps: list[float]) -> None:
        reported: list[int] = []
        attempts = Attempts(KeyError(), KeyError())

        found = retry_for(
            10,
            attempts,
            lambda error: isinstance(error, KeyError),
            pause=1,
            on_first_failure=lambda: reported.append(len(sleeps)),
        )

        assert (found, reported, sleeps) == ("done", [0], [1, 1])

    def test_an_error_that_is_not_accepted_is_raised(self, sleeps: list[float]) -> None:
        with pytest.raises(ValueError):
            retry_for(10, Attempts(ValueError()), lambda error: isinstance(error, KeyError), pause=1)
        assert sleeps == []


class TestWithBackoff:
    def test_the_pauses_grow_up_to_the_longest(self, sleeps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("random.uniform", lambda _, max_seconds: max_seconds)
        attempts = Attempts(*(KeyError(number) for number in range(1, 100)))

        with pytest.raises(KeyError, match="6"):
            retry_with_backoff(attempts, KeyError, attempts=6, first=1, max_seconds=10)
        assert sleeps == [1, 2, 4, 8, 10]

    @pytest.mark.parametrize(("attempts", "bound"), [(1, 30), (2, 60), (7, 1_920), (8, 3_600), (10_000, 3_600)])
    def test_a_worker_waits_twice_as_long_each_time(self, attempts: int, bound: float) -> None:
        waits = [backoff_seconds(attempts) for _ in range(100)]

        assert bound / 2 <= min(waits) <= max(waits) <= bound
