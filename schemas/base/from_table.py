"""Creates marshmallow fields from the definitions in osdi.fields."""

from collections.abc import Callable
from typing import Any

import marshmallow as ma

from osdi.fields import definition as table
from schemas.base import fields as types

NestedSchema = Callable[[table.ObjectType], type[ma.Schema]]


def marshmallow_field(of: table.Field, nested: NestedSchema) -> ma.fields.Field[Any]:
    """Returns the field of a schema; `nested` returns the schema of an object. Raises TypeError for an unknown type."""
    common: dict[str, Any] = {"dump_only": True} if of.read_only else {}
    if of.description:
        common["metadata"] = {"description": of.description}
    match of:
        case table.LiberalText():
            return types.LiberalText(max_length=of.length, **common)
        case table.Text():
            return types.Text(max_length=of.length, spelling=of.spelling, template=of.template, **common)
        case table.Email():
            return types.Email(**common)
        case table.PhoneNumber():
            return types.PhoneNumber(**common)
        case table.Enum():
            return types.Enum(*of.values, spelling=of.spelling, unreadable=of.unreadable, **common)
        case table.FlexEnum():
            return types.FlexEnum(*of.values, **common)
        case table.Strings():
            return types.Strings(types.Text(max_length=of.length), limit=of.limit, **common)
        case table.Bool():
            return types.Bool(unreadable=of.unreadable, **common)
        case table.WholeNumber():
            return types.WholeNumber(minimum=of.minimum, maximum=of.maximum, **common)
        case table.Float():
            return ma.fields.Float(validate=ma.validate.Range(of.minimum, of.maximum), **common)
        case table.DateTime():
            return types.DateTime(**common)
        case table.CustomFields():
            return types.CustomFields(**common)
        case table.Object():
            return ma.fields.Nested(nested(of.type), **common)
        case table.Objects():
            return types.Objects(nested(of.type), limit=of.limit, **common)
    raise TypeError(f"{of.name}: schemas have no field for the type {type(of).__name__}.")
