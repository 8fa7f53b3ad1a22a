"""The screen of one campaign: count, goal, page, embed codes, latest outreaches."""

from flask import Response

from blueprints.http.context import caller, hal, reference, settings, store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.campaign.found import campaign_or_404, campaign_page
from blueprints.staff.campaign.script import script_url
from osdi.access.tokens import READ
from osdi.resources import PAGES
from osdi.staff.campaign.autoresponse import unrequested_kinds
from osdi.staff.campaign.overview import overview as read_overview


@pages.get("/campaigns/<advocacy_campaign_id>", access=Access(READ, campaign=True))
def campaign(advocacy_campaign_id: str) -> Response:
    """Show a campaign"""
    found = campaign_or_404(advocacy_campaign_id)
    return campaign_page(
        "overview.html",
        found,
        found=read_overview(store(), caller(), settings(), found),
        embed_script=f"{hal().base_url}{PAGES}/embed.js",
        script_url=script_url,
        unrequested=unrequested_kinds(store(), reference(), found),
    )
