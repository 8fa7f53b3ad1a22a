"""Columns of a CSV file of people or outreaches: their names, their order, and how a document fills each cell.

The columns are made of the tables in osdi.fields, and an import reads the same columns. `make docs` adds new ones to
docs/exporting.md.

Pure.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from osdi.documents import ReadOnlyDocument
from osdi.exporting.csv_cells import Cell
from osdi.fields.contacts import CONTACT_FIELDS
from osdi.fields.definition import CustomFields, Field, Object, Objects, Strings, Table, properties
from osdi.fields.outreach import OUTREACH_FIELDS
from osdi.fields.person import PERSON_FIELDS
from osdi.resources import CONTACTS


@dataclass(frozen=True)
class Column:
    """A column: its name, its path, and a function that returns its cell for a document.

    The path is that of a field in an OSDI body, such as `email_addresses[0].address`: an import puts the cell there. A
    column of the entries besides the main one has its own name as path.
    """

    name: str
    path: str
    cell: Callable[[ReadOnlyDocument], Cell]


NOTHING: Final[ReadOnlyDocument] = {}


def cell(value: Any) -> Cell:
    """Returns a stored value as a cell: dates in ISO 8601, arrays of texts as a list, anything deeper as JSON."""
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds") + "Z"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return value
    if isinstance(value, list | dict):
        return as_json(value)
    scalar: Cell = value
    return scalar


def as_json(value: Any) -> str | None:
    """Returns an object or array as JSON in the API's form, or None for an empty one."""
    return orjson.dumps(value, option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z).decode() if value else None


def main_of(document: ReadOnlyDocument, array: str) -> ReadOnlyDocument:
    """Returns the main entry of an array: the primary one, or else the first."""
    entries: Sequence[ReadOnlyDocument] = document.get(array, ())
    return next((each for each in entries if each.get("primary")), entries[0] if entries else NOTHING)


def others_of(document: ReadOnlyDocument, array: str) -> list[ReadOnlyDocument]:
    """Returns the entries besides the main one."""
    main = main_of(document, array)
    return [each for each in document.get(array, ()) if each is not main]


def _of_field(name: str, path: str) -> Column:
    return Column(name, path, lambda document: cell(document.get(path)))


def _of_main(name: str, array: str, key: str) -> Column:
    return Column(name, f"{array}[0].{key}", lambda document: cell(main_of(document, array).get(key)))


def _of_others(name: str, array: str, key: str) -> Column:
    return Column(name, name, lambda document: _listed([each.get(key) for each in others_of(document, array)]))


def _others_as_json(name: str, array: str) -> Column:
    return Column(name, name, lambda document: as_json(others_of(document, array)))


def _listed(values: Sequence[Any]) -> list[str] | None:
    """Returns the values as texts in their places, or None if all are empty."""
    texts = [_text(each) for each in values]
    return texts if any(texts) else None


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(cell(value))


def _of_property(name: str, outer: str, key: str) -> Column:
    return Column(name, f"{outer}.{key}", lambda document: cell(document.get(outer, NOTHING).get(key)))


def _columns_of(fields: Table) -> Iterator[Column]:
    """Yields the columns of the fields, in the order of the table. Raises ValueError for a field that lacks a name."""
    for each in fields:
        if isinstance(each, Object) and each.column_per_property:
            for inner in _with_columns(each):
                yield _of_property(inner.column or f"{each.name}_{inner.name}", each.name, inner.name)
        elif each.column is not None and not isinstance(each, CustomFields) and not _has_rows(each):
            yield _of_field(each.column or each.name, each.name)


def _contact_columns(array: Field) -> Iterator[Column]:
    """Yields the columns of the main entry and of the others. Raises ValueError for a property that lacks a name."""
    for each in _with_columns(array):
        if not each.column or not (each.others_column or array.others_column):
            raise ValueError(f"{array.name}.{each.name} needs `column` and `others_column`.")
        yield _of_main(each.column, array.name, each.name)
        if each.others_column:
            yield _of_others(each.others_column, array.name, each.name)
    if array.others_column:
        yield _others_as_json(array.others_column, array.name)


