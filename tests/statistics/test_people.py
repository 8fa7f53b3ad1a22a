"""Distinct people of a range are a sum over its days, whatever the range."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osdi.statistics.days import MAX_DAYS
from osdi.statistics.people import FIRST_TIME, distinct_people, gaps
from osdi.statistics.tally import Tally
from tests.support.examples import examples


@pytest.mark.parametrize(
    ("acted", "found"),
    [
        ([], {}),
        ([7, 7], {7: FIRST_TIME}),
        ([9, 7, 8, 7], {7: FIRST_TIME, 8: 1, 9: 1}),
        ([1, MAX_DAYS], {1: FIRST_TIME, MAX_DAYS: MAX_DAYS - 1}),
        ([1, 1 + MAX_DAYS], {1: FIRST_TIME, 1 + MAX_DAYS: FIRST_TIME}),
    ],
)
def test_a_gap_is_the_number_of_days_since_the_day_before(acted: list[int], found: dict[int, int]) -> None:
    assert gaps(acted) == found


@settings(max_examples=examples(200), deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 12).map(lambda day: day * 61), max_size=6), max_size=6),
    st.integers(0, 12).map(lambda day: day * 61),
    st.integers(1, MAX_DAYS),
)
def test_distinct_people_of_a_range_are_those_with_a_day_in_it(acts: list[list[int]], first: int, length: int) -> None:
    days: dict[int, Tally] = {number: Tally() for number in range(first, first + length)}
    for acted in acts:
        for number, gap in gaps(acted).items():
            if number in days:
                days[number].people += 1
                days[number].returned.update(Counter({gap: 1} if gap != FIRST_TIME else {}))

    assert distinct_people(list(days.values())) == sum(any(number in days for number in acted) for acted in acts)
