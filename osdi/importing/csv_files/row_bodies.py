"""Converts a row of a file to the body of a POST: reads each cell by its field's type, and puts it at the field's path.

Pure. The schemas validate the body.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

import orjson

from osdi.exporting.columns import TARGET_CONTACTS
from osdi.exporting.csv_cells import parted, restored
from osdi.fields.definition import Bool, DateTime, Email, Field, PhoneNumber, Strings
from osdi.importing.csv_files.column_mapping import (
    ARRAYS,
    AS_JSON,
    CAMPAIGN,
    IDENTIFIER,
    IGNORED,
    LISTS,
    NAME,
    OTHER_CUSTOM_FIELDS,
    OTHERS,
    OUTREACHES,
    PATH,
    PEOPLE,
    REJECTED_BECAUSE,
    TAGS,
    TARGET_NUMBER,
    Column,
    contact_of,
    field_at,
)
from osdi.resources import CONTACTS
from osdi.values import words
from osdi.values.dates import DayFirst, date, timestamp

Body = dict[str, Any]

NUMBER_TYPES: Final = {"mobile": "Mobile", "home": "Home", "work": "Work"}
# Action Network separates tags with commas, in a column of this name.
COMMAS: Final = "can2_user_tags"
ADDRESS_LINES: Final = "address_lines"
# Columns of our own export with several values in a cell, besides those of arrays of texts.
JOINED: Final = frozenset((TAGS, LISTS, *OTHERS))
# The columns of the other entries of each array, with the address or number first.
OTHER_COLUMNS: Final = {
    array: sorted(
        ((name, of) for name, (of_array, of) in OTHERS.items() if of_array == array),
        key=lambda each: not isinstance(each[1], Email | PhoneNumber),
    )
    for array in CONTACTS
}
IN_PARTS: Final = "Another column holds a part of this value, or all of it. Leave one out with --ignore."


class Unreadable(Exception):
    """A cell that cannot be read; the text names the column and the reason."""


@dataclass(frozen=True)
class Reading:
    """Options for reading rows: kind, columns, the order of day and month, and the separator of tags.

    `exact` is for our own exports: cells are read as they are, without guesses and without removing spaces.
    """

    kind: str
    columns: tuple[Column, ...]
    dates: DayFirst | None = None
    tag_separator: str | None = None
    exact: bool = False


def body_of(cells: Sequence[str], reading: Reading) -> tuple[Body, str | None]:
    """Returns the body of a row, and the campaign that the row names. Raises Unreadable."""
    person: Body = {}
    around: Body = {}
    outreach: Body = {}
    campaign = None
    for column in reading.columns:
        cell = _read(cells[column.index], column.field, reading)
        if column.field in (IGNORED, TARGET_NUMBER) or not cell.strip():
            continue
        if column.field == CAMPAIGN:
            campaign = cell.strip()
        elif column.field in (TAGS, LISTS):
            around.setdefault(column.field, []).extend(_names(cell, column, reading))
        else:
            into, kind, field = person, PEOPLE, column.field.removeprefix("person.")
            if reading.kind == OUTREACHES and field == column.field:
                into, kind = outreach, OUTREACHES
            _place(into, kind, field, cell, column, reading)
    for body in (person, outreach):
        _close(body)
    return {"person": person, **outreach, **around}, campaign


def _read(cell: str, field: str, reading: Reading) -> str:
    """Returns a cell's text. Lists from our own export stay escaped; `parted` restores each of their values."""
    if not reading.exact:
        return restored(cell).strip()
    joined = field.removeprefix("person.") in JOINED or isinstance(field_at(field, reading.kind), Strings)
    return cell if joined or IDENTIFIER.fullmatch(field) else restored(cell)


