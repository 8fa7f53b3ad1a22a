"""The Record Outreach Helper (`record_outreach.md`): a person and their outreach in one request."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson
from flask import Response, g, request

from blueprints.http.anonymous_posts import apply_policy, honeypot_filled
from blueprints.http.api import LOCATION, Blueprint
from blueprints.http.body import request_body
from blueprints.http.context import Deployment, caller, deployment, hal_response, helper_response
from blueprints.http.parameters import (
    CAMPAIGN_PARAMETER,
    IDEMPOTENCY_KEY,
    IDEMPOTENCY_PARAMETER,
    MAX_IDEMPOTENCY_KEY_LENGTH,
)
from blueprints.http.rate_limits import rate_limits
from osdi.access.tokens import WRITE, Caller
from osdi.documents import ReadOnlyDocument
from osdi.errors import ErrorDescription, invalid
from osdi.outreaches.consent_receipt import GivenConsent
from osdi.outreaches.helper_request import HelperRequest
from osdi.outreaches.record_outreach import Recorded, record_outreach
from osdi.resources import ADVOCACY_CAMPAIGN, API, OUTREACH
from schemas.outreach import OutreachSchema, RecordOutreachHelperSchema

EXAMPLE_FILES: Final = Path(__file__).parent / "examples"
EXAMPLES: Final = {
    "whole": {
        "summary": "All properties that the standard's page shows",
        "value": orjson.loads((EXAMPLE_FILES / "record_outreach_request.json").read_bytes()),
    },
    "small": {
        "summary": "The minimum that a web page sends",
        "value": {
            "person": {"given_name": "Jane", "email_addresses": [{"address": "jane@example.com"}]},
            "type": "email",
            "targets": [{"title": "Senator", "given_name": "John", "family_name": "Smith"}],
        },
    },
}
EXAMPLE_RESPONSES: Final = {
    "with a token": {"value": orjson.loads((EXAMPLE_FILES / "record_outreach_response.json").read_bytes())},
    "without a token": {"value": {}},
}


blp = Blueprint(
    "Record Outreach Helper",
    __name__,
    url_prefix=f"{API}/{ADVOCACY_CAMPAIGN.collection}",
    description="One request creates or updates a person and records their outreach",
)


@blp.route("/<advocacy_campaign_id>/record_outreach_helper", methods=["POST"], parameters=[CAMPAIGN_PARAMETER])
@blp.token_optional(WRITE)
@blp.doc(parameters=[IDEMPOTENCY_PARAMETER])
@blp.arguments(RecordOutreachHelperSchema(skips=True), examples=EXAMPLES)
@blp.response(200, OutreachSchema, examples=EXAMPLE_RESPONSES, headers=LOCATION)
@blp.errors(404, 409, 422)
def record_outreach_helper(body: dict[str, Any], advocacy_campaign_id: str) -> Response:
    """Record an outreach and the person who made it

    The server matches the person by identifiers, e-mail addresses and phone numbers, and creates a person or adds to
    the matching one. With a token the response is the outreach. Without a token, as from a web page, the response is an
    empty object, and the server neither overwrites nor reveals what it stores about a person. An outreach identifier
    that is sent again is recorded only once.
    """
    return record(body, advocacy_campaign_id)


def record(body: dict[str, Any], advocacy_campaign_id: str) -> Response:
    """Records a loaded body on the campaign, and returns the response that the caller may see."""
    deployed, sender = deployment(), caller()
    campaign = deployed.reference.campaign(advocacy_campaign_id)
    if not sender.has_token:
        if honeypot_filled():
            return hal_response({})
        body = apply_policy(body, campaign)
    posted = request_body()
    recorded = record_for_caller(
        deployed, sender, body, campaign, posted.sent, idempotency_key=_idempotency_key(), strict=posted.strict
    )
    return helper_response(OUTREACH, recorded.outreach, recorded.warnings, body)


def record_for_caller(
    deployed: Deployment,
    sender: Caller,
    body: Mapping[str, Any],
    campaign: ReadOnlyDocument,
    sent: bytes,
    *,
    idempotency_key: str | None = None,
    strict: bool = False,
    consent: GivenConsent | None = None,
    warnings: tuple[ErrorDescription, ...] = (),
) -> Recorded:
    """Records a loaded body on the campaign, for the helper and for the form of a campaign page.

    `sent` is the same in a repetition of the request; `consent` and `warnings` are as in HelperRequest.
    Log and metrics learn here what was recorded. Raises OsdiError as record_outreach does.
    """
    helper_request = HelperRequest(
        body=body,
        campaign=campaign,
        caller=sender,
        idempotency_key=idempotency_key,
        sent=sent,
        strict=strict,
        sender=_address_digest(deployed, sender),
        over_limit=None if sender.has_token else rate_limits().contact_counter(),
        consent=consent,
        warnings=warnings,
    )
    recorded = record_outreach(deployed.store, deployed.reference.find, helper_request, deployed.settings)
    g.matched_by, g.recorded, g.warnings = recorded.matched_by, recorded.outreach, recorded.warnings
    return recorded


def _address_digest(deployed: Deployment, sender: Caller) -> str:
    """Returns the digest of the address of a caller without a token; empty if double clicks are not recognised."""
    recognised = deployed.settings.repeat_seconds and not sender.has_token
    return deployed.senders.of(request.remote_addr) if recognised else ""


def _idempotency_key() -> str | None:
    """Returns the header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header) or None. Raises OsdiError 400."""
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is not None and not 1 <= len(key) <= MAX_IDEMPOTENCY_KEY_LENGTH:
        raise invalid(f"A key must have 1 to {MAX_IDEMPOTENCY_KEY_LENGTH} characters.", IDEMPOTENCY_KEY)
    return key
