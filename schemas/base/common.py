"""Base classes of the resources' schemas: common fields, control headers, empty values and unknown fields.

In a POST a null, an empty string and an empty array or object are ignored everywhere; only in a PUT does null clear a
field. Unknown fields are ignored, as the standard requires, unless the client asks for strict handling.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from typing import Any, ClassVar, Final, Self

import marshmallow as ma
from marshmallow.error_store import ErrorStore
from marshmallow.schema import SchemaMeta

from osdi.fields.contacts import EMAIL_ADDRESS, PHONE_NUMBER
from osdi.fields.definition import ObjectType, Table, required
from osdi.fields.limits import MAX_LINE_LENGTH
from osdi.values.opt_out_flags import without_opt_out_words
from osdi.values.phones import with_extension
from schemas.base.fields import Bool, DateTime, Enum, Identifiers, Text, is_empty, without_limit
from schemas.base.from_table import marshmallow_field
from schemas.base.opt_out_flags import (
    EVERYTHING,
    OF_EMAIL,
    OF_PHONE,
    opt_out,
    opt_out_of_calls_and_texts,
    opt_out_of_mail,
    without_flags,
)

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

    Loading iterates over the fields in the body, not over the declared fields: a helper's body has about 60 of the 400
    declared fields, and a check of every field took half of the request's Python time (decision 0004). RequiredFields
    checks the few required fields.
    """

    # The fields of the resource or object, from osdi.fields; a class may have more of its own.
    table: ClassVar[Table] = ()
    # Names of other systems for these fields.
    aliases: ClassVar[Mapping[str, str]] = {}

    class Meta:
        unknown = ma.EXCLUDE

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._by_name = {
            field.data_key or name: (field.attribute or name, field) for name, field in self.load_fields.items()
        }
        self._by_name |= {alias: self._by_name[name] for alias, name in self.aliases.items()}
        self._answered = {field.data_key or name for name, field in self.fields.items()}
        self._has_hooks = any(self._hooks.values())

    def __deepcopy__(self, _: Any) -> Self:
        """Returns this schema, which nothing changes: flask-smorest copies it with the documentation of each view."""
        return self

    def load(self, data: Any, **kwargs: Any) -> Any:
        """Loads like marshmallow; skips the preparations for hooks if the schema has none, as most nested ones."""
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
        by_name, aliases = self._by_name, self.aliases
        for sent_name, value in data.items():
            if sent_name not in by_name:
                # Clients may send back namespaced and read-only fields of a response.
                if STRICT.get() and sent_name not in self._answered and ":" not in sent_name:
                    error_store.store_error(["Unknown field."], sent_name, index=index)
                continue
            # Nearly all values are texts that are not blank, which is noticed here without a call.
            if (not value or (value.__class__ is str and value.isspace())) and is_empty(value):
                continue
            name, field = by_name[sent_name]
            try:
                # Not `deserialize`, which handles missing and null values (there are none here), and builds a
                # validator even for a field without validators.
                entry = field._deserialize(value, sent_name, data)
                if field.validators:
                    field._validate(entry)
                if sent_name in aliases and not is_empty(data.get(aliases[sent_name])):
                    continue  # the standard's name counts
                if entry is value or not is_empty(entry):
                    loaded[name] = entry
            except ma.ValidationError as error:
                error_store.store_error(error.messages, sent_name, index=index)
        return loaded


class ConsentFlags(OsdiSchema):
    """Object whose unknown fields can say an opt-out in the words of another program: schemas.base.opt_out_flags."""

    # The channels that a flag in the object can opt out of.
    channels: ClassVar[frozenset[str]] = EVERYTHING

    def _deserialize(self, data: Any, *, error_store: Any, index: int | None = None, **kwargs: Any) -> dict[str, Any]:
        unknown = data.keys() - self._by_name.keys() if isinstance(data, dict) else ()
        if not unknown:
            return super()._deserialize(data, error_store=error_store, index=index, **kwargs)
        kept, opted_out, messages = without_flags(data, unknown, self.channels)
        loaded = super()._deserialize(kept, error_store=error_store, index=index, **kwargs)
        for name, each in messages.items():
            error_store.store_error(each, name, index=index)
        if opted_out:
            self.opt_out(loaded, opted_out, error_store)
        return loaded

    def opt_out(self, loaded: dict[str, Any], opted_out: set[str], error_store: Any) -> None:
        """Changes the loaded object so that it opts out of these channels."""
        opt_out(loaded, opted_out)


class EmailAddressBase(ConsentFlags):
    """An e-mail address entry, which may say an opt-out in another word than `status`."""

    channels = OF_EMAIL

    def opt_out(self, loaded: dict[str, Any], opted_out: set[str], error_store: Any) -> None:
        opt_out_of_mail(loaded, opted_out)


class RequiredFields(OsdiSchema):
    """A schema with required fields: each missing field is an error.

    They are required in a body, not in a response (a client may decline it), so the fields are not declared required.
    """

    needs: ClassVar[tuple[str, ...]] = ()

    @ma.validates_schema
    def has_required_fields(self, data: Mapping[str, Any], **_: Any) -> None:
        missing = [name for name in self.needs if name not in data]
        if missing:
            raise ma.ValidationError({name: ["Missing data for required field."] for name in missing})


