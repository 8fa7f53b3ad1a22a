"""Distinct people of a range of days, as a sum over its days.

The number of people of each day cannot be added up, since a person may act on several days. So each day also stores how
many of its people had acted before, by the number of days since the last day on which they did. A person is new in a
range on the first day on which they act in it: that is a day whose day before lies ahead of the range. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from osdi.statistics.days import MAX_DAYS
from osdi.statistics.tally import Tally

# The gap of a person who acts for the first time in a year. No range is longer, so an earlier day is ahead of any.
FIRST_TIME: Final = 0

# By person: the ids of outreaches, and the numbers of their days.
Acts = Mapping[str, Sequence[tuple[str, int]]]


def gaps(numbers: Iterable[int]) -> dict[int, int]:
    """Returns the days on which a person acted, each with the days since the one before, or FIRST_TIME."""
    found: dict[int, int] = {}
    before: int | None = None
    for number in sorted(set(numbers)):
        since = MAX_DAYS if before is None else number - before
        found[number] = since if since < MAX_DAYS else FIRST_TIME
        before = number
    return found


def distinct_people(days: Sequence[Tally]) -> int:
    """Returns the number of distinct people on days that follow one another."""
    return sum(
        day.people - sum(people for since, people in day.returned.items() if since <= position)
        for position, day in enumerate(days)
    )
