"""Validates a template when a client saves it: unknown fields and filters, invalid loops, templates that are too large.

Allowed are printing fields, filters, `{% if %}` and `{% for %}`. Everything else of Jinja is rejected.
"""

import datetime as dt
import unicodedata
from collections.abc import Mapping
from typing import Final

from jinja2 import nodes

from osdi.messages.template_fields import FIELDS, LISTED, UNSUBSCRIBE_URL

# A loop stops after this many entries.
MAX_ENTRIES: Final = 20
# Maximum nesting of loops, and of all nodes.
MAX_LOOPS: Final = 2
MAX_DEPTH: Final = 20
# Estimated length of a printed field, in characters.
ESTIMATED_FIELD_LENGTH: Final = 100
LOOP: Final = ("first", "last", "index")
# Minimum and maximum number of arguments of each filter.
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
    """The template is invalid. The message is a sentence with the reason, after the line number if that is known."""

    def __init__(self, sentence: str, line: int | None = None) -> None:
        super().__init__(f"Line {line}: {sentence}" if line else sentence)


class TemplateChecker:
    """Walks a parsed template and raises Mistake for everything that the module's docstring does not allow."""

    def __init__(self) -> None:
        self._loops: dict[str, frozenset[str] | None] = {}

    def size_of(self, node: nodes.Node, depth: int = 0) -> int:
        """Returns the estimated length of the node's output, in characters; long field values can exceed it."""
        if depth > MAX_DEPTH:
            raise Mistake("Expressions or blocks are nested too deep.", node.lineno)
        if isinstance(node, nodes.For):
            return self._size_of_loop(node, depth)
        self._check(node)
        # The estimate adds both branches of a condition.
        own = len(node.data) if isinstance(node, nodes.TemplateData) else 0
        own = (
            ESTIMATED_FIELD_LENGTH if isinstance(node, nodes.Expr) and not isinstance(node, nodes.TemplateData) else own
        )
        return own + sum(self.size_of(each, depth + 1) for each in node.iter_child_nodes())

    def _size_of_loop(self, node: nodes.For, depth: int) -> int:
        if node.recursive or not isinstance(node.target, nodes.Name):
            raise Mistake("Write a loop as {% for target in targets %}.", node.lineno)
        name = node.target.name
        if name in FIELDS or name in self._loops or name in ("loop", UNSUBSCRIBE_URL):
            raise Mistake(f"The name '{name}' is already in use; choose another one.", node.lineno)
        if len(self._loops) >= MAX_LOOPS:
            raise Mistake(f"Loops can be nested {MAX_LOOPS} deep at most.", node.lineno)
        list_size = self.size_of(node.iter, depth + 1)
        self._loops[name] = LISTED.get(_path(node.iter))
        repeated = [*node.body, *([node.test] if node.test else [])]
        repeated_size = sum(self.size_of(each, depth + 1) for each in repeated)
        del self._loops[name]
        return list_size + MAX_ENTRIES * (repeated_size + 1) + sum(self.size_of(each, depth + 1) for each in node.else_)

    def _check(self, node: nodes.Node) -> None:
        reason: str | None = None
        match node:
            case nodes.Name():
                if node.name not in FIELDS and node.name not in self._loops | {"loop": None, UNSUBSCRIBE_URL: None}:
                    known = ", ".join((*FIELDS, *self._loops, UNSUBSCRIBE_URL))
                    reason = f"The name '{node.name}' does not exist; known names are {known}."
            case nodes.Getattr():
                reason = self._unknown_field(node.node, node.attr)
            case nodes.Getitem():
                if not isinstance(node.arg, nodes.Const) or not isinstance(node.arg.value, str | int):
                    reason = "Brackets can contain only a field's name in quotes or a number."
                elif isinstance(node.arg.value, str):
                    reason = self._unknown_field(node.node, node.arg.value)
            case nodes.Filter():
                least, most = FILTERS.get(node.name, (0, -1))
                if node.name not in FILTERS:
                    reason = f"The filter '{node.name}' does not exist; known filters are {', '.join(FILTERS)}."
                elif node.kwargs or node.dyn_args or node.dyn_kwargs or not least <= len(node.args) <= most:
                    number = f"{least}" if least == most else f"{least} or {most}"
                    reason = f"The filter '{node.name}' takes {number} argument{'' if least == most == 1 else 's'}."
                elif node.name == "date":
                    reason = _invalid_format(node.args)
            case nodes.Test():
                if node.name not in TESTS or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
                    reason = f"The only tests are 'is {TESTS[0]}' and 'is {TESTS[1]}'."
            case nodes.Operand():
                if node.op not in COMPARED:
                    reason = "The only comparisons are == and !=."
            case nodes.Const():
                if isinstance(node.value, str) and any(unicodedata.category(each) == "Cs" for each in node.value):
                    reason = "The text contains characters that are not valid Unicode."
            case _:
                if not isinstance(node, ALLOWED):
                    reason = "A template can only print fields and use {% if %} and {% for %}."
        if reason:
            raise Mistake(reason, node.lineno)

    def _unknown_field(self, node: nodes.Node, name: str) -> str | None:
        if not isinstance(node, nodes.Name):
            return None
        if node.name == "loop":
            return None if name in LOOP else f"'loop' has only {', '.join(LOOP)}."
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
    """Returns the list's name, such as `outreach.targets`; an empty string if the node is not a plain name."""
    if isinstance(node, nodes.Name):
        return str(node.name)
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return f"{node.node.name}.{node.attr}"
    return ""


def _invalid_format(arguments: list[nodes.Expr]) -> str | None:
    for argument in arguments:
        if not isinstance(argument, nodes.Const) or not isinstance(argument.value, str):
            return "A date's format must be a text such as '%d %B %Y'."
        try:
            f"{dt.datetime(2026, 1, 31):{argument.value}}".encode()
        except (ValueError, UnicodeError):
            return "A date's format must be a text such as '%d %B %Y'."
    return None
