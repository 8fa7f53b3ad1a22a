"""Converts a row of a file to the body of a POST: reads each cell by its field's type, and puts it at the field's path.

A cell that cannot be read is left out with a warning. Only cells about consent, and the date of an outreach, reject
their row: nothing is guessed there. Pure. The schemas validate the body.
"""

import csv
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import orjson

from osdi.exporting.csv_cells import parted, restored
from osdi.fields.definition import Bool, DateTime, Field, Object, Strings, WholeNumber
from osdi.importing.csv_files import cells as values
from osdi.importing.csv_files.column_mapping import (
    ARRAYS,
    AS_JSON,
    CAMPAIGN,
    IDENTIFIER,
    IGNORED,
    LISTS,
    NAME,
    OTHERS,
    OUTREACHES,
    PATH,
    PATHS,
    PEOPLE,
    REJECTED_BECAUSE,
    TAGS,
    TARGET_NUMBER,
    Column,
    field_at,
    is_flag,
)
from osdi.importing.csv_files.contact_entries import Origins, bounce, close, kind_of_slot
from osdi.importing.csv_files.row_consent import Consent, apply_consent
from osdi.values import dates, words
from osdi.values.dates import DayFirst
from osdi.values.opt_out_flags import CALLS, MAIL, TEXTS, without_opt_out_words

Body = dict[str, Any]

ADDRESS_LINES: Final = "address_lines"
# Columns of our own export with several values in a cell, besides those of arrays of texts.
JOINED: Final = frozenset((TAGS, LISTS, *OTHERS))
IN_PARTS: Final = "Another column holds a part of this value, or all of it. Leave one out with --ignore."
# Google Contacts writes its own groups so, and separates groups by GOOGLE_BETWEEN.
GOOGLE_GROUP: Final = "* "
# A cell of these fields rejects its row if it cannot be read.
DECISIVE: Final = (
    "status",
    "sms_capable",
    "do_not_call",
    "action_date",
    "other_email_statuses",
    "other_sms_capable",
    "other_do_not_call",
)
# The addresses and numbers of a person, and what words beside them can opt out of.
CONTACT_DETAILS: Final = re.compile(r"(email_addresses|phone_numbers)(?:\[\w+\])?\.(?:address|number)")
CHANNELS_OF: Final = {"email_addresses": frozenset((MAIL,)), "phone_numbers": frozenset((CALLS, TEXTS))}
# Fields that a cell fills besides its own.
PARTS: Final = {"gender": ("gender_identity",), NAME: ("given_name", "family_name")}


class Unreadable(Exception):
    """A cell that rejects its row; the text names the column and the reason."""


@dataclass(frozen=True)
class Reading:
    """Options for reading rows: kind, columns, the order of day and month, and the separator of tags.

    `exact` is for our own exports: cells are read as they are, without guesses and without removing spaces. With
    `unsubscribed` no person of the file wants e-mails.
    """

    kind: str
    columns: tuple[Column, ...]
    dates: DayFirst | None = None
    tag_separator: str | None = None
    exact: bool = False
    unsubscribed: bool = False


@dataclass
class Row:
    """A row as the body of a POST, with the campaign that it names.

    `consent` has what its person opted out of, `warnings` the reasons why cells were left out (`unreadable`: those that
    could not be read), and `origins` the column of each value by its path in the person or outreach.
    """

    body: Body
    campaign: str | None = None
    consent: Consent = field(default_factory=Consent)
    warnings: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    origins: Origins = field(default_factory=dict)


def row_of(cells: Sequence[str], reading: Reading) -> Row:
    """Returns the row. Raises Unreadable for a row that has to be rejected."""
    person: Body = {}
    around: Body = {}
    outreach: Body = {}
    row = Row({})
    of_person: Origins = {}
    of_outreach: Origins = {}
    for column in reading.columns:
        cell = _read(cells[column.index], column, reading, row)
        if cell is None:
            continue
        field = column.field.removeprefix("person.")
        if not reading.exact and (opted_out := _channels_of(field)):
            cell = _without_opt_out_words(cell, opted_out, column, row)
            if not cell:
                continue
        if column.field == CAMPAIGN:
            row.campaign = cell.strip()
        elif column.field in (TAGS, LISTS):
            around.setdefault(column.field, []).extend(_names(cell, reading))
        elif is_flag(column.field):
            _add_flag(row.consent, field, cell, column)
        elif reading.kind == OUTREACHES and field == column.field:
            _try_to_place(outreach, OUTREACHES, field, cell, column, reading, row, of_outreach)
        else:
            _try_to_place(person, PEOPLE, field, cell, column, reading, row, of_person)
    if reading.unsubscribed:
        row.consent.opted_out.add(MAIL)
    bounce(person, row.consent)
    row.warnings += close(person, row.consent, of_person)
    row.warnings += close(outreach, row.consent, of_outreach)
    apply_consent(person, row.consent)
    row.origins = {**{f"person.{path}": name for path, name in of_person.items()}, **of_outreach}
    row.body = {"person": person, **outreach, **around}
    return row


