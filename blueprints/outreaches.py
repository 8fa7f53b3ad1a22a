"""Outreaches, which have URLs below their campaign (`outreaches.md`)."""

from collections.abc import Callable
from typing import Any

from flask import Response

from blueprints.http.api import LOCATION, Blueprint
from blueprints.http.collections import get_or_404, page_response, read_page, with_total
from blueprints.http.context import hal, hal_response, shown_after_write
from blueprints.http.expand import OF_OUTREACHES, expand_references, requested_relations
from blueprints.http.parameters import CAMPAIGN_PARAMETER, IDEMPOTENCY_PARAMETER
from blueprints.http.put_and_delete import change, remove
from blueprints.record_outreach_helper import EXAMPLES, record
from osdi.access.tokens import READ, WRITE
from osdi.documents import Document
from osdi.etags import etag
from osdi.resources import ADVOCACY_CAMPAIGN, API, OUTREACH
from schemas.base.collection import ExpandedPageArgumentsSchema, ExpandSchema, collection_schema
from schemas.base.delete import NoticeSchema
from schemas.base.put import put_of
from schemas.outreach import OutreachSchema, RecordOutreachHelperSchema

blp = Blueprint(
    "Outreaches",
    __name__,
    url_prefix=f"{API}/advocacy_campaigns",
    description="Outreaches that people made in a campaign",
)

across = Blueprint(
    "Outreaches of all campaigns", __name__, url_prefix=API, description="The outreaches of all campaigns in one list"
)

OutreachesSchema = collection_schema("Outreaches", OUTREACH.collection_rel, OutreachSchema)


@across.route("/outreaches")
@across.token_required(READ)
@across.arguments(ExpandedPageArgumentsSchema(), location="query")
@across.response(200, OutreachesSchema)
def get_all_outreaches(arguments: dict[str, Any]) -> Response:
    """List the outreaches of all campaigns"""
    page = read_page(OUTREACH, arguments, {})
    embedded = expand_references(page.documents, requested_relations(arguments, OF_OUTREACHES))
    return page_response(OUTREACH, page, arguments, OUTREACH.collection, embedded=embedded)


@blp.route("/<advocacy_campaign_id>/outreaches", parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(READ)
@blp.arguments(ExpandedPageArgumentsSchema(), location="query")
@blp.response(200, OutreachesSchema)
@blp.errors(404)
def get_outreaches(arguments: dict[str, Any], advocacy_campaign_id: str) -> Response:
    """List the outreaches of a campaign"""
    campaign = with_total(ADVOCACY_CAMPAIGN, get_or_404(ADVOCACY_CAMPAIGN, advocacy_campaign_id))
    query = {"advocacy_campaign_id": campaign["_id"]}
    page = read_page(OUTREACH, arguments, query, campaign["total_outreaches"])
    path = (ADVOCACY_CAMPAIGN.collection, campaign["_id"], OUTREACH.collection)
    embedded = expand_references(page.documents, requested_relations(arguments, OF_OUTREACHES))
    return page_response(OUTREACH, page, arguments, *path, embedded=embedded)


@blp.route("/<advocacy_campaign_id>/outreaches", methods=["POST"], parameters=[CAMPAIGN_PARAMETER])
@blp.token_optional(WRITE)
@blp.doc(parameters=[IDEMPOTENCY_PARAMETER])
@blp.arguments(RecordOutreachHelperSchema(), examples=EXAMPLES)
@blp.response(200, OutreachSchema, headers=LOCATION)
@blp.errors(404, 409, 422)
def post_outreach(body: dict[str, Any], advocacy_campaign_id: str) -> Response:
    """Record an outreach and its person

    Works like the Record Outreach Helper. With a token the body can link to an existing person by `osdi:person`.
    """
    return record(body, advocacy_campaign_id)


@blp.route("/<advocacy_campaign_id>/outreaches/<outreach_id>", parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(READ)
@blp.arguments(ExpandSchema(), location="query")
@blp.response(200, OutreachSchema)
@blp.errors(404)
def get_outreach(arguments: dict[str, Any], advocacy_campaign_id: str, outreach_id: str) -> Response:
    """Read one outreach"""
    found = get_or_404(OUTREACH, outreach_id, is_of_campaign(advocacy_campaign_id))
    embedded = expand_references([found], requested_relations(arguments, OF_OUTREACHES))
    return hal_response(hal().represent(OUTREACH, found, embedded=embedded[outreach_id]), etag(found))


@blp.route("/<advocacy_campaign_id>/outreaches/<outreach_id>", methods=["PUT"], parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(WRITE)
@blp.arguments(put_of(OutreachSchema))
@blp.response(200, OutreachSchema)
@blp.if_match
@blp.errors(404, 409)
def put_outreach(body: dict[str, Any], advocacy_campaign_id: str, outreach_id: str) -> Response:
    """Change one outreach

    Properties that are not in the body stay as they are. An array replaces the stored one; null clears a property.
    """
    changed = change(OUTREACH, outreach_id, body, belongs=is_of_campaign(advocacy_campaign_id))
    return hal_response(shown_after_write(OUTREACH, changed, body["control"]), etag(changed))


@blp.route("/<advocacy_campaign_id>/outreaches/<outreach_id>", methods=["DELETE"], parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(WRITE)
@blp.response(200, NoticeSchema)
@blp.if_match
@blp.errors(404)
def delete_outreach(advocacy_campaign_id: str, outreach_id: str) -> Response:
    """Delete one outreach

    The person stays.
    """
    return remove(OUTREACH, outreach_id, belongs=is_of_campaign(advocacy_campaign_id))


def is_of_campaign(campaign_id: str) -> Callable[[Document], bool]:
    """Returns a predicate: True for outreaches of this campaign."""
    return lambda outreach: bool(outreach["advocacy_campaign_id"] == campaign_id)
