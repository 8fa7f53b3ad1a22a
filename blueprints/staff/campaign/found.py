"""The campaign of a request's path, and the values that each of its screens shows."""

from typing import Any

from flask import Response

from blueprints.http.context import hal, store
from blueprints.staff.frame import page
from osdi.documents import Document
from osdi.errors import not_found
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.staff.campaign_list import title_of


def campaign_or_404(campaign_id: str) -> Document:
    """Returns the campaign with this id. Raises OsdiError 404 or 503."""
    found = store().get(ADVOCACY_CAMPAIGN.collection, campaign_id)
    if found is None:
        raise not_found("There is no such campaign.", ADVOCACY_CAMPAIGN.rel)
    return found


def campaign_page(template: str, campaign: Document, status: int = 200, **values: Any) -> Response:
    """Returns a screen of a campaign, from a template of templates/staff/campaign/."""
    return page(
        f"campaign/{template}",
        status,
        campaign_id=campaign["_id"],
        campaign_title=title_of(campaign),
        api_address=hal().href(ADVOCACY_CAMPAIGN.collection, campaign["_id"]),
        page_address=hal().page_address(campaign),
        **values,
    )
