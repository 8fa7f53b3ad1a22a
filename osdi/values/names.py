"""Compares names of people without letter case, accents, spaces and punctuation, and splits them for search. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from osdi.values.text import unicode_form

PARTS: Final = ("given_name", "family_name")
SEARCHED: Final = ("given_name", "additional_name", "family_name")
# A longer word, or a further one, is not searched: an anonymous post can make the index no larger.
MAX_WORD_LENGTH: Final = 40
MAX_WORDS: Final = 8
ASCII_PUNCTUATION: Final = re.compile("[^a-z0-9]")


def letters_and_digits(text: str) -> str:
    """Returns the letters and digits of a text, without case, accents, spaces and punctuation."""
    return _short_form(text) if len(text) <= MAX_WORD_LENGTH else _compared_form(text)


def _compared_form(text: str) -> str:
    if text.isascii():  # most texts; each post compares several names
        return ASCII_PUNCTUATION.sub("", text.lower())
    decomposed = unicode_form("NFKD", text.casefold())
    return "".join(
        each for each in decomposed if not unicodedata.combining(each) and unicodedata.category(each)[0] in "LMN"
    )


# One post compares the names of its person a dozen times. Only short texts are kept, so that few bytes are.
_short_form: Final = lru_cache(maxsize=2_000)(_compared_form)


def compared_name(person: Mapping[str, Any]) -> tuple[str, str]:
    """Returns given and family name in the form in which they are compared; empty where one is missing."""
    given, family = (letters_and_digits(str(person.get(part, ""))) for part in PARTS)
    return given, family


def name_words(person: Mapping[str, Any]) -> list[str]:
    """Returns the first MAX_WORDS distinct words of a person's names in the form in which they are compared.

    The first word of each name is always among them, so that a filter on one name can use the index of these words.
    """
    names = [search_words(str(person.get(part, ""))) for part in SEARCHED]
    words = list(dict.fromkeys(word for name in names for word in name))
    if len(words) > MAX_WORDS:
        words = list(dict.fromkeys([*(name[0] for name in names if name), *words]))
    return words[:MAX_WORDS]


def search_words(text: str) -> list[str]:
    """Returns the words of a text in the form of `name_words`."""
    return [word for each in _split(text) if (word := _search_word(each))]


def first_search_word(text: str) -> tuple[str, bool] | None:
    """Returns the first word of a text in the form of `name_words`, or None if it has none.

    The second value is True if the word is complete: a longer text that begins with this one has the same first word.
    """
    words = [_search_word(each) for each in _split(f"{text}.")]  # the full stop continues the last word, and is none
    return next(((word, number < len(words)) for number, word in enumerate(words, 1) if word), None)


def _split(text: str) -> list[str]:
    return text.replace("-", " ").split()


def _search_word(text: str) -> str:
    return letters_and_digits(text)[:MAX_WORD_LENGTH]


def names_differ(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """True if two compared names are of different people: a part that both have is not equal.

    It makes no difference which part holds the whole name: `Jane Doe` without a family name is `Jane`, `Doe`.
    """
    if "".join(one) == "".join(other):
        return False
    return any(first and second and first != second for first, second in zip(one, other, strict=True))
