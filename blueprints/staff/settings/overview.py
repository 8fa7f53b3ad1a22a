"""The first page of the settings: a link to each of the others."""

from flask import Response

from blueprints.staff.blueprint import pages
from blueprints.staff.frame import page
from blueprints.staff.settings.access import ADMINISTRATOR


@pages.get("/settings", access=ADMINISTRATOR)
def settings_overview() -> Response:
    """List the settings pages"""
    return page("settings/overview.html")
