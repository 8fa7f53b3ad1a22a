"""Advocacy campaigns, on which outreaches are recorded (`advocacy_campaigns.md`)."""

from typing import Any, Final

from flask import Response

from blueprints.http.api import LOCATION, Blueprint
from blueprints.http.collections import get_or_404, page_response, read_page, with_total
from blueprints.http.context import caller, hal, hal_response, settings, shown_after_write, store
from blueprints.http.put_and_delete import change, remove
from osdi.access.tokens import READ, WRITE
from osdi.crud.create import create
from osdi.etags import etag
from osdi.resources import ADVOCACY_CAMPAIGN, API
from schemas.advocacy_campaign import AdvocacyCampaignSchema
from schemas.base.collection import PageArgumentsSchema, collection_schema
from schemas.base.delete import ForceSchema, NoticeSchema
from schemas.base.put import put_of

blp = Blueprint(
    "Advocacy campaigns",
    __name__,
    url_prefix=f"{API}/advocacy_campaigns",
    description="Campaigns that ask people to contact targets",
)

EXAMPLES: Final = {
    "one": {"value": {"title": "Ask your senators to protect the river", "name": "river-2026", "type": "phone"}}
}

AdvocacyCampaignsSchema = collection_schema(
    "AdvocacyCampaigns", ADVOCACY_CAMPAIGN.collection_rel, AdvocacyCampaignSchema
)


@blp.route("")
@blp.token_required(READ)
@blp.arguments(PageArgumentsSchema(), location="query")
@blp.response(200, AdvocacyCampaignsSchema)
def get_advocacy_campaigns(arguments: dict[str, Any]) -> Response:
    """List the advocacy campaigns"""
    page = read_page(ADVOCACY_CAMPAIGN, arguments, {})
    page = page.with_documents(with_total(ADVOCACY_CAMPAIGN, campaign) for campaign in page.documents)
    return page_response(ADVOCACY_CAMPAIGN, page, arguments, ADVOCACY_CAMPAIGN.collection)


@blp.route("", methods=["POST"])
@blp.token_required(WRITE)
@blp.arguments(AdvocacyCampaignSchema(), examples=EXAMPLES)
@blp.response(200, AdvocacyCampaignSchema, headers=LOCATION)
@blp.errors(409)
def post_advocacy_campaign(body: dict[str, Any]) -> Response:
    """Create an advocacy campaign, or add to an existing one

    If a campaign with one of the identifiers exists, the server adds to it and returns it.
    """
    campaign = create(store(), ADVOCACY_CAMPAIGN, body, settings().match_key_rules, by=caller().person_id)
    created = with_total(ADVOCACY_CAMPAIGN, campaign)
    return hal_response(shown_after_write(ADVOCACY_CAMPAIGN, created, body.get("control")))


@blp.route("/<advocacy_campaign_id>")
@blp.token_required(READ)
@blp.response(200, AdvocacyCampaignSchema)
@blp.errors(404)
def get_advocacy_campaign(advocacy_campaign_id: str) -> Response:
    """Read one advocacy campaign"""
    found = get_or_404(ADVOCACY_CAMPAIGN, advocacy_campaign_id)
    return hal_response(hal().represent(ADVOCACY_CAMPAIGN, with_total(ADVOCACY_CAMPAIGN, found)), etag(found))


@blp.route("/<advocacy_campaign_id>", methods=["PUT"])
@blp.token_required(WRITE)
@blp.arguments(put_of(AdvocacyCampaignSchema))
@blp.response(200, AdvocacyCampaignSchema)
@blp.if_match
@blp.errors(404, 409)
def put_advocacy_campaign(body: dict[str, Any], advocacy_campaign_id: str) -> Response:
    """Change one advocacy campaign

    Properties that are not in the body stay as they are. An array replaces the stored one; null clears a property.
    """
    changed = with_total(ADVOCACY_CAMPAIGN, change(ADVOCACY_CAMPAIGN, advocacy_campaign_id, body))
    return hal_response(shown_after_write(ADVOCACY_CAMPAIGN, changed, body["control"]), etag(changed))


@blp.route("/<advocacy_campaign_id>", methods=["DELETE"])
@blp.token_required(WRITE)
@blp.arguments(ForceSchema(), location="query")
@blp.response(200, NoticeSchema)
@blp.if_match
@blp.errors(404, 409)
def delete_advocacy_campaign(arguments: dict[str, Any], advocacy_campaign_id: str) -> Response:
    """Delete one advocacy campaign

    A campaign with outreaches is rejected with 409. With `force` true the server deletes the outreaches, too.
    """
    return remove(ADVOCACY_CAMPAIGN, advocacy_campaign_id, force=arguments["force"])
