"""Loads bodies of imports, such as rows of a file, with the same schemas as bodies of a POST."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import marshmallow as ma

from osdi.errors import invalid, invalid_properties
from osdi.fields.limits import MAX_BODY_DEPTH, PUT_TIMES, deeper_than
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH, PERSON, Resource
from schemas.advocacy_campaign import AdvocacyCampaignSchema
from schemas.base.fields import CustomFields, Objects, Strings
from schemas.outreach import PostedPersonSchema, RecordOutreachHelperSchema

SCHEMAS: Final[Mapping[Resource, type[ma.Schema]]] = {
    PERSON: PostedPersonSchema,
    OUTREACH: RecordOutreachHelperSchema,
    ADVOCACY_CAMPAIGN: AdvocacyCampaignSchema,
}


def load_body(resource: Resource, body: Any) -> dict[str, Any]:
    """Loads a body as for a POST to the people, to the outreaches of a campaign, or to the campaigns.

    Raises OsdiError 400 that names each invalid property.
    """
    if deeper_than(MAX_BODY_DEPTH, body):
        raise invalid(f"The body is nested more than {MAX_BODY_DEPTH} deep.")
    try:
        loaded: dict[str, Any] = _schema(resource).load(body)
    except ma.ValidationError as error:
        raise invalid_properties(error.messages) from error
    return loaded


@cache
def _schema(resource: Resource) -> ma.Schema:
    """Returns the schema, which is made when it is first needed: web processes do not import data."""
    return _with_longer_arrays(SCHEMAS[resource]())


def _with_longer_arrays(schema: ma.Schema) -> ma.Schema:
    """Returns the schema with longer arrays: an imported document can contain what several posts have added."""
    for field in schema.load_fields.values():  # copies that belong to this schema
        if isinstance(field, Objects | Strings | CustomFields):
            field.limit *= PUT_TIMES
        elif isinstance(field, ma.fields.Nested):
            _with_longer_arrays(field.schema)
    return schema
