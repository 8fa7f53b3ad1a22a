"""The translated messages of each language, read from `locale/<language>/LC_MESSAGES/messages.po` at first use.

Code gets a message by `translations(language).gettext("...")`. `python -m dev.translations` finds such calls, and
updates the files.
"""

import io
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING, Final

from osdi.languages.codes import LANGUAGES, PSEUDO_LANGUAGES, SOURCE_LANGUAGE
from osdi.languages.pseudo import PseudoTranslations

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

FOLDER: Final = Path(__file__).parent / "locale"


@cache
def translations(language: str) -> NullTranslations:
    """Returns the messages of one of LANGUAGES or PSEUDO_LANGUAGES. Raises ValueError for another language.

    A message without a translation stays English.
    """
    if language == SOURCE_LANGUAGE:
        return NullTranslations()
    if language in PSEUDO_LANGUAGES:
        return PseudoTranslations(language)
    if language not in LANGUAGES:
        raise ValueError(f"{language!r} is none of {', '.join(LANGUAGES)}.")
    from babel.messages.mofile import write_mo  # English needs no catalogue

    compiled = io.BytesIO()
    write_mo(compiled, catalog(language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def catalog_path(language: str) -> Path:
    """Returns the path of a language's catalogue."""
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


def catalog(language: str) -> "Catalog":
    """Reads a language's catalogue. Raises OSError if there is none, PoFileError if it is damaged."""
    from babel.messages.pofile import read_po

    with catalog_path(language).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def gettext_noop(message: str) -> str:
    """Returns the message unchanged: marks a text that is translated later (gettext manual, section 4.7)."""
    return message
