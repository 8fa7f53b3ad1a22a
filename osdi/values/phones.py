"""Separates a phone number from its extension. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import phonenumbers

# The library needs a country to read a number; the extension does not depend on it.
ANY_REGION: Final = "US"
# Most numbers: no character that could begin an extension.
PLAIN: Final = re.compile(r"[\d\s()+./-]*")
# A shorter number would be no number.
MIN_DIGITS: Final = 3
# `ext.` or `x`; in `1-800-FLOWERS x5` the letters before it belong to the number.
LABEL: Final = re.compile(r"[\W_]*[^\W\d_]*[\W_]*")


@lru_cache(maxsize=10_000)
def split_extension(number: str) -> tuple[str, str]:
    """Returns a phone number without its extension, and the extension: `("617 555 0123", "23")` for `... ext. 23`.

    The extension is empty if the number has none, or cannot be read.
    """
    if PLAIN.fullmatch(number):
        return number, ""
    ascii_digits = "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in number)
    try:
        # Without the plus: the library would reject an unknown country code.
        found = phonenumbers.parse(ascii_digits.strip().lstrip("+"), ANY_REGION).extension
    except phonenumbers.NumberParseException:
        return number, ""
    if not found:
        return number, ""
    before = number[: ascii_digits.rindex(found)]
    end = max((index for index, each in enumerate(before) if each.isdecimal() or each == ")"), default=-1)
    is_label = LABEL.fullmatch(before, end + 1) is not None
    enough = sum(each.isdecimal() for each in before) >= MIN_DIGITS
    return (number[: end + 1], found) if is_label and enough else (number, "")


def with_extension(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a phone number entry whose extension is in `extension`, not in `number`.

    If the entry has another extension already, the number stays as it was sent: no input is lost.
    """
    number, extension = split_extension(str(entry.get("number", "")))
    if not extension or entry.get("extension", extension) != extension:
        return dict(entry)
    return {**entry, "number": number, "extension": extension}
