"""The languages that pages and mails have, and the choice of one of them by language tags (RFC 5646).

The pseudo-locales of CLDR are languages for tests: `en-XA` shows each translated text with accents, `ar-XB` from right
to left. So text that nobody has marked for translation is visible.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

from babel import Locale, negotiate_locale

SOURCE_LANGUAGE: Final = "en"
LANGUAGES: Final = (SOURCE_LANGUAGE, "es", "de", "fr")
ACCENTED, BIDIRECTIONAL = "en-XA", "ar-XB"
# Each pseudo-locale, and the language of its dates and numbers.
PSEUDO_LANGUAGES: Final = {ACCENTED: "en", BIDIRECTIONAL: "ar"}
# Babel knows more of them, but its data of one language take 5 MB, and many pages show no date or number.
RIGHT_TO_LEFT: Final = frozenset(("ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"))


def choose(wanted: Iterable[str | None], default: str = SOURCE_LANGUAGE) -> str:
    """Returns the first wanted language that exists, else the default.

    `wanted` are language tags, the best first; None and unknown tags are skipped. `de-AT` finds `de`. A pseudo-locale
    exists only where it is the default.
    """
    known = {each.lower(): each for each in (*LANGUAGES, default)}
    found = negotiate_locale([each for each in wanted if each], known, sep="-")
    return known[found.lower()] if found else default


def language_of(campaign: Mapping[str, Any], default: str) -> str:
    """Returns the language of a campaign's page and mails: the page setting `language`, else the default.

    `campaign` is a document.
    """
    return choose([campaign.get("page", {}).get("language")], default)


def text_direction(language: str) -> str:
    """Returns the direction of a language's text, as the attribute `dir` of HTML has it: `ltr` or `rtl`."""
    return "rtl" if language.partition("-")[0] in RIGHT_TO_LEFT else "ltr"


@cache
def locale(language: str) -> Locale:
    """Returns Babel's data of a language. Raises ValueError or babel.UnknownLocaleError if it has none."""
    return Locale.parse(PSEUDO_LANGUAGES.get(language, language), sep="-")
