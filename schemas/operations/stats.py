"""A campaign's statistics, and the arguments for their days."""

import datetime as dt
from typing import Final

import marshmallow as ma

from osdi.fields.limits import MAX_DATE_LENGTH, MAX_ZONE_LENGTH
from schemas.base.collection import QuerySchema
from schemas.base.common import links

FIRST_DATE: Final = dt.date(1900, 1, 1)
LAST_DATE: Final = dt.date(2199, 12, 31)


def _date(name: str, description: str) -> ma.fields.Date:
    return ma.fields.Date(
        data_key=name,
        format="%Y-%m-%d",
        validate=ma.validate.Range(FIRST_DATE, LAST_DATE, error=f"Not from {FIRST_DATE} to {LAST_DATE}."),
        metadata={"description": description, "maxLength": MAX_DATE_LENGTH},
    )


class StatsArgumentsSchema(QuerySchema):
    """The first and last day, and their time zone."""

    first = _date("from", "First day, such as `2026-11-01`. Default: the first with an outreach; 366 days at most.")
    last = _date("to", "Last day. Default: today.")
    time_zone = ma.fields.String(
        load_default="UTC",
        validate=ma.validate.Length(1, MAX_ZONE_LENGTH),
        metadata={"description": "Time zone of the days, such as `Europe/Berlin`."},
    )


class TotalSchema(ma.Schema):
    """All days together."""

    outreaches = ma.fields.Integer(metadata={"description": "Outreaches that were made on these days."})
    people = ma.fields.Integer(metadata={"description": "Different people who made them."})


class DaySchema(ma.Schema):
    """One day."""

    date = ma.fields.Date(metadata={"description": "The day."})
    outreaches = ma.fields.Integer(metadata={"description": "Outreaches of that day."})
    people = ma.fields.Integer(metadata={"description": "Different people who made them."})


class ValueCountSchema(ma.Schema):
    """The count of one value."""

    value = ma.fields.String(metadata={"description": "The value, up to 200 characters."})
    outreaches = ma.fields.Integer(metadata={"description": "Outreaches with this value."})


class OthersSchema(ma.Schema):
    """The values below the top ten."""

    values = ma.fields.Integer(metadata={"description": "Number of other values."})
    outreaches = ma.fields.Integer(metadata={"description": "Sum of their counts."})


class TopSchema(ma.Schema):
    """The ten most frequent values."""

    top = ma.fields.List(ma.fields.Nested(ValueCountSchema), metadata={"description": "The most frequent values."})
    others = ma.fields.Nested(OthersSchema)
    without = ma.fields.Integer(metadata={"description": "Outreaches without a value."})
    complete = ma.fields.Boolean(
        metadata={"description": "False: a day had more than 1,000 values, so the rarest are only in the sum."}
    )


class StatsSchema(ma.Schema):
    """Outreaches and people of a campaign per day, by type, source, target and referrer."""

    first = ma.fields.Date(data_key="from", metadata={"description": "First day."})
    last = ma.fields.Date(data_key="to", metadata={"description": "Last day."})
    time_zone = ma.fields.String(metadata={"description": "Time zone of the days."})
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
