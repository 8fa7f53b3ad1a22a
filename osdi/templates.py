"""The templates of messages: a small part of Jinja in which a template that was saved can be filled in whatever comes.

A template prints fields (see template_fields), asks whether there is one, compares two, and goes through a list.
Nothing in it calls, counts or assigns, so nothing in it can fail, take long or reach what lies behind a value. Mistakes
are told when a template is saved: also a field that there is none of, which Jinja itself would print as nothing.

Pure.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from jinja2 import ChainableUndefined, Template, TemplateError, nodes
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import escape

from osdi.template_fields import FIELDS, LISTED, UNSUBSCRIBE_URL, single_line
from osdi.triggers import EMAIL

# Of a list as many entries are gone through; lists in lists, but none in those.
ENTRIES: Final = 20
LOOPS: Final = 2
DEPTH: Final = 20

# What a template makes at the most: as it is saved, by a guess for each field; and as it is filled in.
LARGEST_GUESS: Final = 200_000
LARGEST: Final = 400_000
GUESS: Final = 100
SUBJECT_LENGTH: Final = 300

LOOP: Final = ("first", "last", "index")
ENTRY_FILTER: Final = "entries"

# By name how many arguments there may be.
FILTERS: Final[Mapping[str, tuple[int, int]]] = {
    "default": (1, 1),
    "d": (1, 1),
    "upper": (0, 0),
    "lower": (0, 0),
    "capitalize": (0, 0),
    "title": (0, 0),
    "trim": (0, 0),
    "first": (0, 0),
    "last": (0, 0),
    "length": (0, 0),
    "join": (0, 1),
    "date": (0, 1),
}
TESTS: Final = ("defined", "undefined")
COMPARED: Final = ("eq", "ne")
DATE: Final = "%Y-%m-%d"

# A plain text has no tags.
TAG: Final = re.compile(r"<[a-z/!]", re.IGNORECASE)


class Mistake(ValueError):
    """A template that cannot be taken: a sentence that says why, and the line where it is."""

    def __init__(self, sentence: str, line: int | None = None) -> None:
        super().__init__(f"Line {line}: {sentence}" if line else sentence)


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
        text = "\n".join(_filled(part, values, escaped=False).strip() for part in parts)
        return Rendered(text=text, from_=message.get("from", ""))
    html = "\n".join(_html(part, values) for part in parts)
    if len(html) > LARGEST:
        raise TooLarge
    return Rendered(
        subject=single_line(_filled(message.get("subject", ""), values, escaped=False), SUBJECT_LENGTH),
        html=html,
        from_=message.get("from", ""),
        reply_to=message.get("reply_to", ""),
    )


def _html(template: str, values: Mapping[str, Any]) -> str:
    """As HTML: plain text keeps its lines."""
    if TAG.search(template):
        return _filled(template, values, escaped=True)
    lines = _filled(template, values, escaped=False).splitlines()
    return "<br>\n".join(str(escape(line)) for line in lines)


def _filled(template: str, values: Mapping[str, Any], *, escaped: bool) -> str:
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


class _Check:
    """Walks a parsed template. Raises Mistake for all but what the module's first paragraph promises."""

    def __init__(self) -> None:
        self._loops: dict[str, frozenset[str] | None] = {}

    def size_of(self, node: nodes.Node, depth: int = 0) -> int:
        """How long what this makes may be: a guess, which fields that are longer than usual exceed."""
        if depth > DEPTH:
            raise Mistake("This is nested too deep.", node.lineno)
        if isinstance(node, nodes.For):
            return self._size_of_loop(node, depth)
        self._check(node)
        # An output's fields stand side by side, and of a condition either branch may be the longer one.
        own = len(node.data) if isinstance(node, nodes.TemplateData) else 0
        own = GUESS if isinstance(node, nodes.Expr) and not isinstance(node, nodes.TemplateData) else own
        return own + sum(self.size_of(each, depth + 1) for each in node.iter_child_nodes())

    def _size_of_loop(self, node: nodes.For, depth: int) -> int:
        if node.recursive or not isinstance(node.target, nodes.Name):
            raise Mistake("A loop is written {% for target in targets %}.", node.lineno)
        name = node.target.name
        if name in FIELDS or name in self._loops or name in ("loop", UNSUBSCRIBE_URL):
            raise Mistake(f"'{name}' is the name of something else already.", node.lineno)
        if len(self._loops) >= LOOPS:
            raise Mistake(f"Loops may lie {LOOPS} deep in one another.", node.lineno)
        before = self.size_of(node.iter, depth + 1)
        self._loops[name] = LISTED.get(_path(node.iter))
        inside = [*node.body, *([node.test] if node.test else [])]
        within = sum(self.size_of(each, depth + 1) for each in inside)
        del self._loops[name]
        return before + ENTRIES * (within + 1) + sum(self.size_of(each, depth + 1) for each in node.else_)

    def _check(self, node: nodes.Node) -> None:
        wrong: str | None = None
        match node:
            case nodes.Name():
                if node.name not in FIELDS and node.name not in self._loops | {"loop": None, UNSUBSCRIBE_URL: None}:
                    known = ", ".join((*FIELDS, *self._loops, UNSUBSCRIBE_URL))
                    wrong = f"There is no '{node.name}'; there are {known}."
            case nodes.Getattr():
                wrong = self._unknown_field(node.node, node.attr)
            case nodes.Getitem():
                if not isinstance(node.arg, nodes.Const) or not isinstance(node.arg.value, str | int):
                    wrong = "In [ ] stands a name or a number."
                elif isinstance(node.arg.value, str):
                    wrong = self._unknown_field(node.node, node.arg.value)
            case nodes.Filter():
                least, most = FILTERS.get(node.name, (0, -1))
                if node.name not in FILTERS:
                    wrong = f"There is no filter '{node.name}'; there are {', '.join(FILTERS)}."
                elif node.kwargs or node.dyn_args or node.dyn_kwargs or not least <= len(node.args) <= most:
                    takes = f"{least}" if least == most else f"{least} or {most}"
                    wrong = f"The filter '{node.name}' takes {takes} arguments."
                elif node.name == "date":
                    wrong = _wrong_format(node.args)
            case nodes.Test():
                if node.name not in TESTS or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
                    wrong = f"Asked can be whether something is {' or '.join(TESTS)}."
            case nodes.Operand():
                if node.op not in COMPARED:
                    wrong = "Compared can be with == and !=."
            case nodes.Const():
                if isinstance(node.value, str) and any(unicodedata.category(each) == "Cs" for each in node.value):
                    wrong = "This is no text."
            case _:
                if not isinstance(node, ALLOWED):
                    wrong = "A template prints fields, and knows {% if %} and {% for %} alone."
        if wrong:
            raise Mistake(wrong, node.lineno)

    def _unknown_field(self, node: nodes.Node, name: str) -> str | None:
        if not isinstance(node, nodes.Name):
            return None
        if node.name == "loop":
            return None if name in LOOP else f"A loop knows {', '.join(LOOP)}."
        known = self._loops.get(node.name) or FIELDS.get(node.name)
        if known is None or name in known:
            return None
        return f"'{node.name}' has no field '{name}'."


