"""A row of a file as the body of a POST: cells go to the places that their columns name, read as those want it.

Pure. Whether the body can be taken is for the schemas to say.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

import orjson

from osdi.exporting.csv_cells import parted, restored
from osdi.importing.csv_files import cell_values
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
    TAGS,
    TARGET_NUMBER,
    Column,
)

Body = dict[str, Any]

NUMBER_TYPES: Final = {"mobile": "Mobile", "home": "Home", "work": "Work"}
# Action Network writes tags with commas between them, in a column of this name.
COMMAS: Final = "can2_user_tags"
PLACE: Final = ("address_lines", "locality", "region", "postal_code", "country")
DATED: Final = ("action_date", "last_verified_date")
# Of what is one JSON in a cell, that which is an object; the rest are arrays.
OBJECTS: Final = ("gender_pronouns", "employer_address", "other_custom_fields")
IN_PARTS: Final = "Another column holds a part of it, or the whole; leave one out by --ignore."
SEVERAL: Final = ("languages_spoken", "ethnicities", "additional_gender_identities")


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
            into, field = person, column.field.removeprefix("person.")
            if reading.kind == OUTREACHES and field == column.field:
                into = outreach
            _place(into, field, cell, column, reading)
    for body in (person, outreach):
        _close(body)
    return {"person": person, **outreach, **around}, campaign


def _read(cell: str, field: str, reading: Reading) -> str:
    """A cell's text; what our export has joined is restored value by value, when it is parted."""
    if not reading.exact:
        return restored(cell).strip()
    last = field.removeprefix("person.").rpartition(".")[2]
    joined = IDENTIFIER.fullmatch(field) or last in (TAGS, LISTS, *OTHERS, *SEVERAL, "address_lines")
    return cell if joined else restored(cell)


def digest_of(cells: Sequence[str], reading: Reading, *more: str) -> str:
    """What makes an outreach known again that brings no identifier: its cells by their columns' names, wherever."""
    said = sorted(
        f"{column.name.strip().casefold()}\x1f{cell}"
        for column in reading.columns
        if (cell := restored(cells[column.index]).strip()) and column.because != "why it was refused"
    )
    return hashlib.sha256("\x1e".join((*more, *said)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _place(into: Body, field: str, cell: str, column: Column, reading: Reading) -> None:
    """Put a cell where its field belongs."""
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
        elif field in AS_JSON:
            if field in into:
                raise ValueError(IN_PARTS)
            into[field] = _json(cell, dict if field in OBJECTS else list)
        elif field in OTHERS:
            yes_or_no = field in ("other_sms_capable", "other_do_not_call")
            into[field] = [each and cell_values.boolean(each) if yes_or_no else each for each in parted(cell)]
        elif field in SEVERAL:
            into[field] = parted(cell) if reading.exact else _parted(cell, ";" if ";" in cell else ",")
        else:
            _place_deep(into, field, cell, reading)
    except ValueError as error:
        raise Unreadable(f"{column.name}: {error}") from None


def _place_deep(into: Body, field: str, cell: str, reading: Reading) -> None:
    match = PATH.fullmatch(field)
    assert match is not None, field
    top, slot, leaf = match.group("top", "slot", "leaf")
    if top in ARRAYS or leaf is not None:
        whole = into.setdefault(top, {})
        if not isinstance(whole, dict):
            raise ValueError(IN_PARTS)
    if top in ARRAYS:
        entry = whole.setdefault(slot or "0", {})
        if top == "phone_numbers" and leaf == "number" and (slot or "").partition("_")[0] in NUMBER_TYPES:
            entry.setdefault("number_type", NUMBER_TYPES[slot.partition("_")[0]])
    elif leaf is not None:
        entry = whole
    else:
        into[top] = _converted(top, top, cell, reading)
        return
    if leaf.startswith("address_lines"):
        if reading.exact:
            entry["address_lines"] = parted(cell)
            return
        cell = "\n".join(parted(cell)) if ";" in cell else cell
        entry.setdefault("address_lines", []).extend(line.strip() for line in cell.splitlines() if line.strip())
    else:
        entry[leaf] = _converted(top, leaf, cell, reading)


def _converted(top: str, leaf: str, cell: str, reading: Reading) -> Any:
    if leaf in DATED and top != "custom_fields":
        return cell_values.timestamp(cell, reading.dates)
    convert = CONVERTERS.get(f"{top}.{leaf}") or CONVERTERS.get(leaf) if top != "custom_fields" else None
    if reading.exact and leaf in ("country", "gender"):  # as somebody posted it, whatever that means
        return cell
    return convert(cell) if convert else cell


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
    """The contact details of a target, which a row has flat, as a person has them."""
    if "email_address" in target:
        target["email_addresses"] = [{"address": target.pop("email_address")}]
    if "phone_number" in target:
        target["phone_numbers"] = [{"number": target.pop("phone_number")}]
    address = {name: target.pop(name) for name in PLACE if name in target}
    if address:
        target["postal_addresses"] = [address]


def _add_others(person: Body) -> None:
    """Add what our own export keeps apart: the entries besides the main one."""
    addresses, statuses, numbers, types, sms, do_not_call = (person.pop(name, []) for name in OTHERS)
    emails = [
        {"address": address, **({"status": status} if status else {})}
        for address, status in _beside(addresses, statuses)
    ]
    phones = [
        {
            "number": number,
            **({"number_type": number_type} if number_type else {}),
            **({"sms_capable": takes_sms} if takes_sms != "" else {}),
            **({"do_not_call": uncalled} if uncalled != "" else {}),
        }
        for number, number_type, takes_sms, uncalled in _beside(numbers, types, sms, do_not_call)
    ]
    added = {
        "email_addresses": emails,
        "phone_numbers": phones,
        "postal_addresses": person.pop("other_postal_addresses", []),
    }
    for array, entries in added.items():
        if entries:
            person[array] = [*person.get(array, []), *entries]
    if others := person.pop("other_custom_fields", None):
        person["custom_fields"] = {**others, **person.get("custom_fields", {})}


def _beside(meant: list[Any], *said: list[Any]) -> Iterator[tuple[Any, ...]]:
    """What is meant, each with what is said of it; nothing where the other lists are shorter."""
    return zip_longest(meant, *(each[: len(meant)] for each in said), fillvalue="")


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


CONVERTERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "email_addresses.status": cell_values.status,
    "email_addresses.address": _email,
    "phone_numbers.number": cell_values.phone_number,
    "phone_numbers.sms_capable": _sms,
    "gender": cell_values.gender,
    "country": cell_values.country,
    "primary": cell_values.boolean,
    "do_not_call": cell_values.boolean,
}
