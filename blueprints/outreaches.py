"""Outreaches, which live under the campaign that they were made in (`outreaches.md`)."""

from typing import Any

from flask import Response

from blueprints.advocacy_campaigns import with_total
from blueprints.deployment import answer, hal, reference
from blueprints.openapi import Blueprint
from blueprints.pages import answer_page, existing, read_page
from blueprints.record_outreach_helper import CAMPAIGN_PARAMETER, EXAMPLES, IDEMPOTENCY_PARAMETER, record
from osdi.auth import READ, WRITE
from osdi.errors import not_found
from osdi.resources import ADVOCACY_CAMPAIGN, API, OUTREACH
from schemas.collection import PageArgumentsSchema, collection_schema
from schemas.outreach import OutreachSchema, RecordOutreachHelperSchema

blp = Blueprint(
    "Outreaches", __name__, url_prefix=f"{API}/advocacy_campaigns", description="What people did in a campaign"
)

OutreachesSchema = collection_schema("Outreaches", OUTREACH.collection_rel, OutreachSchema)


@blp.route("/<advocacy_campaign_id>/outreaches", parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(READ)
@blp.arguments(PageArgumentsSchema(), location="query")
@blp.response(200, OutreachesSchema)
@blp.refuses(404)
def get_outreaches(arguments: dict[str, Any], advocacy_campaign_id: str) -> Response:
    """List the outreaches of a campaign"""
    campaign = with_total(reference().campaign(advocacy_campaign_id))
    query = {"advocacy_campaign_id": campaign["_id"]}
    page = read_page(OUTREACH, arguments, query, campaign["total_outreaches"])
    path = (ADVOCACY_CAMPAIGN.collection, campaign["_id"], OUTREACH.collection)
    return answer_page(OUTREACH, page, arguments, *path)


@blp.route("/<advocacy_campaign_id>/outreaches", methods=["POST"], parameters=[CAMPAIGN_PARAMETER])
@blp.token_optional(WRITE)
@blp.doc(parameters=[IDEMPOTENCY_PARAMETER])
@blp.arguments(RecordOutreachHelperSchema(), examples=EXAMPLES)
@blp.response(200, OutreachSchema)
@blp.refuses(404, 409, 422)
def post_outreach(body: dict[str, Any], advocacy_campaign_id: str) -> Response:
    """Record an outreach of a person who is inline or linked

    The same as the Record Outreach Helper; with a token the person may be given as the link `osdi:person`.
    """
    return record(body, advocacy_campaign_id)


@blp.route("/<advocacy_campaign_id>/outreaches/<outreach_id>", parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(READ)
@blp.response(200, OutreachSchema)
@blp.refuses(404)
def get_outreach(advocacy_campaign_id: str, outreach_id: str) -> Response:
    """Read one outreach"""
    found = existing(OUTREACH, outreach_id)
    if found["advocacy_campaign_id"] != advocacy_campaign_id:
        raise not_found("There is no such outreach on this campaign.", OUTREACH.rel)
    return answer(hal().represent(OUTREACH, found))