ALLOWED: Final = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.CondExpr, nodes.Compare),
    *(nodes.And, nodes.Or, nodes.Not),
)


def _path(node: nodes.Node) -> str:
    """What a list is called, such as `outreach.targets`; nothing where it is no plain name."""
    if isinstance(node, nodes.Name):
        return str(node.name)
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return f"{node.node.name}.{node.attr}"
    return ""


def _wrong_format(arguments: list[nodes.Expr]) -> str | None:
    for argument in arguments:
        if not isinstance(argument, nodes.Const) or not isinstance(argument.value, str):
            return "A date's format is a text such as '%d %B %Y'."
        try:
            f"{dt.datetime(2026, 1, 31):{argument.value}}".encode()
        except (ValueError, UnicodeError):
            return "A date's format is a text such as '%d %B %Y'."
    return None


def _date(value: Any, form: str = DATE) -> Any:
    return f"{value:{form}}" if isinstance(value, dt.datetime) else value


def _entries(value: Any) -> list[Any]:
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
    own = {"date": _date, "join": _join, "first": _first, "last": _last, "length": _length, ENTRY_FILTER: _entries}
    made.filters = {**{name: _of_text(each) for name, each in kept.items()}, **own, "default": _default, "d": _default}
    made.tests = {name: made.tests[name] for name in TESTS}
    made.globals = {}
    return made


def _of_text(text_filter: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda value: text_filter(_printed(value))


def _default(value: Any, instead: Any) -> Any:
    return value if _printed(value) != "" or (isinstance(value, list | Mapping) and value) else instead


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else ChainableUndefined()


def _last(value: Any) -> Any:
    return value[-1] if isinstance(value, list) and value else ChainableUndefined()


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list | str) else 0


ESCAPING: Final = _environment(escaped=True)
PLAIN: Final = _environment(escaped=False)
