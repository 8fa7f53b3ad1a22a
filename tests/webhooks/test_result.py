"""The next step after the result of a POST to a webhook."""

import datetime as dt
from itertools import pairwise
from typing import Any

import pytest

from osdi.webhooks.result import MAX_REJECTED_IN_A_ROW, Consequence, DeliveryResult, batch_size, consequence

NOW = dt.datetime(2026, 3, 18, 11, 2, 15)
GIVE_UP = dt.timedelta(hours=24)


def after(result: DeliveryResult, sent: int = 1, **webhook: Any) -> Consequence:
    return consequence(webhook, result, sent, NOW, GIVE_UP)


def wait_of(made: Consequence) -> float:
    return float((made.fields["not_before"] - NOW).total_seconds())


@pytest.mark.parametrize("status", [400, 413, 422])
@pytest.mark.parametrize(("sent", "then"), [(200, 100), (3, 1), (2, 1)])
def test_a_rejected_batch_is_halved_at_once(status: int, sent: int, then: int) -> None:
    made = after(DeliveryResult(status), sent)

    assert (made.fields["batch_events"], wait_of(made), made.rejected) == (then, 0, False)
    assert "failures" not in made.fields


@pytest.mark.parametrize("status", [301, 401, 403, 404, 408, 409, 415, 429, 500, 503])
def test_any_other_failure_keeps_the_batch(status: int) -> None:
    made = after(DeliveryResult(status), 200)

    assert "batch_events" not in made.fields
    assert (made.fields["failures"], made.fields["last_failure"]) == (1, f"status_{status}")
    assert not made.rejected


@pytest.mark.parametrize(
    ("status", "attempts", "rejected"),
    [
        (413, 0, True),
        (400, 0, False),
        (400, 3, False),
        (400, 4, True),
        (422, 3, False),
        (422, 4, True),
        (500, 9, False),
    ],
)
def test_an_event_that_is_rejected_alone_is_set_aside_after_some_attempts(
    status: int, attempts: int, rejected: bool
) -> None:
    assert after(DeliveryResult(status), rejected_attempts=attempts).rejected is rejected


def test_a_413_with_retry_after_is_temporary() -> None:
    made = after(DeliveryResult(413, retry_after=30))

    assert not made.rejected
    assert wait_of(made) == 30


def test_a_receiver_that_rejects_everything_is_at_fault_itself() -> None:
    made = after(DeliveryResult(413), rejected_in_a_row=MAX_REJECTED_IN_A_ROW)

    assert not made.rejected
    assert made.fields["failures"] == 1


def test_a_receiver_that_rejects_everything_is_disabled_in_the_end() -> None:
    since = NOW - dt.timedelta(hours=25)

    made = after(DeliveryResult(413), rejected_in_a_row=MAX_REJECTED_IN_A_ROW, failing_since=since)

    assert made.disabled == "gave_up"


def test_batches_grow_again_after_successes() -> None:
    sizes, webhook = [], {"batch_events": 1}
    while "batch_events" in webhook:
        sizes.append(batch_size(webhook))
        made = after(DeliveryResult(200), sizes[-1], **webhook)
        webhook = {name: value for name, value in {**webhook, **made.fields}.items() if name not in made.gone}

    assert sizes[:6] == [1, 2, 3, 4, 5, 6]
    assert all(one < other for one, other in pairwise(sizes))
    assert len(sizes) < 30
    assert batch_size(webhook) == 200


def test_a_success_ends_the_count_of_rejections() -> None:
    assert {"rejected_attempts", "rejected_in_a_row", "failures"} <= set(after(DeliveryResult(204)).gone)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("failures", "retry_after", "shortest", "longest"),
    [
        (0, None, 2.5, 5),
        (0, 0.0, 2.5, 5),
        (0, 30.0, 30, 30),
        (0, 3_600.0, 3_600, 3_600),
        (20, 30.0, 1_800, 3_600),
    ],
)
def test_the_longer_of_both_waits_counts(
    status: int, failures: int, retry_after: float | None, shortest: float, longest: float
) -> None:
    made = after(DeliveryResult(status, retry_after=retry_after), failures=failures)

    assert shortest <= wait_of(made) <= longest
