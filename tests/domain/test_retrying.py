"""Whoever loses a race looks again, for a while."""

import pytest

from osdi import retry
from osdi.errors import OsdiError, WriteConflict
from osdi.retry import retry_on_conflict


def test_a_race_that_is_won_later_is_won() -> None:
    losses = [WriteConflict("first"), WriteConflict("second")]

    def attempt() -> str:
        if losses:
            raise losses.pop()
        return "won"

    assert retry_on_conflict(attempt) == "won"


def test_a_race_that_is_never_won_ends_in_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry._retrying, "sleep", lambda _: None)
    attempts = []

    def attempt() -> None:
        attempts.append(1)
        raise WriteConflict("always")

    with pytest.raises(OsdiError) as caught:
        retry_on_conflict(attempt)

    assert caught.value.status == 503
    assert "Retry-After" in caught.value.headers
    assert len(attempts) == retry.ATTEMPTS + 1


def test_any_other_failure_is_not_repeated() -> None:
    attempts = []

    def attempt() -> None:
        attempts.append(1)
        raise ValueError

    with pytest.raises(ValueError):
        retry_on_conflict(attempt)
    assert len(attempts) == 1
