"""What a CSV file has of people, outreaches and the rest: its columns, always in one order, and the cells of a row.

docs/exporting.md lists the columns for users, and a test compares. Custom fields come last, a column each, since only
they differ from file to file: those that most people have, by name, and what no column has as JSON in the very last.

Pure: documents and the names of what they point at go in.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from osdi.documents import ReadOnlyDocument
from osdi.exporting.csv_cells import Cell
from osdi.resources import ENTRIES, REFERENCES, Resource

# The name of what an id stands for, such as a tag's; the id itself of what is gone.
NameOf = Callable[[str], str]
Column = tuple[str, Callable[[ReadOnlyDocument], Cell]]

CUSTOM: Final = "custom_fields"
OTHERS: Final = "other_custom_fields"
CUSTOM_COLUMNS: Final = 200

NOTHING: Final[ReadOnlyDocument] = {}


def cell(value: Any) -> Cell:
    """A stored value as a cell: dates in ISO 8601, arrays of texts as a list, anything deeper as JSON."""
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds") + "Z"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return value
    if isinstance(value, list | dict):
        return as_json(value)
    found: Cell = value
    return found


def as_json(value: Any) -> str | None:
    """A deep value as the JSON that the API answers; nothing for an empty one."""
    return orjson.dumps(value, option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z).decode() if value else None


def main_of(document: ReadOnlyDocument, array: str) -> ReadOnlyDocument:
    """The entry that is meant where one is asked for: the primary one, or else the first."""
    entries: Sequence[ReadOnlyDocument] = document.get(array, ())
    return next((each for each in entries if each.get("primary")), entries[0] if entries else NOTHING)


def others_of(document: ReadOnlyDocument, array: str) -> list[ReadOnlyDocument]:
    """The entries besides that one."""
    main = main_of(document, array)
    return [each for each in document.get(array, ()) if each is not main]


def _field(name: str) -> Column:
    return name, lambda document: cell(document.get(name))


def _main(array: str, **names: str) -> list[Column]:
    """Columns of the entry that is meant, by name the property."""
    return [_of_main(name, array, key) for name, key in names.items()]


def _of_main(name: str, array: str, key: str) -> Column:
    return name, lambda document: cell(main_of(document, array).get(key))


def _others(name: str, array: str, key: str) -> Column:
    return name, lambda document: _listed([each.get(key) for each in others_of(document, array)])


def _listed(values: Sequence[Any]) -> list[str] | None:
    """The values as texts in their places; nothing where there is none at all."""
    texts = ["" if each is None else str(each).lower() if isinstance(each, bool) else str(each) for each in values]
    return texts if any(texts) else None


def _within(name: str, outer: str, key: str) -> Column:
    return name, lambda document: cell(document.get(outer, NOTHING).get(key))


BEGINNING: Final[tuple[Column, ...]] = (
    ("id", lambda document: document["_id"]),
    *map(_field, ("identifiers", "created_date", "modified_date", "origin_system")),
)
CONTACT: Final[tuple[Column, ...]] = (
    *_main("email_addresses", email_address="address", email_status="status"),
    *_main("phone_numbers", phone_number="number"),
    *_main("postal_addresses", address_lines="address_lines", locality="locality", region="region"),
    *_main("postal_addresses", postal_code="postal_code", country="country"),
)
PERSON_COLUMNS: Final[tuple[Column, ...]] = (
    *BEGINNING,
    *map(_field, ("given_name", "family_name", "additional_name", "honorific_prefix", "honorific_suffix")),
    *CONTACT,
    _others("other_email_addresses", "email_addresses", "address"),
    _others("other_email_statuses", "email_addresses", "status"),
    *_main("phone_numbers", phone_number_type="number_type", sms_capable="sms_capable", do_not_call="do_not_call"),
    _others("other_phone_numbers", "phone_numbers", "number"),
    _others("other_phone_number_types", "phone_numbers", "number_type"),
    _others("other_sms_capable", "phone_numbers", "sms_capable"),
    _others("other_do_not_call", "phone_numbers", "do_not_call"),
    ("other_postal_addresses", lambda person: as_json(others_of(person, "postal_addresses"))),
    *map(_field, ("gender", "gender_identity", "additional_gender_identities", "gender_pronouns")),
    *map(_field, ("party_identification", "parties", "source", "ethnicities", "languages_spoken")),
    *map(_field, ("preferred_language", "browser_url", "administrative_url")),
    *(_within(f"birthdate_{part}", "birthdate", part) for part in ("year", "month", "day")),
    *map(_field, ("employer", "work_title", "work_department", "employer_address", "occupation")),
    *map(_field, ("profiles", "division_info")),
)
# Of a person beside an outreach, and of a target: to whom it went, and who spoke.
OF_PERSON: Final[tuple[Column, ...]] = (
    ("person_id", lambda person: person.get("_id")),
    *map(_field, ("given_name", "family_name")),
    *CONTACT,
)
TARGET_COLUMNS: Final[tuple[Column, ...]] = (
    *((f"target_{name}", _field(name)[1]) for name in ("title", "organization", "given_name", "family_name", "ocdid")),
    *((f"target_{name}", value) for name, value in CONTACT if name != "email_status"),
)
OUTREACH_COLUMNS: Final[tuple[Column, ...]] = (
    *BEGINNING,
    *map(_field, ("action_date", "type", "duration", "subject", "message", "notes")),
    *(_within(name, "referrer_data", name) for name in ("source", "referrer", "website", "url")),
    ("advocacy_campaign_id", lambda outreach: outreach["advocacy_campaign_id"]),
)


def has_column(custom: str) -> bool:
    """Whether a custom field's name can be that of a column: one that is read again as it was written."""
    return custom == custom.strip() and custom.isprintable()


