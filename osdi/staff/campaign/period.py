"""The days of a statistics screen: a number of days up to today, two dates, or all. Pure."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from osdi.staff.campaign.outreach_filter import days_of
from osdi.statistics.days import MAX_DAYS

ALL, DATES = "all", "dates"
# The periods by the value of the form's control: the number of days up to today, or None.
RANGES: Final[dict[str, int | None]] = {ALL: None, "7": 7, "30": 30, DATES: None}


@dataclass(frozen=True)
class Period:
    """A period by its name in RANGES; `first` and `last` are None where the statistics decide (see `days.span`)."""

    range: str
    first: dt.date | None = None
    last: dt.date | None = None

    @property
    def arguments(self) -> dict[str, str]:
        """The query of a screen's address."""
        days = {"from": self.first, "to": self.last} if self.range == DATES else {}
        return {"range": self.range, **{name: day.isoformat() for name, day in days.items() if day}}


def period_of(wanted: str, first: str, last: str, today: dt.date) -> tuple[Period, dict[str, str]]:
    """Returns the chosen period, and the mistakes by the name of the control. An unknown range means all days.

    Dates count if the range is DATES or not stated.
    """
    if wanted == DATES or (not wanted and (first or last)):
        start, end, errors = days_of(first, last, MAX_DAYS)
        return Period(DATES if start or end or errors else ALL, start, end), errors
    number = RANGES.get(wanted)
    if number is None:
        return Period(ALL, None, today), {}
    return Period(wanted, today - dt.timedelta(days=number - 1), today), {}
