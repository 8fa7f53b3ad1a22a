"""Probable duplicates among people, and the request to merge two people."""

from collections.abc import Mapping
from typing import Any, Final

import marshmallow as ma

from osdi.fields.limits import MAX_CURSOR_LENGTH, MAX_PAGE_NUMBER
from schemas.base.collection import QuerySchema
from schemas.base.common import OsdiSchema, links
from schemas.person import PersonSchema
from schemas.subresources import PointingSchema

SHARED: Final = ("email_address", "phone_number", "name_and_postal_code")


class DuplicatesArgumentsSchema(QuerySchema):
    """Arguments for a page of probable duplicates. The `next` link contains the cursor."""

    per_page = ma.fields.Integer(
        validate=ma.validate.Range(1, MAX_PAGE_NUMBER),
        metadata={"description": "Approximate number of groups; at most the entry point's max_pagesize."},
    )
    after = ma.fields.String(
        validate=ma.validate.Length(1, MAX_CURSOR_LENGTH), metadata={"description": "Cursor of a next link."}
    )


class EmbeddedDuplicatesSchema(OsdiSchema):
    """The people of a group."""

    people = ma.fields.List(
        ma.fields.Nested(PersonSchema), data_key="osdi:people", metadata={"description": "The people of the group."}
    )


class DuplicateSchema(OsdiSchema):
    """A group of people who are probably the same person."""

    by = ma.fields.List(
        ma.fields.String(),
        metadata={
            "description": "What all of them share, the strongest evidence first.",
            "items": {"type": "string", "enum": list(SHARED)},
        },
    )
    _links = links(many="osdi:people")
    _embedded = ma.fields.Nested(EmbeddedDuplicatesSchema)


class DuplicatesSchema(OsdiSchema):
    """Groups of probable duplicates. The last page has no `next` link; a page may be empty."""

    per_page = ma.fields.Integer(metadata={"description": "Approximate number of groups on a page."})
    duplicates = ma.fields.List(
        ma.fields.Nested(DuplicateSchema), metadata={"description": "Groups of people who are probably one person."}
    )
    _links = links("self", "next")


class MergeSchema(OsdiSchema):
    """A link to the person to merge into the person of the address."""

    pointing = ma.fields.Nested(PointingSchema, data_key="_links")

    @ma.validates_schema(skip_on_field_errors=True)
    def names_a_person(self, data: Mapping[str, Any], **_: Any) -> None:
        if not data.get("pointing", {}).get("person", {}).get("href"):
            raise ma.ValidationError({"_links": {"osdi:person": ["A link to the other person is needed."]}})