def person_columns(custom: Sequence[str]) -> list[str]:
    """The names of a person's columns, where these custom fields have one each."""
    fixed = [name for name, _ in PERSON_COLUMNS]
    return [*fixed, "tags", "lists", *(f"{CUSTOM}/{name}" for name in custom), OTHERS]


def person_row(person: ReadOnlyDocument, custom: Mapping[str, Any], name_of: NameOf) -> list[Cell]:
    """The cells of a person, where the keys of `custom` are the custom fields that have a column."""
    fields = person.get(CUSTOM, {})
    left = {name: value for name, value in fields.items() if name not in custom} if fields else None
    return [
        *(value(person) for _, value in PERSON_COLUMNS),
        [name_of(each["tag_id"]) for each in person.get("taggings", ())],
        [name_of(each["list_id"]) for each in person.get("items", ())],
        *(fields.get(name) for name in custom),
        as_json(left),
    ]


def outreach_columns(*, with_tags: bool) -> list[str]:
    """The names of an outreach's columns: the outreach, its campaign, the person, their tags, and one target."""
    columns = (*OUTREACH_COLUMNS, ("advocacy_campaign", None), *OF_PERSON)
    tags = ("person_tags",) if with_tags else ()
    return [*(name for name, _ in columns), *tags, "target_number", *(name for name, _ in TARGET_COLUMNS)]


def outreach_rows(
    outreach: ReadOnlyDocument, person: ReadOnlyDocument | None, name_of: NameOf, *, with_tags: bool
) -> Iterator[list[Cell]]:
    """A row for each target of the outreach, numbered from 1; one without target where it has none."""
    person = person or NOTHING
    beginning: list[Cell] = [
        *(value(outreach) for _, value in OUTREACH_COLUMNS),
        name_of(outreach["advocacy_campaign_id"]),
        *(value(person) for _, value in OF_PERSON),
        *([[name_of(each["tag_id"]) for each in person.get("taggings", ())]] if with_tags else ()),
    ]
    targets: Sequence[ReadOnlyDocument] = outreach.get("targets", ())
    for number, target in enumerate(targets, 1):
        yield [*beginning, number, *(value(target) for _, value in TARGET_COLUMNS)]
    if not targets:
        yield [*beginning, None, *(None for _ in TARGET_COLUMNS)]


def other_columns(resource: Resource) -> list[str]:
    """The names of the columns of anything else: as the standard's page has its fields, and what it points at."""
    pointing = [name for field in _pointers(resource) for name in (field, field.removesuffix("_id"))]
    return [*(name for name, _ in BEGINNING), *(name for name in resource.fields if name != "origin_system"), *pointing]


def other_row(resource: Resource, document: ReadOnlyDocument, name_of: NameOf) -> list[Cell]:
    """The cells of anything else; what it points at by id and by name."""
    pointing = [each for field in _pointers(resource) for each in _pointed_at(document.get(field), name_of)]
    fields = (cell(document.get(name)) for name in resource.fields if name != "origin_system")
    return [*(value(document) for _, value in BEGINNING), *fields, *pointing]


def _pointers(resource: Resource) -> list[str]:
    """The fields of a document that hold the id of something else."""
    if resource in ENTRIES:
        return [ENTRIES[resource][1], "person_id"]
    return list(REFERENCES.get(resource, ()))


def _pointed_at(document_id: str | None, name_of: NameOf) -> tuple[Cell, Cell]:
    return document_id, name_of(document_id) if document_id else None
