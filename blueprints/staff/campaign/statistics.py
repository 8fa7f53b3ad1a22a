"""The statistics of a campaign: the numbers of the API as chart and tables, and as a CSV file."""

from flask import Response, request

from blueprints.http.context import hal, settings, statistics, store
from blueprints.operations.downloads import CSV_HEADER
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.campaign.found import campaign_or_404, campaign_page
from osdi.access.tokens import READ
from osdi.documents import Document
from osdi.errors import OsdiError, invalid
from osdi.ids import time_in
from osdi.staff.campaign.period import RANGES, Period, period_of
from osdi.staff.campaign.statistics import CampaignStatistics, as_csv
from osdi.staff.campaign.statistics import campaign_statistics as read_statistics


@pages.get("/campaigns/<advocacy_campaign_id>/statistics", access=Access(READ, campaign=True))
def campaign_statistics(advocacy_campaign_id: str) -> Response:
    """Show the statistics of a campaign"""
    campaign = campaign_or_404(advocacy_campaign_id)
    period, errors = _period()
    found = None if errors else _read_or_none(campaign, period)
    return campaign_page(
        "statistics.html",
        campaign,
        400 if errors else 200,
        found=found,
        errors=errors,
        period=period,
        typed=request.args,
        ranges=RANGES,
        stats_address=hal().stats_links(campaign["_id"], found.query)["self"]["href"] if found else "",
    )


@pages.get("/campaigns/<advocacy_campaign_id>/statistics.csv", access=Access(READ, campaign=True))
def statistics_file(advocacy_campaign_id: str) -> Response:
    """Send the statistics of a campaign as CSV"""
    period, errors = _period()
    if errors:
        name, message = next(iter(errors.items()))
        raise invalid(message, name)
    response = Response(as_csv(_read(campaign_or_404(advocacy_campaign_id), period)), content_type=CSV_HEADER)
    response.headers["Content-Disposition"] = 'attachment; filename="statistics.csv"'
    return response


def _read(campaign: Document, period: Period) -> CampaignStatistics:
    return read_statistics(store(), statistics(), campaign, settings(), period)


def _read_or_none(campaign: Document, period: Period) -> CampaignStatistics | None:
    """Returns the statistics; None while they cannot be read, so that the page appears without them."""
    try:
        return _read(campaign, period)
    except OsdiError as error:
        if error.status != 503:
            raise
        return None


def _period() -> tuple[Period, dict[str, str]]:
    wanted, first, last = (request.args.get(name, "").strip() for name in ("range", "from", "to"))
    return period_of(wanted, first, last, time_in(settings().zone).date())
