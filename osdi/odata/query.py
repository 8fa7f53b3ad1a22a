"""Filtering a collection: the text of `?filter=` becomes a MongoDB query document.

The language is the subset of OData that the standard names ("Filtering Collections" in its `README.md`);
docs/filtering.md tells users what it holds. A lark grammar parses the text, a transformer makes the query: above each
method stands the rule that it serves. Whatever a client gives is a literal in the query: never an operator, and a
regular expression only once escaped. Length, nesting and the number of conditions are bounded while the text is read.

Pure: osdi.odata.osdi_fields says what can be asked for, and nothing is looked up.
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
from osdi.odata.parser import MAX_LENGTH, Field, Operand, Value, column, parse, refused

Query = dict[str, Any]


ORDER: Final[Mapping[str, str]] = {"gt": "$gt", "ge": "$gte", "lt": "$lt", "le": "$lte"}
TURNED: Final[Mapping[str, str]] = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
UNBOUNDED: Final = "regular expressions are not taken, since one can keep the database busy without bound"
NO_PLACES: Final = "near() is not taken, since nothing here knows where a postal code lies"
REFUSED: Final[Mapping[str, str]] = {"re": UNBOUNDED, "regexp": UNBOUNDED, "near": NO_PLACES}
BSON_TYPES: Final[Mapping[str, str]] = {"integer": "number", "number": "number", "boolean": "bool", "date": "date"}
CALLS: Final = (
    "startswith, endswith or contains(field, 'text'), substringof('text', field) and tolower(field or 'text')"
)
UNSTORABLE: Final = re.compile(r"[\x00\ud800-\udfff]")
SEGMENT: Final = re.compile(r"'(?:[^']|'')*'|[^/.']+")


def to_query(text: str, fields: FilterFields, rules: MatchKeyRules) -> Query:
    """Returns the query document of a filter; `{}` of a blank one. Phone numbers are compared as `rules` match them.

    Raises OsdiError 400, which names the column, for anything that is not a filter on these fields.
    """
    if len(text) > MAX_LENGTH:
        raise refused(MAX_LENGTH + 1, f"a filter has at most {MAX_LENGTH} characters")
    if unstorable := UNSTORABLE.search(text):
        raise refused(unstorable.start() + 1, "this character cannot be stored, so nothing has it")
    if not text.strip():
        return {}
    try:
        query: Query = ToQuery(fields, rules).transform(parse(text))
    except VisitError as error:
        raise error.orig_exc from None
    return query


@v_args(inline=True)
class ToQuery(Transformer[Token, Query]):
    """Makes the query of a syntax tree, from its leaves to its root."""

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
        if name in REFUSED:
            raise refused(operator, REFUSED[name])
        if isinstance(left, Value):
            left, right, name = right, left, TURNED.get(name, name)
        if isinstance(left, dict) or isinstance(right, dict):
            raise refused(operator, "a function that is true or false stands by itself, it is not compared")
        if isinstance(left, Value):
            raise refused(operator, "two values are compared, one side must be a field")
        if not isinstance(right, Value):
            raise refused(right, "a value is expected, and a text stands in single quotes")
        field = self._field(left)
        return compare(field, name, None if right.literal is None else self._stored(field, right), operator)

    #           | call -> test
    def test(self, called: Operand | Query) -> Query:
        if isinstance(called, dict):
            return called
        raise refused(called, "tolower() is a value: an operator and another one are expected after it")

    # call: FUNCTION "(" operand ("," operand)* ")"
    def call(self, function: Token, *operands: Operand | Query) -> Operand | Query:
        name = function.lower()
        if name in REFUSED:
            raise refused(function, REFUSED[name])
        match name, operands:
            case "tolower", [Value(str(text)) as value]:
                return replace(value, literal=text.lower())
            case "tolower", [Field() | Token() as operand] if (field := self._field(operand)).declared.is_text:
                return replace(field, ignore_case=True)
            case "substringof", [Value() as part, Field() | Token() as operand]:
                return self._search("contains", self._field(operand), part, function)
            case "startswith" | "endswith" | "contains", [Field() | Token() as operand, Value() as part]:
                return self._search(name, self._field(operand), part, function)
        raise refused(function, f"{shortened(function)} is not called so, there are {CALLS}")

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
                raise refused(token, "this number has more than 64 bits")
        elif token.type == "BOOLEAN":
            literal = token.lower() == "true"
        elif token.type == "DATE":
            try:
                literal = timestamp(token)
            except ValueError as error:
                raise refused(token, f"{error} is expected") from None
        return Value(literal, column(token))

    def _field(self, operand: Field | Token) -> Field:
        """The field that a path names, with `/` or `.` between its parts. Raises OsdiError 400 where there is none."""
        if isinstance(operand, Field):
            return operand
        parts = [part[1:-1].replace("''", "'") if part[0] == "'" else part for part in SEGMENT.findall(operand)]
        declared = self._fields.find(parts)
        if declared is None:
            raise refused(operand, self._fields.why_not(parts))
        return Field(shortened(operand), column(operand), declared)

    def _stored(self, field: Field, value: Value, *, part: bool = False) -> Stored:
        try:
            stored = field.declared.stored(value.literal, self._rules, part=part)
        except ValueError as error:
            raise refused(value, f"{field.name} needs {error}") from None
        return replace(stored, ignore_case=True) if field.ignore_case and field.declared.has_case else stored

    def _search(self, function: str, field: Field, part: Value, at: Token) -> Query:
        if not field.declared.is_text:
            raise refused(at, f"{field.name} is no text, {at} does not go with it")
        stored = self._stored(field, part, part=True)
        return matching(stored, starts=function == "startswith", ends=function == "endswith")


def compare(field: Field, operator: str, stored: Stored | None, at: Token) -> Query:
    """The query of a comparison with a stored form or null. `ne` is the opposite of `eq`, also where nothing is."""
    if stored is None:
        if operator not in ("eq", "ne"):
            raise refused(at, f"null goes with eq and ne, not with {operator}")
        # By type, since to MongoDB an array equals null when a single entry lacks the property.
        something = {"$type": BSON_TYPES.get(field.declared.type, "string")}
        return {field.declared.path: something if operator == "ne" else {"$not": something}}
    value = f"{stored.prefix}{stored.value}" if stored.prefix else stored.value
    if operator in ORDER:
        if stored.ignore_case or field.declared.type == "phone":
            raise refused(at, f"{field.name} has no order here, {operator} does not go with it")
        if not stored.prefix:
            return {stored.path: {ORDER[operator]: value}}
        # Both bounds of one entry: the array holds keys of other kinds too.
        other = {"$lt": f"{stored.prefix[:-1]};"} if operator in ("gt", "ge") else {"$gte": stored.prefix}
        return {stored.path: {"$elemMatch": {ORDER[operator]: value, **other}}}
    if operator == "like" and not field.declared.is_text:
        raise refused(at, f"{field.name} is no text, like does not go with it")
    if stored.ignore_case or (operator == "like" and field.declared.has_case):
        same = matching(replace(stored, ignore_case=True), starts=True, ends=True)
        return {"$nor": [same]} if operator == "ne" else same
    return {stored.path: {"$ne": value} if operator == "ne" else value}


def matching(stored: Stored, *, starts: bool, ends: bool) -> Query:
    """A regular expression of a text, taken literally; anchored where it can be, so that it may run on an index."""
    start = f"^{stored.prefix}" if starts or stored.prefix else ""
    between = ".*" if stored.prefix and not starts else ""
    end = "(?!.)" if ends else ""  # `$` would match in front of a final line feed too
    expression = f"{start}{between}{re.escape(stored.value)}{end}"
    return {stored.path: {"$regex": expression, "$options": "is" if stored.ignore_case else "s"}}