def _with_columns(outer: Field) -> Iterator[Field]:
    """Yields the properties that have a column. Raises ValueError for one that no cell can hold."""
    for each in properties(outer):
        if each.column is not None and (isinstance(each, Objects) or (each.others_column and isinstance(each, Object))):
            raise ValueError(f"{outer.name}.{each.name} is an array or object inside one, so it needs `column=None`.")
        if each.others_column and isinstance(each, Strings):
            raise ValueError(f"{outer.name}.{each.name} is an array inside an array, so it needs `column=None`.")
        if each.column is not None:
            yield each


def _has_rows(of: Field) -> bool:
    return isinstance(of, Objects) and bool(of.row_prefix)


def _without(fields: Table, *names: str) -> Table:
    return tuple(each for each in fields if each.name not in names)


BEGINNING: Final[tuple[Column, ...]] = (
    Column("id", "id", lambda document: document["_id"]),
    *(_of_field(name, name) for name in ("identifiers", "created_date", "modified_date", "origin_system")),
)
# The first columns of a person. Their order is fixed, so that spreadsheets made for an older file fit a newer one.
# Other columns follow in the order of the table; do not add new fields here.
PERSON_ORDER: Final = (
    "given_name",
    "family_name",
    "additional_name",
    "honorific_prefix",
    "honorific_suffix",
    "email_address",
    "email_status",
    "phone_number",
    "address_lines",
    "locality",
    "region",
    "postal_code",
    "country",
    "other_email_addresses",
    "other_email_statuses",
    "phone_number_type",
    "sms_capable",
    "do_not_call",
    "other_phone_numbers",
    "other_phone_number_types",
    "other_sms_capable",
    "other_do_not_call",
    "other_postal_addresses",
    "gender",
    "gender_identity",
    "additional_gender_identities",
    "gender_pronouns",
    "party_identification",
    "parties",
    "source",
    "ethnicities",
    "languages_spoken",
    "preferred_language",
    "browser_url",
    "administrative_url",
    "birthdate_year",
    "birthdate_month",
    "birthdate_day",
    "employer",
    "work_title",
    "work_department",
    "employer_address",
    "occupation",
    "profiles",
    "division_info",
    "venue",
    "address_language",
    "location",
    "postal_address_type",
    "postal_address_status",
    "postal_address_verified_date",
    "postal_address_occupation",
    "email_address_type",
    "other_email_address_types",
    "phone_extension",
    "other_phone_extensions",
    "phone_description",
    "other_phone_descriptions",
    "phone_operator",
    "other_phone_operators",
    "phone_country",
    "other_phone_countries",
)
PERSON_COLUMNS: Final[tuple[Column, ...]] = (
    *BEGINNING,
    *sorted(
        (
            *_columns_of(_without(PERSON_FIELDS, "origin_system", *CONTACTS)),
            *(column for array in CONTACT_FIELDS for column in _contact_columns(array)),
        ),
        key=lambda each: PERSON_ORDER.index(each.name) if each.name in PERSON_ORDER else len(PERSON_ORDER),
    ),
)
_PERSON: Final = {each.name: each for each in PERSON_COLUMNS}

# The contact details in a row of an outreach: of its person, and of its target.
TARGET_CONTACTS: Final = (
    "email_address",
    "phone_number",
    "address_lines",
    "locality",
    "region",
    "postal_code",
    "country",
)
OF_PERSON: Final[tuple[Column, ...]] = (
    Column("person_id", "person_id", lambda person: person.get("_id")),
    *(_PERSON[name] for name in ("given_name", "family_name", "email_address", "email_status", *TARGET_CONTACTS[1:])),
)
TARGETS: Final = next(each for each in OUTREACH_FIELDS if isinstance(each, Objects) and each.row_prefix)
TARGET_COLUMNS: Final[tuple[Column, ...]] = tuple(
    replace(each, name=f"{TARGETS.row_prefix}{each.name}", path=f"{TARGETS.name}[0].{each.name}")
    for each in (
        *_columns_of(_without(TARGETS.type.fields, *CONTACTS)),
        *(_PERSON[name] for name in TARGET_CONTACTS),
    )
)
OUTREACH_COLUMNS: Final[tuple[Column, ...]] = (
    *BEGINNING,
    *_columns_of(_without(OUTREACH_FIELDS, "origin_system")),
    Column("advocacy_campaign_id", "advocacy_campaign", lambda outreach: outreach["advocacy_campaign_id"]),
)
