"""The form for names and contact details of a person: its fields, and the body of a PUT with what was changed in it.

A field's name is that of the property, as in `given_name`, or array, position and property, as in
`email_addresses-0-address`. Behind the stored entries of an array there is an empty one. An entry whose fields are all
emptied is removed. Properties that the form does not show stay as they are.

Consent stays with the address for which it was given: a changed address or number keeps its opt-outs only.

Pure.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from osdi.documents import Json, ReadOnlyDocument
from osdi.errors import ErrorDescription
from osdi.staff.people.contact_status import permissive
from osdi.staff.people.names import NAME_PARTS

# The properties of an entry in the form, by array.
PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "email_addresses": ("address",),
    "phone_numbers": ("number",),
    "postal_addresses": ("address_lines", "postal_code", "locality", "region", "country"),
}
PATH: Final = re.compile(r"(\w+)(?:\[(\d+)\])?(?:\.(\w+))?")

# Returns the match key of an e-mail address or phone number, by array and entry; None if it has none.
KeyOf = Callable[[str, ReadOnlyDocument], str | None]


@dataclass
class Changes:
    """The body of a PUT with the changed properties, and the form's position of each entry in it, by array."""

    body: Json = field(default_factory=dict)
    positions: dict[str, list[int]] = field(default_factory=dict)

    def field_of(self, property_path: str) -> str:
        """Returns the name of the form's field that a property such as `email_addresses[0].address` is from."""
        found = PATH.match(property_path)
        array, index, part = found.groups() if found else ("", None, None)
        if array not in PARTS:
            return array if array in NAME_PARTS else NAME_PARTS[1]
        positions = self.positions.get(array, [])
        position = positions[int(index)] if index and int(index) < len(positions) else 0
        return name_of_field(array, position, part if part in PARTS[array] else PARTS[array][0])


def name_of_field(array: str, position: int, part: str) -> str:
    """Returns the name of a field of an entry."""
    return f"{array}-{position}-{part}"


def form_values(person: ReadOnlyDocument) -> dict[str, str]:
    """Returns the text of each field for what is stored."""
    values = {name: str(person.get(name, "")) for name in NAME_PARTS}
    for array, parts in PARTS.items():
        for position, entry in enumerate((*person.get(array, ()), {})):
            values |= {name_of_field(array, position, part): _text(entry.get(part, "")) for part in parts}
    return values


def changes_in(
    person: ReadOnlyDocument, typed: Mapping[str, str], key_of: KeyOf, opted_out: AbstractSet[str]
) -> Changes:
    """Returns what a sent form changes in the stored person. A field that was not sent changes nothing.

    `opted_out` has the match keys in the suppression list: no entry of them says that the person may be contacted.
    """
    stored = form_values(person)
    values = {name: _text(typed.get(name, text)) for name, text in stored.items()}
    changes = Changes({name: values[name] or None for name in NAME_PARTS if values[name] != stored[name].strip()})
    for array, parts in PARTS.items():
        kept: list[tuple[int, Json]] = []
        is_changed = False
        for position, entry in enumerate((*person.get(array, ()), {})):
            names = {part: name_of_field(array, position, part) for part in parts}
            new = {part: values[name] for part, name in names.items()}
            same = all(new[part] == stored[name].strip() for part, name in names.items())
            is_changed = is_changed or not same
            if (entry and same) or any(new.values()):
                kept.append((position, _entry(array, entry, {} if same else new, key_of, opted_out)))
        if is_changed:
            changes.body[array] = [entry for _, entry in kept] or None
            changes.positions[array] = [position for position, _ in kept]
    return changes


def errors_by_field(changes: Changes, descriptions: Iterable[ErrorDescription]) -> dict[str, str]:
    """Returns the sentence of each rejected property, by the name of the form's field."""
    found: dict[str, str] = {}
    for each in descriptions:
        for path in each.properties or ("",):
            found.setdefault(changes.field_of(path), each.description)
    return found


def differences(person: ReadOnlyDocument, typed: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Returns each field whose typed text is not what is stored: its name, the typed and the stored text."""
    stored = form_values(person)
    names = [name for name in typed if name in stored or name.partition("-")[0] in PARTS]
    pairs = ((name, _text(typed[name]), stored.get(name, "").strip()) for name in names)
    return [(name, new, old) for name, new, old in pairs if new != old]


def _entry(
    array: str, stored: ReadOnlyDocument, new: Mapping[str, str], key_of: KeyOf, opted_out: AbstractSet[str]
) -> Json:
    """Returns an entry as JSON, with the new texts if there are some."""
    entry: Json = orjson.loads(orjson.dumps(stored, option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z))
    for part, text in new.items():
        entry[part] = text.splitlines() if part == "address_lines" else text
        if not text:
            entry.pop(part)
    key = key_of(array, entry)
    if key in opted_out or (stored and key != key_of(array, stored)):
        for name in permissive(entry):
            del entry[name]
    return entry


def _text(value: Any) -> str:
    """Returns the text of a field; the lines of an address are lines of the text."""
    lines = value if isinstance(value, list) else str(value).splitlines()
    return "\n".join(str(line).strip() for line in lines).strip()
