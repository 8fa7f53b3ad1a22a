"""Parses the text of an OData `$filter` within limits, and writes the error messages."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken
from lark.parsers.lalr_interactive_parser import InteractiveParser

from osdi.errors import OsdiError, invalid
from osdi.odata.fields import FilterField, shortened

MAX_FILTER_LENGTH: Final = 2_000
MAX_DEPTH: Final = 32
MAX_CONDITIONS: Final = 50
# A keyword must not be followed by a character of a name: `order eq 1` does not begin with "or".
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
    """A field at its column in the filter; `ignore_case` is true inside tolower()."""

    name: str
    column: int
    declared: FilterField
    ignore_case: bool = False


@dataclass(frozen=True)
class Value:
    """A value at its column in the filter."""

    literal: str | float | bool | dt.datetime | None
    column: int


Operand = Field | Value | Token  # a path stays a token until it is clear that it is not text without quotes


def parse(text: str) -> Tree[Token]:
    """Returns the syntax tree of a filter. Raises OsdiError 400 for invalid text or nesting deeper than MAX_DEPTH."""
    parser = PARSER.parse_interactive(text)
    depth = conditions = 0
    try:
        for token in parser.iter_parse():
            depth += {"LPAR": 1, "RPAR": -1}.get(token.type, 0)
            conditions += token.type == "OPERATOR" or (token.type == "FUNCTION" and token.lower() != "tolower")
            if depth > MAX_DEPTH:
                raise filter_error(token, f"parentheses are nested more than {MAX_DEPTH} deep")
            if conditions > MAX_CONDITIONS:
                raise filter_error(token, f"a filter has at most {MAX_CONDITIONS} conditions")
        tree: Tree[Token] = parser.feed_eof()  # type: ignore[no-untyped-call]
    except UnexpectedCharacters as error:
        raise syntax_error(text, error.pos_in_stream or 0, parser) from None
    except UnexpectedToken as error:
        position = len(text) if error.token.type == "$END" else error.token.start_pos or 0
        raise syntax_error(text, position, parser) from None
    return tree


def column(token: Token) -> int:
    """Returns the column of a token, counted from 1."""
    return 1 + (token.start_pos or 0)


def filter_error(at: Operand | int, reason: str) -> OsdiError:
    """Returns a 400 that names the column of the error."""
    place = column(at) if isinstance(at, Token) else at if isinstance(at, int) else at.column
    return invalid(f"Column {place}: {reason}.", "filter")


def syntax_error(text: str, position: int, parser: InteractiveParser) -> OsdiError:
    """Returns a 400 for unexpected text at `position`, with the alternatives that the grammar accepts there."""
    accepted: set[str] = parser.accepts()  # type: ignore[no-untyped-call]
    if text[position : position + 1] == "'" and "STRING" in accepted:
        return filter_error(position + 1, "this quote is not closed; write a quote inside text twice")
    expected = [words for terminal, words in EXPECTED.items() if terminal in accepted] or ["the end"]
    found = (text[position:].split(maxsplit=1) or ["the end"])[0]
    return filter_error(position + 1, f"{' or '.join(expected)} is expected, not {shortened(found)}")
