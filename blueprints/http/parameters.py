"""Path and header parameters that several views share."""

from typing import Final

from osdi.sample import CAMPAIGN_ID

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
IDEMPOTENCY_KEY_LENGTH: Final = 255
IDEMPOTENCY_PARAMETER: Final = {
    "in": "header",
    "name": IDEMPOTENCY_KEY,
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_LENGTH},
    "description": "A unique value for this outreach. A repeated request within 24 hours records nothing twice.",
}
CAMPAIGN_PARAMETER: Final = {
    "in": "path",
    "name": "advocacy_campaign_id",
    "required": True,
    "schema": {"type": "string", "minLength": 1},
    "description": "The campaign's id: the last part of its URL.",
    "example": CAMPAIGN_ID,
}
