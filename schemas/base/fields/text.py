"""Types of texts: string, enum, flexenum and identifier, and the reasons why a value is invalid.

`described` and `is_empty` serve the other types, too.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import marshmallow as ma

from osdi.fields.limits import (
    MAX_IDENTIFIER_LENGTH,
    MAX_INTEGER_BITS,
    MAX_LINE_LENGTH,
    MAX_STRING_LENGTH,
    MAX_SYSTEM_NAME_LENGTH,
)
from osdi.values import words
from osdi.values.text import as_array, cleaned, from_number

# "[system name]:[id]": the system name has neither colon nor space, the id is printable. An empty id is a placeholder,
# which the domain ignores or rejects.
IDENTIFIER: Final = re.compile(
    rf"[^\s:\x00-\x1f\x7f]{{1,{MAX_SYSTEM_NAME_LENGTH}}}:(?:[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?)?"
)

# Readers of the words that people use for a value, by `spelling` in osdi.fields.
SPELLINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "country": words.country,
    "gender": words.gender,
    "status": words.status,
}


class Reason(str):
    """The reason why a value is invalid, for schemas that skip invalid values (schemas.base.skipping).

    `instead` is the value that is stored in place of the invalid one. If `whole_entry` is true, the object around the
    value means nothing without it and is skipped, too. A `final` reason rejects the whole body.
    """

    instead: Any
    whole_entry: bool
    final: bool

    def __new__(cls, text: str, *, instead: Any = None, whole_entry: bool = False, final: bool = False) -> "Reason":
        made = super().__new__(cls, text)
        made.instead, made.whole_entry, made.final = instead, whole_entry, final
        return made


def is_empty(value: Any) -> bool:
    """True if a value is null, empty or blank. False and zero are not empty."""
    if isinstance(value, str):
        return not value or value.isspace()
    return not value and not isinstance(value, int | float)


def described(arguments: dict[str, Any], **facts: Any) -> dict[str, Any]:
    """Returns a field's arguments with facts for the OpenAPI document; the caller's metadata overrides them."""
    return arguments | {"metadata": facts | dict(arguments.get("metadata", {}))}


class Text(ma.fields.String):
    """A string of limited length, cleaned by osdi.values.text; a number is read as its digits.

    NUL is rejected: BSON keys and many clients do not support it. `spelling` names a reader of SPELLINGS. A `template`
    is stored as it was sent.
    """

    def __init__(
        self, *, max_length: int = MAX_STRING_LENGTH, spelling: str = "", template: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**described(kwargs, maxLength=max_length))
        self.max_length = max_length
        self.template = template
        self.read = SPELLINGS[spelling] if spelling else None

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        if not isinstance(value, str):
            value = self._written(value)
        text = value if self.template else cleaned(value)
        if len(text) > self.max_length:
            raise ma.ValidationError(f"Longer than {self.max_length} characters.")
        if "\x00" in text:
            raise ma.ValidationError("Contains a NUL character.")
        return self.read(text) if self.read and text else text

    def _written(self, value: Any) -> str:
        """Returns a number as text. Raises ValidationError for other values."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("invalid")
        if isinstance(value, float) and abs(value) >= 2 ** (MAX_INTEGER_BITS - 1):
            # The JSON reader rounds an integer this large, so the stored value would differ from the sent one.
            raise ma.ValidationError(f"A number of more than {MAX_INTEGER_BITS} bits. Send it as a string.")
        return from_number(value)

    def load(self, value: Any) -> str:
        """Returns an entry of an array or object, which is neither missing nor null. Raises ValidationError."""
        return self._deserialize(value, None, None)


class LiberalText(Text):
    """Text that can also be true or false: postal codes, extensions, custom fields."""

    def _written(self, value: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        return super()._written(value)


class FreeText(LiberalText):
    """The value of a custom field: a text, or an array of texts, which becomes one text with `; ` between them."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        value = as_array(value)
        if isinstance(value, list):
            read = super()._deserialize
            value = "; ".join(text for each in value if not is_empty(each) and (text := read(each, None, None)))
        return super()._deserialize(value, attr, data, **kwargs)


class Enum(Text):
    """One of the standard's values, accepted in any case and stored in the standard's spelling.

    `unreadable` is the value that a schema that skips invalid values stores in place of an unknown word.
    """

    def __init__(self, *values: str, unreadable: str | None = None, **kwargs: Any) -> None:
        super().__init__(**described(kwargs, enum=list(values), maxLength=max(map(len, values))))
        self.values = {value.casefold(): value for value in values}
        self.unreadable = unreadable

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        try:
            text = super()._deserialize(value, attr, data, **kwargs)
            return self.values[text.casefold()] if text else text
        except (KeyError, ValueError):  # ValueError from the reader of SPELLINGS
            reasons = [f"Must be one of: {', '.join(self.values.values())}."]
        except ma.ValidationError as error:
            reasons = list(error.messages)
        raise ma.ValidationError([Reason(each, instead=self.unreadable) for each in reasons])


class FlexEnum(Text):
    """The standard's flexenum: one of the listed values, or another one of at most a line."""

    def __init__(self, *values: str, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_LINE_LENGTH, **described(kwargs, examples=list(values)))


class Identifier(Text):
    """An identifier in the form `[system name]:[id]`."""

    default_error_messages = {"form": "Not an identifier of the form [system name]:[id]."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_IDENTIFIER_LENGTH, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        identifier = super()._deserialize(value, attr, data, **kwargs)
        if not IDENTIFIER.fullmatch(identifier):
            raise self.make_error("form")
        return identifier
