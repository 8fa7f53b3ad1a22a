"""Translations into a pseudo-locale: English that looks foreign, longer and still readable.

Placeholders, markup and character references stay as they are. `en-XA` has no ASCII letter, so that a test can find
each text that is not translated; `ar-XB` turns each word around by control characters (Unicode Standard Annex 9).
"""

import re
from collections.abc import Callable
from gettext import NullTranslations
from typing import Final

from osdi.languages.codes import ACCENTED

PLAIN: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
WITH_ACCENTS: Final = "ÀƁÇÐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽàƀçđéƒĝĥîĵķļɱñöþǫŕšţûṽŵẋýž"
TRANSLATION: Final = str.maketrans(PLAIN, WITH_ACCENTS)
OPENING, CLOSING = "⟦", "⟧"
# A translation can be about this much longer than English.
LONGER: Final = 0.3
FILLER: Final = "·"
RIGHT_TO_LEFT, END = "\u202e", "\u202c"
# A tag of HTML, a character reference, a placeholder such as %(name)s or %%, and one such as {name}.
KEPT: Final = re.compile(r"(<[^>]+>|&#?\w+;|%\(\w+\)[a-z]|%[a-z%]|\{\w*\})")
WORD: Final = re.compile(r"\w+")


class PseudoTranslations(NullTranslations):
    """The messages of a pseudo-locale. The plural rule is the English one."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._changed = accented if language == ACCENTED else turned

    def gettext(self, message: str) -> str:
        return self._changed(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self._changed(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return self._changed(message)

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        return self.ngettext(msgid1, msgid2, n)


def accented(text: str) -> str:
    """Returns a message with an accent on each letter, made longer and put in brackets."""
    return f"{OPENING}{with_accents(text)}{FILLER * round(len(text) * LONGER)}{CLOSING}"


def with_accents(text: str) -> str:
    """Returns the text with an accent on each letter."""
    return _outside_of_markup(text, lambda part: part.translate(TRANSLATION))


def turned(text: str) -> str:
    """Returns the text with each word written from right to left."""
    return _outside_of_markup(text, lambda part: WORD.sub(lambda word: f"{RIGHT_TO_LEFT}{word[0]}{END}", part))


def _outside_of_markup(text: str, change: Callable[[str], str]) -> str:
    parts = KEPT.split(text)
    return "".join(part if index % 2 else change(part) for index, part in enumerate(parts))
