"""Cleans texts of characters that nobody sees, and writes numbers as texts.

A text is stored, compared and filtered in one form: NFC, without byte order marks, zero-width spaces and word joiners.
Joiners (U+200C, U+200D) stay beside other scripts than Latin and inside emoji, where they change what a reader sees.

Pure.
"""

import re
import unicodedata
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final, Literal

INVISIBLE: Final = re.compile("[\ufeff\u200b\u2060]|(?<![^\x00-\x7f])[\u200c\u200d]+(?![^\x00-\x7f])")
JOINERS: Final = "\u200c\u200d"
# A joiner joins nothing at the ends of a text.
AROUND: Final = "".join(filter(str.isspace, map(chr, range(0x3001)))) + JOINERS
# No script has this many marks on one letter (Unicode Standard Annex 15, stream-safe text format). Sorting the marks
# of one letter takes a time that grows with the square of their number, so each piece of a longer run is normalised
# by itself.
MAX_RUN_LENGTH: Final = 30
LONG_RUN: Final = re.compile(rf"[^\w\x00-\x7f]{{{MAX_RUN_LENGTH + 1},}}")

Form = Literal["NFC", "NFKC", "NFKD"]


def cleaned(text: str) -> str:
    """Returns the text in the form that is stored: normalised, and without spaces around it."""
    return text.strip() if text.isascii() else normalized(text).strip(AROUND)


def normalized(text: str) -> str:
    """Returns the text in NFC without invisible characters. Spaces stay."""
    if text.isascii():
        return text
    composed = unicode_form("NFC", INVISIBLE.sub("", text))
    if any(joiner in composed for joiner in JOINERS):  # NFC made ASCII of some signs, such as the Kelvin sign
        return unicode_form("NFC", INVISIBLE.sub("", composed))
    return composed


def unicode_form(form: Form, text: str) -> str:
    """Returns the text in a normalization form of Unicode, in a time that grows with its length only."""
    if text.isascii():
        return text
    ends = [
        end for run in LONG_RUN.finditer(text) for end in range(run.start() + MAX_RUN_LENGTH, run.end(), MAX_RUN_LENGTH)
    ]
    if not ends:
        return unicodedata.normalize(form, text)
    pieces = (text[begin:end] for begin, end in pairwise((0, *ends, len(text))))
    return "".join(unicodedata.normalize(form, piece) for piece in pieces)


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
