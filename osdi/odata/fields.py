"""Types of filterable fields, and how a value is compared in MongoDB."""

import datetime as dt
import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from osdi.fields.limits import MAX_CUSTOM_FIELD_NAME_LENGTH
from osdi.match_keys import MatchKeyRules, email_key
from osdi.values import words
from osdi.values.custom_field_names import stored_name
from osdi.values.dates import instant
from osdi.values.text import cleaned, normalized, unicode_form

FieldType = Literal["string", "integer", "number", "boolean", "date", "identifier", "email", "phone"]
TYPES: Final[tuple[FieldType, ...]] = get_args(FieldType)
KEY_PREFIXES: Final[Mapping[str, str]] = {"identifier": "id:", "email": "email:", "phone": "phone:"}
SPELLINGS: Final = {"country": words.country, "gender": words.gender, "status": words.status}
NEEDED: Final[Mapping[str, str]] = {
    "integer": "a number, such as 5",
    "number": "a number, such as 1.5",
    "boolean": "true or false",
    "date": "an ISO 8601 date and time, such as '2014-03-18T11:02:15Z'",
}
TEXT_NEEDED: Final = "text in single quotes, such as 'Jane'"
WHOLE: Final = re.compile(r"[+-]?\d{1,19}")
# A "+" that a client did not percent-encode arrives as a space. An e-mail address has no other spaces inside, and a
# phone number begins with no other space.
LOST_ADDRESS_PLUS: Final = re.compile(r"(?<=\S) (?=\S)")
LOST_NUMBER_PLUS: Final = re.compile(r"^ (?=\d)")
LOST_PLUS: Final = re.compile(r"(:\d\d(?:\.\d+)?) (\d\d(?::?\d\d)?)$")
MAX_CONTACT_LENGTH: Final = 254


@dataclass(frozen=True)
class Stored:
    """A value in its stored form at `path`; a match key also has the `prefix` of its kind."""

    path: str
    value: Any
    prefix: str = ""
    ignore_case: bool = False


@dataclass(frozen=True)
class FilterField:
    """A field's type and its path in the stored document.

    `keys` is the array with its values as keys of osdi.match_keys: normalised, with the prefix of their kind, and
    indexed. Such a field is compared by key. `spelling` names the reader of osdi.values.words by which values are
    stored. The `name_of_target` is made of several properties, so it is compared as a whole only. The words of a
    `name_of_person` are in `name_words`, which is indexed.
    """

    type: FieldType
    path: str
    keys: str | None = None
    spelling: str = ""
    name_of_target: bool = False
    name_of_person: bool = False

    @property
    def is_text(self) -> bool:
        return self.type not in NEEDED

    @property
    def has_case(self) -> bool:
        """True if comparisons are case-sensitive, unless a filter changes that."""
        return self.type in ("string", "identifier")

    def stored(self, value: object, rules: MatchKeyRules, *, part: bool = False) -> Stored:
        """Returns `value`, or a `part` of such a value, in its stored form.

        Raises ValueError, whose message states the required type, if `value` does not have the field's type.
        """
        if self.is_text:
            return self._stored_text(value, rules, part=part)
        if isinstance(value, str):
            value = self._read(cleaned(value))
        fits = {"boolean": bool, "date": dt.datetime}.get(self.type, int | float)
        if not isinstance(value, fits) or (isinstance(value, bool) and self.type != "boolean"):
            raise ValueError(NEEDED[self.type])
        return Stored(self.path, value)

    def _read(self, text: str) -> object:
        """Returns the value of a text in quotes, as some clients write every value. Raises ValueError."""
        if self.type == "date":
            return timestamp(text)
        try:
            if self.type == "boolean":
                return words.boolean(text)
            number = int(text) if WHOLE.fullmatch(text) else float(text)
        except ValueError:
            raise ValueError(NEEDED[self.type]) from None
        return number if -(2**63) <= number < 2**63 else text  # a text does not fit, and NaN is not in the range

    def _stored_text(self, value: object, rules: MatchKeyRules, *, part: bool) -> Stored:
        if not isinstance(value, str):
            raise ValueError(TEXT_NEEDED)
        if self.type in ("email", "phone") and len(value) > MAX_CONTACT_LENGTH:
            raise ValueError(f"text of at most {MAX_CONTACT_LENGTH} characters")
        if self.type == "email":
            value = LOST_ADDRESS_PLUS.sub("+", value)
        elif self.type == "phone" and not part:
            value = LOST_NUMBER_PLUS.sub("+", value)
        value = normalized(value) if part else cleaned(value)
        if self.spelling and not part:
            with suppress(ValueError):  # a word that is never stored
                value = SPELLINGS[self.spelling](value)
        if self.keys is None:
            return Stored(self.path, value, ignore_case=self.type == "email")
        prefix = KEY_PREFIXES[self.type]
        if self.type == "email":
            value = email_key(value).removeprefix(prefix) if "@" in value and not part else _folded(value)
        elif self.type == "phone" and part:
            value = _phone_part(value)
        elif self.type == "phone":
            key = rules.phone_key({"number": value})
            if key is None:  # the number is too short for a key
                return Stored(self.path, value)
            value = key.removeprefix(prefix)
        return Stored(self.keys, value, prefix)


