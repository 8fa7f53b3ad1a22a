"""Bodies of PUT: the same fields as in a POST, but null or an empty value clears a field."""

from typing import Any

import marshmallow as ma

from osdi.fields.limits import PUT_TIMES
from schemas.base.common import OsdiSchema, PostedLinks, PostedSchema, RequiredFields
from schemas.base.fields import CustomFields, Objects, Strings, is_empty


class PutSchema(OsdiSchema):
    """Loads into `{"fields": {...}, "cleared": (name, "object.name", ...), "control": {...}}`."""

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
        fields = super().load(data, **kwargs)
        control = fields.pop("control", {})
        cleared = tuple(self._cleared(data))
        needs = self.needs if isinstance(self, RequiredFields) else ()
        wrong = {name: ["This cannot be cleared."] for name in cleared if name in needs}
        if wrong:
            raise ma.ValidationError(wrong)
        return {"fields": fields, "cleared": cleared, "control": control}

    def _cleared(self, data: dict[str, Any]) -> list[str]:
        """Returns the names that the body clears: fields, and names inside objects such as custom_fields."""
        cleared = []
        for sent_name, value in data.items():
            name, field = self._by_name.get(sent_name, (None, None))
            if name is None or name == "control":
                continue
            if is_empty(value):
                cleared.append(name)
            elif isinstance(value, dict) and isinstance(field, ma.fields.Nested | CustomFields | PostedLinks):
                # A single object in place of an array clears nothing inside.
                cleared += [f"{name}.{inner}" for inner, entry in value.items() if is_empty(entry)]
        return cleared


def put_of(schema: type[PostedSchema]) -> ma.Schema:
    """Returns the schema for a PUT of a resource."""
    name = schema.__name__.removesuffix("Schema")
    made: type[ma.Schema] = type(f"{name}PutSchema", (PutSchema, schema), {"__doc__": f"A change of a {name}."})
    return made()
