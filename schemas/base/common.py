"""What every resource's schema shares: common fields, control headers, and what "not said" means.

In a POST a null, an empty string and an empty array or object say nothing (only a PUT's null clears), so they are
dropped wherever they stand. Unknown fields are ignored, as the standard asks of servers, unless the client asks for
strict handling.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from typing import Any, ClassVar, Final

import marshmallow as ma
from marshmallow.error_store import ErrorStore
from marshmallow.schema import SchemaMeta

from osdi.fields.definition import ObjectType, Table, required
from osdi.fields.limits import LINE_LENGTH
from schemas.base.fields import Bool, DateTime, Identifiers, Text, is_empty, without_limit
from schemas.base.from_table import marshmallow_field

# True if unknown fields are rejected while this request's body is loaded (`Prefer: handling=strict`, RFC 7240). The
# context of marshmallow 4 is a ContextVar too, and would need a `with` around webargs' call of `load`.
STRICT: Final[ContextVar[bool]] = ContextVar("strict", default=False)


class TableMeta(SchemaMeta):
    """Metaclass that declares the fields of a schema's `table`, between the inherited fields and those of the class."""

    @classmethod
    def get_declared_fields(
        mcs,  # noqa: N804
        klass: SchemaMeta,
        cls_fields: list[Any],
        inherited_fields: list[Any],
        dict_cls: type[dict[str, Any]] = dict,
    ) -> dict[str, Any]:
        table: Table = vars(klass).get("table", ())
        declared = [(each.name, marshmallow_field(each, object_schema)) for each in table]
        return super().get_declared_fields(klass, [*declared, *cls_fields], inherited_fields, dict_cls)


class OsdiSchema(ma.Schema, metaclass=TableMeta):
    """Base of all schemas: unknown fields are ignored.

    Loading walks what was sent instead of what is declared: a helper's body names about 60 of the 400 fields that its
    schemas declare, and asking each of them took half the time of the whole request's Python (decision 0004). The few
    required fields are checked by RequiredFields.
    """

    # The fields of the resource or object, from osdi.fields; a class may have more of its own.
    table: ClassVar[Table] = ()

    class Meta:
        unknown = ma.EXCLUDE

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._by_name = {
            field.data_key or name: (field.attribute or name, field) for name, field in self.load_fields.items()
        }
        self._answered = {field.data_key or name for name, field in self.fields.items()}
        self._has_hooks = any(self._hooks.values())

    def load(self, data: Any, **kwargs: Any) -> Any:
        """As marshmallow's, without its preparations for hooks where a schema has none, which most nested ones have."""
        if self._has_hooks:
            return super().load(data, **kwargs)
        errors = ErrorStore()
        loaded = self._deserialize(data, error_store=errors)
        if errors.errors:
            raise ma.ValidationError(errors.errors, data=data, valid_data=loaded)
        return loaded

    def _deserialize(self, data: Any, *, error_store: Any, index: int | None = None, **_: Any) -> dict[str, Any]:
        loaded: dict[str, Any] = {}
        if not isinstance(data, dict):
            error_store.store_error(["Not a JSON object."], index=index)
            return loaded
        for sent_name, value in data.items():
            name, field = self._by_name.get(sent_name, (None, None))
            if field is None or name is None:
                # What is namespaced or read-only may be sent back as it was answered.
                if STRICT.get() and sent_name not in self._answered and ":" not in sent_name:
                    error_store.store_error(["Unknown field."], sent_name[:LINE_LENGTH], index=index)
                continue
            if is_empty(value):
                continue
            try:
                # Not its `deserialize`: it sees to what is missing or null, as nothing is here, and builds a validator
                # where there is nothing to validate.
                entry = field._deserialize(value, sent_name, data)
                if field.validators:
                    field._validate(entry)
                if entry is value or not is_empty(entry):
                    loaded[name] = entry
            except ma.ValidationError as error:
                error_store.store_error(error.messages, sent_name, index=index)
        return loaded


class RequiredFields(OsdiSchema):
    """A schema with required fields: each that is missing is an error of its own.

    They are required of a body, not of an answer (which may be declined), so the fields themselves do not say it.
    """

    needs: ClassVar[tuple[str, ...]] = ()

    @ma.validates_schema
    def has_required_fields(self, data: Mapping[str, Any], **_: Any) -> None:
        missing = [name for name in self.needs if name not in data]
        if missing:
            raise ma.ValidationError({name: ["Missing data for required field."] for name in missing})


@cache
def object_schema(of: ObjectType) -> type[OsdiSchema]:
    """Returns the schema of an object inside a resource, such as `PostalAddressSchema`."""
    needs = required(of.fields)
    facts = {"__doc__": of.description, "table": of.fields, **({"needs": needs} if needs else {})}
    made: type[OsdiSchema] = type(f"{of.name}Schema", (RequiredFields if needs else OsdiSchema,), facts)
    return made


class ControlSchema(OsdiSchema):
    """The `osdi:control` object of the standard."""

    return_response = Bool(
        metadata={"description": "False: the answer holds only identifiers and links, not the whole resource."}
    )


class PostedSchema(OsdiSchema):
    """A body as it is POSTed; `rel` names the resource in the refusal of one (`errors.md`)."""

    rel: ClassVar[str | None] = None
    identifiers = Identifiers()
    control = ma.fields.Nested(ControlSchema, data_key="osdi:control", load_only=True)


class ResourceSchema(PostedSchema):
    """A resource: the common fields, of which a client sets only the identifiers.

    The arrays that are `adding_up` are longer in answers than they may be in a body: several bodies merge, and an
    identifier of our own comes in front.
    """

    adding_up: ClassVar[tuple[str, ...]] = ("identifiers",)
    created_date = DateTime(dump_only=True, metadata={"description": "Set by the server."})
    modified_date = DateTime(dump_only=True, metadata={"description": "Set by the server."})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in self.adding_up:
            self.fields[name].metadata = without_limit(self.fields[name].metadata)


class LinkSchema(OsdiSchema):
    """A link object of HAL (draft-kelly-json-hal, section 5)."""

    href = Text()
    title = Text(max_length=LINE_LENGTH)
    templated = Bool()
    name = Text(max_length=LINE_LENGTH)


class PostedLinksSchema(OsdiSchema):
    """The links of a body that say something. The others are an answer's, sent back."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._answered |= {"self", "curies"}


def links(*relations: str, many: str = "", description: str = "", read_only: bool = True) -> ma.fields.Field[Any]:
    """The `_links` property of an answer, documented with the relations it holds; `many` is an array of links.

    It is never loaded: a body that may set links says so by a field of its own, and here by `read_only`.
    """
    link = {"type": "object", "properties": {"href": {"type": "string"}}}
    curie = {"name": {"type": "string"}, "href": {"type": "string"}, "templated": {"type": "boolean"}}
    made_by = ("osdi:creator", "osdi:modified_by") if "self" in relations and not many else ()
    properties: dict[str, Any] = {
        **dict.fromkeys((*relations, *made_by), link),
        **({many: {"type": "array", "items": link}} if many else {}),
        "curies": {"type": "array", "items": {"type": "object", "properties": curie}},
    }
    return ma.fields.Dict(
        data_key="_links",
        dump_only=True,
        metadata={
            "type": "object",
            "properties": properties,
            "description": description or "Links, as HAL has them.",
            "readOnly": read_only,
        },
    )
