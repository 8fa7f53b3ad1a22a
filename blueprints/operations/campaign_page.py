"""The settings of a campaign's public page. This route is not in the standard."""

from typing import Any, Final

from flask import Response

from blueprints.http.api import Blueprint
from blueprints.http.collections import get_or_404
from blueprints.http.context import caller, hal, hal_response, reference
from blueprints.http.parameters import CAMPAIGN_PARAMETER
from blueprints.http.put_and_delete import change
from osdi.access.tokens import READ, WRITE
from osdi.campaign_pages.page_settings import PageSettings, check_references
from osdi.documents import Document
from osdi.etags import etag
from osdi.resources import ADVOCACY_CAMPAIGN, API
from schemas.operations.campaign_page import PageSchema, as_put, check_prompts

blp = Blueprint(
    "Campaign pages",
    __name__,
    url_prefix=f"{API}/{ADVOCACY_CAMPAIGN.collection}",
    description="The public page of a campaign, with a form",
)

EXAMPLES: Final = {
    "one": {
        "value": {
            "published": True,
            "language": "en",
            "closes_at": "2027-06-30T23:59:59-04:00",
            "goal": "auto",
            "fields": [{"name": "given_name"}, {"name": "email_address", "required": True}, {"name": "postal_code"}],
            "targets": {"selection": "choose", "preselected": 2},
            "consent": {"text": "Yes, send me news about the river.", "list": "supporters"},
            "privacy_url": "https://example.org/privacy",
            "colour": "#00695c",
        }
    }
}


@blp.route("/<advocacy_campaign_id>/page", parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(READ)
@blp.response(200, PageSchema)
@blp.errors(404)
def get_page(advocacy_campaign_id: str) -> Response:
    """Read the settings of a campaign's public page"""
    return _response(get_or_404(ADVOCACY_CAMPAIGN, advocacy_campaign_id))


@blp.route("/<advocacy_campaign_id>/page", methods=["PUT"], parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(WRITE)
@blp.arguments(PageSchema(), examples=EXAMPLES)
@blp.response(200, PageSchema)
@blp.if_match
@blp.errors(404, 409)
def put_page(body: dict[str, Any], advocacy_campaign_id: str) -> Response:
    """Change the settings of a campaign's public page, or publish it

    A setting in the body applies. Null restores its default, also inside an object; other settings stay as they are.
    An array replaces the stored one. The ETag is the campaign's.
    """
    check_references(body, reference().find)
    return _response(change(ADVOCACY_CAMPAIGN, advocacy_campaign_id, as_put(body), check=check_prompts))


def _response(campaign: Document) -> Response:
    shown = PageSettings.of(campaign).body() if caller().may(READ) else {}
    return hal_response({**shown, "_links": hal().page_links(campaign)}, etag(campaign))
