"""A campaign's statistics, and for which days they are asked."""

import datetime as dt
from typing import Final

import marshmallow as ma

from osdi.fields.limits import DATE_LENGTH, ZONE_LENGTH
from schemas.base.collection import QuerySchema
from schemas.base.common import links

FIRST_DATE: Final = dt.date(1900, 1, 1)
LAST_DATE: Final = dt.date(2199, 12, 31)


def _date(name: str, description: str) -> ma.fields.Date:
    return ma.fields.Date(
        data_key=name,
        format="%Y-%m-%d",
        validate=ma.validate.Range(FIRST_DATE, LAST_DATE, error=f"Not from {FIRST_DATE} to {LAST_DATE}."),
        metadata={"description": description, "maxLength": DATE_LENGTH},
    )


class StatsArgumentsSchema(QuerySchema):
    """Which days are counted, and in which time zone a day begins."""

    first = _date("from", "The first day, such as `2026-11-01`; else the first with an outreach, 366 days at most.")
    last = _date("to", "The last day; else today.")
    time_zone = ma.fields.String(
        load_default="UTC",
        validate=ma.validate.Length(1, ZONE_LENGTH),
        metadata={"description": "Where a day begins at midnight: a name such as `Europe/Berlin`."},
    )


class TotalSchema(ma.Schema):
    """All days together."""

    outreaches = ma.fields.Integer(metadata={"description": "Outreaches that were made on these days."})
    people = ma.fields.Integer(metadata={"description": "Different people who made them."})


class DaySchema(ma.Schema):
    """One day."""

    date = ma.fields.Date()
    outreaches = ma.fields.Integer(metadata={"description": "Outreaches of that day."})
    people = ma.fields.Integer(metadata={"description": "Different people who made them."})


class ValueCountSchema(ma.Schema):
    """How often one value is named."""

    value = ma.fields.String(metadata={"description": "At most its first 200 characters."})
    outreaches = ma.fields.Integer(metadata={"description": "Outreaches that name it."})


class OthersSchema(ma.Schema):
    """What is beyond the top ten."""

    values = ma.fields.Integer(metadata={"description": "How many other values there are."})
    outreaches = ma.fields.Integer(metadata={"description": "How often they are named, together."})


class TopSchema(ma.Schema):
    """The ten values that most outreaches name."""

    top = ma.fields.List(ma.fields.Nested(ValueCountSchema))
    others = ma.fields.Nested(OthersSchema)
    without = ma.fields.Integer(metadata={"description": "Outreaches that name none."})
    complete = ma.fields.Boolean(
        metadata={"description": "False where a day had more than 1,000 values: the rarest are only summed up."}
    )


class StatsSchema(ma.Schema):
    """What was done in a campaign: per day, by type, source, target and referrer."""

    first = ma.fields.Date(data_key="from", metadata={"description": "The first day that was counted."})
    last = ma.fields.Date(data_key="to", metadata={"description": "The last day that was counted."})
    time_zone = ma.fields.String(metadata={"description": "Where these days begin at midnight."})
    total = ma.fields.Nested(TotalSchema)
    days = ma.fields.List(
        ma.fields.Nested(DaySchema), metadata={"description": "Every day from the first to the last."}
    )
    by_type = ma.fields.Nested(TopSchema, metadata={"description": "By the outreach's `type`."})
    by_source = ma.fields.Nested(TopSchema, metadata={"description": "By `referrer_data.source`."})
    by_target = ma.fields.Nested(
        TopSchema, metadata={"description": "By target. An outreach counts for each of its targets."}
    )
    by_referrer = ma.fields.Nested(TopSchema, metadata={"description": "By `referrer_data.referrer`."})
    _links = links("self", "osdi:advocacy_campaign")
