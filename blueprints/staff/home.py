"""The home page of the staff pages: things to do, figures of the last seven days, and campaigns."""

from urllib.parse import urlencode

from flask import Response

from blueprints.http.context import caller, hal, settings, store
from blueprints.staff.blueprint import ANY_MEMBER, pages
from blueprints.staff.frame import page
from osdi.resources import PERSON
from osdi.staff.campaign.outreach_filter import OutreachFilter
from osdi.staff.home import home as read_home


@pages.get("", access=ANY_MEMBER)
def home() -> Response:
    """Show what needs attention, and the latest figures"""
    return page("home.html", found=read_home(store(), caller(), settings()), people_request=people_request)


def people_request(chosen: OutreachFilter) -> str:
    """Returns the address at which the API lists the people who were stored on the days of a filter."""
    text = OutreachFilter(first=chosen.first, last=chosen.last).text(settings().zone)
    return f"{hal().href(PERSON.collection)}?{urlencode({'filter': text})}"
