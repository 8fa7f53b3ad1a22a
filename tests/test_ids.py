"""Ids sort by the time they were ids."""

import datetime as dt

from osdi.ids import id_before, new_id


def test_later_ids_are_greater() -> None:
    ids = [new_id() for _ in range(1000)]

    assert ids == sorted(ids)
    assert len(set(ids)) == 1000


def test_id_before_lies_between_earlier_and_later_ids() -> None:
    before = new_id()
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)

    assert id_before(now - dt.timedelta(seconds=1)) < before < id_before(now + dt.timedelta(seconds=1))
