"""Compares names of people without letter case, accents, spaces and punctuation, and splits them for search. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from osdi.values.text import unicode_form

PARTS: Final = ("given_name", "family_name")
SEARCHED: Final = ("given_name", "additional_name", "family_name")
# A longer word, or a further one, is not searched: an anonymous post can make the index no larger.
WORD_LENGTH: Final = 40
WORDS: Final = 8
ASCII_PUNCTUATION: Final = re.compile("[^a-z0-9]")


@lru_cache(maxsize=1_000)
def letters_and_digits(text: str) -> str:
    """Returns the letters and digits of a text, without case, accents, spaces and punctuation.

    Cached: one post asks for those of each name several times.
    """
    if text.isascii():  # most texts
        return ASCII_PUNCTUATION.sub("", text.lower())
    decomposed = unicode_form("NFKD", text.casefold())
    return "".join(
        each for each in decomposed if not unicodedata.combining(each) and unicodedata.category(each)[0] in "LMN"
    )


def compared_name(person: Mapping[str, Any]) -> tuple[str, str]:
    """Returns given and family name in the form in which they are compared; empty where one is missing."""
    given, family = (letters_and_digits(str(person.get(part, ""))) for part in PARTS)
    return given, family


def name_words(person: Mapping[str, Any]) -> list[str]:
    """Returns the first WORDS distinct words of a person's names in the form in which they are compared."""
    words = (word for part in SEARCHED for word in search_words(str(person.get(part, ""))))
    return list(islice(dict.fromkeys(words), WORDS))


def search_words(text: str) -> list[str]:
    """Returns the words of a text in the form of `name_words`."""
    words = (letters_and_digits(word)[:WORD_LENGTH] for word in text.replace("-", " ").split())
    return [word for word in words if word]


def names_differ(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """True if two compared names are of different people: a part that both have is not equal.

    It makes no difference which part holds the whole name: `Jane Doe` without a family name is `Jane`, `Doe`.
    """
    if "".join(one) == "".join(other):
        return False
    return any(first and second and first != second for first, second in zip(one, other, strict=True))