def timestamp(text: str) -> dt.datetime:
    """Returns an ISO 8601 date and time in its stored form: naive UTC in milliseconds. Raises ValueError."""
    try:
        read = instant(LOST_PLUS.sub(r"\1+\2", text.strip()))
        read = read.astimezone(dt.UTC).replace(tzinfo=None) if read.tzinfo else read
    except (ValueError, OverflowError):
        raise ValueError(NEEDED["date"]) from None
    return read.replace(microsecond=read.microsecond // 1000 * 1000)


def _folded(text: str) -> str:
    """Returns a part of an e-mail address as it is in the keys of osdi.match_keys."""
    return unicode_form("NFKC", text).lower()


def _phone_part(text: str) -> str:
    """Returns the digits in a part of a phone number. Raises ValueError if there are none."""
    digits = "".join(str(unicodedata.decimal(character)) for character in text if character.isdecimal())
    if not digits:
        raise ValueError("digits in single quotes, such as '+1 987'")
    return digits


@dataclass(frozen=True)
class FilterFields:
    """The fields of one resource, by name.

    `open_objects` have properties of any name, all of one type (`custom_fields`). `not_filtered` maps the standard's
    fields that a filter cannot use to the reason.
    """

    fields: Mapping[str, FilterField]
    aliases: Mapping[str, str] = field(default_factory=dict)
    open_objects: Mapping[str, FieldType] = field(default_factory=dict)
    not_filtered: Mapping[str, str] = field(default_factory=dict)

    def find(self, parts: Sequence[str]) -> FilterField | None:
        """Returns the field with these parts of a path, or None."""
        if len(parts) == 2 and parts[0] in self.open_objects:
            name = cleaned(parts[1])
            # Other names are never stored, see schemas.base.fields.CustomFields.
            if not 1 <= len(name) <= MAX_CUSTOM_FIELD_NAME_LENGTH:
                return None
            return FilterField(self.open_objects[parts[0]], f"{parts[0]}.{stored_name(name)}")
        name = "/".join(parts)
        return self.fields.get(self.aliases.get(name, name))

    def explain_missing(self, parts: Sequence[str]) -> str:
        """Returns why the field cannot be filtered by, with similar fields."""
        name = "/".join(parts)
        if name in self.not_filtered:
            return f"{name} cannot be filtered by: {self.not_filtered[name]}"
        if parts[0] in self.open_objects:
            return f"{parts[0]} is filtered by one of its names, such as {parts[0]}/colour or {parts[0]}/'shirt size'"
        within = [each for each in self.fields if each.startswith(f"{name}/")]
        near = within or difflib.get_close_matches(name[:100], [*self.fields, *self.aliases], n=3)
        return f"there is no field {shortened(name)} to filter by" + (f"; near are {', '.join(near)}" if near else "")


def shortened(text: str) -> str:
    """Returns a client's text, cut to 60 characters for an error message."""
    return text if len(text) <= 60 else f"{text[:60]}..."
