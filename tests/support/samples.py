"""Bodies with a value in every field of a table, made from the definitions in osdi.fields."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from osdi.exporting.columns import TARGET_CONTACTS
from osdi.fields import definition as table
from osdi.resources import CONTACTS


class Samples:
    """Makes values that differ from each other. Texts are made to break a CSV file: formulas, separators, quotes."""

    def __init__(self, start: int = 1) -> None:
        self._numbers: Iterator[int] = itertools.count(start)

    def body(self, fields: table.Table) -> dict[str, Any]:
        """Returns a body with a value in every field that a client may set."""
        return {each.name: self.value(each) for each in fields if not each.read_only}

    def value(self, of: table.Field) -> Any:
        """Returns a JSON value of the field's type."""
        number = next(self._numbers)
        match of:
            case table.Text():
                return f'=text {number}; "more"'
            case table.Email():
                return f"jane.{number}@example.org"
            case table.PhoneNumber():
                return f"+1 202 555 {number:04}"
            case table.Enum():
                return of.values[number % len(of.values)]
            case table.FlexEnum():
                return f"another word {number}"
            case table.Strings():
                return [f"=one {number}", f"two; {number}", f"a, b {number}"]
            case table.Bool():
                return number % 2 == 0
            case table.WholeNumber():
                return of.minimum + number % (of.maximum - of.minimum + 1)
            case table.Float():
                return of.minimum + number % (of.maximum - of.minimum) / 2
            case table.DateTime():
                return f"2024-01-{1 + number % 28:02}T10:20:30Z"
            case table.CustomFields():
                # The second name is that of a field of another type.
                return {f"colour {number}": f"=red; {number}", "languages_spoken": f"=text; {number}"}
            case table.Object():
                return self.body(of.type.fields)
            case table.Objects():
                entries = [self.body(of.type.fields) for _ in range(2)]
                return [entry | ({"primary": entry is entries[0]} if "primary" in entry else {}) for entry in entries]
        raise TypeError(f"No sample for the type {type(of).__name__} of {of.name}: add one.")


def csv_part(fields: table.Table, document: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the part of a document for which CSV has columns, as the definitions of its fields say.

    The first entry of an array of contact details has to be the main one.
    """
    return {each.name: _csv_value(each, document[each.name]) for each in fields if each.name in document}


def _csv_value(of: table.Field, value: Any) -> Any:
    if of.name in CONTACTS:
        main, *others = value
        columns = [each.name for each in table.properties(of) if each.column]
        return [_only(main, columns), *(entry if of.others_column else _only(entry, columns) for entry in others)]
    if isinstance(of, table.Objects) and of.row_prefix:
        return [_target(of.type.fields, entry) for entry in value]
    return value


def _target(fields: table.Table, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a target with the first of its contact details only."""
    kept = dict(entry)
    for each in fields:
        if each.name in CONTACTS and each.name in entry:
            columns = [inner.name for inner in table.properties(each) if inner.column in TARGET_CONTACTS]
            kept[each.name] = [_only(entry[each.name][0], columns)]
    return kept


def _only(entry: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: entry[name] for name in names if name in entry}
