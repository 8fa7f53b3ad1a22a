"""Checks a template when it is saved: unknown fields, wrong loops, filters that do not exist."""

import datetime as dt
import unicodedata
from collections.abc import Mapping
from typing import Final

from jinja2 import nodes

from osdi.messages.template_fields import FIELDS, LISTED, UNSUBSCRIBE_URL

# Of a list as many entries are gone through; lists in lists, but none in those.
ENTRIES: Final = 20
LOOPS: Final = 2
DEPTH: Final = 20
GUESS: Final = 100
LOOP: Final = ("first", "last", "index")
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


class Mistake(ValueError):
    """A template that cannot be taken: a sentence that says why, and the line where it is."""

    def __init__(self, sentence: str, line: int | None = None) -> None:
        super().__init__(f"Line {line}: {sentence}" if line else sentence)


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
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.And,
    nodes.Or,
    nodes.Not,
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
