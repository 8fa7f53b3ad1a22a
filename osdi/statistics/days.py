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
    # Some machines list their own zone under these names.
    return frozenset(available_timezones()) - {"localtime", "Factory"}


def time_zone(name: str) -> ZoneInfo:
    """Returns the zone of this name, such as `Europe/Berlin`. Raises ValueError if there is none."""
    # Checked first, since ZoneInfo would open a file of that name.
    if name not in _names():
        raise ValueError(f"There is no time zone of this name: {name[:100]}")
    return ZoneInfo(name)


def midnight(date: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Returns the begin of a date in a zone as naive UTC; the first one if the clock shows midnight twice."""
    return dt.datetime.combine(date, dt.time(), zone).astimezone(dt.UTC).replace(tzinfo=None)


def interval_of(date: dt.date, zone: ZoneInfo) -> Interval:
    """Returns the day of this date in a zone."""
    return Interval(midnight(date, zone), midnight(date + dt.timedelta(days=1), zone))


def dates(first: dt.date, last: dt.date) -> list[dt.date]:
    """Returns every date from the first to the last."""
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]


def span(
    first: dt.date | None, last: dt.date | None, today: dt.date, earliest: dt.date | None
) -> tuple[dt.date, dt.date]:
    """Returns the first and the last date to count, if the request leaves one or both out.

    Without `last` it is today, or as far as DAYS reach. Without `first` it is `earliest`, the first date with an
    outreach in the DAYS before `last`. Raises ValueError for too many dates, or none.
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
