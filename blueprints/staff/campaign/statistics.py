"""The statistics of a campaign: the numbers of the API as chart and tables, and as a CSV file."""

from typing import Final
from urllib.parse import urlencode

from flask import Response, request

from blueprints.http.context import hal, settings, statistics, store
from blueprints.operations.downloads import CSV_HEADER
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.campaign.found import campaign_page, found_campaign
from osdi.access.tokens import READ
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.staff.campaign.statistics import RANGES, CampaignStatistics, as_csv
from osdi.staff.campaign.statistics import campaign_statistics as read_statistics

# The properties of an outreach by which the API finds those of a kind. A target has no single one.
FILTERS: Final = {"source": "referrer_data/source", "referrer": "referrer_data/referrer", "type": "type"}


@pages.get("/campaigns/<advocacy_campaign_id>/statistics", access=Access(READ, campaign=True))
def campaign_statistics(advocacy_campaign_id: str) -> Response:
    """Show the statistics of a campaign"""
    campaign = found_campaign(advocacy_campaign_id)
    found = _read(advocacy_campaign_id)
    address = hal().stats_links(campaign["_id"], found.query)["self"]["href"]
    return campaign_page(
        "statistics.html", campaign, found=found, ranges=RANGES, stats_address=address, list_address=_list_address
    )


@pages.get("/campaigns/<advocacy_campaign_id>/statistics.csv", access=Access(READ, campaign=True))
def statistics_file(advocacy_campaign_id: str) -> Response:
    """Send the statistics of a campaign as CSV"""
    answer = Response(as_csv(_read(advocacy_campaign_id).summary), content_type=CSV_HEADER)
    answer.headers["Content-Disposition"] = 'attachment; filename="statistics.csv"'
    return answer


def _read(campaign_id: str) -> CampaignStatistics:
    campaign = found_campaign(campaign_id)
    return read_statistics(store(), statistics(), campaign, settings().zone, request.args.get("range", ""))


def _list_address(campaign_id: str, kind: str, value: str) -> str | None:
    """Returns the address at which the API lists the outreaches with a value, or None if it has no such filter."""
    if kind not in FILTERS:
        return None
    quoted = value.replace("'", "''")
    query = urlencode({"filter": f"{FILTERS[kind]} eq '{quoted}'"})
    return f"{hal().href(ADVOCACY_CAMPAIGN.collection, campaign_id)}/outreaches?{query}"
