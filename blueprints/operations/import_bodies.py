"""Loads bodies of imports, such as rows of a file, with the same schemas as bodies of a POST."""

from typing import Any

import marshmallow as ma

from osdi.errors import invalid, invalid_properties
from osdi.fields.limits import BODY_DEPTH, PUT_TIMES, deeper_than
from osdi.importing.importer import Loaders
from schemas.advocacy_campaign import AdvocacyCampaignSchema
from schemas.base.fields import CustomFields, Objects, Strings
from schemas.outreach import PostedPersonSchema, RecordOutreachHelperSchema


def _with_longer_arrays(schema: ma.Schema) -> ma.Schema:
    """Returns the schema with longer arrays: an imported document can contain what several posts have added."""
    for field in schema.load_fields.values():  # copies that belong to this schema
        if isinstance(field, Objects | Strings | CustomFields):
            field.limit *= PUT_TIMES
        elif isinstance(field, ma.fields.Nested):
            _with_longer_arrays(field.schema)
    return schema


PERSON = _with_longer_arrays(PostedPersonSchema())
OUTREACH = _with_longer_arrays(RecordOutreachHelperSchema())
CAMPAIGN = _with_longer_arrays(AdvocacyCampaignSchema())


def person_body(body: Any) -> dict[str, Any]:
    """Loads a body as for POST /people. Raises OsdiError 400 that names each invalid property."""
    return _load(PERSON, body)


def outreach_body(body: Any) -> dict[str, Any]:
    """Loads a body as for a POST to a campaign's outreaches. Raises OsdiError 400 that names each invalid property."""
    return _load(OUTREACH, body)


def campaign_body(body: Any) -> dict[str, Any]:
    """Loads a body as for POST /advocacy_campaigns. Raises OsdiError 400 that names each invalid property."""
    return _load(CAMPAIGN, body)


def _load(schema: ma.Schema, body: Any) -> dict[str, Any]:
    if deeper_than(BODY_DEPTH, body):
        raise invalid(f"The body is nested more than {BODY_DEPTH} deep.")
    try:
        loaded: dict[str, Any] = schema.load(body)
    except ma.ValidationError as error:
        raise invalid_properties(error.messages) from error
    return loaded


LOADERS = Loaders(person_body, outreach_body, campaign_body)
