"""The list of campaigns, with filters in its address."""

from typing import Final

from flask import Response, request

from blueprints.http.context import caller, hal, settings, store
from blueprints.operations.downloads import CSV_HEADER
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.frame import page
from osdi.access.tokens import READ
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.staff.campaign_list import Filter, campaign_file, campaign_list, types

MAX_TEXT_LENGTH: Final = 200


@pages.get("/campaigns", access=Access(READ, campaign=True))
def campaigns() -> Response:
    """List the campaigns with their counts"""
    chosen, sort = _chosen(), request.args.get("sort", "")[:MAX_TEXT_LENGTH]
    number = request.args.get("page", 1, type=int)
    found = campaign_list(store(), caller(), settings().zone, number, chosen=chosen, sort=sort)
    names = [(each, each) for each in types(store(), caller())]
    address = hal().href(ADVOCACY_CAMPAIGN.collection)
    return page("campaigns.html", found=found, chosen=chosen, types=names, campaigns_address=address)


@pages.get("/campaigns.csv", access=Access(READ, campaign=True))
def campaigns_file() -> Response:
    """Send the campaigns with their counts as CSV"""
    text = campaign_file(store(), caller(), settings().zone, _chosen())
    response = Response(text, content_type=CSV_HEADER)
    response.headers["Content-Disposition"] = 'attachment; filename="campaigns.csv"'
    return response


def _chosen() -> Filter:
    return Filter(**{name: request.args.get(name, "").strip()[:MAX_TEXT_LENGTH] for name in ("state", "type", "text")})
