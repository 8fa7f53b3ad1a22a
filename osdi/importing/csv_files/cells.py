"""Cells as other programs write them: empty ones, numbers with decimals, several values in one cell, ZIP codes.

A text that cannot be read raises ValueError; its text says what to do. Pure.
"""

import re
from typing import Final

from osdi.values import words
from osdi.values.dates import ZERO_DATE

# Words that databases and spreadsheets write for "no value", as they are written: `Null` is a family name.
EMPTY: Final = frozenset(
    (
        "NULL", "null", "(null)", "<null>", "<NULL>", "[null]", "\\N", "N/A", "n/a", "N/a", "#N/A", "#NA", "<NA>",
        "<N/A>", "NaN", "nan",
        "NaT", "nil", "undefined", "[object Object]", "#NULL!", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!",
        "#NV", "#BEZUG!",
        "#WERT!", "-", "--", "---", "(blank)", "(empty)", "(none)",
    )
)  # fmt: skip
# These have a meaning in some fields: `NA` is Namibia, and `None` an answer.
EMPTY_IN_MOST: Final = frozenset(("NA", "None", "NONE", "none", "nil"))
WITH_MEANING: Final = ("country", "party_identification", "custom_fields", "notes", "message", "subject")
WHOLE: Final = re.compile(r"(\+?\d+)[.,]0+")
# Between two values in one cell. A slash counts between spaces, because German numbers contain one: 0351/5550101.
BETWEEN: Final = re.compile(r"\s*(?:;|,|\n|\||&|:::|\s/\s|\s(?:or|and|oder|und|ou|et|o|y|of|en)\s)\s*", re.IGNORECASE)
SLASH: Final = re.compile(r"\s*/\s*")
GOOGLE_BETWEEN: Final = ":::"
DIGITS: Final = 7  # of a whole phone number
MAX_DIGITS: Final = 15  # E.164
BRACKETED: Final = re.compile(r"[^<>]*<\s*([^<>\s]+@[^<>\s]+)\s*>")
# Lengths of postal codes that consist of digits and may begin with a zero, which spreadsheets remove.
DIGITS_OF_POSTAL_CODE: Final = {
    **dict.fromkeys(
        ("US", "PR", "DE", "FR", "ES", "IT", "MX", "FI", "EE", "TR", "HR", "LT", "MC", "RE", "GP", "MQ", "KR"), 5
    ),
    **dict.fromkeys(("AU", "NO"), 4),
    **dict.fromkeys(("RO", "SG", "KZ", "IN", "CN"), 6),
}
ZIP: Final = re.compile(r"(\d{3,5})(-\d{4})?")
ADDRESS_TYPES: Final = {
    **dict.fromkeys(("home", "privat", "domicile", "casa", "thuis"), "Home"),
    **dict.fromkeys(("work", "business", "geschäftlich", "bureau", "trabajo", "werk"), "Work"),
    "mailing": "Mailing",
}
EMAIL_TYPES: Final = {
    **dict.fromkeys(("home", "personal", "privat", "domicile", "casa", "thuis"), "personal"),
    **dict.fromkeys(("work", "business", "geschäftlich", "bureau", "trabajo", "werk"), "work"),
    "other": "other",
}
NUMBER_TYPES: Final = (
    ("Fax", ("fax",)),
    ("Mobile", ("mobile", "mobil", "cell", "handy", "iphone", "móvil", "portable", "mobiel")),
    ("Home", ("home", "privat", "domicile", "casa", "thuis", "particular", "landline", "house")),
    ("Work", ("work", "business", "office", "bureau", "geschäft", "dienst", "trabajo", "werk", "main")),
    ("Daytime", ("day",)),
    ("Evening", ("evening",)),
)


def is_empty(cell: str, field: str) -> bool:
    """True if the cell says that the field has no value, such as `NULL` or `0/0/00`."""
    if not cell or cell in EMPTY or ZERO_DATE.fullmatch(cell):
        return True
    return cell in EMPTY_IN_MOST and not any(each in field for each in WITH_MEANING)


def whole(text: str) -> str:
    """Returns a number without decimals that are zero: `2134` for `2134.0`; other texts unchanged."""
    found = WHOLE.fullmatch(text.strip())
    return found[1] if found else text


def phone_numbers(cell: str) -> list[str]:
    """Returns the phone numbers in a cell. Raises ValueError for a rounded number, or two that cannot be separated."""
    text = cell.removeprefix("p:").removeprefix("tel:").strip()  # Facebook writes `p:+1202...`
    text = whole(text)
    pieces = [each for each in BETWEEN.split(text) if each]
    if len(pieces) == 1:
        pieces = [each for each in SLASH.split(text) if each]
    if len(pieces) > 1 and all(_digits(each) >= DIGITS for each in pieces):
        return [words.phone_number(each) for each in pieces]
    if _digits(re.split(r"(?i)\s*(?:ext|x|;|#)", text)[0]) > MAX_DIGITS:
        raise ValueError("More digits than a phone number has. Write each number in a column of its own.")
    return [words.phone_number(text)]


def email_addresses(cell: str) -> list[str]:
    """Returns the e-mail addresses in a cell, without names and `mailto:`."""
    pieces = [each for each in re.split(r"\s*(?:[;,|\n]|:::|\s/\s)\s*", cell) if each]
    if not all("@" in each for each in pieces):
        pieces = [cell]
    if len(pieces) == 1 and pieces[0].count("@") > 1:
        pieces = pieces[0].split()
    return [_address(each) for each in pieces]


def postal_code(text: str) -> str:
    """Returns a postal code without decimals and without Facebook's `z:`."""
    return whole(text.removeprefix("z:").strip())


def with_leading_zeros(code: str, country: str) -> str:
    """Returns the postal code with the zeros that a spreadsheet removed; `country` is an ISO code."""
    digits, found = DIGITS_OF_POSTAL_CODE.get(country.upper()), ZIP.fullmatch(code)
    if digits is None or found is None or (found[2] and digits != 5):
        return code
    missing = digits - len(found[1])
    # Only Puerto Rico and some towns of the United States have two zeros.
    return code if missing > (2 if country.upper() in ("US", "PR") else 1) else "0" * missing + code


def number_type(text: str) -> str:
    """Returns OSDI's type of a phone number for a label such as `* Mobile`, or the label itself."""
    label = text.strip("* ")
    return next((kind for kind, known in NUMBER_TYPES if any(each in label.casefold() for each in known)), label)


def address_type(text: str) -> str:
    """Returns OSDI's type of a postal address for a label such as `* Home`. Raises ValueError for other labels."""
    label = text.strip("* ").casefold()
    if label not in ADDRESS_TYPES:
        raise ValueError("Not Home, Work or Mailing.")
    return ADDRESS_TYPES[label]


def email_type(text: str) -> str:
    """Returns OSDI's type of an e-mail address for a label such as `* Home`, or the label itself."""
    label = text.strip("* ")
    return EMAIL_TYPES.get(label.casefold(), label)


def _digits(text: str) -> int:
    return sum(each.isdigit() for each in text)


def _address(text: str) -> str:
    found = BRACKETED.fullmatch(text)
    return (found[1] if found else text).removeprefix("mailto:").strip()
