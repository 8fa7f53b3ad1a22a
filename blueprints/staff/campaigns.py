"""The list of campaigns."""

from flask import Response, request

from blueprints.http.context import caller, settings, store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.frame import page
from osdi.access.tokens import READ
from osdi.staff.campaign_list import campaign_list


@pages.get("/campaigns", access=Access(READ, campaign=True))
def campaigns() -> Response:
    """List the campaigns with their counts"""
    number = max(1, request.args.get("page", 1, type=int))
    return page("campaigns.html", found=campaign_list(store(), caller(), settings().zone, number))
