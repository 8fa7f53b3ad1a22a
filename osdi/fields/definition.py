"""Definition of a field: its type and its properties, as one value.

A table, such as osdi.fields.person.PERSON_FIELDS, is a tuple of these values in the order of the standard's page. Each
class below is a type of the standard. The type determines the behaviour of a field: a text can be used in filters, has
a CSV column of the same name, and is replaced when a post with a token merges. An attribute of the field declares an
exception.

Pure data.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from osdi.fields.limits import MAX_INTEGER, MAX_LINE_LENGTH, MAX_STRING_LENGTH, MAX_STRINGS

# Groups of properties: two entries are the same if, in each group, the first property that both have is equal.
EntryKey = tuple[tuple[str, ...], ...]
# Names of the rules of osdi.people.merge_rules that compare entries.
ContactRule = Literal["email address", "phone number", "postal address"]
Spelling = Literal["", "country", "gender", "status"]
AfterErasure = Literal["removed", "kept", "kept if others have it"]


@dataclass(frozen=True)
class Field:
    """A field of a resource, or a property of an object inside it.

    `description` is for the OpenAPI document. The server sets `read_only` fields. `not_filtered` is the reason why
    filters reject the field. `differs` and `absent` are notes for docs/conformance.md: how the field differs from the
    standard's page, or why responses never have it. `after_erasure` says if an outreach keeps the field when its person
    is erased.

    `column` is the name of the CSV column: empty for the name of the field, None for no column: an export would lose
    the field, so tests/fields allows that only for what a file does not need. The columns of e-mail
    addresses, phone numbers and postal addresses have the main entry; `others_column` names the column for the other
    entries. A new property of these needs a name for both.
    """

    name: str
    description: str = field(default="", kw_only=True)
    required: bool = field(default=False, kw_only=True)
    read_only: bool = field(default=False, kw_only=True)
    not_filtered: str = field(default="", kw_only=True)
    column: str | None = field(default="", kw_only=True)
    others_column: str = field(default="", kw_only=True)
    after_erasure: AfterErasure = field(default="removed", kw_only=True)
    differs: str = field(default="", kw_only=True)
    absent: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class Text(Field):
    """A string of at most `length` characters.

    `spelling` names the reader of osdi.values.words that converts the words people use, such as `United States`. A
    `template` is stored as it was sent: errors name its lines, and designers may use invisible characters.
    """

    length: int = MAX_STRING_LENGTH
    template: bool = field(default=False, kw_only=True)
    spelling: Spelling = field(default="", kw_only=True)


@dataclass(frozen=True)
class LiberalText(Text):
    """A text that senders often write as a number, such as a postal code."""


@dataclass(frozen=True)
class Email(Field):
    """An e-mail address."""


@dataclass(frozen=True)
class PhoneNumber(Field):
    """A phone number."""


@dataclass(frozen=True)
class Enum(Field):
    """One of these values.

    `spelling` names the reader of osdi.values.words that converts other words to them. Where an unreadable value costs
    no outreach, `unreadable` is stored in its place: of a consent always the opt-out.
    """

    values: tuple[str, ...] = ()
    spelling: Spelling = field(default="", kw_only=True)
    unreadable: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class FlexEnum(Field):
    """One of these values, or another text of at most a line."""

    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Strings(Field):
    """An array of texts. Merging adds the posted ones."""

    limit: int = MAX_STRINGS
    length: int = MAX_LINE_LENGTH


@dataclass(frozen=True)
class Bool(Field):
    """True or false; `unreadable` as in Enum."""

    unreadable: bool | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class WholeNumber(Field):
    """An integer within bounds."""

    minimum: int = 0
    maximum: int = MAX_INTEGER


@dataclass(frozen=True)
class Float(Field):
    """A number within bounds."""

    minimum: float
    maximum: float


@dataclass(frozen=True)
class DateTime(Field):
    """A date and time."""


@dataclass(frozen=True)
class CustomFields(Field):
    """The object `custom_fields`: texts with names that the client chooses. Each name has a CSV column."""


@dataclass(frozen=True)
class ObjectType:
    """The properties of an object. `name` is the name of its schema in the OpenAPI document."""

    name: str
    description: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Object(Field):
    """An object. Merging changes its properties by name; the CSV column holds JSON.

    `whole`: a merge of two people takes the object of one of them if the two objects contradict each other.
    `column_per_property`: each property has a column instead of JSON, named `{field}_{property}` unless the property
    has a `column`.
    """

    type: ObjectType
    whole: bool = field(default=False, kw_only=True)
    column_per_property: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class Objects(Field):
    """An array of at most `limit` objects in one body; the CSV column holds JSON.

    Merging combines entries that are the same by `same_by`, and appends the others. Without `same_by`, only equal
    entries are the same. `row_prefix`: the CSV file has a row for each entry instead of JSON; the names of its columns
    begin with the prefix.
    """

    type: ObjectType
    limit: int
    same_by: EntryKey | ContactRule = field(default=(), kw_only=True)
    row_prefix: str = field(default="", kw_only=True)


Table = tuple[Field, ...]

ORIGIN_SYSTEM: Final = Text(
    "origin_system", MAX_LINE_LENGTH, description="Name of the system in which the resource was created."
)


def names(fields: Table) -> tuple[str, ...]:
    """Returns the names of the fields."""
    return tuple(each.name for each in fields)


def required(fields: Table) -> tuple[str, ...]:
    """Returns the names of the required fields."""
    return tuple(each.name for each in fields if each.required)


def properties(of: Field) -> Table:
    """Returns the fields of the object or of the array's entries; an empty table for other types."""
    return of.type.fields if isinstance(of, Object | Objects) else ()


def find(fields: Table, *path: str) -> Field | None:
    """Returns the field at a path of names, such as `"employer_address", "locality"`, or None."""
    found = next((each for each in fields if each.name == path[0]), None)
    return find(properties(found), *path[1:]) if found is not None and len(path) > 1 else found


def walk(fields: Table, *path: str) -> Iterator[tuple[tuple[str, ...], Field]]:
    """Yields every field with its path of names, each object before its properties."""
    for each in fields:
        yield (*path, each.name), each
        yield from walk(properties(each), *path, each.name)
