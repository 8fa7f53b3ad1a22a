"""Compares names of people without letter case, accents, spaces and punctuation. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from osdi.values.text import unicode_form

PARTS: Final = ("given_name", "family_name")
ASCII_PUNCTUATION: Final = re.compile("[^a-z0-9]")


def letters_and_digits(text: str) -> str:
    """Returns the letters and digits of a text, without case, accents, spaces and punctuation."""
    if text.isascii():  # most texts; each post compares several names
        return ASCII_PUNCTUATION.sub("", text.lower())
    decomposed = unicode_form("NFKD", text.casefold())
    return "".join(
        each for each in decomposed if not unicodedata.combining(each) and unicodedata.category(each)[0] in "LMN"
    )


def compared_name(person: Mapping[str, Any]) -> tuple[str, str]:
    """Returns given and family name in the form in which they are compared; empty where one is missing."""
    given, family = (letters_and_digits(str(person.get(part, ""))) for part in PARTS)
    return given, family


def names_differ(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """True if two compared names are of different people: a part that both have is not equal.

    It makes no difference which part holds the whole name: `Jane Doe` without a family name is `Jane`, `Doe`.
    """
    if "".join(one) == "".join(other):
        return False
    return any(first and second and first != second for first, second in zip(one, other, strict=True))
