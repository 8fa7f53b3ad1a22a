"""Rows of a CSV file of people, outreaches and other resources, and the names of their columns.

The most frequent custom fields have a column each, sorted by name, after the fixed columns. The last column has the
other custom fields as JSON.

Pure: the caller passes documents and the names of the resources that they refer to.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from osdi.documents import ReadOnlyDocument
from osdi.exporting.columns import (
    BEGINNING,
    NOTHING,
    OF_PERSON,
    OUTREACH_COLUMNS,
    PERSON_COLUMNS,
    TARGET_COLUMNS,
    as_json,
    cell,
)
from osdi.exporting.csv_cells import Cell
from osdi.resources import ENTRIES, REFERENCES, Resource
from osdi.values.custom_field_names import as_sent

# Returns the name of the resource with an id, such as a tag's name, or the id itself if the resource was deleted.
NameOf = Callable[[str], str]

CUSTOM: Final = "custom_fields"
OTHERS: Final = "other_custom_fields"
CUSTOM_COLUMNS: Final = 200


def has_column(custom: str) -> bool:
    """True if a custom field's name can be a column name: an import reads it back unchanged."""
    return custom == custom.strip() and custom.isprintable()


def person_columns(custom: Sequence[str]) -> list[str]:
    """Returns the names of a person's columns, with a column for each of these custom fields."""
    fixed = [each.name for each in PERSON_COLUMNS]
    return [*fixed, "tags", "lists", *(f"{CUSTOM}/{name}" for name in custom), OTHERS]


def person_row(person: ReadOnlyDocument, custom: Mapping[str, Any], *, tags: list[str], lists: list[str]) -> list[Cell]:
    """Returns the cells of a person; the keys of `custom` are the custom fields that have a column.

    `tags` and `lists` are names.
    """
    fields = as_sent(person.get(CUSTOM, {}))
    others = {name: value for name, value in fields.items() if name not in custom} if fields else None
    return [
        *(each.cell(person) for each in PERSON_COLUMNS),
        tags,
        lists,
        *(fields.get(name) for name in custom),
        as_json(others),
    ]


def outreach_columns(*, with_tags: bool) -> list[str]:
    """Returns the names of an outreach's columns: outreach, campaign, person, the person's tags, and one target."""
    outreach, person, target = (
        [each.name for each in columns] for columns in (OUTREACH_COLUMNS, OF_PERSON, TARGET_COLUMNS)
    )
    tags = ("person_tags",) if with_tags else ()
    return [*outreach, "advocacy_campaign", *person, *tags, "target_number", *target]


def outreach_rows(
    outreach: ReadOnlyDocument, person: ReadOnlyDocument | None, name_of: NameOf, *, tags: list[str] | None
) -> Iterator[list[Cell]]:
    """Yields a row for each target of the outreach, numbered from 1, or one row if it has no targets.

    `tags` are the names of the person's tags; None leaves out their column.
    """
    person = person or NOTHING
    beginning: list[Cell] = [
        *(each.cell(outreach) for each in OUTREACH_COLUMNS),
        name_of(outreach["advocacy_campaign_id"]),
        *(each.cell(person) for each in OF_PERSON),
        *([] if tags is None else [tags]),
    ]
    targets: Sequence[ReadOnlyDocument] = outreach.get("targets", ())
    for number, target in enumerate(targets, 1):
        yield [*beginning, number, *(each.cell(target) for each in TARGET_COLUMNS)]
    if not targets:
        yield [*beginning, None, *(None for _ in TARGET_COLUMNS)]


def other_columns(resource: Resource) -> list[str]:
    """Returns the names of another resource's columns: its fields in the standard's order, then its references."""
    references = [name for field in _reference_fields(resource) for name in (field, field.removesuffix("_id"))]
    return [
        *(each.name for each in BEGINNING),
        *(name for name in resource.fields if name != "origin_system"),
        *references,
    ]


def other_row(resource: Resource, document: ReadOnlyDocument, name_of: NameOf) -> list[Cell]:
    """Returns the cells of another resource; references have their id and their name."""
    references = [each for field in _reference_fields(resource) for each in _id_and_name(document.get(field), name_of)]
    fields = (cell(document.get(name)) for name in _fields(resource))
    return [*(each.cell(document) for each in BEGINNING), *fields, *references]


def _fields(resource: Resource) -> list[str]:
    return [name for name in resource.fields if name != "origin_system"]


def _reference_fields(resource: Resource) -> list[str]:
    """Returns the fields of a document that hold the id of another resource."""
    if resource in ENTRIES:
        return [ENTRIES[resource][1], "person_id"]
    return list(REFERENCES.get(resource, ()))


def _id_and_name(document_id: str | None, name_of: NameOf) -> tuple[Cell, Cell]:
    return document_id, name_of(document_id) if document_id else None
