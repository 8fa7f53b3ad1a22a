"""Collects the messages of templates and code in the catalogues of osdi/languages/locale (`make translations`).

A new message gets an empty translation, and a changed one keeps the former translation as a suggestion that is marked
`fuzzy`. Neither is used before a translator has written it; a test fails until then.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import write_po

from osdi.languages import LANGUAGES, SOURCE_LANGUAGE
from osdi.languages.catalogs import catalog, catalog_path

ROOT: Final = Path(__file__).parents[1]
SOURCES: Final = ("blueprints", "osdi", "schemas")
# The staff pages are English.
ENGLISH: Final = ("blueprints/staff/", "osdi/staff/")
METHODS: Final = [("**/templates/**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
TEMPLATE_OPTIONS: Final = {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}
KEYWORDS: Final = {**DEFAULT_KEYWORDS, "gettext_noop": None}
# A comment in code or a template that begins so is shown to translators.
NOTE: Final = "NOTE:"
WIDTH: Final = 120
TRANSLATED: Final = tuple(language for language in LANGUAGES if language != SOURCE_LANGUAGE)


def messages() -> Catalog:
    """Returns a catalogue of the messages in templates and code. Raises jinja2.TemplateSyntaxError."""
    found = Catalog(project="OSDI Outreach Server", charset="utf-8")
    for source in SOURCES:
        options = {METHODS[0][0]: TEMPLATE_OPTIONS}
        extracted = extract_from_dir(
            ROOT / source, METHODS, options, KEYWORDS, comment_tags=(NOTE,), strip_comment_tags=True
        )
        for name, line, message, comments, context in extracted:
            place = f"{source}/{Path(name).as_posix()}"
            if not place.startswith(ENGLISH):
                found.add(message, None, [(place, line)], auto_comments=comments, context=context)
    return found


def updated(language: str, extracted: Catalog) -> Catalog:
    """Returns a language's catalogue with exactly the extracted messages; a new language has an empty one."""
    there = catalog_path(language).exists()
    found = catalog(language) if there else Catalog(locale=language, fuzzy=False)
    found.update(extracted, update_creation_date=not there)
    found.obsolete.clear()
    return found


def write(found: Catalog, language: str) -> None:
    """Writes a catalogue; it names files and no lines, so that a moved line changes nothing."""
    path = catalog_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, found, width=WIDTH, sort_output=True, include_lineno=False, include_previous=True)


def untranslated(found: Catalog) -> Iterator[Message]:
    """Yields the messages that have no translation, an incomplete one, or one that is marked `fuzzy`."""
    for message in found:
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        complete = all(strings) and len(strings) == (found.num_plurals if message.pluralizable else 1)
        if message.id and (message.fuzzy or not complete):
            yield message


def main() -> int:
    """Updates each catalogue; prints the messages to translate, and returns 1 if there are any."""
    extracted, missing = messages(), 0
    for language in TRANSLATED:
        found = updated(language, extracted)
        write(found, language)
        for message in untranslated(found):
            missing += 1
            print(f"{catalog_path(language).relative_to(ROOT)}: translate {message.id!r}")
    print(f"{len(extracted)} messages in {len(TRANSLATED)} catalogues, {missing} to translate")
    return bool(missing)


if __name__ == "__main__":
    sys.exit(main())
