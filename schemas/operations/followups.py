"""How the follow-ups stand."""

import marshmallow as ma

from schemas.base.common import links


class FollowupCountSchema(ma.Schema):
    """How many follow-ups are in a state."""

    state = ma.fields.String(
        metadata={"enum": ["queued", "leased", "sent", "failed", "skipped"], "description": "What became of them."}
    )
    kind = ma.fields.String(metadata={"description": "autoresponse, sms_response or call_response."})
    reason = ma.fields.String(metadata={"description": "Why they were not sent, or not yet."})
    count = ma.fields.Integer(metadata={"description": "Of those sent and skipped: outreaches with such."})
    oldest = ma.fields.DateTime(metadata={"description": "When the oldest was asked for."})
    leases_lost = ma.fields.Integer(
        metadata={"description": "How often a worker ended before it marked one: so many may have been sent twice."}
    )


class FollowupCountsSchema(ma.Schema):
    """How the follow-ups of all campaigns stand."""

    followups = ma.fields.List(ma.fields.Nested(FollowupCountSchema))
    oldest = ma.fields.DateTime(allow_none=True, metadata={"description": "Since when one waits; null if none does."})
    _links = links("self")
