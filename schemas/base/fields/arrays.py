"""Types with several values: strings[], Type[] and custom_fields."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import marshmallow as ma

from osdi.fields.limits import (
    MAX_CUSTOM_FIELD_NAME_LENGTH,
    MAX_CUSTOM_FIELDS,
    MAX_IDENTIFIERS,
    MAX_LINE_LENGTH,
    MAX_STRINGS,
)
from osdi.values.custom_field_names import stored_name
from osdi.values.text import as_array, cleaned
from schemas.base.fields.text import FreeText, Identifier, Text, described, is_empty


class Strings(ma.fields.Field[list[str]]):
    """strings[]: an array of limited length, or a single string; empty strings and repeats are dropped."""

    default_error_messages = {"invalid": "Not an array of strings.", "many": "More than {limit} entries."}

    def __init__(self, inner: Text | None = None, *, limit: int = MAX_STRINGS, **kwargs: Any) -> None:
        super().__init__(**described(kwargs, type="array", items={"type": "string"}, maxItems=limit))
        self.inner = inner or Text(max_length=MAX_LINE_LENGTH)
        self.limit = limit

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[str]:
        value = as_array(value)
        if isinstance(value, str | int | float):
            value = [value]
        if not isinstance(value, list):
            raise self.make_error("invalid")
        if len(value) > self.limit:
            raise self.make_error("many", limit=self.limit)
        return list(dict.fromkeys(_load_each(value, self.inner.load)))


class Identifiers(Strings):
    """The unique string array of identifiers that every resource has."""

    def __init__(self, **kwargs: Any) -> None:
        arguments = described(kwargs, description="Identifiers in the form `[system name]:[id]`.")
        super().__init__(Identifier(), limit=MAX_IDENTIFIERS, **arguments)


class CustomFields(ma.fields.Field[dict[str, str]]):
    """custom_fields: names with string values; numbers, booleans and arrays become strings, the standard's type.

    The loaded names are those of osdi.values.custom_field_names, as they are stored.
    """

    default_error_messages = {
        "invalid": "Not an object of names and values.",
        "many": "More than {limit} names.",
        "name": "A name must be 1 to {length} characters without NUL.",
        "twice": "Another name differs only in invisible characters or spaces.",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**described(kwargs, type="object", additionalProperties={"type": "string"}))
        self.inner = FreeText()
        self.limit = MAX_CUSTOM_FIELDS

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> dict[str, str]:
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        if len(value) > self.limit:
            raise self.make_error("many", limit=self.limit)
        errors: dict[str, list[str]] = {}
        loaded: dict[str, str] = {}
        for name, entry in value.items():
            if is_empty(entry):
                continue
            try:
                stored = self.stored_name(name)
                if stored in loaded:
                    raise self.make_error("twice")
                text = self.inner.load(entry)
                if text:
                    loaded[stored] = text
            except ma.ValidationError as error:
                errors[name] = list(error.messages)
        if errors:
            raise ma.ValidationError(errors)
        return loaded

    def stored_name(self, sent: str) -> str:
        """Returns the name under which a custom field is stored. Raises ValidationError."""
        name = cleaned(sent)
        if not 1 <= len(name) <= MAX_CUSTOM_FIELD_NAME_LENGTH or "\x00" in name:
            raise self.make_error("name", length=MAX_CUSTOM_FIELD_NAME_LENGTH)
        return stored_name(name)


class Objects(ma.fields.List):
    """Type[] of the standard: an array of objects of limited length, or a single object."""

    inner: ma.fields.Nested

    def __init__(self, schema: Callable[[], ma.Schema] | type[ma.Schema], *, limit: int, **kwargs: Any) -> None:
        super().__init__(ma.fields.Nested(schema), **described(kwargs, maxItems=limit))
        self.limit = limit

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[Any]:
        value = as_array(value)
        if isinstance(value, dict):
            value = [value]
        if not isinstance(value, list):
            raise self.make_error("invalid")
        if len(value) > self.limit:
            raise ma.ValidationError(f"More than {self.limit} entries.")
        return _load_each(value, self.inner.schema.load)


def without_limit(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the metadata of an array without its maximum length, which responses can exceed."""
    return {name: fact for name, fact in metadata.items() if name != "maxItems"}


def _load_each(values: Sequence[Any], load: Callable[[Any], Any]) -> list[Any]:
    """Returns the loaded values without empty ones. Raises ValidationError with the errors by index."""
    loaded: list[Any] = []
    errors: dict[int, Any] = {}
    for index, value in enumerate(values):
        try:
            if is_empty(value):
                continue
            entry = load(value)
            if not is_empty(entry):
                loaded.append(entry)
        except ma.ValidationError as error:
            errors[index] = error.messages
    if errors:
        raise ma.ValidationError(errors)
    return loaded
