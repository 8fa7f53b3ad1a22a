"""Compares the spellings of postal codes and of countries, and says which one is more exact. Pure."""

import re
import unicodedata
from typing import Final

from osdi.values.names import letters_and_digits
from osdi.values.words import country

# A ZIP code, and the four digits of a ZIP+4 code.
ZIP: Final = re.compile(r"([0-9]{5})(?:[- ]?([0-9]{4}))?")
# A code behind the sign of its country, as on envelopes: `D-10115`, `AT 1010`.
BEHIND_COUNTRY: Final = re.compile(r"[a-z]{1,2}([0-9]{4,})")


def same_postal_code(one: str, other: str) -> bool:
    """True if two postal codes name one place: `SW1A 1AA` and `sw1a1aa`, or a ZIP code and its ZIP+4 code."""
    if letters_and_digits(one) == letters_and_digits(other):
        return True
    first, second = ZIP.fullmatch(one.strip()), ZIP.fullmatch(other.strip())
    # Two different ZIP+4 codes are two places.
    return bool(first and second and first[1] == second[1] and not (first[2] and second[2]))


def same_country(one: str, other: str) -> bool:
    """True if two texts name one country: `US`, `usa` and `United States`."""
    return country(one).casefold() == country(other).casefold()


def more_exact_postal_code(stored: str, posted: str) -> str:
    """Returns the longer one of two spellings of a postal code; of equally long ones the posted one."""

    def length(code: str) -> tuple[int, int]:
        return len(letters_and_digits(code)), len(code.strip())

    return stored if length(stored) > length(posted) else posted


def more_exact_country(stored: str, posted: str) -> str:
    """Returns the spelling of a country that is its ISO 3166-1 Alpha-2 code, else the posted one."""
    return stored if stored == country(stored) and posted != country(posted) else posted


def compared_postal_code(code: str) -> str:
    """Returns the letters and digits of a postal code, in lower case and in ASCII digits: `SW1A 1AA` is `sw1a1aa`."""
    if not code.isascii():
        code = "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in code)
    return letters_and_digits(code)


def compared_without_country(code: str) -> str:
    """Returns a compared postal code without the sign of the country before it; empty if there is none."""
    found = BEHIND_COUNTRY.fullmatch(code)
    return found[1] if found else ""
