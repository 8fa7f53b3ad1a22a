"""A row of a file as the body of a POST: each cell is read by the type of its field, and put at the field's path.

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
from osdi.fields.definition import Bool, DateTime, Email, PhoneNumber, Strings
from osdi.importing.csv_files import cell_values
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
    TAGS,
    TARGET_NUMBER,
    Column,
    contact_of,
    field_at,
)
from osdi.resources import CONTACTS

Body = dict[str, Any]

NUMBER_TYPES: Final = {"mobile": "Mobile", "home": "Home", "work": "Work"}
# Action Network writes tags with commas between them, in a column of this name.
COMMAS: Final = "can2_user_tags"
ADDRESS_LINES: Final = "address_lines"
IN_PARTS: Final = "Another column holds a part of it, or the whole; leave one out by --ignore."


class Unreadable(Exception):
    """A row that is no body; the text says which cell, and why."""


@dataclass(frozen=True)
class Reading:
    """How the rows of a file are read: what kind, its columns, in which order dates stand, what stands between tags.

    What our own export has written is `exact`: nothing in it has to be guessed, and no space is there by mistake.
    """

    kind: str
    columns: tuple[Column, ...]
    dates: cell_values.DayFirst | None = None
    tags_by: str | None = None
    exact: bool = False


def body_of(cells: Sequence[str], reading: Reading) -> tuple[Body, str | None]:
    """The body that a row makes, and the campaign that it names. Raises Unreadable."""
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
    """A cell's text; what our export has joined is restored value by value, when it is parted."""
    if not reading.exact:
        return restored(cell).strip()
    joined = IDENTIFIER.fullmatch(field) or field.removeprefix("person.") in (TAGS, LISTS, *OTHERS)
    return cell if joined or isinstance(field_at(field, reading.kind), Strings) else restored(cell)


