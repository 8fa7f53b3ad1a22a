"""Ids sort by the time they were made."""

import datetime as dt

from osdi.ids import id_before, new_id


def test_later_ids_are_greater() -> None:
    made = [new_id() for _ in range(1000)]

    assert made == sorted(made)
    assert len(set(made)) == 1000


def test_a_moment_lies_between_the_ids_around_it() -> None:
    before = new_id()
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)

    assert id_before(now - dt.timedelta(seconds=1)) < before < id_before(now + dt.timedelta(seconds=1))
