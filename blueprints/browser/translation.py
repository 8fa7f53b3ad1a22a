"""The language of the current request: templates and views write texts, numbers, dates and lists in it.

Templates have `_('Text')`, `ngettext('%(num)s person', '%(num)s people', count)` and `{% trans %}`. The number for
the placeholder `num` is written as the language writes it. They have `lang` and `text_direction` for `<html>`, and the
filters `number`, `date`, `date_and_time` and `listed`.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from flask import Flask, g, request
from jinja2 import pass_context
from jinja2.runtime import Context

from blueprints.http.context import settings
from osdi.languages import choose, formats, text_direction, translations

PLACEHOLDER: Final = "num"


def translate_templates(app: Flask) -> None:
    """Adds the functions, filters and variables of this module to the application's templates."""
    templates = app.jinja_env
    templates.add_extension("jinja2.ext.i18n")
    templates.policies["ext.i18n.trimmed"] = True  # a line break in {% trans %} is a space
    templates.install_gettext_callables(  # type: ignore[attr-defined]
        gettext, ngettext, newstyle=True, pgettext=pgettext, npgettext=npgettext
    )
    for name, number_at in (("ngettext", 2), ("npgettext", 3)):
        templates.globals[name] = _with_written_number(templates.globals[name], number_at)
    templates.filters |= {"number": number, "date": date, "date_and_time": date_and_time, "listed": listed}
    app.context_processor(lambda: {"lang": language(), "text_direction": text_direction(language())})


def use_language(*wanted: str | None) -> None:
    """Sets the language of the current request: the first of these tags that the server speaks, else LANGUAGE."""
    g.language = choose(wanted, settings().language)


def language() -> str:
    """Returns the language of the current request."""
    found: str = g.get("language") or settings().language
    return found


def accepted_languages() -> list[str]:
    """Returns the language tags of the request's Accept-Language (RFC 9110, section 12.5.4), the best first."""
    return [tag for tag, quality in request.accept_languages if quality > 0]


def gettext(message: str) -> str:
    """Returns the message in the language of the current request."""
    return translations(language()).gettext(message)


def ngettext(singular: str, plural: str, count: int) -> str:
    """Returns the plural form of the message for a count, in the language of the current request."""
    return translations(language()).ngettext(singular, plural, count)


def pgettext(context: str, message: str) -> str:
    """Returns a message that means something else in another context."""
    return translations(language()).pgettext(context, message)


def npgettext(context: str, singular: str, plural: str, count: int) -> str:
    """Returns the plural form of a message that means something else in another context."""
    return translations(language()).npgettext(context, singular, plural, count)


def number(value: float) -> str:
    """Returns a number in the language of the current request."""
    return formats.number(value, language())


def date(value: dt.date, form: formats.Form = "long") -> str:
    """Returns a day in the language of the current request, in the setting TIME_ZONE."""
    return formats.date(value, language(), settings().zone, form)


def date_and_time(value: dt.datetime, form: formats.Form = "long") -> str:
    """Returns date and time in the language of the current request, in the setting TIME_ZONE."""
    return formats.date_and_time(value, language(), settings().zone, form)


def listed(items: Sequence[str]) -> str:
    """Returns several items as one text in the language of the current request."""
    return formats.listed(items, language())


def _with_written_number(of_jinja: Any, number_at: int) -> Any:
    """Returns Jinja's function for plural forms, with `num` as the language writes it."""

    @pass_context
    def plural_form(context: Context, /, *arguments: Any, **variables: Any) -> str:
        variables.setdefault(PLACEHOLDER, number(arguments[number_at]))
        text: str = of_jinja(context, *arguments, **variables)
        return text

    return plural_form
