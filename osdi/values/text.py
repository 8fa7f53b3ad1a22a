"""Cleans texts of characters that nobody sees, and writes numbers as texts.

A text is stored, compared and filtered in one form: NFC, without byte order marks, zero-width spaces and word joiners.
Joiners (U+200C, U+200D) stay beside other scripts than Latin and inside emoji, where they change what a reader sees.

Pure.
"""

import re
import unicodedata
from decimal import Decimal
from typing import Any, Final

INVISIBLE: Final = re.compile("[\ufeff\u200b\u2060]|(?<![^\x00-\x7f])[\u200c\u200d]+(?![^\x00-\x7f])")


def cleaned(text: str) -> str:
    """Returns the text in the form that is stored: normalised, and without spaces around it."""
    return text.strip() if text.isascii() else normalized(text).strip()


def normalized(text: str) -> str:
    """Returns the text in NFC without invisible characters. Spaces stay."""
    return text if text.isascii() else unicodedata.normalize("NFC", INVISIBLE.sub("", text))


def from_number(number: float) -> str:
    """Returns a JSON number as text, without an exponent: 90210.0 is `90210`."""
    if isinstance(number, int) or number.is_integer():
        return str(int(number))
    return format(Decimal(repr(number)), "f")


def as_array(value: Any) -> Any:
    """Returns an object whose names are all numbers as an array, in the order of the numbers; other values unchanged.

    PHP encodes an array with a gap as such an object: `{"0": "a", "2": "b"}`.
    """
    if not isinstance(value, dict) or not value or not all(name.isascii() and name.isdigit() for name in value):
        return value
    return [value[name] for name in sorted(value, key=lambda name: (len(name.lstrip("0")), name.lstrip("0")))]