@lru_cache(PATHS)
def _channels_of(field: str) -> frozenset[str] | None:
    """Returns what words beside an address or number can opt out of; None for another field."""
    of = CONTACT_DETAILS.fullmatch(field)
    return CHANNELS_OF[of[1]] if of else None


@lru_cache(PATHS)
def _is_identifier(field: str) -> bool:
    return IDENTIFIER.fullmatch(field) is not None


@lru_cache(PATHS)
def _steps(field: str) -> tuple[str, str | None, str | None]:
    """Returns the parts of a field's path: the name at its top, the slot of an array, the property of its entry."""
    match = PATH.fullmatch(field)
    assert match is not None, field
    return match["top"], match["slot"], match["leaf"]


def _without_opt_out_words(cell: str, opted_out: frozenset[str], column: Column, row: Row) -> str:
    """Returns the cell of an address or number without words of an opt-out, which it adds to the row's consent."""
    kept, is_opt_out = without_opt_out_words(cell)
    if is_opt_out:
        row.consent.opted_out |= opted_out
        row.warnings.append(
            f"{column.name}: The cell says that the person opted out of {' and '.join(sorted(opted_out))}."
        )
    return kept


def _read(cell: str, column: Column, reading: Reading, row: Row) -> str | None:
    """Returns a cell's text, or None if it has no value.

    Lists from our own export stay escaped; `parted` restores each of their values.
    """
    field = column.field
    if field in (IGNORED, TARGET_NUMBER) or not cell.strip():
        return None
    if not reading.exact:
        text = restored(cell).strip()
        if not is_flag(field) and values.is_empty(text, field):
            if text and not dates.ZERO_DATE.fullmatch(text):
                row.warnings.append(f"{column.name}: '{text}' is read as an empty cell.")
            return None
        return text or None
    joined = field.removeprefix("person.") in JOINED or isinstance(field_at(field, reading.kind), Strings)
    return cell if joined or _is_identifier(field) else restored(cell)


def _add_flag(consent: Consent, flag: str, cell: str, column: Column) -> None:
    try:
        consent.add(flag, cell)
    except ValueError as error:
        raise Unreadable(f"{column.name}: {error}") from None


def _try_to_place(
    into: Body, kind: str, field: str, cell: str, column: Column, reading: Reading, row: Row, origins: Origins
) -> None:
    """Puts the value of a cell at its field's path, or leaves it out with a warning. Raises Unreadable."""
    try:
        _place(into, kind, field, cell, reading)
    except ValueError as error:
        if field.rpartition(".")[2] in DECISIVE:
            raise Unreadable(f"{column.name}: {error}") from None
        row.warnings.append(f"{column.name}: {error}")
        row.unreadable.append(f"{column.name}: {error}")
        return
    origins.update(dict.fromkeys(PARTS.get(field, ()), column.name))
    origins[_with_slot(field)] = column.name


@lru_cache(PATHS)
def _with_slot(field: str) -> str:
    match = PATH.fullmatch(field)
    if match is None or match["top"] not in ARRAYS or match["leaf"] is None:
        return field
    return f"{match['top']}[{match['slot'] or '0'}].{match['leaf']}"


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


def _place(into: Body, kind: str, field: str, cell: str, reading: Reading) -> None:
    """Puts the value of a cell at its field's path. Raises ValueError."""
    if _is_identifier(field):
        system = field.partition("[")[2].rstrip("]")
        each = parted(cell) if reading.exact else [values.whole(text) for text in re.split(r"[;\n]", cell)]
        named = [text.strip() for text in each if text.strip()]
        into.setdefault("identifiers", []).extend(f"{system}:{text}" if system else text for text in named)
    elif field == NAME:
        for part, text in _divided(cell).items():
            into.setdefault(part, text)
    elif field == "birthdate":
        if found := dates.birthdate(cell, reading.dates):
            into["birthdate"] = found
    elif field == "gender" and not reading.exact:
        _place_gender(into, cell)
    elif field in AS_JSON[kind]:
        if field in into:
            raise ValueError(IN_PARTS)
        into[field] = _json(cell, AS_JSON[kind][field])
    elif field in OTHERS:
        definition = OTHERS[field][1]
        convert = words.boolean if isinstance(definition, Bool) else EXACT_CONVERTERS.get(definition.name, str)
        into[field] = [each and convert(each) for each in parted(cell)]
    else:
        _place_deep(into, kind, field, cell, reading)


def _place_gender(into: Body, cell: str) -> None:
    found = words.gender_fields(cell)
    if not found:
        raise ValueError("The answer states no gender.")
    for name, value in found.items():
        into.setdefault(name, value)


