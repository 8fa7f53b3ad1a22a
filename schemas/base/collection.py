"""Collections: arguments for a page, and the envelope of the response ("Collections and Navigation")."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import marshmallow as ma

from osdi.fields.limits import MAX_CURSOR_LENGTH, MAX_EXPAND_LENGTH, MAX_FILTER_LENGTH, MAX_PAGE_NUMBER
from schemas.base.common import OsdiSchema, links

ODATA_FILTER: Final = "$filter"


class QuerySchema(ma.Schema):
    """Query arguments; unknown ones are ignored. `undocumented` are names that the OpenAPI document does not have."""

    undocumented: ClassVar[frozenset[str]] = frozenset()

    class Meta:
        unknown = ma.EXCLUDE


def filter_field() -> ma.fields.String:
    """Returns the argument `filter`. The filter's parser checks it, and reports errors with their column."""
    return ma.fields.String(
        metadata={
            "description": "An OData filter, such as `email_address eq 'jane@example.com'`; see docs/filtering.md. "
            "`$filter` means the same.",
            "maxLength": MAX_FILTER_LENGTH,
        }
    )


class FilterSchema(QuerySchema):
    """The filter of a collection, also under OData's own name.

    That name is no argument of the OpenAPI document: generators of clients would give both arguments one name.
    """

    undocumented: ClassVar[frozenset[str]] = frozenset({ODATA_FILTER})

    filter = filter_field()

    @ma.pre_load
    def one_filter(self, arguments: Mapping[str, Any], **_: Any) -> Mapping[str, Any]:
        if ODATA_FILTER not in arguments:
            return arguments
        named_by_odata = arguments[ODATA_FILTER]
        if "filter" in arguments and arguments["filter"] != named_by_odata:
            raise ma.ValidationError("Different from `filter`, which means the same. Send one of them.", ODATA_FILTER)
        return {**{name: arguments[name] for name in arguments}, "filter": named_by_odata}


class PageArgumentsSchema(FilterSchema):
    """Arguments for a page of a collection. The `next` and `previous` links contain the cursors."""

    page = ma.fields.Integer(
        load_default=1,
        validate=ma.validate.Range(1, MAX_PAGE_NUMBER),
        metadata={
            "description": "Number of the page. Follow `next` to far pages: a number far from any other may be 400."
        },
    )
    per_page = ma.fields.Integer(
        validate=ma.validate.Range(1, MAX_PAGE_NUMBER),
        metadata={"description": "Resources on a page; at most the entry point's max_pagesize."},
    )
    after = ma.fields.String(
        validate=ma.validate.Length(1, MAX_CURSOR_LENGTH), metadata={"description": "Cursor of a next link."}
    )
    before = ma.fields.String(
        validate=ma.validate.Length(1, MAX_CURSOR_LENGTH), metadata={"description": "Cursor of a previous link."}
    )


class ExpandSchema(QuerySchema):
    """The related resources to embed in a resource."""

    expand = ma.fields.String(
        data_key="$expand",
        validate=ma.validate.Length(max=MAX_EXPAND_LENGTH),
        metadata={"description": "Relations to embed, separated by commas, such as `osdi:person`."},
    )


class ExpandedPageArgumentsSchema(PageArgumentsSchema, ExpandSchema):
    """Arguments for a page of a collection, and the related resources to embed in each of its resources."""


class DownloadArgumentsSchema(FilterSchema):
    """Arguments of a download."""

    bom = ma.fields.Boolean(
        load_default=False,
        metadata={"description": "True: the file begins with a byte order mark, so that Excel reads UTF-8."},
    )


def collection_schema(name: str, relation: str, schema: type[ma.Schema]) -> type[ma.Schema]:
    """Returns the schema of a page of resources under `relation`, such as `osdi:people`."""
    resources = ma.fields.List(ma.fields.Nested(schema), metadata={"description": "The resources of the page."})
    embedded = OsdiSchema.from_dict({relation: resources}, name=f"Embedded{name}Schema")
    fields: dict[str, Any] = {
        "total_pages": ma.fields.Integer(metadata={"description": "Number of pages of this size."}),
        "per_page": ma.fields.Integer(metadata={"description": "Resources on a page."}),
        "page": ma.fields.Integer(metadata={"description": "Number of this page."}),
        "total_records": ma.fields.Integer(metadata={"description": "Resources in the whole collection."}),
        "_links": links("self", "next", "previous", many=relation),
        "_embedded": ma.fields.Nested(embedded),
    }
    return OsdiSchema.from_dict(fields, name=f"{name}Schema")
