"""Parses the text of an OData `$filter` within bounds, and words the errors."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken
from lark.parsers.lalr_interactive_parser import InteractiveParser

from osdi.errors import OsdiError, invalid
from osdi.odata.fields import FilterField, shortened

MAX_LENGTH: Final = 2_000
MAX_DEPTH: Final = 32
MAX_CONDITIONS: Final = 50
# A keyword ends where a name could not go on: `order eq 1` does not begin with "or".
GRAMMAR: Final = r"""
?any_of: all_of (_OR all_of)*
?all_of: negation (_AND negation)*
?negation: condition
         | _NOT condition -> negated
?condition: "(" any_of ")"
          | operand OPERATOR operand -> comparison
          | call -> test
?operand: call
        | PATH
        | (STRING | NUMBER | DATE | BOOLEAN | NULL) -> value
call: FUNCTION "(" operand ("," operand)* ")"

_OR.3: /or(?![\w\/.:-])/i
_AND.3: /and(?![\w\/.:-])/i
_NOT.3: /not(?![\w\/.:-])/i
OPERATOR.3: /(?:eq|ne|gt|ge|lt|le|like|re|regexp)(?![\w\/.:-])/i
BOOLEAN.3: /(?:true|false)(?![\w\/.:-])/i
NULL.3: /null(?![\w\/.:-])/i
FUNCTION.2: /[a-z_]+(?=\s*\()/i
DATE.2: /\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+\- ]\d\d(?::?\d\d)?)?)?(?![\w.:-])/i
NUMBER: /-?\d+(?:\.\d+)?(?![\w.])/
STRING: /'(?:[^']|'')*'/
PATH: /[^\W\d]\w*(?:[\/.](?:[\w:-]+|'(?:[^']|'')*'))*/
%ignore /\s+/
"""
PARSER: Final = Lark(GRAMMAR, parser="lalr", lexer="basic", start="any_of")
EXPECTED: Final[Mapping[str, str]] = {
    "PATH": "a field",
    "STRING": "a value (text in single quotes, a number, true, false or null)",
    "OPERATOR": "an operator (eq, ne, gt, ge, lt, le, like)",
    "LPAR": "(",
    "RPAR": ")",
    "COMMA": "a comma",
    "_AND": "and",
    "_OR": "or",
    "$END": "the end",
}


@dataclass(frozen=True)
class Field:
    """A field where it stands in a filter; `ignore_case` inside tolower()."""

    name: str
    column: int
    declared: FilterField
    ignore_case: bool = False


@dataclass(frozen=True)
class Value:
    """A value where it stands in a filter."""

    literal: str | float | bool | dt.datetime | None
    column: int


Operand = Field | Value | Token  # a path stays a token while it may still be a text without its quotes


def parse(text: str) -> Tree[Token]:
    """The syntax tree of a filter, within bounds: no deeper than what walks it may recurse. Raises OsdiError 400."""
    reading = PARSER.parse_interactive(text)
    depth = conditions = 0
    try:
        for token in reading.iter_parse():
            depth += {"LPAR": 1, "RPAR": -1}.get(token.type, 0)
            conditions += token.type == "OPERATOR" or (token.type == "FUNCTION" and token.lower() != "tolower")
            if depth > MAX_DEPTH:
                raise refused(token, f"parentheses are nested more than {MAX_DEPTH} deep")
            if conditions > MAX_CONDITIONS:
                raise refused(token, f"a filter has at most {MAX_CONDITIONS} conditions")
        tree: Tree[Token] = reading.feed_eof()  # type: ignore[no-untyped-call]
    except UnexpectedCharacters as error:
        raise unexpected(text, error.pos_in_stream or 0, reading) from None
    except UnexpectedToken as error:
        position = len(text) if error.token.type == "$END" else error.token.start_pos or 0
        raise unexpected(text, position, reading) from None
    return tree


def column(token: Token) -> int:
    """Where a token stands in the text, counted from 1."""
    return 1 + (token.start_pos or 0)


def refused(at: Operand | int, why: str) -> OsdiError:
    """400 with the column in which the trouble begins."""
    place = column(at) if isinstance(at, Token) else at if isinstance(at, int) else at.column
    return invalid(f"Column {place}: {why}.", "filter")


def unexpected(text: str, position: int, reading: InteractiveParser) -> OsdiError:
    """400 for what cannot stand where it stands, with what could."""
    accepted: set[str] = reading.accepts()  # type: ignore[no-untyped-call]
    if text[position : position + 1] == "'" and "STRING" in accepted:
        return refused(position + 1, "this quote is not closed; a quote inside a text is written twice")
    expected = [words for terminal, words in EXPECTED.items() if terminal in accepted] or ["the end"]
    found = (text[position:].split(maxsplit=1) or ["the end"])[0]
    return refused(position + 1, f"{' or '.join(expected)} is expected, not {shortened(found)}")
