"""Counts of follow-ups by state."""

import marshmallow as ma

from schemas.base.common import links


class FollowupCountSchema(ma.Schema):
    """The number of follow-ups in a state."""

    state = ma.fields.String(
        metadata={"enum": ["queued", "leased", "sent", "failed", "skipped"], "description": "State of the follow-ups."}
    )
    kind = ma.fields.String(metadata={"description": "autoresponse, sms_response, call_response or confirmation."})
    reason = ma.fields.String(metadata={"description": "Reason why they are not sent yet, or not at all."})
    count = ma.fields.Integer(
        metadata={"description": "Number of follow-ups; for `sent` and `skipped`, of outreaches with such."}
    )
    oldest = ma.fields.DateTime(metadata={"description": "Time of the oldest request."})
    leases_lost = ma.fields.Integer(
        metadata={
            "description": "How often a worker ended before it stored the result: these may have been sent twice."
        }
    )


class FollowupCountsSchema(ma.Schema):
    """Counts of the follow-ups of all campaigns by state."""

    followups = ma.fields.List(
        ma.fields.Nested(FollowupCountSchema), metadata={"description": "Numbers of follow-ups."}
    )
    oldest = ma.fields.DateTime(
        allow_none=True, metadata={"description": "Time of the oldest waiting follow-up; null if none waits."}
    )
    _links = links("self")
