"""Postal addresses of targets and supporters as lines, for a letter or a visit. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from osdi.values.words import country

# Countries that write the postal code behind the town, and those that write it on a line of its own.
CODE_BEHIND: Final = frozenset({"AU", "CA", "IE", "IN", "NZ", "US"})
CODE_BELOW: Final = frozenset({"GB"})


def address_lines(address: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the lines of a postal address in the order of its country, without empty ones."""
    code, locality, region = (str(address.get(name, "")) for name in ("postal_code", "locality", "region"))
    where = country(str(address.get("country", "")))
    town: tuple[str, ...]
    if where in CODE_BELOW:
        town = (", ".join(filter(None, (locality, region))), code)
    elif where in CODE_BEHIND:
        town = (" ".join(filter(None, (", ".join(filter(None, (locality, region))), code))),)
    else:
        town = (" ".join(filter(None, (code, locality))), region)
    lines = (address.get("venue"), *address.get("address_lines", ()), *town, address.get("country"))
    return tuple(line for each in lines if each and (line := str(each).strip()))


def first_address(person: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the lines of the primary postal address, else of the first; empty if there is none."""
    entries = [each for each in person.get("postal_addresses", ()) if address_lines(each)]
    chosen = next((each for each in entries if each.get("primary")), entries[0] if entries else {})
    return address_lines(chosen)
