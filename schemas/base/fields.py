"""Field types of the standard: string, strings[], datetime, enum, flexenum, identifier and others.

The fields accept liberal input (the standard's "Flexibility and Server Behavior"), and osdi.values reads it, as in
imports: a string for an array of strings, enum values in any case, digits for a number, a number for a text. Invalid
values raise a ValidationError that names the property. Every type has a limit, because the server is open to the
internet.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import marshmallow as ma
from email_validator import EmailNotValidError, validate_email

from osdi.fields.limits import (
    CUSTOM_FIELD_NAME_LENGTH,
    CUSTOM_FIELDS,
    DATE_LENGTH,
    EMAIL_LENGTH,
    IDENTIFIER_LENGTH,
    IDENTIFIERS,
    INTEGER_BITS,
    LINE_LENGTH,
    MAX_INTEGER,
    PHONE_DIGITS,
    PHONE_DIGITS_LEAST,
    PHONE_LENGTH,
    STRING_LENGTH,
    STRINGS,
    SYSTEM_NAME_LENGTH,
)
from osdi.values import words
from osdi.values.custom_field_names import stored_name
from osdi.values.dates import instant, timestamp
from osdi.values.text import as_array, cleaned, from_number

# "[system name]:[id]": the system name has neither colon nor space, the id is printable. An empty id is a placeholder,
# which the domain ignores or rejects.
IDENTIFIER: Final = re.compile(
    rf"[^\s:\x00-\x1f\x7f]{{1,{SYSTEM_NAME_LENGTH}}}:(?:[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?)?"
)

# The form of nearly all addresses: a dot-atom (RFC 5322), which is valid before every domain, and an ASCII domain. Not
# punycode: its length differs from that of the decoded domain, and the length of an address is limited.
ATOM: Final = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
PLAIN_ADDRESS: Final = re.compile(rf"{ATOM}(?:\.{ATOM})*@(?!.*xn--)(?P<domain>[a-z0-9.-]+)", re.ASCII | re.IGNORECASE)
DOMAINS: Final = 1_000
# Spreadsheets and scripts with floating point numbers write 120 as 120.0.
WHOLE: Final = re.compile(r"\d{1,20}(?:\.0)?")

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


def _described(arguments: dict[str, Any], **facts: Any) -> dict[str, Any]:
    """Returns a field's arguments with facts for the OpenAPI document; the caller's metadata overrides them."""
    return arguments | {"metadata": facts | dict(arguments.get("metadata", {}))}


def without_limit(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the metadata of an array without its maximum length, which responses can exceed."""
    return {name: fact for name, fact in metadata.items() if name != "maxItems"}


class Text(ma.fields.String):
    """A string of limited length, cleaned by osdi.values.text; a number is read as its digits.

    NUL is rejected: BSON keys and many clients do not support it. `spelling` names a reader of SPELLINGS. A `template`
    is stored as it was sent.
    """

    def __init__(
        self, *, max_length: int = STRING_LENGTH, spelling: str = "", template: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**_described(kwargs, maxLength=max_length))
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
        if isinstance(value, float) and abs(value) >= 2 ** (INTEGER_BITS - 1):
            # The JSON reader rounds an integer this large, so the stored value would differ from the sent one.
            raise ma.ValidationError(f"A number of more than {INTEGER_BITS} bits. Send it as a string.")
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


class Email(Text):
    """An e-mail address by RFC 5321 and 6531. The server does not check that it can receive mail."""

    default_error_messages = {"invalid": "Not a valid e-mail address."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=EMAIL_LENGTH, **_described(kwargs, format="email"))

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        try:
            address = super()._deserialize(value, attr, data, **kwargs)
            plain = PLAIN_ADDRESS.fullmatch(address)
            if address and not (_is_domain(plain["domain"]) if plain else _is_address(address)):
                raise self.make_error("invalid")
        except ma.ValidationError as error:
            raise _of_whole_entry(error) from None
        return address


