"""Corrects the body of a row before its import: leaves out values that the schemas reject, and keeps first names.

Each correction is a warning that names the column, but not the value. Pure.
"""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Final

from cachetools import LRUCache

from osdi.errors import OsdiError
from osdi.match_keys import email_key

Body = dict[str, Any]

MAX_ATTEMPTS: Final = 20
STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
# Entries that mean nothing without their address or number.
CONTACTS: Final = re.compile(r"(?:person\.)?(email_addresses|phone_numbers)\[\d+\]\.(address|number)")
# A value about consent is never left out, nor is the date of an outreach: the row is rejected.
DECISIVE: Final = re.compile(r".*\.(status|do_not_call|sms_capable)|action_date|identifiers|person|_links.*")
NAMES: Final = ("given_name", "family_name")
# E-mail addresses whose name is remembered. Rows of one order or household are near each other.
ADDRESSES: Final = 20_000
OTHER_NAME: Final = "A row above has this e-mail address with another name. That name stays."
CHANGED_NAME: Final = "A row above has this e-mail address with another name. This row counts."


def load_without_invalid(
    load: Callable[[Body], Body], written: Body, origins: Mapping[str, str]
) -> tuple[Body, list[str]]:
    """Returns the loaded body without the values that are invalid, and a warning for each.

    `origins` has columns by path. Raises OsdiError for a body that is invalid without them, too, or whose invalid
    value says if or when somebody can be contacted.
    """
    warnings: list[str] = []
    body = written
    for _ in range(MAX_ATTEMPTS):
        try:
            return load(body), warnings
        except OsdiError as error:
            found = [(path, each.description) for each in error.descriptions for path in each.properties]
            if error.status >= 500 or not found or any(DECISIVE.fullmatch(path) for path, _ in found):
                raise
            body = deepcopy(body)
            # From the end of arrays to their beginning, so that the indexes of the others stay.
            removed = [_remove(body, path) for path, _ in sorted(found, key=lambda each: _order(each[0]), reverse=True)]
            if not any(removed):
                raise
            warnings += [f"{_column(path, origins)}: {description}" for path, description in found]
    return load(body), warnings


def _order(path: str) -> list[tuple[str, int]]:
    return [(name, int(number or 0)) for name, number in STEP.findall(path)]


def _remove(body: Body, path: str) -> bool:
    """Removes the value at the path, or the contact detail of which it is the address or number."""
    if CONTACTS.fullmatch(path):
        path = path.rpartition(".")[0]
    steps = [name or int(number) for name, number in STEP.findall(path)]
    inside: Any = body
    try:
        for step in steps[:-1]:
            inside = inside[step]
        del inside[steps[-1]]
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _column(path: str, origins: Mapping[str, str]) -> str:
    """Returns the column of the value at a path, or of the object or array that contains it, or the path."""
    while path:
        if path in origins:
            return origins[path]
        shorter = re.sub(r"(\.[^.\[\]]+|\[\d+\])$", "", path)
        if shorter == path:
            break
        path = shorter
    return path


class FirstNames:
    """Remembers the names that stand with e-mail addresses in a file, and reports others.

    If given name and family name differ, the name above stays: a guest's ticket has the address of the buyer.
    """

    def __init__(self) -> None:
        self._names: LRUCache[str, tuple[str, ...]] = LRUCache(ADDRESSES)

    def correct(self, person: Body) -> list[str]:
        """Removes from the loaded person a name that is not theirs. Returns warnings."""
        address = next((each["address"] for each in person.get("email_addresses", ()) if "address" in each), None)
        name = tuple(" ".join(person.get(part, "").split()).casefold() for part in NAMES)
        if address is None or not any(name):
            return []
        key = email_key(address)
        first = self._names.setdefault(key, name)
        if first == name:
            return []
        if any(ours == theirs != "" for ours, theirs in zip(first, name, strict=True)):
            self._names[key] = name
            return [CHANGED_NAME]
        for part in NAMES:
            person.pop(part, None)
        return [OTHER_NAME]
