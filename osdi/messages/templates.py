"""The templates of messages: a small part of Jinja in which a template that was saved can be filled in whatever comes.

A template prints fields (see template_fields), asks whether there is one, compares two, and goes through a list.
Nothing in it calls, counts or assigns, so nothing in it can fail, take long or reach what lies behind a value. Mistakes
are told when a template is saved: also a field that there is none of, which Jinja itself would print as nothing.

Pure.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from jinja2 import ChainableUndefined, Template, TemplateError, nodes
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import escape

from osdi.action_functions.followup_kinds import EMAIL
from osdi.messages.template_check import ENTRIES, FILTERS, LOOP, TESTS, Mistake, _Check
from osdi.messages.template_fields import single_line

# What a template makes at the most: as it is saved, by a guess for each field; and as it is filled in.
LARGEST_GUESS: Final = 200_000
LARGEST: Final = 400_000
SUBJECT_LENGTH: Final = 300

ENTRY_FILTER: Final = "entries"

DATE: Final = "%Y-%m-%d"

# A plain text has no tags.
TAG: Final = re.compile(r"<[a-z/!]", re.IGNORECASE)


class TooLarge(Exception):
    """What was filled in is longer than any message should be."""


@dataclass(frozen=True)
class Rendered:
    """A message whose fields are filled in: `html` of an e-mail, `text` of a text message."""

    subject: str = ""
    html: str = ""
    text: str = ""
    from_: str = ""
    reply_to: str = ""


def check(template: str) -> None:
    """Raises Mistake for a template that cannot be saved."""
    _compiled(template, escaped=True)


def render(
    message: Mapping[str, Any], wrapper: Mapping[str, Any] | None, values: Mapping[str, Any], kind: str = EMAIL
) -> Rendered:
    """The message between its wrapper's header and footer, filled in with `values` (see template_fields.fields).

    Raises TooLarge, and Mistake for a template that was never checked.
    """
    around = wrapper or {}
    parts = [part for part in (around.get("header"), message.get("body"), around.get("footer")) if part]
    if kind != EMAIL:
        text = "\n".join(_render_text(part, values, escaped=False).strip() for part in parts)
        return Rendered(text=text, from_=message.get("from", ""))
    html = "\n".join(_html(part, values) for part in parts)
    if len(html) > LARGEST:
        raise TooLarge
    return Rendered(
        subject=single_line(_render_text(message.get("subject", ""), values, escaped=False), SUBJECT_LENGTH),
        html=html,
        from_=message.get("from", ""),
        reply_to=message.get("reply_to", ""),
    )


def _html(template: str, values: Mapping[str, Any]) -> str:
    """As HTML: plain text keeps its lines."""
    if TAG.search(template):
        return _render_text(template, values, escaped=True)
    lines = _render_text(template, values, escaped=False).splitlines()
    return "<br>\n".join(str(escape(line)) for line in lines)


def _render_text(template: str, values: Mapping[str, Any], *, escaped: bool) -> str:
    pieces, size = [], 0
    for piece in _compiled(template, escaped=escaped).generate(values):
        size += len(piece)
        if size > LARGEST:
            raise TooLarge
        pieces.append(piece)
    return "".join(pieces)


@lru_cache(maxsize=256)
def _compiled(template: str, *, escaped: bool) -> Template:
    """Raises Mistake."""
    environment = ESCAPING if escaped else PLAIN
    try:
        tree = environment.parse(template)
        if _Check().size_of(tree) > LARGEST_GUESS:
            raise Mistake("What this makes would be too long.")
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, ENTRY_FILTER, [], [], None, None)
        return environment.from_string(tree)
    except TemplateError as error:
        raise Mistake(error.message or "This is no template.", getattr(error, "lineno", None)) from error
    except (RecursionError, SyntaxError, OverflowError, ValueError) as error:
        if isinstance(error, Mistake):
            raise
        raise Mistake("This is too involved.") from error


def _date(value: Any, form: str = DATE) -> Any:
    return f"{value:{form}}" if isinstance(value, dt.datetime) else value


def _bounded_entries(value: Any) -> list[Any]:
    return value[:ENTRIES] if isinstance(value, list) else []


def _join(value: Any, separator: Any = ", ") -> str:
    entries = value if isinstance(value, list) else [value]
    return str(_printed(separator)).join(str(_printed(each)) for each in entries)


def _printed(value: Any) -> Any:
    """What is printed of a value: nothing of what is no text, number or date."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return f"{value:{DATE}}"
    return value if isinstance(value, str | int | float) else ""


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja's, in which only what objects of JSON hold can be reached, and of a loop where it stands."""

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
    made = _Environment(autoescape=escaped, undefined=ChainableUndefined, finalize=_printed, keep_trailing_newline=True)
    kept: dict[str, Callable[..., Any]] = {name: made.filters[name] for name in FILTERS if name in made.filters}
    own = {
        "date": _date,
        "join": _join,
        "first": _first_entry,
        "last": _last_entry,
        "length": _length,
        ENTRY_FILTER: _bounded_entries,
    }
    made.filters = {**{name: _of_text(each) for name, each in kept.items()}, **own, "default": _default, "d": _default}
    made.tests = {name: made.tests[name] for name in TESTS}
    made.globals = {}
    return made


def _of_text(text_filter: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda value: text_filter(_printed(value))


def _default(value: Any, instead: Any) -> Any:
    return value if _printed(value) != "" or (isinstance(value, list | Mapping) and value) else instead


def _first_entry(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else ChainableUndefined()


def _last_entry(value: Any) -> Any:
    return value[-1] if isinstance(value, list) and value else ChainableUndefined()


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list | str) else 0


ESCAPING: Final = _environment(escaped=True)
PLAIN: Final = _environment(escaped=False)
