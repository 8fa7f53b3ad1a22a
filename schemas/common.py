"""What every resource's schema shares: common fields, control headers, and what "not said" means.

In a POST a null, an empty string and an empty array or object say nothing (only a PUT's null clears), so the outermost
schema drops them before anything is checked. Unknown fields are ignored, as the standard asks of servers.
"""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from schemas.fields import Bool, DateTime, Identifiers


class OsdiSchema(ma.Schema):
    """Base of all schemas: unknown fields are ignored.

    Loading walks what was sent instead of what is declared: a helper's body names about 60 of the 400 fields that its
    schemas declare, and asking each of them took half the time of the whole request's Python (decision 0004). The few
    required fields are checked by RequiredFields.
    """

    class Meta:
        unknown = ma.EXCLUDE

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._by_name = {field.data_key or name: (name, field) for name, field in self.load_fields.items()}

    def _deserialize(self, data: Any, *, error_store: Any, index: int | None = None, **_: Any) -> dict[str, Any]:
        loaded: dict[str, Any] = {}
        if not isinstance(data, dict):
            error_store.store_error([self.error_messages["type"]], index=index)
            return loaded
        for sent_name, value in data.items():
            name, field = self._by_name.get(sent_name, (None, None))
            if name is None or field is None:
                continue
            try:
                loaded[name] = field.deserialize(value, sent_name, data)
            except ma.ValidationError as error:
                error_store.store_error(error.messages, sent_name, index=index)
        return loaded


class RequiredFields(OsdiSchema):
    """A schema with required fields: each that is missing is an error of its own."""

    @ma.validates_schema
    def has_required_fields(self, data: Mapping[str, Any], **_: Any) -> None:
        missing = [name for name, field in self.load_fields.items() if field.required and name not in data]
        if missing:
            raise ma.ValidationError({name: ["Missing data for required field."] for name in missing})


class ControlSchema(OsdiSchema):
    """The `osdi:control` object of the standard."""

    return_response = Bool(
        metadata={"description": "False: the answer holds only identifiers and links, not the whole resource."}
    )


class PostedSchema(OsdiSchema):
    """A body as it is POSTed: what it leaves empty is dropped before loading."""

    identifiers = Identifiers()
    control = ma.fields.Nested(ControlSchema, data_key="osdi:control", load_only=True)

    @ma.pre_load
    def drop_what_says_nothing(self, data: Any, **_: Any) -> Any:
        if not isinstance(data, dict):
            raise ma.ValidationError("The body must be a JSON object.")
        return said(data)


class ResourceSchema(PostedSchema):
    """A resource: the common fields, of which a client sets only the identifiers."""

    created_date = DateTime(dump_only=True, metadata={"type": "string", "format": "date-time"})
    modified_date = DateTime(dump_only=True, metadata={"type": "string", "format": "date-time"})


class LinkSchema(OsdiSchema):
    """A link object of HAL (draft-kelly-json-hal, section 5)."""

    href = ma.fields.String()
    title = ma.fields.String()
    templated = ma.fields.Boolean()
    name = ma.fields.String()


def links(*relations: str, description: str = "") -> ma.fields.Field[Any]:
    """The `_links` property of an answer, documented with the relations it holds."""
    properties: dict[str, Any] = {
        "curies": {"type": "array", "items": {"type": "object"}},
        **{relation: {"type": "object", "properties": {"href": {"type": "string"}}} for relation in relations},
    }
    return ma.fields.Dict(
        data_key="_links",
        dump_only=True,
        metadata={"type": "object", "properties": properties, "description": description or "Links, as HAL has them."},
    )


def said(value: Any) -> Any:
    """The value without nulls, empty strings, and empty arrays or objects, at any depth."""
    if isinstance(value, dict):
        return {name: kept for name, entry in value.items() if (kept := said(entry)) not in ("", None, [], {})}
    if isinstance(value, list):
        return [kept for entry in value if (kept := said(entry)) not in ("", None, [], {})]
    return value
