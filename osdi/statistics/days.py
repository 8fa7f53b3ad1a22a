"""Days in a time zone: parsing, midnights, intervals, calendars and spans of dates."""

import datetime as dt
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

MAX_DAYS: Final = 366

MIDNIGHTS_CACHED: Final = 8_192


@dataclass(frozen=True)
class Interval:
    """A time from `start` until before `end`, naive UTC."""

    start: dt.datetime
    end: dt.datetime


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    # Some machines list their own zone under these names.
    return frozenset(available_timezones()) - {"localtime", "Factory"}


def time_zone(name: str) -> ZoneInfo:
    """Returns the zone of this name, such as `Europe/Berlin`. Raises ValueError if there is none."""
    # Checked first, since ZoneInfo would open a file of that name.
    if name not in _names():
        raise ValueError(f"There is no time zone of this name: {name[:100]}")
    return ZoneInfo(name)


@lru_cache(maxsize=MIDNIGHTS_CACHED)
def midnight(date: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Returns the begin of a date in a zone as naive UTC; the first one if the clock shows midnight twice."""
    return dt.datetime.combine(date, dt.time(), zone).astimezone(dt.UTC).replace(tzinfo=None)


def interval_of(date: dt.date, zone: ZoneInfo) -> Interval:
    """Returns the day of this date in a zone."""
    return Interval(midnight(date, zone), midnight(date + dt.timedelta(days=1), zone))


@dataclass(frozen=True)
class Calendar:
    """The days from the first date to the last in a zone, and the MAX_DAYS - 1 days before them.

    A day is known by its number, the proleptic Gregorian ordinal of its date.
    """

    first: dt.date
    last: dt.date
    zone: ZoneInfo

    @property
    def numbers(self) -> range:
        """The numbers of the days from the first date to the last."""
        return range(self.first.toordinal(), self.last.toordinal() + 1)

    @property
    def whole(self) -> Interval:
        """The time of all days from the first date to the last."""
        return Interval(midnight(self.first, self.zone), midnight(self.last + dt.timedelta(days=1), self.zone))

    @property
    def span(self) -> Interval:
        """The time of all its days, with those before the first date."""
        return Interval(self._midnights[0], self._midnights[-1])

    def interval(self, number: int) -> Interval:
        """Returns the time of the day with this number. It is empty if the zone left the day out."""
        return interval_of(dt.date.fromordinal(number), self.zone)

    def number_of(self, timestamp: dt.datetime | None) -> int | None:
        """Returns the number of the day of a time in naive UTC; None if it is on no day of this calendar."""
        if timestamp is None:
            return None
        at = bisect_right(self._midnights, timestamp) - 1
        return self._earliest + at if 0 <= at < len(self._midnights) - 1 else None

    @property
    def _earliest(self) -> int:
        return self.first.toordinal() - (MAX_DAYS - 1)

    @cached_property
    def _midnights(self) -> list[dt.datetime]:
        numbers = range(self._earliest, self.last.toordinal() + 2)
        return [midnight(dt.date.fromordinal(number), self.zone) for number in numbers]


def dates(first: dt.date, last: dt.date) -> list[dt.date]:
    """Returns every date from the first to the last."""
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]


def span(
    first: dt.date | None, last: dt.date | None, today: dt.date, earliest: dt.date | None
) -> tuple[dt.date, dt.date]:
    """Returns the first and the last date to count, if the request leaves one or both out.

    Without `last` it is today, or as far as MAX_DAYS reach. Without `first` it is `earliest`, the first date with an
    outreach in the MAX_DAYS before `last`. Raises ValueError for too many dates, or none.
    """
    furthest = dt.timedelta(days=MAX_DAYS - 1)
    if last is None:
        last = today if first is None else max(first, min(today, first + furthest))
    if first is None:
        first = max(min(earliest or last, last), last - furthest)
    if first > last:
        raise ValueError("It is before `from`.")
    if last - first > furthest:
        raise ValueError(f"There are more than {MAX_DAYS} days from `from` to `to`.")
    return first, last
