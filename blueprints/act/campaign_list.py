"""The list of published campaigns at `/act`, which the setting CAMPAIGN_LIST turns on."""

from flask import render_template, request

from blueprints.act.blueprint import act
from blueprints.http.context import settings, store
from osdi.campaign_pages.public_count import list_pages
from osdi.errors import not_found


@act.get("")
def campaign_list() -> str:
    """Show the published campaigns, the newest first"""
    if not settings().campaign_list:
        raise not_found("There is no list of campaigns.")
    listed, earlier = list_pages(store(), settings(), request.args.get("before"))
    return render_template("act/campaign_list.html", listed_pages=listed, earlier=earlier)
