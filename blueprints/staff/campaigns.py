"""The list of campaigns, with filters in its address."""

from typing import Final

from flask import Response, request

from blueprints.http.context import caller, settings, store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.frame import page
from osdi.access.tokens import READ
from osdi.staff.campaign_list import Filter, campaign_list, types

TEXT_LENGTH: Final = 200


@pages.get("/campaigns", access=Access(READ, campaign=True))
def campaigns() -> Response:
    """List the campaigns with their counts"""
    chosen = Filter(**{name: request.args.get(name, "").strip()[:TEXT_LENGTH] for name in ("state", "type", "text")})
    number = request.args.get("page", 1, type=int)
    found = campaign_list(store(), caller(), settings().zone, number, chosen=chosen)
    names = [(each, each) for each in types(store(), caller())]
    return page("campaigns.html", found=found, chosen=chosen, types=names)
