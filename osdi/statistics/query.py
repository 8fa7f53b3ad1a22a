"""The statistics that a request asks for: the span of its days, and their summary.

The API and the staff pages read statistics here, so both have the same numbers.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from osdi.documents import Json
from osdi.errors import invalid
from osdi.ids import time_in
from osdi.statistics import days, tally
from osdi.statistics.days import MAX_DAYS, Calendar, Interval
from osdi.statistics.reader import StatisticsReader
from osdi.statistics.tally import Tally


def read_statistics(
    reader: StatisticsReader, campaign_id: str, first: dt.date | None, last: dt.date | None, zone: ZoneInfo
) -> Json:
    """Returns `{from, to, time_zone, total, days, by_type, ...}` of a campaign; for missing dates see `days.span`.

    Raises OsdiError 400 for too many days, and 503 while there is more to count than one request can.
    """
    return read_with_flags(reader, campaign_id, first, last, zone)[0]


def read_with_flags(
    reader: StatisticsReader, campaign_id: str, first: dt.date | None, last: dt.date | None, zone: ZoneInfo
) -> tuple[Json, Tally]:
    """Returns the same, and the tally of all days, which also has the outreaches by `tally.FLAGS`."""
    first, last = _span(reader, campaign_id, first, last, zone)
    tallies, whole = reader.count(campaign_id, Calendar(first, last, zone))
    query = {"from": first.isoformat(), "to": last.isoformat(), "time_zone": zone.key}
    return {**query, **tally.summary(days.dates(first, last), tallies, whole)}, whole


def _span(
    reader: StatisticsReader, campaign_id: str, first: dt.date | None, last: dt.date | None, zone: ZoneInfo
) -> tuple[dt.date, dt.date]:
    """Returns the first and the last day of the statistics. Raises OsdiError 400."""
    today = time_in(zone).date()
    earliest = None
    if first is None:
        latest = last or today
        start = days.midnight(latest - dt.timedelta(days=MAX_DAYS - 1), zone)
        end = days.midnight(latest + dt.timedelta(days=1), zone)
        found = reader.first_date(campaign_id, Interval(start, end))
        earliest = found.replace(tzinfo=dt.UTC).astimezone(zone).date() if found else None
    try:
        return days.span(first, last, today, earliest)
    except ValueError as error:
        raise invalid(str(error), "to") from error
