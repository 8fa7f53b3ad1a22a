"""Geometry of the chart of a campaign: a column for each day, the line of all outreaches so far, and the goal.

The days of the period before are a dotted line on the scale of the columns. Lengths are those of an SVG whose viewBox
has the size of a Chart; y grows downwards. Columns and line have scales of their own, each from 0 to a round number,
since a day has far fewer outreaches than the campaign. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

WIDTH: Final = 720
HEIGHT: Final = 240
# The space for the numbers of both scales, and for the dates below.
LEFT: Final = 76
RIGHT: Final = 84
TOP: Final = 12
BOTTOM: Final = 28
ROUND: Final = (1, 2, 5)


@dataclass(frozen=True)
class Column:
    """The column of a day."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Chart:
    """The parts that a template draws.

    `goal_y` is None without a goal; `line` and `previous` have the points of polylines.
    """

    columns: tuple[Column, ...]
    line: str
    previous: str
    goal_y: float | None
    most_of_a_day: int
    most_of_all: int
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def chart(counts: Sequence[int], before: int, goal: int | None, previous: Sequence[int] = ()) -> Chart:
    """Returns the chart of these days' counts; `before` is the count to which they are added.

    `previous` has the counts of as many days before, or of none.
    """
    totals = list(accumulate(counts, initial=before))[1:]
    most_of_a_day = round_up(max((*counts, *previous)))
    most_of_all = round_up(max(totals[-1], goal or 0))
    step = (WIDTH - LEFT - RIGHT) / len(counts)
    gap = min(4.0, step / 5)
    columns = tuple(
        Column(
            _short(LEFT + number * step + gap / 2),
            _y(count, most_of_a_day),
            _short(step - gap),
            _height(count, most_of_a_day),
        )
        for number, count in enumerate(counts)
    )
    return Chart(
        columns,
        _points(totals, most_of_all, step),
        _points(previous, most_of_a_day, step),
        _y(goal, most_of_all) if goal else None,
        most_of_a_day,
        most_of_all,
    )


def _points(counts: Sequence[int], max_count: int, step: float) -> str:
    """Returns a point above the middle of each day."""
    return " ".join(
        f"{_short(LEFT + (number + 0.5) * step)},{_y(each, max_count)}" for number, each in enumerate(counts)
    )


def round_up(number: int) -> int:
    """Returns the first of 1, 2, 5, 10, 20, 50 and so on that is not below a number."""
    power = 1
    while True:
        for each in ROUND:
            if each * power >= number:
                return each * power
        power *= 10


def _height(count: int, max_count: int) -> float:
    return _short((HEIGHT - TOP - BOTTOM) * count / max_count)


def _y(count: int, max_count: int) -> float:
    return _short(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * count / max_count)


def _short(length: float) -> float:
    return round(length, 2)