def digest_of(cells: Sequence[str], reading: Reading, *more: str) -> str:
    """What makes an outreach known again that brings no identifier: its cells by their columns' names, wherever."""
    said = sorted(
        f"{column.name.strip().casefold()}\x1f{cell}"
        for column in reading.columns
        if (cell := restored(cells[column.index]).strip()) and column.because != "why it was refused"
    )
    return hashlib.sha256("\x1e".join((*more, *said)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _place(into: Body, kind: str, field: str, cell: str, column: Column, reading: Reading) -> None:
    """Puts a cell where its field belongs."""
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
            day = cell_values.date(cell, reading.dates)
            into["birthdate"] = {"year": day.year, "month": day.month, "day": day.day}
        elif field in AS_JSON[kind]:
            if field in into:
                raise ValueError(IN_PARTS)
            into[field] = _json(cell, AS_JSON[kind][field])
        elif field in OTHERS:
            is_bool = isinstance(OTHERS[field][1], Bool)
            into[field] = [each and cell_values.boolean(each) if is_bool else each for each in parted(cell)]
        else:
            _place_deep(into, kind, field, cell, reading)
    except ValueError as error:
        raise Unreadable(f"{column.name}: {error}") from None


def _place_deep(into: Body, kind: str, field: str, cell: str, reading: Reading) -> None:
    match = PATH.fullmatch(field)
    assert match is not None, field
    top, slot, leaf = match.group("top", "slot", "leaf")
    if leaf is None:
        into[top] = _converted(kind, field, cell, reading)
        return
    entry = into.setdefault(top, {})
    if not isinstance(entry, dict):
        raise ValueError(IN_PARTS)
    if top in ARRAYS:
        entry = entry.setdefault(slot or "0", {})
        if top == "phone_numbers" and leaf == "number" and (slot or "").partition("_")[0] in NUMBER_TYPES:
            entry.setdefault("number_type", NUMBER_TYPES[slot.partition("_")[0]])
    definition = field_at(field, kind)
    if isinstance(definition, Strings):  # of which the path may name a further line: `address_lines[2]`
        entry.setdefault(definition.name, []).extend(_strings(definition, cell, reading))
    else:
        entry[leaf] = _converted(kind, field, cell, reading)


def _converted(kind: str, field: str, cell: str, reading: Reading) -> Any:
    """Returns the cell as a body has it: by the type of the field, unless CONVERTERS has a rule for it."""
    definition = field_at(field, kind)
    if definition is None:  # a custom field
        return cell
    if isinstance(definition, Strings):
        return _strings(definition, cell, reading)
    if isinstance(definition, DateTime):
        return cell_values.timestamp(cell, reading.dates)
    if reading.exact and definition.name in ("country", "gender"):  # as it was posted, whatever it means
        return cell
    convert = CONVERTERS.get(f"{field.partition('[')[0]}.{definition.name}") or CONVERTERS.get(definition.name)
    if convert is None and isinstance(definition, Bool):
        convert = cell_values.boolean
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
    """Turn the entries by slot into arrays, those of other columns behind them."""
    for array in ARRAYS:
        if isinstance(body.get(array), dict):
            entries = list(body[array].values())
            # What is said of a number that is not there says nothing.
            body[array] = [each for each in entries if array != "phone_numbers" or "number" in each]
    for target in body.get("targets", ()):
        _give_contacts(target)
    _add_others(body)


def _give_contacts(target: Body) -> None:
    """Puts the contact details of a target, which a row has flat, into the arrays of a body."""
    for name in TARGET_CONTACTS:
        if name in target:
            array, of = contact_of(name)
            target.setdefault(array, [{}])[0][of.name] = target.pop(name)


def _add_others(person: Body) -> None:
    """Adds what our own export has in columns of their own: the entries besides the main one."""
    for array in CONTACTS:
        entries = [*_other_entries(person, array), *person.pop(f"other_{array}", [])]
        if entries:
            person[array] = [*person.get(array, []), *entries]
    if others := person.pop(OTHER_CUSTOM_FIELDS, None):
        person["custom_fields"] = {**others, **person.get("custom_fields", {})}


def _other_entries(person: Body, array: str) -> list[Body]:
    """Returns an entry for each other address or number; the columns of its properties are in the same order."""
    columns = {of: person.pop(name, []) for name, (of_array, of) in OTHERS.items() if of_array == array}
    value = next((of for of in columns if isinstance(of, Email | PhoneNumber)), None)
    if value is None:
        return []
    number = len(columns[value])
    rows = zip_longest(*(column[:number] for column in columns.values()), fillvalue="")
    return [{of.name: each for of, each in zip(columns, row, strict=True) if of is value or each != ""} for row in rows]


def _names(cell: str, column: Column, reading: Reading) -> list[str]:
    """The names of tags or lists in a cell."""
    if reading.exact and not reading.tags_by:
        return parted(cell)
    return _parted(cell, reading.tags_by or ("," if column.name.strip().casefold() == COMMAS else ";"))


def _parted(cell: str, by: str) -> list[str]:
    if by == ";":
        return [" ".join(part.split()) for part in parted(cell) if part.strip()]
    return [" ".join(part.split()) for part in cell.split(by) if part.strip()]


def _divided(name: str) -> dict[str, str]:
    """`Jane van Doe` and `van Doe, Jane`: the last word is the family name, unless a comma says what is."""
    before, comma, behind = name.partition(",")
    if comma:
        return {"family_name": before.strip(), "given_name": behind.strip()}
    given, _, family = " ".join(name.split()).rpartition(" ")
    return {"given_name": given, "family_name": family} if given else {"given_name": family}


def _json(cell: str, wanted: type) -> Any:
    try:
        found = orjson.loads(cell)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, wanted):
        raise ValueError("Not JSON as the export writes it.")
    return found


def _sms(text: str) -> bool:
    """Whether texts may be sent: yes or no, or Action Network's status, of which only `subscribed` lets them."""
    try:
        return cell_values.boolean(text)
    except ValueError:
        return cell_values.status(text) == "subscribed"


def _email(text: str) -> str:
    return text.removeprefix("mailto:").strip()


# Readings that do not follow from the type of a field.
CONVERTERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "email_addresses.status": cell_values.status,
    "email_addresses.address": _email,
    "phone_numbers.number": cell_values.phone_number,
    "phone_numbers.sms_capable": _sms,
    "gender": cell_values.gender,
    "country": cell_values.country,
}
