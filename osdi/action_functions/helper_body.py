"""Checks a helper's loaded body before anything is looked up: placeholder identifiers, and a person without content."""

from collections.abc import Mapping
from typing import Any, Final

from osdi.documents import ReadOnlyDocument
from osdi.errors import ErrorDescription, OsdiError, invalid
from osdi.resources import PERSON
from osdi.values.identifiers import is_placeholder, not_an_id

# One of these makes a person. A status, a flag or a default of a form says nothing about anybody.
NAMES: Final = ("given_name", "family_name", "additional_name")
ENTRIES: Final[Mapping[str, tuple[str, ...]]] = {
    "email_addresses": ("address",),
    "phone_numbers": ("number",),
    "postal_addresses": ("venue", "address_lines", "locality", "region", "postal_code"),
    "profiles": ("id", "url", "handle"),
}
NEEDED: Final = (
    "The person is empty. Send one of: given_name, family_name, additional_name, email_addresses with an address,"
    " phone_numbers with a number, postal_addresses, profiles, identifiers."
)


def without_placeholders(
    body: ReadOnlyDocument, *, strict: bool
) -> tuple[dict[str, Any], tuple[ErrorDescription, ...]]:
    """Returns the body without placeholders among the identifiers of it and its person, and a warning for each.

    With `strict` raises OsdiError 400 that names them.
    """
    person = body.get("person", {})
    ignored = [
        (path, identifier)
        for path, where in (("identifiers", body), ("person.identifiers", person))
        for identifier in where.get("identifiers", ())
        if is_placeholder(identifier)
    ]
    if not ignored:
        return dict(body), ()
    if strict:
        raise OsdiError(400, *(ErrorDescription("INVALID", not_an_id(each), (path,)) for path, each in ignored))
    kept = _without_placeholders(body)
    if "person" in body:
        kept["person"] = _without_placeholders(person)
    return kept, tuple(_ignored(path, each) for path, each in ignored)


def _ignored(path: str, identifier: str) -> ErrorDescription:
    stored = "An identifier had no id, but a word for a missing value. It was ignored."
    return ErrorDescription("PLACEHOLDER", f"{not_an_id(identifier)} It was ignored.", (path,), stored=stored)


def check_person(body: ReadOnlyDocument) -> None:
    """Raises OsdiError 400 if the body has no link to a person, and a person without name, contact or identifier."""
    person = body.get("person", {})
    if "person_link" in body or any(person.get(name) for name in (*NAMES, "identifiers")):
        return
    if not any(
        entry.get(name) for array, names in ENTRIES.items() for entry in person.get(array, ()) for name in names
    ):
        raise invalid(NEEDED, "person", resource=PERSON.rel)


def _without_placeholders(where: ReadOnlyDocument) -> dict[str, Any]:
    """Returns an object without its placeholders, and without `identifiers` if none is left."""
    others = [each for each in where.get("identifiers", ()) if not is_placeholder(each)]
    kept = {name: value for name, value in where.items() if name != "identifiers"}
    return {**kept, "identifiers": others} if others else kept
