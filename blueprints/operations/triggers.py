"""A campaign's triggers: the messages of its follow-ups. This route is not in the standard."""

from typing import Any, Final

from flask import Response

from blueprints.http.api import Blueprint
from blueprints.http.collections import get_or_404
from blueprints.http.context import caller, hal, hal_response, reference
from blueprints.http.parameters import CAMPAIGN_PARAMETER
from blueprints.http.put_and_delete import change
from osdi.access.tokens import READ, WRITE
from osdi.action_functions.followup_kinds import AUTORESPONSE, fits
from osdi.documents import Document
from osdi.errors import ErrorDescription, OsdiError
from osdi.etags import etag
from osdi.resources import ADVOCACY_CAMPAIGN, API, MESSAGE
from schemas.operations.triggers import CampaignTriggersSchema, as_put

blp = Blueprint(
    "Triggers",
    __name__,
    url_prefix=f"{API}/{ADVOCACY_CAMPAIGN.collection}",
    description="Follow-ups of outreaches: mails, text messages and calls",
)

EXAMPLES: Final = {"one": {"value": {"autoresponse": {"identifiers": ["crm:thanks"]}}}}


@blp.route("/<advocacy_campaign_id>/triggers", parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(READ)
@blp.response(200, CampaignTriggersSchema)
@blp.errors(404)
def get_triggers(advocacy_campaign_id: str) -> Response:
    """Read the messages of a campaign's follow-ups"""
    return _response(get_or_404(ADVOCACY_CAMPAIGN, advocacy_campaign_id))


@blp.route("/<advocacy_campaign_id>/triggers", methods=["PUT"], parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(WRITE)
@blp.arguments(CampaignTriggersSchema(), examples=EXAMPLES)
@blp.response(200, CampaignTriggersSchema)
@blp.if_match
@blp.errors(404)
def put_triggers(body: dict[str, Any], advocacy_campaign_id: str) -> Response:
    """Change the messages of a campaign's follow-ups

    If a post requests a follow-up without a message, the server sends the first message of its kind in this list. A
    post without a token can choose only among these messages. The ETag is the campaign's.
    """
    for kind, trigger in body.items():
        _check(kind, trigger["identifiers"] if trigger else [])
    return _response(change(ADVOCACY_CAMPAIGN, advocacy_campaign_id, as_put(body)))


def _check(kind: str, identifiers: list[str]) -> None:
    """Raises OsdiError 400 for a message that does not exist or does not fit this kind of follow-up."""
    found = reference().find(MESSAGE, identifiers) if identifiers else {}
    errors = []
    for index, identifier in enumerate(identifiers):
        where = (f"{kind}.identifiers[{index}]",)
        if identifier not in found:
            errors.append(ErrorDescription("DOES_NOT_EXIST", f"There is no message '{identifier}'.", where))
        elif not fits(kind, found[identifier]):
            needs = "type email, a subject and a body" if kind == AUTORESPONSE else "type sms and a body"
            errors.append(ErrorDescription("MESSAGE_DOES_NOT_FIT", f"The message needs {needs}.", where))
    if errors:
        raise OsdiError(400, *errors, resource=ADVOCACY_CAMPAIGN.rel)


def _response(campaign: Document) -> Response:
    address = hal().href(ADVOCACY_CAMPAIGN.collection, campaign["_id"])
    links = {"self": {"href": f"{address}/triggers"}, ADVOCACY_CAMPAIGN.rel: {"href": address}}
    shown = campaign.get("triggers", {}) if caller().may(READ) else {}
    return hal_response({**shown, "_links": links}, etag(campaign))
