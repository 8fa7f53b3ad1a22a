"""Reads words that have a fixed set of values in OSDI: yes and no, statuses, genders, countries.

A text that cannot be read raises ValueError; its text says what to do. Pure.
"""

import re
from functools import cache
from pathlib import Path
from typing import Final

import orjson

TRUE: Final = {"1", "true", "t", "yes", "y", "on", "x", "ja", "oui", "si", "sí"}
FALSE: Final = {"0", "false", "f", "no", "n", "off", "nein", "non"}
STATUSES: Final = {
    **dict.fromkeys(("subscribed", "active", "opted in", "opt in", "confirmed"), "subscribed"),
    **dict.fromkeys(("unsubscribed", "inactive", "opted out", "opt out", "cancelled"), "unsubscribed"),
    **dict.fromkeys(
        ("bouncing", "bounced", "bounce", "previous bounce", "cleaned", "invalid", "hard bounce"), "bouncing"
    ),
    **dict.fromkeys(
        ("spam complaints", "spam complaint", "previous spam complaint", "spam", "complained", "complaint"),
        "spam complaints",
    ),
}
GENDERS: Final = {
    **dict.fromkeys(("f", "female", "w", "woman"), "Female"),
    **dict.fromkeys(("m", "male", "man"), "Male"),
    **dict.fromkeys(("o", "other", "x", "d"), "Other"),
}
# Common names of countries that the phone number library does not have.
COUNTRIES: Final = {
    **dict.fromkeys(("usa", "u.s.a.", "u.s.", "united states of america", "america"), "US"),
    **dict.fromkeys(("uk", "u.k.", "great britain", "britain", "england", "scotland", "wales"), "GB"),
    **dict.fromkeys(("holland", "the netherlands"), "NL"),
    "czech republic": "CZ",
}

COUNTRY_NAMES: Final = Path(__file__).with_name("country_names.json")
ROUNDED: Final = re.compile(r"[+-]?\d+([.,]\d+)?[eE]\+?\d+")


def boolean(text: str) -> bool:
    """Returns True for a yes and False for a no. Raises ValueError for other words."""
    word = text.strip().casefold()
    if word in TRUE or word in FALSE:
        return word in TRUE
    raise ValueError("Write yes or no.")


def status(text: str) -> str:
    """Returns the standard's word for the status of an e-mail address. Raises ValueError for an unknown word."""
    words = " ".join(re.split(r"[\s_-]+", text.strip().casefold()))
    if words in STATUSES:
        return STATUSES[words]
    raise ValueError("Write subscribed, unsubscribed, bouncing or spam complaints.")


def gender(text: str) -> str:
    """Returns the standard's word for a gender, or the text itself, which the schema then checks."""
    return GENDERS.get(text.strip().casefold(), text.strip())


def country(text: str) -> str:
    """Returns the ISO 3166-1 Alpha-2 code for a country's name in any language, or the text itself."""
    name = " ".join(text.split())
    if len(name) == 2 and name.isascii() and name.isalpha() and name.casefold() != "uk":
        return name.upper()
    return COUNTRIES.get(name.casefold()) or _country_names().get(name.casefold(), name)


def phone_number(text: str) -> str:
    """Returns a phone number unchanged. Raises ValueError for a number in scientific notation."""
    if ROUNDED.fullmatch(text.strip()):
        raise ValueError("A spreadsheet has rounded this number. Format its column as text.")
    return text.strip()


@cache
def _country_names() -> dict[str, str]:
    """Returns the codes by name in every language (see dev/country_names.py)."""
    names: dict[str, list[str]] = orjson.loads(COUNTRY_NAMES.read_bytes())
    return {name: code for code, each in names.items() for name in each}
