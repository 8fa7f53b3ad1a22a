"""Translates the text of `?filter=` into a MongoDB query document.

The language is the subset of OData that the standard describes ("Filtering Collections" in its `README.md`);
docs/filtering.md is its manual. A lark grammar parses the text, and a transformer builds the query; the comment above
each of its methods quotes the grammar rule. A client's values become literals of the query, never operators, and are
escaped in regular expressions. The parser limits length, nesting and the number of conditions.

Pure: osdi.odata.osdi_fields lists the fields, and nothing is read from the database.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from lark import Token, Transformer, v_args
from lark.exceptions import VisitError

from osdi.match_keys import MatchKeyRules
from osdi.odata.fields import FilterFields, Stored, shortened, timestamp
from osdi.odata.parser import MAX_FILTER_LENGTH, Field, Operand, Value, column, filter_error, parse
from osdi.odata.person_names import with_name_words
from osdi.odata.target_names import has_name, is_named

Query = dict[str, Any]

ORDER: Final[Mapping[str, str]] = {"gt": "$gt", "ge": "$gte", "lt": "$lt", "le": "$lte"}
# The operators with their sides swapped.
SWAPPED: Final[Mapping[str, str]] = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
NO_EXPRESSIONS: Final = "regular expressions are not supported, since one could keep the database busy without limit"
NO_PLACES: Final = "near() is not supported, since the server does not know the location of postal codes"
UNSUPPORTED: Final[Mapping[str, str]] = {"re": NO_EXPRESSIONS, "regexp": NO_EXPRESSIONS, "near": NO_PLACES}
BSON_TYPES: Final[Mapping[str, str]] = {"integer": "number", "number": "number", "boolean": "bool", "date": "date"}
CALLS: Final = (
    "startswith, endswith or contains(field, 'text'), substringof('text', field) and tolower(field or 'text')"
)
UNSTORABLE: Final = re.compile(r"[\x00\ud800-\udfff]")
SEGMENT: Final = re.compile(r"'(?:[^']|'')*'|[^/.']+")


def to_query(text: str, fields: FilterFields, rules: MatchKeyRules) -> Query:
    """Returns the query document of a filter; `{}` for a blank one. Phone numbers are compared as `rules` match them.

    Raises OsdiError 400, which names the column, for text that is not a filter on these fields.
    """
    if len(text) > MAX_FILTER_LENGTH:
        raise filter_error(MAX_FILTER_LENGTH + 1, f"a filter has at most {MAX_FILTER_LENGTH} characters")
    if unstorable := UNSTORABLE.search(text):
        raise filter_error(unstorable.start() + 1, "this character cannot be stored, so no value contains it")
    if not text.strip():
        return {}
    try:
        query: Query = ToQuery(fields, rules).transform(parse(text))
    except VisitError as error:
        raise error.orig_exc from None
    return query


@v_args(inline=True)
class ToQuery(Transformer[Token, Query]):
    """Builds the query from a syntax tree, from the leaves to the root."""

    def __init__(self, fields: FilterFields, rules: MatchKeyRules) -> None:
        super().__init__()
        self._fields = fields
        self._rules = rules

    # ?any_of: all_of (_OR all_of)*
    def any_of(self, *queries: Query) -> Query:
        return {"$or": list(queries)}

    # ?all_of: negation (_AND negation)*
    def all_of(self, *queries: Query) -> Query:
        return {"$and": list(queries)}

    # ?negation: condition
    #          | _NOT condition -> negated
    def negated(self, query: Query) -> Query:
        return {"$nor": [query]}

    # ?condition: "(" any_of ")"
    #           | operand OPERATOR operand -> comparison
    def comparison(self, left: Operand | Query, operator: Token, right: Operand | Query) -> Query:
        name = operator.lower()
        if name in UNSUPPORTED:
            raise filter_error(operator, UNSUPPORTED[name])
        if isinstance(left, Value):
            left, right, name = right, left, SWAPPED.get(name, name)
        if isinstance(left, dict) or isinstance(right, dict):
            raise filter_error(operator, "a function that returns true or false cannot be compared; use it alone")
        if isinstance(left, Value):
            raise filter_error(operator, "one side of a comparison must be a field")
        if not isinstance(right, Value):
            raise filter_error(right, "a value is expected; put text in single quotes")
        field = self._field(left)
        return compare(field, name, None if right.literal is None else self._stored(field, right), operator)

    #           | call -> test
    def test(self, called: Operand | Query) -> Query:
        if isinstance(called, dict):
            return called
        raise filter_error(called, "tolower() returns a value: an operator and a second value must follow")

    # call: FUNCTION "(" operand ("," operand)* ")"
    def call(self, function: Token, *operands: Operand | Query) -> Operand | Query:
        name = function.lower()
        if name in UNSUPPORTED:
            raise filter_error(function, UNSUPPORTED[name])
        match name, operands:
            case "tolower", [Value(str(text)) as value]:
                return replace(value, literal=text.lower())
            case "tolower", [Field() | Token() as operand] if (field := self._field(operand)).declared.is_text:
                return replace(field, ignore_case=True)
            case "substringof", [Value() as part, Field() | Token() as operand]:
                return self._search("contains", self._field(operand), part, function)
            case "startswith" | "endswith" | "contains", [Field() | Token() as operand, Value() as part]:
                return self._search(name, self._field(operand), part, function)
        raise filter_error(function, f"{shortened(function)} cannot be called like this; the functions are {CALLS}")

    # ?operand: call
    #         | PATH
    #         | (STRING | NUMBER | DATE | BOOLEAN | NULL) -> value
    def value(self, token: Token) -> Value:
        literal: str | float | bool | dt.datetime | None = None
        if token.type == "STRING":
            literal = token[1:-1].replace("''", "'")
        elif token.type == "NUMBER":
            literal = float(token) if "." in token else int(token)
            if not -(2**63) <= literal < 2**63:
                raise filter_error(token, "this number has more than 64 bits")
        elif token.type == "BOOLEAN":
            literal = token.lower() == "true"
        elif token.type == "DATE":
            try:
                literal = timestamp(token)
            except ValueError as error:
                raise filter_error(token, f"{error} is expected") from None
        return Value(literal, column(token))

    def _field(self, operand: Field | Token) -> Field:
        """Returns the field of a path, which has `/` or `.` between its parts. Raises OsdiError 400 if unknown."""
        if isinstance(operand, Field):
            return operand
        parts = [part[1:-1].replace("''", "'") if part[0] == "'" else part for part in SEGMENT.findall(operand)]
        declared = self._fields.find(parts)
        if declared is None:
            raise filter_error(operand, self._fields.explain_missing(parts))
        return Field(shortened(operand), column(operand), declared)

    def _stored(self, field: Field, value: Value, *, part: bool = False) -> Stored:
        try:
            stored = field.declared.stored(value.literal, self._rules, part=part)
        except ValueError as error:
            raise filter_error(value, f"{field.name} needs {error}") from None
        return replace(stored, ignore_case=True) if field.ignore_case and field.declared.has_case else stored

    def _search(self, function: str, field: Field, part: Value, at: Token) -> Query:
        if not field.declared.is_text:
            raise filter_error(at, f"{field.name} is not a text field, so {at} cannot be used with it")
        if field.declared.name_of_target:
            raise filter_error(at, f"{field.name} can be compared with eq and ne only")
        stored = self._stored(field, part, part=True)
        query = matching(stored, starts=function == "startswith", ends=function == "endswith")
        return by_words(field, query, stored, ends=False) if function == "startswith" else query


def compare(field: Field, operator: str, stored: Stored | None, at: Token) -> Query:
    """Returns the query of a comparison with a stored form or null.

    `ne` is the opposite of `eq`, so it also selects documents without the field.
    """
    if field.declared.name_of_target:
        return compare_name_of_target(field, operator, stored, at)
    if stored is None:
        if operator not in ("eq", "ne"):
            raise filter_error(at, f"null can be compared with eq and ne, not with {operator}")
        # By type: in MongoDB an array equals null if one entry lacks the property.
        has_value = {"$type": BSON_TYPES.get(field.declared.type, "string")}
        return {field.declared.path: has_value if operator == "ne" else {"$not": has_value}}
    value = f"{stored.prefix}{stored.value}" if stored.prefix else stored.value
    if operator in ORDER:
        if stored.ignore_case or field.declared.type == "phone":
            raise filter_error(at, f"{field.name} has no order here, so {operator} cannot be used with it")
        if not stored.prefix:
            return {stored.path: {ORDER[operator]: value}}
        # Two bounds for one entry, since the array also contains keys of other kinds.
        other = {"$lt": f"{stored.prefix[:-1]};"} if operator in ("gt", "ge") else {"$gte": stored.prefix}
        return {stored.path: {"$elemMatch": {ORDER[operator]: value, **other}}}
    if operator == "like" and not field.declared.is_text:
        raise filter_error(at, f"{field.name} is not a text field, so like cannot be used with it")
    if stored.ignore_case or (operator == "like" and field.declared.has_case):
        same = matching(replace(stored, ignore_case=True), starts=True, ends=True)
        return {"$nor": [same]} if operator == "ne" else by_words(field, same, replace(stored, ignore_case=True))
    if operator == "ne":
        return {stored.path: {"$ne": value}}
    return by_words(field, {stored.path: value}, stored)


def by_words(field: Field, query: Query, stored: Stored, *, ends: bool = True) -> Query:
    """Returns the query of a comparison with a value; for the name of a person, one that an index serves.

    In any letter case only for ASCII: MongoDB and Python do not agree on the case of every other letter.
    """
    if not field.declared.name_of_person or (stored.ignore_case and not stored.value.isascii()):
        return query
    return with_name_words(query, stored.value, ends=ends)


def compare_name_of_target(field: Field, operator: str, stored: Stored | None, at: Token) -> Query:
    """Returns the query of a comparison with the name of a target, or with null for none."""
    if operator not in ("eq", "ne") or field.ignore_case:
        raise filter_error(at, f"{field.name} can be compared with eq and ne only, in its letter case")
    if stored is None:
        return has_name() if operator == "ne" else {"$nor": [has_name()]}
    try:
        same = is_named(stored.value)
    except ValueError as error:
        raise filter_error(at, f"{field.name} needs {error}") from None
    return {"$nor": [same]} if operator == "ne" else same


def matching(stored: Stored, *, starts: bool, ends: bool) -> Query:
    """Returns a regular expression for a literal text; it is anchored if possible, so that an index can serve it."""
    start = f"^{stored.prefix}" if starts or stored.prefix else ""
    between = ".*" if stored.prefix and not starts else ""
    end = "(?!.)" if ends else ""  # `$` would also match before a final line feed
    expression = f"{start}{between}{re.escape(stored.value)}{end}"
    return {stored.path: {"$regex": expression, "$options": "is" if stored.ignore_case else "s"}}