class PhoneNumber(Text):
    """A phone number: digits with any punctuation; a JSON number becomes a string of digits."""

    default_error_messages = {"invalid": "Not a valid phone number: digits are expected."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=PHONE_LENGTH, **_described(kwargs, type=["string", "integer"]))

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        try:
            number = super()._deserialize(value, attr, data, **kwargs)
            digits = sum(character.isdecimal() for character in number)
            if number and not PHONE_DIGITS_LEAST <= digits <= PHONE_DIGITS:
                raise self.make_error("invalid")
        except ma.ValidationError as error:
            raise _of_whole_entry(error) from None
        return number

    def _written(self, value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise self.make_error("invalid")
        return super()._written(value)


class Enum(Text):
    """One of the standard's values, accepted in any case and stored in the standard's spelling.

    `unreadable` is the value that a schema that skips invalid values stores in place of an unknown word.
    """

    def __init__(self, *values: str, unreadable: str | None = None, **kwargs: Any) -> None:
        super().__init__(**_described(kwargs, enum=list(values), maxLength=max(map(len, values))))
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
        super().__init__(max_length=LINE_LENGTH, **_described(kwargs, examples=list(values)))


class Bool(ma.fields.Boolean):
    """True or false, also as the words and numbers that forms and spreadsheets have.

    `unreadable` is the value that a schema that skips invalid values stores in place of an unknown word.
    """

    def __init__(self, *, unreadable: bool | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.unreadable = unreadable

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if value is True or value is False:
            return value
        try:
            return words.boolean(cleaned(value) if isinstance(value, str) else str(from_number(value)))
        except (ValueError, TypeError, AttributeError):
            raise ma.ValidationError([Reason("Not a valid boolean.", instead=self.unreadable)]) from None


class WholeNumber(ma.fields.Integer):
    """An integer within limits, also as a string of digits; no fractions and booleans."""

    def __init__(self, *, minimum: int = 0, maximum: int = MAX_INTEGER, **kwargs: Any) -> None:
        super().__init__(strict=True, validate=ma.validate.Range(minimum, maximum), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        if isinstance(value, str):
            text = cleaned(value)
            value = int(text.removesuffix(".0")) if WHOLE.fullmatch(text) else value
        elif isinstance(value, float) and value.is_integer():
            value = int(value)  # JSON has one kind of number: 120.0 is 120
        if isinstance(value, bool | str):
            raise self.make_error("invalid", input=value)
        number = super()._deserialize(value, attr, data, **kwargs)
        assert number is not None  # the schema does not pass None
        return number


class DateTime(ma.fields.Field[dt.datetime]):
    """ISO 8601 with any offset, or without (UTC); loaded as a naive UTC datetime in milliseconds.

    Forms of osdi.values.dates that mean one date only are accepted, too. With `zoned` the offset is required.
    MongoDB stores milliseconds and returns naive UTC, so a value is equal before and after storage.
    """

    default_error_messages = {
        "invalid": "Not a valid ISO 8601 date and time, such as 2014-03-18T11:02:15Z.",
        "zone": "Add the offset from UTC, as in 2014-03-18T11:02:15-05:00.",
    }

    def __init__(self, *, zoned: bool = False, **kwargs: Any) -> None:
        super().__init__(**_described(kwargs, type="string", format="date-time"))
        self.zoned = zoned

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> dt.datetime:
        if not isinstance(value, str) or len(value) > DATE_LENGTH:
            raise self.make_error("invalid")
        try:
            read = _read_date(cleaned(value))
            has_zone = read.tzinfo is not None
            if has_zone:
                read = read.astimezone(dt.UTC).replace(tzinfo=None)
        except (ValueError, OverflowError) as error:
            raise self.make_error("invalid") from error
        if self.zoned and not has_zone:
            raise self.make_error("zone")
        return read.replace(microsecond=read.microsecond // 1000 * 1000)


class Strings(ma.fields.Field[list[str]]):
    """strings[]: an array of limited length, or a single string; empty strings and repeats are dropped."""

    default_error_messages = {"invalid": "Not an array of strings.", "many": "More than {limit} entries."}

    def __init__(self, inner: Text | None = None, *, limit: int = STRINGS, **kwargs: Any) -> None:
        super().__init__(**_described(kwargs, type="array", items={"type": "string"}, maxItems=limit))
        self.inner = inner or Text(max_length=LINE_LENGTH)
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


class Identifier(Text):
    """An identifier in the form `[system name]:[id]`."""

    default_error_messages = {"form": "Not an identifier of the form [system name]:[id]."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=IDENTIFIER_LENGTH, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        identifier = super()._deserialize(value, attr, data, **kwargs)
        if not IDENTIFIER.fullmatch(identifier):
            raise self.make_error("form")
        return identifier


class Identifiers(Strings):
    """The unique string array of identifiers that every resource has."""

    def __init__(self, **kwargs: Any) -> None:
        described = _described(kwargs, description="Identifiers in the form `[system name]:[id]`.")
        super().__init__(Identifier(), limit=IDENTIFIERS, **described)


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
        super().__init__(**_described(kwargs, type="object", additionalProperties={"type": "string"}))
        self.inner = FreeText()
        self.limit = CUSTOM_FIELDS

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
        if not 1 <= len(name) <= CUSTOM_FIELD_NAME_LENGTH or "\x00" in name:
            raise self.make_error("name", length=CUSTOM_FIELD_NAME_LENGTH)
        return stored_name(name)


class Objects(ma.fields.List):
    """Type[] of the standard: an array of objects of limited length, or a single object."""

    inner: ma.fields.Nested

    def __init__(self, schema: Callable[[], ma.Schema] | type[ma.Schema], *, limit: int, **kwargs: Any) -> None:
        super().__init__(ma.fields.Nested(schema), **_described(kwargs, maxItems=limit))
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


def _is_address(address: str) -> bool:
    """True if this is an e-mail address by the RFCs."""
    try:
        # The reserved domain `test` is accepted: staging deployments and tests use it, and it cannot receive mail.
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True


@lru_cache(DOMAINS)
def _is_domain(domain: str) -> bool:
    """True if an address can have this domain. Cached: most addresses share a few domains, and validation is slow."""
    return _is_address(f"a@{domain}")  # the shortest local part allows the longest domain


def _read_date(text: str) -> dt.datetime:
    """Returns a date and time, naive if the text names no zone. Raises ValueError."""
    try:
        return instant(text)
    except ValueError:
        return dt.datetime.fromisoformat(timestamp(text))


def _of_whole_entry(error: ma.ValidationError) -> ma.ValidationError:
    """Returns the error of a value without which the object around it means nothing."""
    return ma.ValidationError([Reason(str(each), whole_entry=True) for each in error.messages])


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
