"""The language of a page: translates the texts of templates into the language of the current request."""

from gettext import NullTranslations
from typing import Final

from flask import Flask, g

# The language of the texts in templates and code, which needs no catalogue.
SOURCE_LANGUAGE: Final = "en"


def translate_templates(app: Flask) -> None:
    """Adds `_`, `ngettext`, `{% trans %}`, `lang` and `text_direction` to the application's templates."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    english = NullTranslations()
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        english.gettext, english.ngettext, newstyle=True
    )
    app.context_processor(lambda: {"lang": language(), "text_direction": "ltr"})


def use_language(wanted: str) -> None:
    """Sets the language of the current request's page."""
    g.language = wanted


def language() -> str:
    """Returns the language of the current request's page."""
    found: str = g.get("language", SOURCE_LANGUAGE)
    return found
