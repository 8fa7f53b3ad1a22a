"""Phone numbers of targets, as links that dial (RFC 3966) and as text. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import phonenumbers
from phonenumbers import PhoneNumberFormat

from osdi.fields.limits import MIN_PHONE_DIGITS
from osdi.values.phones import with_extension
from osdi.values.words import country

DIGITS: Final = frozenset("0123456789")


@dataclass(frozen=True)
class PhoneLink:
    """A number as text, the link that dials it, and words about it, such as `Office in Berlin`."""

    text: str
    link: str
    description: str = ""


def phone_link(entry: Mapping[str, Any], region: str = "") -> PhoneLink | None:
    """Returns the link of a phone number; None if the entry has none.

    A number without `+` is read with its country code, else as one of the country of its entry or of `region` (ISO
    3166-1 Alpha-2). One that is no number of any country is dialled as it is written.
    """
    entry = with_extension(entry)
    written, extension = str(entry.get("number", "")).strip(), str(entry.get("extension", "")).strip()
    description = str(entry.get("description") or entry.get("number_type") or "")
    found = _parsed(written, country(str(entry.get("country") or "")) or region)
    if found is not None:
        found.extension = _digits(extension) or None
        text = phonenumbers.format_number(found, PhoneNumberFormat.INTERNATIONAL)
        return PhoneLink(text, phonenumbers.format_number(found, PhoneNumberFormat.RFC3966), description)
    digits = _digits(written)
    if len(digits) < MIN_PHONE_DIGITS:
        return None
    plus = "+" if written.startswith("+") else ""
    text = f"{written} ext. {extension}" if extension else written
    return PhoneLink(
        text, f"tel:{plus}{digits}{f';ext={_digits(extension)}' if _digits(extension) else ''}", description
    )


def _parsed(number: str, region: str) -> phonenumbers.PhoneNumber | None:
    """Returns the first reading of a number that a country has."""
    plain = number.removeprefix("+")
    for text, where in ((f"+{plain}", None), (plain, region or None)):
        try:
            found = phonenumbers.parse(text, where)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(found):
            return found
    return None


def _digits(text: str) -> str:
    return "".join(each for each in text if each in DIGITS)
