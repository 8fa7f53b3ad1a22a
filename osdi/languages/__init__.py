"""Languages of pages and mails: translated messages, the choice of a language, and dates, numbers and lists in it.

English is the language of the code. Each other language has a catalogue in `locale/`, and `make translations` updates
it.

Imports: nothing of osdi.
"""

from osdi.languages.catalogs import translations
from osdi.languages.codes import LANGUAGES, PSEUDO_LANGUAGES, SOURCE_LANGUAGE, choose, language_of, text_direction

__all__ = [
    "LANGUAGES",
    "PSEUDO_LANGUAGES",
    "SOURCE_LANGUAGE",
    "choose",
    "language_of",
    "text_direction",
    "translations",
]
