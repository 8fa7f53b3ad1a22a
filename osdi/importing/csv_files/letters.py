"""Guesses the 8-bit encoding of a file by its words: a wrong encoding makes signs or capitals of letters inside words.

Names are too short for libraries that guess by the frequency of letters: charset-normalizer 3.5.3 takes lists of German
or French names in Mac Roman and Windows-1252 for Windows-1250 (docs/decisions/0033). Pure.
"""

import re
import unicodedata
from collections.abc import Collection
from typing import Final

# Words with a byte beyond ASCII, and how many of them are compared.
WORD: Final = re.compile(rb"[A-Za-z'\x80-\xff]*[\x80-\xff][A-Za-z'\x80-\xff]*")
WORDS: Final = 2_000
# Windows-1252 first: it wins if another encoding is only as good.
CANDIDATES: Final = ("cp1252", "mac_roman", "cp850", "cp1250", "cp1251", "cp1253")
# Signs that stand beside or between the letters of words.
BESIDE: Final = frozenset("\u2019\u2018\u201c\u201d\u2026\u2013\u2014«»°ªº™®©€¿¡·\u00a0")
BETWEEN: Final = frozenset("\u2019·\u00a0")
# A word of this many letters that are all beyond ASCII is not of the Latin alphabet.
ALL_BEYOND: Final = 3


def guess_letters(words: Collection[bytes]) -> str:
    """Returns the candidate in which the fewest words look wrong."""
    return min(CANDIDATES, key=lambda encoding: sum(_is_wrong(each, encoding) for each in words))


def example_of(words: Collection[bytes], encoding: str) -> str:
    """Returns a word with a letter beyond ASCII, by which a reader can check the encoding."""
    decoded = (each.decode(encoding, "replace") for each in words)
    return max((each for each in decoded if len(each) <= 20), key=lambda word: (len(word), word), default="")


def _is_wrong(word: bytes, encoding: str) -> bool:
    try:
        text = word.decode(encoding)
    except UnicodeDecodeError:
        return True
    letters = [each for each in text if each.isalpha()]
    latin = [each for each in letters if each.isascii()]
    others = [each for each in letters if not each.isascii()]
    foreign = [each for each in others if not unicodedata.name(each, "").startswith("LATIN")]
    if foreign and (latin or len(foreign) < len(others)):
        return True
    if not foreign and len(others) >= ALL_BEYOND and not latin:
        return True
    return any(_is_wrong_at(text, index) for index in range(len(text)))


def _is_wrong_at(text: str, index: int) -> bool:
    """True if the character is a sign where a letter should be, or a capital inside a word."""
    character = text[index]
    if character.isascii():
        return False
    before = text[index - 1] if index else ""
    after = text[index + 1 : index + 2]
    if not character.isalpha():
        inside = before.isalpha() and after.isalpha()
        beside = before.isalpha() or after.isalpha()
        return (
            (inside and character not in BETWEEN) or (beside and character not in BESIDE) or _opens(character, before)
        )
    return character.isupper() and before.isalpha() and (before.islower() or after.islower())


def _opens(character: str, before: str) -> bool:
    """True for an opening quotation mark after a letter."""
    return character in "\u2018\u201c¿¡" and before.isalpha()
