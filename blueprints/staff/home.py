"""The home page of the staff pages: things to do, figures of the last seven days, and campaigns."""

from flask import Response

from blueprints.http.context import caller, settings, store
from blueprints.staff.blueprint import ANY_MEMBER, pages
from blueprints.staff.frame import page
from osdi.staff.home import home as read_home


@pages.get("", access=ANY_MEMBER)
def home() -> Response:
    """Show what needs attention, and the latest figures"""
    return page("home.html", found=read_home(store(), caller(), settings()))