def _place_deep(into: Body, kind: str, field: str, cell: str, reading: Reading) -> None:
    top, slot, leaf = _steps(field)
    definition = field_at(field, kind)
    if leaf is None:
        into[top] = _converted(definition, field, cell, reading)
        return
    entry = into.get(top, {})
    if not isinstance(entry, dict):
        raise ValueError(IN_PARTS)
    entries, slot = entry, slot or "0"
    if top in ARRAYS:
        entry = entries.get(slot, {})
        if found := kind_of_slot(top, slot):
            entry.setdefault(*found)
    if isinstance(definition, Strings):  # the path may name another line: `address_lines[2]`
        entry.setdefault(definition.name, []).extend(_strings(definition, cell, reading))
    elif not reading.exact and f"{top}.{leaf}" in SEVERAL:
        _place_several(entries, slot, entry, leaf, SEVERAL[f"{top}.{leaf}"](cell))
    else:
        entry[leaf] = _converted(definition, field, cell, reading)
    # Only now: a cell that cannot be read leaves no empty entry.
    into[top] = entries
    if top in ARRAYS:
        entries[slot] = entry


def _place_several(entries: Body, slot: str, entry: Body, leaf: str, found: Sequence[str]) -> None:
    """Puts the first value into the entry, and each other value into an entry of its own, with the same type."""
    first, *others = found
    kind = {name: value for name, value in entry.items() if name in ("number_type", "address_type")}
    entry[leaf] = first
    entries[slot] = entry
    for number, value in enumerate(others, 2):
        entries[f"{slot}_also{number}"] = {**kind, leaf: value}


def _converted(definition: Field | None, field: str, cell: str, reading: Reading) -> Any:
    """Returns the value of a cell: by CONVERTERS if they have the field, else by the type of the field."""
    if definition is None:  # a custom field
        return cell
    if isinstance(definition, Strings):
        return _strings(definition, cell, reading)
    if isinstance(definition, Object):
        return _json(cell, dict)
    if isinstance(definition, DateTime):
        return dates.timestamp(cell, reading.dates)
    names = (f"{field.partition('[')[0]}.{definition.name}", definition.name)
    if reading.exact and not isinstance(definition, Bool | WholeNumber):  # exported as it was posted
        convert = next((EXACT_CONVERTERS[each] for each in names if each in EXACT_CONVERTERS), None)
        return convert(cell) if convert else cell
    convert = next((CONVERTERS[each] for each in names if each in CONVERTERS), None)
    if convert is None and isinstance(definition, Bool | WholeNumber):
        convert = words.boolean if isinstance(definition, Bool) else values.whole
    return convert(cell) if convert else cell


def _strings(of: Strings, cell: str, reading: Reading) -> list[str]:
    """Returns the texts in a cell; a street address is written in lines."""
    if reading.exact:
        return parted(cell)
    if of.name == ADDRESS_LINES:
        lines = "\n".join(parted(cell)) if ";" in cell else cell
        return [line.strip() for line in lines.splitlines() if line.strip()]
    return _parted(cell, ";" if ";" in cell else ",")


def _names(cell: str, reading: Reading) -> list[str]:
    """Returns the names of tags or lists in a cell: separated by semicolons, or by commas if it has no semicolon."""
    if reading.exact and not reading.tag_separator:
        return parted(cell)
    if reading.tag_separator:
        return _parted(cell, reading.tag_separator)
    if values.GOOGLE_BETWEEN in cell or cell.startswith(GOOGLE_GROUP):
        return [each for each in _parted(cell, values.GOOGLE_BETWEEN) if not each.startswith(GOOGLE_GROUP)]
    if ";" in cell:
        return _parted(cell, ";")
    # Mailchimp writes each tag in quotation marks.
    return [" ".join(each.split()) for each in next(csv.reader([cell], skipinitialspace=True), []) if each.strip()]


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


def _number(text: str) -> str:
    return words.phone_number(values.whole(text))


# Fields whose cell may have several values, each for an entry of its own.
SEVERAL: Final[Mapping[str, Callable[[str], list[str]]]] = {
    "email_addresses.address": values.email_addresses,
    "phone_numbers.number": values.phone_numbers,
}
# Conversions of our own export, whose cells a spreadsheet may have changed.
EXACT_CONVERTERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "email_addresses.status": words.status,
    "number": _number,
    "phone_number": _number,
    "postal_code": values.whole,
}
# Conversions that do not follow from the type of a field.
CONVERTERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "email_addresses.status": words.status,
    "email_addresses.address_type": values.email_type,
    "phone_numbers.sms_capable": _sms,
    "phone_numbers.number_type": values.number_type,
    "postal_addresses.address_type": values.address_type,
    "postal_code": values.postal_code,
    "country": words.country,
    "duration": dates.duration,
}
