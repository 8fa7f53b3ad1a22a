"""Loads bodies that come from a file or another server, by the schemas that load the bodies of POSTs."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import marshmallow as ma

from osdi.errors import invalid, invalid_properties
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH, PERSON, Resource
from schemas.advocacy_campaign import AdvocacyCampaignSchema
from schemas.base.fields import CustomFields, Objects, Strings
from schemas.base.limits import BODY_DEPTH, PUT_TIMES, deeper_than
from schemas.outreach import PostedPersonSchema, RecordOutreachHelperSchema

SCHEMAS: Final[Mapping[Resource, type[ma.Schema]]] = {
    PERSON: PostedPersonSchema,
    OUTREACH: RecordOutreachHelperSchema,
    ADVOCACY_CAMPAIGN: AdvocacyCampaignSchema,
}


def load_body(resource: Resource, written: Any) -> dict[str, Any]:
    """Returns the loaded body of a POST to the people, the outreaches of a campaign, or the campaigns.

    Raises OsdiError 400 that names each wrong property.
    """
    if deeper_than(BODY_DEPTH, written):
        raise invalid(f"Nested more than {BODY_DEPTH} deep.")
    try:
        loaded: dict[str, Any] = _schema(resource).load(written)
    except ma.ValidationError as error:
        raise invalid_properties(error.messages) from error
    return loaded


@cache
def _schema(resource: Resource) -> ma.Schema:
    """Returns the schema, made when it is first needed, since web processes import nothing."""
    return _grown(SCHEMAS[resource]())


def _grown(schema: ma.Schema) -> ma.Schema:
    """Returns the schema with arrays that may be as long as several posts can make them, here or on another server."""
    for field in schema.load_fields.values():  # the schema's own copies
        if isinstance(field, Objects | Strings | CustomFields):
            field.limit *= PUT_TIMES
        elif isinstance(field, ma.fields.Nested):
            _grown(field.schema)
    return schema
