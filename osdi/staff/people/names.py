"""The name of a person, tag or list as the staff pages show it.

Pure.
"""

from typing import Final

from osdi.action_functions.followup_kinds import primary_value
from osdi.documents import ReadOnlyDocument

NAME_PARTS: Final = ("honorific_prefix", "given_name", "additional_name", "family_name", "honorific_suffix")


def name_of(person: ReadOnlyDocument) -> str:
    """Returns the full name; without one the primary e-mail address or phone number, else the id."""
    full = " ".join(str(person[part]) for part in NAME_PARTS if person.get(part))
    return full or email_of(person) or phone_of(person) or str(person["_id"])


def email_of(person: ReadOnlyDocument) -> str:
    """Returns the primary e-mail address, else the first one; "" without any."""
    return primary_value(person.get("email_addresses", ()), "address") or ""


def phone_of(person: ReadOnlyDocument) -> str:
    """Returns the primary phone number, else the first one; "" without any."""
    return primary_value(person.get("phone_numbers", ()), "number") or ""


def town_of(person: ReadOnlyDocument) -> str:
    """Returns the town of the primary postal address, else of the first one that has a town; "" without any."""
    return primary_value(person.get("postal_addresses", ()), "locality") or ""


def label_of(document: ReadOnlyDocument) -> str:
    """Returns the title of a tag, list, question or campaign, else its name, else its id."""
    return str(document.get("title") or document.get("name") or document.get("summary") or document["_id"])


def is_same_name(typed: str, person: ReadOnlyDocument) -> bool:
    """True if the typed text is the name that the pages show; letter case and repeated spaces make no difference."""
    return " ".join(typed.split()).casefold() == " ".join(name_of(person).split()).casefold()
