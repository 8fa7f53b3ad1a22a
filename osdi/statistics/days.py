"""Days in a time zone: parsing, midnights, intervals and spans of dates."""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

DAYS: Final = 366


@dataclass(frozen=True)
class Interval:
    """A time from `start` until before `end`, naive UTC."""

    start: dt.datetime
    end: dt.datetime


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    # What some machines call their own zone is no zone's name.
    return frozenset(available_timezones()) - {"localtime", "Factory"}


def time_zone(name: str) -> ZoneInfo:
    """The zone of this name, such as `Europe/Berlin`. Raises ValueError where there is none."""
    # Asked for first: ZoneInfo would look for a file of that name.
    if name not in _names():
        raise ValueError(f"There is no time zone of this name: {name[:100]}")
    return ZoneInfo(name)


def midnight(date: dt.date, zone: ZoneInfo) -> dt.datetime:
    """When a date begins in a zone, as naive UTC; where the clock shows midnight twice, the first time."""
    return dt.datetime.combine(date, dt.time(), zone).astimezone(dt.UTC).replace(tzinfo=None)


def interval_of(date: dt.date, zone: ZoneInfo) -> Interval:
    """The day of this date in a zone."""
    return Interval(midnight(date, zone), midnight(date + dt.timedelta(days=1), zone))


def dates(first: dt.date, last: dt.date) -> list[dt.date]:
    """Every date from the first to the last."""
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]


def span(
    first: dt.date | None, last: dt.date | None, today: dt.date, earliest: dt.date | None
) -> tuple[dt.date, dt.date]:
    """The dates from and to which is counted, where one or both are not said. Raises ValueError for too many, or none.

    Without `last` it is until today, or as far as DAYS reach; without `first` it is from the earliest date that has an
    outreach, which whoever asks has looked for in the DAYS before `last`.
    """
    furthest = dt.timedelta(days=DAYS - 1)
    if last is None:
        last = today if first is None else max(first, min(today, first + furthest))
    if first is None:
        first = max(min(earliest or last, last), last - furthest)
    if first > last:
        raise ValueError("It is before `from`.")
    if last - first > furthest:
        raise ValueError(f"There are more than {DAYS} days from `from` to `to`.")
    return first, last
