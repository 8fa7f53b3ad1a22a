"""The postal codes by which a campaign's page finds targets. This route is not in the standard."""

from typing import Any, Final

from flask import Response

from blueprints.http.api import Blueprint
from blueprints.http.body import text_body
from blueprints.http.collections import get_or_404
from blueprints.http.context import caller, hal, hal_response, store
from blueprints.http.parameters import CAMPAIGN_PARAMETER
from blueprints.operations.downloads import CSV, CSV_HEADER
from osdi.access.tokens import READ, WRITE
from osdi.campaign_pages.postal_codes.postal_codes_store import delete_table
from osdi.campaign_pages.postal_codes.transfer import download, upload
from osdi.fields.limits import MAX_POSTAL_CODE_BYTES
from osdi.resources import ADVOCACY_CAMPAIGN, API
from schemas.base.delete import NoticeSchema
from schemas.operations.postal_codes import PostalCodesArgumentsSchema, PostalCodesReportSchema

blp = Blueprint(
    "Postal codes",
    __name__,
    url_prefix=f"{API}/{ADVOCACY_CAMPAIGN.collection}",
    description="The table by which a campaign's page finds the targets of a supporter",
)

PATH: Final = "/<advocacy_campaign_id>/page/postal_codes"
EXAMPLE: Final = "postal_code,target\r\n10115,Jane Doe\r\n10,2\r\n*,ocd-division/country:de\r\n"
CSV_BODY: Final = {
    "required": True,
    "description": "The table: the beginning of postal codes, and a target's number from 1, `ocdid` or name.",
    "content": {CSV: {"schema": {"type": "string"}, "example": EXAMPLE}},
}


@blp.route(PATH, parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(READ)
@blp.response(200, {"type": "string"}, content_type=CSV)
@blp.errors(404)
def get_postal_codes(advocacy_campaign_id: str) -> Response:
    """Read a campaign's table of postal codes as CSV"""
    return Response(download(store(), get_or_404(ADVOCACY_CAMPAIGN, advocacy_campaign_id)), content_type=CSV_HEADER)


@blp.route(PATH, methods=["PUT"], parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(WRITE)
@blp.arguments(PostalCodesArgumentsSchema(), location="query")
@blp.doc(requestBody=CSV_BODY)
@blp.response(200, PostalCodesReportSchema)
@blp.errors(400, 404, 408, 409, 413)
def put_postal_codes(arguments: dict[str, Any], advocacy_campaign_id: str) -> Response:
    """Replace a campaign's table of postal codes

    The body is CSV in UTF-8, and may be compressed (`Content-Encoding: gzip`). The longest beginning of a code decides;
    a code in several lines leads to several targets, among which the supporter chooses. The line with the code `*` is
    for every other code. A table with a line that cannot be used is rejected as a whole; a dry run lists such lines.
    """
    campaign = get_or_404(ADVOCACY_CAMPAIGN, advocacy_campaign_id)
    report = upload(store(), campaign, text_body(MAX_POSTAL_CODE_BYTES), dry_run=arguments["dry_run"])
    return hal_response({**(report if caller().may(READ) else {}), "_links": _links(advocacy_campaign_id)})


@blp.route(PATH, methods=["DELETE"], parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(WRITE)
@blp.response(200, NoticeSchema)
@blp.errors(404)
def delete_postal_codes(advocacy_campaign_id: str) -> Response:
    """Delete a campaign's table of postal codes"""
    delete_table(store(), get_or_404(ADVOCACY_CAMPAIGN, advocacy_campaign_id)["_id"])
    return hal_response({"notice": "The postal codes of this advocacy campaign were successfully deleted."})


def _links(campaign_id: str) -> dict[str, dict[str, str]]:
    address = hal().href(ADVOCACY_CAMPAIGN.collection, campaign_id)
    return {"self": {"href": f"{address}/page/postal_codes"}, ADVOCACY_CAMPAIGN.rel: {"href": address}}