def digest_of(cells: Sequence[str], reading: Reading, *more: str) -> str:
    """Returns a digest that identifies an outreach without identifiers: of its cells and their columns' names.

    The order of the columns does not matter. `more` is text that is digested too.
    """
    named = sorted(
        f"{column.name.strip().casefold()}\x1f{cell}"
        for column in reading.columns
        if (cell := restored(cells[column.index]).strip()) and column.because != REJECTED_BECAUSE
    )
    return hashlib.sha256("\x1e".join((*more, *named)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _place(into: Body, kind: str, field: str, cell: str, column: Column, reading: Reading) -> None:
    """Puts the value of a cell at its field's path. Raises Unreadable."""
    try:
        if IDENTIFIER.fullmatch(field):
            system = field.partition("[")[2].rstrip("]")
            each = parted(cell) if reading.exact else re.split(r"[;\n]", cell)
            named = [text.strip() for text in each if text.strip()]
            into.setdefault("identifiers", []).extend(f"{system}:{text}" if system else text for text in named)
        elif field == NAME:
            for part, text in _divided(cell).items():
                into.setdefault(part, text)
        elif field == "birthdate":
            day = date(cell, reading.dates)
            into["birthdate"] = {"year": day.year, "month": day.month, "day": day.day}
        elif field in AS_JSON[kind]:
            if field in into:
                raise ValueError(IN_PARTS)
            into[field] = _json(cell, AS_JSON[kind][field])
        elif field in OTHERS:
            is_bool = isinstance(OTHERS[field][1], Bool)
            into[field] = [each and words.boolean(each) if is_bool else each for each in parted(cell)]
        else:
            _place_deep(into, kind, field, cell, reading)
    except ValueError as error:
        raise Unreadable(f"{column.name}: {error}") from None


def _place_deep(into: Body, kind: str, field: str, cell: str, reading: Reading) -> None:
    match = PATH.fullmatch(field)
    assert match is not None, field
    top, slot, leaf = match.group("top", "slot", "leaf")
    definition = field_at(field, kind)
    if leaf is None:
        into[top] = _converted(definition, field, cell, reading)
        return
    entry = into.setdefault(top, {})
    if not isinstance(entry, dict):
        raise ValueError(IN_PARTS)
    if top in ARRAYS:
        entry = entry.setdefault(slot or "0", {})
        if top == "phone_numbers" and leaf == "number" and (slot or "").partition("_")[0] in NUMBER_TYPES:
            entry.setdefault("number_type", NUMBER_TYPES[slot.partition("_")[0]])
    if isinstance(definition, Strings):  # the path may name another line: `address_lines[2]`
        entry.setdefault(definition.name, []).extend(_strings(definition, cell, reading))
    else:
        entry[leaf] = _converted(definition, field, cell, reading)


def _converted(definition: Field | None, field: str, cell: str, reading: Reading) -> Any:
    """Returns the value of a cell: by CONVERTERS if they have the field, else by the type of the field."""
    if definition is None:  # a custom field
        return cell
    if isinstance(definition, Strings):
        return _strings(definition, cell, reading)
    if isinstance(definition, DateTime):
        return timestamp(cell, reading.dates)
    if reading.exact and definition.name in ("country", "gender"):  # exported as it was posted
        return cell
    convert = CONVERTERS.get(f"{field.partition('[')[0]}.{definition.name}") or CONVERTERS.get(definition.name)
    if convert is None and isinstance(definition, Bool):
        convert = words.boolean
    return convert(cell) if convert else cell


def _strings(of: Strings, cell: str, reading: Reading) -> list[str]:
    """Returns the texts in a cell; a street address is written in lines."""
    if reading.exact:
        return parted(cell)
    if of.name == ADDRESS_LINES:
        lines = "\n".join(parted(cell)) if ";" in cell else cell
        return [line.strip() for line in lines.splitlines() if line.strip()]
    return _parted(cell, ";" if ";" in cell else ",")


def _close(body: Body) -> None:
    """Converts the entries by slot to arrays, and appends the entries from the `other_` columns."""
    for array in ARRAYS:
        if isinstance(body.get(array), dict):
            entries = list(body[array].values())
            # Properties of a phone number without the number are dropped.
            body[array] = [each for each in entries if array != "phone_numbers" or "number" in each]
    for target in body.get("targets", ()):
        _give_contacts(target)
    _add_others(body)


def _give_contacts(target: Body) -> None:
    """Moves the contact details of a target, which are flat in a row, into arrays."""
    for name in TARGET_CONTACTS:
        if name in target:
            array, of = contact_of(name)
            target.setdefault(array, [{}])[0][of.name] = target.pop(name)


def _add_others(person: Body) -> None:
    """Appends the entries from the `other_` columns of our own export, and the other custom fields."""
    for array in CONTACTS:
        entries = [*_other_entries(person, array), *person.pop(f"other_{array}", [])]
        if entries:
            person[array] = [*person.get(array, []), *entries]
    if others := person.pop(OTHER_CUSTOM_FIELDS, None):
        person["custom_fields"] = {**others, **person.get("custom_fields", {})}


def _other_entries(person: Body, array: str) -> list[Body]:
    """Returns an entry for each other address or number; the columns list its properties in the same order."""
    properties = OTHER_COLUMNS[array]
    values, *further = [person.pop(name, []) for name, _ in properties] or [[]]
    rows = zip_longest(values, *(each[: len(values)] for each in further), fillvalue="")
    return [
        {of.name: each for (_, of), each in zip(properties, row, strict=True) if each != "" or of is properties[0][1]}
        for row in rows
    ]


def _names(cell: str, column: Column, reading: Reading) -> list[str]:
    """Returns the names of tags or lists in a cell."""
    if reading.exact and not reading.tag_separator:
        return parted(cell)
    return _parted(cell, reading.tag_separator or ("," if column.name.strip().casefold() == COMMAS else ";"))


def _parted(cell: str, by: str) -> list[str]:
    if by == ";":
        return [" ".join(part.split()) for part in parted(cell) if part.strip()]
    return [" ".join(part.split()) for part in cell.split(by) if part.strip()]


def _divided(name: str) -> dict[str, str]:
    """Splits a full name: `van Doe, Jane` at the comma, `Jane van Doe` before the last word."""
    before, comma, after = name.partition(",")
    if comma:
        return {"family_name": before.strip(), "given_name": after.strip()}
    given, _, family = " ".join(name.split()).rpartition(" ")
    return {"given_name": given, "family_name": family} if given else {"given_name": family}


def _json(cell: str, wanted: type) -> Any:
    try:
        found = orjson.loads(cell)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, wanted):
        raise ValueError("Not JSON in the form that the export writes.")
    return found


def _sms(text: str) -> bool:
    """True if text messages may be sent: the cell is a yes, or Action Network's status `subscribed`."""
    try:
        return words.boolean(text)
    except ValueError:
        return words.status(text) == "subscribed"


def _email(text: str) -> str:
    return text.removeprefix("mailto:").strip()


# Conversions that do not follow from the type of a field.
CONVERTERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "email_addresses.status": words.status,
    "email_addresses.address": _email,
    "phone_numbers.number": words.phone_number,
    "phone_numbers.sms_capable": _sms,
    "gender": words.gender,
    "country": words.country,
}
