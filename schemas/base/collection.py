"""Collections: the page that is asked for, and the envelope that is answered ("Collections and Navigation")."""

from typing import Any

import marshmallow as ma

from osdi.fields.limits import CURSOR_LENGTH, EXPAND_LENGTH, FILTER_LENGTH, PAGE_NUMBER
from schemas.base.common import OsdiSchema, links


class QuerySchema(ma.Schema):
    """Arguments in an address: unknown ones are ignored."""

    class Meta:
        unknown = ma.EXCLUDE


def filter_field() -> ma.fields.String:
    """The argument `filter`, whose text says itself what is wrong with it."""
    return ma.fields.String(
        metadata={
            "description": "An OData filter, such as `email_address eq 'jane@example.com'`; see docs/filtering.md.",
            "maxLength": FILTER_LENGTH,
        }
    )


class PageArgumentsSchema(QuerySchema):
    """Which page of a collection; `next` and `previous` links carry the cursors."""

    page = ma.fields.Integer(load_default=1, validate=ma.validate.Range(1, PAGE_NUMBER))
    per_page = ma.fields.Integer(
        validate=ma.validate.Range(1, PAGE_NUMBER),
        metadata={"description": "At most the entry point's max_pagesize are answered."},
    )
    filter = filter_field()
    after = ma.fields.String(
        validate=ma.validate.Length(1, CURSOR_LENGTH), metadata={"description": "Cursor of a next link."}
    )
    before = ma.fields.String(
        validate=ma.validate.Length(1, CURSOR_LENGTH), metadata={"description": "Cursor of a previous link."}
    )


class ExpandSchema(QuerySchema):
    """Which related resources are to be embedded in one resource."""

    expand = ma.fields.String(
        data_key="$expand",
        validate=ma.validate.Length(max=EXPAND_LENGTH),
        metadata={"description": "Relations to embed, separated by commas, such as `osdi:person`."},
    )


class ExpandedPageArgumentsSchema(PageArgumentsSchema, ExpandSchema):
    """Which page of a collection, and which related resources are to be embedded in each of its resources."""


class DownloadArgumentsSchema(QuerySchema):
    """What of a collection is in a file."""

    filter = filter_field()
    bom = ma.fields.Boolean(
        load_default=False,
        metadata={"description": "Whether the file begins with a byte order mark, by which Excel knows UTF-8."},
    )


def collection_schema(name: str, relation: str, schema: type[ma.Schema]) -> type[ma.Schema]:
    """The schema of a page of resources under `relation`, such as `osdi:people`."""
    embedded = OsdiSchema.from_dict({relation: ma.fields.List(ma.fields.Nested(schema))}, name=f"Embedded{name}Schema")
    fields: dict[str, Any] = {
        "total_pages": ma.fields.Integer(metadata={"description": "Pages of this size that there are."}),
        "per_page": ma.fields.Integer(metadata={"description": "Resources on a page."}),
        "page": ma.fields.Integer(metadata={"description": "Number of this page."}),
        "total_records": ma.fields.Integer(metadata={"description": "Resources in the whole collection."}),
        "_links": links("self", "next", "previous", many=relation),
        "_embedded": ma.fields.Nested(embedded),
    }
    return OsdiSchema.from_dict(fields, name=f"{name}Schema")
