"""Bodies that no request brings, such as rows of a file: loaded by the schemas that a POST's body is loaded by."""

from typing import Any

import marshmallow as ma

from osdi.errors import invalid, invalid_properties
from osdi.fields.limits import BODY_DEPTH, PUT_TIMES, deeper_than
from osdi.importing.importer import Loaders
from schemas.advocacy_campaign import AdvocacyCampaignSchema
from schemas.base.fields import CustomFields, Objects, Strings
from schemas.outreach import PostedPersonSchema, RecordOutreachHelperSchema


def _grown(schema: ma.Schema) -> ma.Schema:
    """The schema, whose arrays may be as long as those that several posts have made: here too, or elsewhere."""
    for field in schema.load_fields.values():  # the schema's own copies
        if isinstance(field, Objects | Strings | CustomFields):
            field.limit *= PUT_TIMES
        elif isinstance(field, ma.fields.Nested):
            _grown(field.schema)
    return schema


PERSON = _grown(PostedPersonSchema())
OUTREACH = _grown(RecordOutreachHelperSchema())
CAMPAIGN = _grown(AdvocacyCampaignSchema())


def person_body(written: Any) -> dict[str, Any]:
    """The body of a POST to the people. Raises OsdiError 400 that names each property at fault."""
    return _loaded(PERSON, written)


def outreach_body(written: Any) -> dict[str, Any]:
    """The body of a POST to the outreaches of a campaign. Raises OsdiError 400 that names each property at fault."""
    return _loaded(OUTREACH, written)


def campaign_body(written: Any) -> dict[str, Any]:
    """The body of a POST to the campaigns. Raises OsdiError 400 that names each property at fault."""
    return _loaded(CAMPAIGN, written)


def _loaded(schema: ma.Schema, written: Any) -> dict[str, Any]:
    if deeper_than(BODY_DEPTH, written):
        raise invalid(f"Nested more than {BODY_DEPTH} deep.")
    try:
        loaded: dict[str, Any] = schema.load(written)
    except ma.ValidationError as error:
        raise invalid_properties(error.messages) from error
    return loaded


LOADERS = Loaders(person_body, outreach_body, campaign_body)
