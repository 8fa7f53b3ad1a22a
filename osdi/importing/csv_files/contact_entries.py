"""Completes the arrays of a row's body: entries by slot become arrays, and columns about other entries are added.

A slot is the text in the brackets of a path, such as `mobile` in `phone_numbers[mobile].number`. Pure.
"""

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any, Final

from osdi.exporting.columns import TARGET_CONTACTS
from osdi.fields.definition import Email, PhoneNumber
from osdi.importing.csv_files.cells import with_leading_zeros
from osdi.importing.csv_files.column_mapping import ARRAYS, OTHER_CUSTOM_FIELDS, OTHERS, contact_of
from osdi.importing.csv_files.row_consent import Consent
from osdi.resources import CONTACTS
from osdi.values.opt_out_flags import CALLS, TEXTS

Body = dict[str, Any]
# Column names by the path of the value in a body, such as `email_addresses[0].address`.
Origins = dict[str, str]

# Types of entries by the beginning of their slot.
ENTRY_TYPES: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "phone_numbers": ("number_type", {"mobile": "Mobile", "home": "Home", "work": "Work"}),
    "postal_addresses": ("address_type", {"home": "Home", "work": "Work", "mailing": "Mailing"}),
    "email_addresses": ("address_type", {"personal": "personal", "work": "work"}),
}
# Entries of these slots follow the others: the first entry is the main one.
LAST: Final = frozenset(("work", "other"))
# The columns of the other entries of each array, with the address or number first.
OTHER_COLUMNS: Final = {
    array: sorted(
        ((name, of) for name, (of_array, of) in OTHERS.items() if of_array == array),
        key=lambda each: not isinstance(each[1], Email | PhoneNumber),
    )
    for array in CONTACTS
}
NO_ADDRESS: Final = "The row has no e-mail address. The status applies to the main address of a person who is known."


def kind_of_slot(array: str, slot: str) -> tuple[str, str] | None:
    """Returns the property and the value that a slot gives its entry, such as `number_type` and `Mobile`."""
    if array not in ENTRY_TYPES:
        return None
    name, values = ENTRY_TYPES[array]
    value = values.get(slot.partition("_")[0])
    return (name, value) if value else None


def bounce(person: Body, consent: Consent) -> None:
    """Gives the address of each slot that bounced its status. Without a slot, it is the first address of the row.

    In a row without an address it is that of the known person.
    """
    for slot, status in consent.bounced.items():
        entries = person.setdefault("email_addresses", {})
        with_address = [each for each in entries if "address" in entries[each]]
        if slot and slot not in with_address and with_address:
            continue
        first = min(with_address, key=lambda each: each.partition("_")[0] in LAST, default="0")
        entry = entries.setdefault(slot or first, {})
        if entry.get("status") != "spam complaints":
            entry["status"] = status


def close(body: Body, consent: Consent, origins: Origins) -> list[str]:
    """Converts the entries by slot to arrays. Returns warnings.

    `origins` has the columns by path with slots, and gets them by path with numbers.
    """
    warnings: list[str] = []
    if not body:  # the outreach of a file of people
        return warnings
    for array in ARRAYS:
        if isinstance(body.get(array), dict):
            slots = sorted(body[array], key=lambda slot: slot.partition("_")[0] in LAST)
            kept = [slot for slot in slots if _is_entry(array, body[array][slot], consent)]
            if array == "email_addresses":
                kept = _with_status(body[array], kept)
                if kept and not any("address" in body[array][slot] for slot in kept):
                    warnings.append(f"{origins.get(f'{array}[{kept[0]}].status', 'status')}: {NO_ADDRESS}")
            for index, slot in enumerate(kept):
                _renumber(origins, f"{array}[{slot}].", f"{array}[{index}].")
            body[array] = [body[array][slot] for slot in kept]
    for target in body.get("targets", ()):
        _give_contacts(target)
    _add_others(body)
    for address in body.get("postal_addresses", ()):
        if isinstance(address.get("postal_code"), str) and isinstance(address.get("country"), str):
            address["postal_code"] = with_leading_zeros(address["postal_code"], address["country"])
    return warnings


def _is_entry(array: str, entry: Body, consent: Consent) -> bool:
    """True if the entry has more than a type. An opt-out without a number applies to all numbers of the person."""
    if array == "phone_numbers" and "number" not in entry:
        if entry.get("do_not_call") is True:
            consent.opted_out.add(CALLS)
        if entry.get("sms_capable") is False:
            consent.opted_out.add(TEXTS)
        return False
    return array not in ENTRY_TYPES or set(entry) != {ENTRY_TYPES[array][0]}


def _with_status(entries: Mapping[str, Body], slots: list[str]) -> list[str]:
    """Moves a status without an address to the first address without a status. Returns the slots that remain."""
    kept = []
    for slot in slots:
        status = entries[slot].get("status")
        if "address" in entries[slot] or status is None:
            kept.append(slot)
            continue
        without = [entries[each] for each in slots if "address" in entries[each] and "status" not in entries[each]]
        if without:
            without[0]["status"] = status
        else:
            kept.append(slot)
    return kept


def _renumber(origins: Origins, before: str, after: str) -> None:
    for path in [each for each in origins if each.startswith(before)]:
        origins[after + path.removeprefix(before)] = origins[path]


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
    if not any(name in person for name, _ in properties):
        return []
    values, *further = [person.pop(name, []) for name, _ in properties] or [[]]
    rows = zip_longest(values, *(each[: len(values)] for each in further), fillvalue="")
    return [
        {of.name: each for (_, of), each in zip(properties, row, strict=True) if each != "" or of is properties[0][1]}
        for row in rows
    ]
