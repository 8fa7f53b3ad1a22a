"""Bodies of PUT: the same fields as in a POST, but null clears a field, and an array replaces the stored one.

Nothing in a PUT is without effect silently: a blank text, which clears nothing, and a body without any field of the
resource are errors.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import marshmallow as ma

from osdi.fields.limits import PUT_TIMES
from osdi.values.text import cleaned
from schemas.base.common import OsdiSchema, PostedLinks, PostedSchema, RequiredFields
from schemas.base.fields import CustomFields, Objects, Strings, is_empty

FLAG_IN_PUT: Final = (
    "A property says that the person opted out. In a PUT, say it in email_addresses[].status, and in"
    " phone_numbers[].do_not_call and sms_capable."
)
SAYS_NOTHING: Final = "A blank value clears nothing. Send null."


class PutSchema(OsdiSchema):
    """Loads into `{"fields": {...}, "cleared": (name, "object.name", ...), "control": {...}}`.

    `wrapper` is a property in which a POST takes all fields; a PUT takes it as well. `posted_only` are properties of a
    POST that a PUT rejects.
    """

    wrapper: ClassVar[str] = ""
    posted_only: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # A PUT has only some fields, so rules about the whole resource are checked after the change.
        self._has_hooks = False
        # Posts merge, so a stored array can be longer than the limit of one post; a client can send it back. The fields
        # are this schema's own copies; their metadata are shared.
        for field in self.load_fields.values():
            if isinstance(field, Objects | Strings | CustomFields):
                field.limit *= PUT_TIMES
            if "maxItems" in field.metadata:
                field.metadata = {**field.metadata, "maxItems": field.metadata["maxItems"] * PUT_TIMES}

    def load(self, data: Any, **kwargs: Any) -> dict[str, Any]:
        data = self._unwrapped(data)
        fields = super().load(data, **kwargs)
        control = fields.pop("control", {})
        cleared, wrong = self._cleared(data, fields)
        needs = self.needs if isinstance(self, RequiredFields) else ()
        wrong |= {name: ["This cannot be cleared."] for name in cleared if name in needs}
        if wrong:
            raise ma.ValidationError(wrong)
        return {"fields": fields, "cleared": tuple(cleared), "control": control}

    def _unwrapped(self, data: Any) -> Any:
        """Returns the body without the wrapper of a POST. Raises ValidationError if no property can have an effect."""
        if not isinstance(data, dict):
            return data
        if self.wrapper and isinstance(data.get(self.wrapper), dict):
            beside = {name: value for name, value in data.items() if name != self.wrapper}
            twice = [name for name in beside if name in self._by_name and name != "osdi:control"]
            if twice:
                raise ma.ValidationError({name: [f"Send it inside {self.wrapper}."] for name in twice})
            data = {**data[self.wrapper], **beside}
        wrong = {name: [f"A PUT does not apply {name}; POST it."] for name in data if name in self.posted_only}
        if not wrong and data and not any(name in self._by_name or self._is_answered(name) for name in data):
            wrong = {name: ["Unknown field."] for name in data}
        if wrong:
            raise ma.ValidationError(wrong)
        return data

    def opt_out(self, loaded: dict[str, Any], opted_out: set[str], error_store: Any) -> None:
        """Rejects a flag about the person, because an array in a PUT replaces the stored one."""
        error_store.store_error({"_schema": [FLAG_IN_PUT]})

    def _is_answered(self, name: str) -> bool:
        """True if responses have this property, which clients may send back."""
        return name in self._answered or name.startswith("_") or ":" in name

    def _cleared(self, data: Mapping[str, Any], loaded: Mapping[str, Any]) -> tuple[list[str], dict[str, Any]]:
        """Returns the names that the body clears, and errors for values that say nothing.

        A name is that of a field, or `object.name` inside an object such as custom_fields.
        """
        cleared: list[str] = []
        wrong: dict[str, Any] = {}
        for sent_name, value in data.items():
            name, field = self._by_name.get(sent_name, (None, None))
            if name is None or name == "control":
                continue
            if name not in loaded and _clears(value, field):
                cleared.append(name)
            elif name not in loaded and _is_blank(value, field):
                wrong[sent_name] = [SAYS_NOTHING]
            elif isinstance(value, dict) and isinstance(field, ma.fields.Nested | CustomFields | PostedLinks):
                # A single object in place of an array clears nothing inside.
                inside, blank = _cleared_inside(field, value, loaded.get(name, {}))
                cleared += [f"{name}.{inner}" for inner in inside]
                if blank:
                    wrong[sent_name] = {inner: [SAYS_NOTHING] for inner in blank}
        return cleared, wrong


def _cleared_inside(
    of: ma.fields.Nested | CustomFields | PostedLinks, value: Mapping[str, Any], loaded: Mapping[str, Any]
) -> tuple[list[str], list[str]]:
    """Returns the names that an object clears inside a field, and those whose text is blank."""
    own = of.stored_name if isinstance(of, CustomFields) else str
    properties = {} if isinstance(of, CustomFields) else of.schema.load_fields
    empty = {inner: own(inner) for inner in value if own(inner) not in loaded}
    cleared = [name for inner, name in empty.items() if _clears(value[inner], properties.get(inner))]
    blank = [inner for inner in empty if isinstance(value[inner], str) and is_empty(cleaned(value[inner]))]
    return cleared, blank


def _clears(value: Any, field: Any) -> bool:
    """True if the value clears the field: null, or an array without entries, which replaces the stored array.

    An entry that is an object clears nothing, also if nothing of it is stored, as of `[{"status": "subscribed"}]`.
    """
    if isinstance(value, list) and isinstance(field, Objects | Strings):
        return not any(isinstance(each, dict) for each in value)
    return value is None


def _is_blank(value: Any, field: Any) -> bool:
    """True for a blank text, for an array of empty objects, and for an empty array or object in place of another."""
    if isinstance(value, list) and isinstance(field, Objects | Strings):
        return not any(value)
    is_object = isinstance(field, ma.fields.Nested | CustomFields | PostedLinks)
    return isinstance(value, str) or (isinstance(value, dict | list) and not value and not is_object)


def put_of(schema: type[PostedSchema], *, wrapper: str = "", posted_only: frozenset[str] = frozenset()) -> ma.Schema:
    """Returns the schema for a PUT of a resource; for `wrapper` and `posted_only` see PutSchema."""
    name = schema.__name__.removesuffix("Schema")
    facts = {"__doc__": f"A change of a {name}.", "wrapper": wrapper, "posted_only": posted_only}
    made: type[ma.Schema] = type(f"{name}PutSchema", (PutSchema, schema), facts)
    return made()
