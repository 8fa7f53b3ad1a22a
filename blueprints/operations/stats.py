"""The statistics of a campaign. This route is not in the standard."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response

from blueprints.http.api import Blueprint
from blueprints.http.context import answer, hal, reference, statistics
from blueprints.http.parameters import CAMPAIGN_PARAMETER
from osdi.access.tokens import READ
from osdi.errors import invalid
from osdi.ids import time_in
from osdi.resources import ADVOCACY_CAMPAIGN, API
from osdi.statistics import days, tally
from osdi.statistics.days import DAYS, Interval
from schemas.operations.stats import StatsArgumentsSchema, StatsSchema

blp = Blueprint(
    "Statistics",
    __name__,
    url_prefix=f"{API}/{ADVOCACY_CAMPAIGN.collection}",
    description="Numbers of outreaches and people: per day, by type, source, target and referrer",
)


@blp.route("/<advocacy_campaign_id>/stats", parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(READ)
@blp.arguments(StatsArgumentsSchema(), location="query")
@blp.response(200, StatsSchema)
@blp.errors(400, 404)
def get_stats(arguments: dict[str, Any], advocacy_campaign_id: str) -> Response:
    """Read a campaign's statistics

    An outreach counts on the day of its `action_date` in the requested time zone. The answer has at most 366 days.
    """
    campaign_id = reference().campaign(advocacy_campaign_id)["_id"]
    zone = _zone(arguments["time_zone"])
    first, last = _span(campaign_id, arguments.get("first"), arguments.get("last"), zone)
    dates = days.dates(first, last)
    tallies, whole = statistics().count(campaign_id, [days.interval_of(day, zone) for day in dates])
    query = {"from": first.isoformat(), "to": last.isoformat(), "time_zone": zone.key}
    return answer({**query, **tally.summary(dates, tallies, whole), "_links": hal().stats_links(campaign_id, query)})


def _zone(name: str) -> ZoneInfo:
    try:
        return days.time_zone(name)
    except ValueError as error:
        raise invalid(str(error), "time_zone") from error


def _span(campaign_id: str, first: dt.date | None, last: dt.date | None, zone: ZoneInfo) -> tuple[dt.date, dt.date]:
    """Returns the first and the last day of the statistics. Raises OsdiError 400."""
    today = time_in(zone).date()
    earliest = None
    if first is None:
        latest = last or today
        start = days.midnight(latest - dt.timedelta(days=DAYS - 1), zone)
        end = days.midnight(latest + dt.timedelta(days=1), zone)
        found = statistics().first_date(campaign_id, Interval(start, end))
        earliest = found.replace(tzinfo=dt.UTC).astimezone(zone).date() if found else None
    try:
        return days.span(first, last, today, earliest)
    except ValueError as error:
        raise invalid(str(error), "to") from error
