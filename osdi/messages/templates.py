"""Renders message templates, which use a small part of Jinja: a template that was saved renders with any values.

A template prints fields (see template_fields), tests if a field exists, compares two values, and loops over a list. It
cannot call, calculate or assign, so rendering cannot fail, take long or read the attributes of Python objects. Errors
are reported when a client saves the template, also an unknown field, which Jinja itself would print as an empty string.

Pure.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from jinja2 import ChainableUndefined, Template, TemplateError, nodes, pass_context
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import escape

from osdi.action_functions.followup_kinds import EMAIL
from osdi.languages import SOURCE_LANGUAGE, formats
from osdi.mail.html_tags import is_html
from osdi.messages.template_check import FILTERS, LOOP, MAX_ENTRIES, TESTS, Mistake, TemplateChecker
from osdi.messages.template_fields import LANGUAGE, single_line

# Maximum length of the output in characters: as estimated when a template is saved, and as rendered.
MAX_ESTIMATED_LENGTH: Final = 200_000
MAX_RENDERED_LENGTH: Final = 400_000
MAX_SUBJECT_LENGTH: Final = 300

# Internal filter, applied to the list of every loop.
ENTRY_FILTER: Final = "entries"

DATE: Final = "%Y-%m-%d"

# White space that HTML would collapse: a tab, and spaces at the start of a line or in a row.
SPACES: Final = re.compile(r"^ +|\t| {2,}")
TAB: Final = 4


class TooLarge(Exception):
    """The rendered message is longer than MAX_RENDERED_LENGTH characters."""


@dataclass(frozen=True)
class Rendered:
    """A message with its placeholders filled in: an e-mail has `html`, a text message has `text`.

    An e-mail that was written as plain text has both.
    """

    subject: str = ""
    html: str = ""
    text: str = ""
    from_: str = ""
    reply_to: str = ""


def check(template: str) -> None:
    """Raises Mistake for an invalid template."""
    _compile(template, escaped=True)


def render(
    message: Mapping[str, Any], wrapper: Mapping[str, Any] | None, values: Mapping[str, Any], kind: str = EMAIL
) -> Rendered:
    """Renders the message between its wrapper's header and footer, with `values` from template_fields.fields().

    Raises TooLarge, and Mistake for an invalid template that was saved without a check.
    """
    wrapper = wrapper or {}
    parts = [part for part in (wrapper.get("header"), message.get("body"), wrapper.get("footer")) if part]
    if kind != EMAIL:
        text = "\n".join(_fill(part, values, escaped=False).strip() for part in parts)
        return Rendered(text=text, from_=message.get("from", ""))
    text = ""
    if any(is_html(part) for part in parts):
        html = "\n".join(_fill_html(part, values) for part in parts)
    else:
        text = "\n".join(_fill_plain(part, values) for part in parts)
        html = text_as_html(text)
    if len(html) > MAX_RENDERED_LENGTH:
        raise TooLarge
    return Rendered(
        subject=single_line(_fill(message.get("subject", ""), values, escaped=False), MAX_SUBJECT_LENGTH),
        html=html,
        text=text,
        from_=message.get("from", ""),
        reply_to=message.get("reply_to", ""),
    )


def _fill_html(template: str, values: Mapping[str, Any]) -> str:
    """Returns the rendered template as HTML."""
    if is_html(template):
        return _fill(template, values, escaped=True)
    return text_as_html(_fill_plain(template, values))


def _fill_plain(template: str, values: Mapping[str, Any]) -> str:
    """Returns the rendered template as plain text with uniform line ends."""
    return "\n".join(_fill(template, values, escaped=False).splitlines())


def text_as_html(text: str) -> str:
    """Returns plain text as HTML that shows the same characters, lines and spaces."""
    return "<br>\n".join(SPACES.sub(_unbreakable, str(escape(line))) for line in text.split("\n"))


def _unbreakable(spaces: re.Match[str]) -> str:
    """Returns white space that HTML keeps; the last space inside a line may still be broken."""
    if spaces[0] == "\t":
        return "&nbsp;" * TAB
    return "&nbsp;" * len(spaces[0]) if spaces.start() == 0 else "&nbsp;" * (len(spaces[0]) - 1) + " "


def _fill(template: str, values: Mapping[str, Any], *, escaped: bool) -> str:
    pieces, size = [], 0
    for piece in _compile(template, escaped=escaped).generate(values):
        size += len(piece)
        if size > MAX_RENDERED_LENGTH:
            raise TooLarge
        pieces.append(piece)
    return "".join(pieces)


@lru_cache(maxsize=256)
def _compile(template: str, *, escaped: bool) -> Template:
    """Returns the checked, compiled template. Raises Mistake if it is invalid."""
    environment = ESCAPING if escaped else PLAIN
    try:
        tree = environment.parse(template)
        if TemplateChecker().size_of(tree) > MAX_ESTIMATED_LENGTH:
            raise Mistake("The output would be too long; shorten the template or its loops.")
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, ENTRY_FILTER, [], [], None, None)
        return environment.from_string(tree)
    except TemplateError as error:
        raise Mistake(error.message or "The template is invalid.", getattr(error, "lineno", None)) from error
    except (RecursionError, SyntaxError, OverflowError, ValueError) as error:
        if isinstance(error, Mistake):
            raise
        raise Mistake("The template is too complex.") from error


@pass_context
def _date(context: Context, value: Any, form: str = DATE) -> Any:
    """Returns a date in one of the forms of CLDR in the language of the mail, or in a format of strftime."""
    if not isinstance(value, dt.datetime):
        return value
    if form in formats.FORMS:
        return formats.date(value.date(), context.get(LANGUAGE, SOURCE_LANGUAGE), form=form)
    return f"{value:{form}}"


def _bounded_entries(value: Any) -> list[Any]:
    return value[:MAX_ENTRIES] if isinstance(value, list) else []


def _join(value: Any, separator: Any = ", ") -> str:
    entries = value if isinstance(value, list) else [value]
    return str(_printable(separator)).join(str(_printable(each)) for each in entries)


def _printable(value: Any) -> Any:
    """Returns the value in printable form: text, number, date or boolean; an empty string for any other value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return f"{value:{DATE}}"
    return value if isinstance(value, str | int | float) else ""


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja environment that gives access to JSON objects and lists and to the position of a loop, and nothing else."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, LoopContext) and argument in LOOP:
            return getattr(obj, argument)
        if isinstance(obj, Mapping) and argument in obj:
            return obj[argument]
        if isinstance(obj, list) and isinstance(argument, int) and -len(obj) <= argument < len(obj):
            return obj[argument]
        return self.undefined(obj=obj, name=argument)


def _environment(*, escaped: bool) -> _Environment:
    environment = _Environment(
        autoescape=escaped, undefined=ChainableUndefined, finalize=_printable, keep_trailing_newline=True
    )
    known = environment.filters
    jinja: dict[str, Callable[..., Any]] = {name: _for_printable(known[name]) for name in FILTERS if name in known}
    own = {
        "date": _date,
        "join": _join,
        "first": _first_entry,
        "last": _last_entry,
        "length": _length,
        ENTRY_FILTER: _bounded_entries,
    }
    environment.filters = {**jinja, **own, "default": _default, "d": _default}
    environment.tests = {name: environment.tests[name] for name in TESTS}
    environment.globals = {}
    return environment


def _for_printable(text_filter: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda value: text_filter(_printable(value))


def _default(value: Any, default: Any) -> Any:
    return value if _printable(value) != "" or (isinstance(value, list | Mapping) and value) else default


def _first_entry(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else ChainableUndefined()


def _last_entry(value: Any) -> Any:
    return value[-1] if isinstance(value, list) and value else ChainableUndefined()


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list | str) else 0


ESCAPING: Final = _environment(escaped=True)
PLAIN: Final = _environment(escaped=False)
