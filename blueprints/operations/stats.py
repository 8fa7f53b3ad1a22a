"""The statistics of a campaign. This route is not in the standard."""

from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Response

from blueprints.http.api import Blueprint
from blueprints.http.context import hal, hal_response, reference, statistics
from blueprints.http.parameters import CAMPAIGN_PARAMETER
from osdi.access.tokens import READ
from osdi.errors import invalid
from osdi.resources import ADVOCACY_CAMPAIGN, API
from osdi.statistics import days
from osdi.statistics.query import read_statistics
from schemas.operations.stats import StatsArgumentsSchema, StatsSchema

blp = Blueprint(
    "Statistics",
    __name__,
    url_prefix=f"{API}/{ADVOCACY_CAMPAIGN.collection}",
    description="Numbers of outreaches and people: per day, by type, source, target and referrer",
)

QUERY: Final = ("from", "to", "time_zone")


@blp.route("/<advocacy_campaign_id>/stats", parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(READ)
@blp.arguments(StatsArgumentsSchema(), location="query")
@blp.response(200, StatsSchema)
@blp.errors(400, 404)
def get_stats(arguments: dict[str, Any], advocacy_campaign_id: str) -> Response:
    """Read a campaign's statistics

    An outreach counts on the day of its `action_date` in the requested time zone. The response has at most 366 days.
    """
    campaign_id = reference().campaign(advocacy_campaign_id)["_id"]
    zone = _zone(arguments["time_zone"])
    found = read_statistics(statistics(), campaign_id, arguments.get("first"), arguments.get("last"), zone)
    return hal_response({**found, "_links": hal().stats_links(campaign_id, {name: found[name] for name in QUERY})})


def _zone(name: str) -> ZoneInfo:
    try:
        return days.time_zone(name)
    except ValueError as error:
        raise invalid(str(error), "time_zone") from error