# The status of a phone number, and what it means in OSDI's terms.
PHONE_STATUSES: Final[Mapping[str, Mapping[str, bool]]] = {
    "subscribed": {},
    "unsubscribed": {"do_not_call": True, "sms_capable": False},
    "bouncing": {"sms_capable": False},
    "spam complaints": {"do_not_call": True, "sms_capable": False},
}


class PhoneNumberBase(ConsentFlags):
    """A phone number entry: an extension behind the number, such as `x23`, becomes its `extension`.

    It may have the `status` that Action Network's clients send, which is read as OSDI's two booleans. A number that is
    unsubscribed gets neither calls nor texts, one that is bouncing gets no texts. Words behind the number, such as
    `(do not call)`, opt out of both. `subscribed` changes nothing: only
    the booleans themselves say so.
    """

    channels = OF_PHONE
    status = Enum(
        *PHONE_STATUSES,
        spelling="status",
        unreadable="unsubscribed",
        load_only=True,
        metadata={"description": "Read as `do_not_call` and `sms_capable`; not stored. OSDI has no such property."},
    )

    def opt_out(self, loaded: dict[str, Any], opted_out: set[str], error_store: Any) -> None:
        opt_out_of_calls_and_texts(loaded, opted_out)

    def load(self, data: Any, **kwargs: Any) -> Any:
        return with_extension(super().load(data, **kwargs))

    def _deserialize(self, data: Any, **kwargs: Any) -> dict[str, Any]:
        number = data.get("number") if isinstance(data, dict) else None
        kept, is_opt_out = without_opt_out_words(number) if isinstance(number, str) else (number, False)
        loaded = super()._deserialize({**data, "number": kept} if is_opt_out else data, **kwargs)
        status = loaded.pop("status", None)
        if is_opt_out:
            opt_out_of_calls_and_texts(loaded, OF_PHONE)
        return {**loaded, **PHONE_STATUSES[status]} if status else loaded


@cache
def object_schema(of: ObjectType) -> type[OsdiSchema]:
    """Returns the schema of an object inside a resource, such as PostalAddress; its name ends with "Schema"."""
    needs = required(of.fields)
    facts = {"__doc__": of.description, "table": of.fields, **({"needs": needs} if needs else {})}
    base = {EMAIL_ADDRESS: EmailAddressBase, PHONE_NUMBER: PhoneNumberBase}.get(
        of, RequiredFields if needs else OsdiSchema
    )
    made: type[OsdiSchema] = type(f"{of.name}Schema", (base,), facts)
    return made


class ControlSchema(OsdiSchema):
    """The `osdi:control` object of the standard."""

    return_response = Bool(
        metadata={"description": "False: the response has only identifiers and links, not the whole resource."}
    )


class PostedSchema(OsdiSchema):
    """The body of a POST; `rel` names the resource in an error response (`errors.md`)."""

    rel: ClassVar[str | None] = None
    identifiers = Identifiers()
    control = ma.fields.Nested(ControlSchema, data_key="osdi:control", load_only=True)


class ResourceSchema(PostedSchema):
    """The common fields of a resource; clients set only the identifiers.

    The arrays in `unlimited_in_responses` can be longer in responses than in a body: several bodies merge, and the
    server adds its own identifier.
    """

    unlimited_in_responses: ClassVar[tuple[str, ...]] = ("identifiers",)
    created_date = DateTime(dump_only=True, metadata={"description": "Set by the server."})
    modified_date = DateTime(dump_only=True, metadata={"description": "Set by the server."})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in self.unlimited_in_responses:
            self.fields[name].metadata = without_limit(self.fields[name].metadata)


class LinkSchema(OsdiSchema):
    """A link object of HAL (draft-kelly-json-hal, section 5)."""

    href = Text(metadata={"description": "Address."})
    title = Text(max_length=MAX_LINE_LENGTH, metadata={"description": "Name for people."})
    templated = Bool(metadata={"description": "True: the address is a template (RFC 6570)."})
    name = Text(max_length=MAX_LINE_LENGTH, metadata={"description": "Name that tells links of one relation apart."})


class PostedLinksSchema(OsdiSchema):
    """The links of a body that have an effect. Other links may be sent back from a response, and are ignored."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._answered |= {"self", "curies"}


class PostedLinks(ma.fields.Field[dict[str, Any]]):
    """The links of a body, loaded by a schema of links; `links` documents them.

    Not a nested field, which would add its schema to the OpenAPI document as a component that nothing uses.
    """

    def __init__(self, schema: type[PostedLinksSchema], **kwargs: Any) -> None:
        super().__init__(data_key="_links", load_only=True, **kwargs)
        self.schema = schema()

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        return self.schema.load(value)


def links(*relations: str, many: str = "", description: str = "", read_only: bool = True) -> ma.fields.Field[Any]:
    """Returns the `_links` property of a response, documented with its relations; `many` is an array of links.

    It is not loaded. A schema whose body can set links has another field for them, and passes `read_only=False` here.
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
            "description": description or "HAL links.",
            "readOnly": read_only,
        },
    )
