"""Mapping of a file's columns to fields: guessed from the columns' names, and changed by options of the import.

A field is identified by its path in an OSDI body, such as `email_addresses[0].address`; the text in the brackets only
distinguishes entries of an array. Fields of the person who made an outreach begin with `person.`. Paths, their types
and our own column names come from osdi.fields and osdi.exporting.columns, the column names of other programs from
column_names.toml.

Pure.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from osdi.exporting.columns import OUTREACH_COLUMNS, PERSON_COLUMNS, TARGET_COLUMNS, TARGET_CONTACTS, TARGETS
from osdi.fields.contacts import CONTACT_FIELDS
from osdi.fields.definition import CustomFields, Field, Object, Objects, Strings, Table, find, properties
from osdi.fields.limits import MAX_CUSTOM_FIELD_NAME_LENGTH
from osdi.fields.outreach import OUTREACH_FIELDS
from osdi.fields.person import PERSON_FIELDS
from osdi.importing.csv_files import column_names
from osdi.importing.csv_files.column_names import Program, program_of, without_question
from osdi.resources import CONTACTS, OUTREACH, PERSON
from osdi.values.opt_out_flags import FLAG, FLAGS, squashed

PEOPLE, OUTREACHES = PERSON.collection, OUTREACH.collection
TABLES: Final[Mapping[str, Table]] = {PEOPLE: PERSON_FIELDS, OUTREACHES: OUTREACH_FIELDS}
# Targets of columns that are not fields: tags and lists to add, a full name to split, the campaign, an ignored column.
TAGS, LISTS, NAME, CAMPAIGN, IGNORED = "add_tags", "add_lists", "name", "advocacy_campaign", ""
# A column of our own export: the number of the target, if an outreach has several rows.
TARGET_NUMBER: Final = "target_number"
# Custom fields that have no column of their own.
OTHER_CUSTOM_FIELDS: Final = "other_custom_fields"
OF_SERVER: Final = ("createddate", "modifieddate")
EXPORTED: Final = frozenset(("id", "identifiers", "created_date", "modified_date", "origin_system"))
IDENTIFIER: Final = re.compile(r"(person\.)?identifiers(\[[^\s\]:\[]{1,100}\])?")
PATH: Final = re.compile(r"(?P<top>\w+)(?:\[(?P<slot>\w+)\])?(?:\.(?P<leaf>.+))?")
# `address_lines[2]`: another entry of an array of texts.
FURTHER: Final = re.compile(r"\[\w+\]$")
# Columns that a file of rejected rows has in addition.
REJECTED_LINE, REJECTED_REASON = "rejected_line", "rejected_reason"
CUSTOM_BECAUSE: Final = "unknown: a custom field"
UNKNOWN: Final = "unknown"
UNNAMED: Final = "without a name"
REJECTED_BECAUSE: Final = "reason of the rejection"
PATHS: Final = 10_000

# Columns of our own export for the entries besides the main one: their array, and the property that they hold.
OTHERS: Final[Mapping[str, tuple[str, Field]]] = {
    each.others_column: (array.name, each)
    for array in CONTACT_FIELDS
    for each in properties(array)
    if each.others_column
}
ARRAYS: Final = tuple(each.name for table in TABLES.values() for each in table if isinstance(each, Objects))


def _is_json(of: Field) -> bool:
    """True if the export writes the field as JSON into one cell."""
    if isinstance(of, Objects):
        return of.name not in CONTACTS and not of.row_prefix
    return isinstance(of, Object) and not of.column_per_property


def _json_columns(table: Table) -> dict[str, type[Any]]:
    return {each.name: dict if isinstance(each, Object) else list for each in table if _is_json(each)}


# Columns that hold JSON by the kind of file, with the type of the value: an object or an array.
AS_JSON: Final[Mapping[str, Mapping[str, type[Any]]]] = {
    PEOPLE: {
        **_json_columns(PERSON_FIELDS),
        **{each.others_column: list for each in CONTACT_FIELDS if each.others_column},
        OTHER_CUSTOM_FIELDS: dict,
    },
    OUTREACHES: _json_columns(OUTREACH_FIELDS),
}


def _properties(of: Field) -> dict[str, Field]:
    """Returns the properties that a column can hold; those of targets are flat, such as `email_address`."""
    found = {each.name: each for each in properties(of) if not isinstance(each, Objects)}
    if of.name == TARGETS.name:
        found |= {name: contact_of(name)[1] for name in TARGET_CONTACTS}
    return found


def contact_of(column: str) -> tuple[str, Field]:
    """Returns the array and the property that a column of contact details holds, such as `email_address`."""
    return next((array.name, each) for array in CONTACT_FIELDS for each in properties(array) if each.column == column)


PROPERTIES: Final[Mapping[str, Mapping[str, Field]]] = {
    each.name: _properties(each) for table in TABLES.values() for each in table if properties(each)
}

EMAIL_STATUS: Final = "email_addresses[0].status"
# Columns of ids, with the prefix of the path: the identifiers of the row's resource, or of its person.
ID_COLUMNS: Final[Mapping[str, Mapping[str, str]]] = {
    PEOPLE: {"id": "", "uuid": "", "personid": "", "contactid": ""},
    OUTREACHES: {"id": "", "outreachid": "", "uuid": "person.", "personid": "person.", "contactid": "person."},
}
NO_CUSTOM_FIELD: Final = re.compile(r"\x00")


@dataclass(frozen=True)
class Column:
    """A column of a file: its index, its name, its field (IGNORED: none), and the reason for this field."""

    index: int
    name: str
    field: str
    because: str = "known name"


def known_field(name: str, kind: str, *, exact: bool = False, program: Program | None = None) -> str | None:
    """Returns the field of a column name or path in a file of this kind, or None for an unknown one.

    `exact` is for our own exports, in which our names mean one address or number, not all of the row. `program` is the
    program that has written the file.
    """
    path = name.strip()
    if path.startswith("custom_fields/"):
        path = f"{_of_person(kind)}custom_fields.{path.partition('/')[2]}"
    if program is not None and squashed(path) in program.fields:
        special = program.fields[squashed(path)]
        return f"{_of_person(kind)}{special}" if special else None
    vocabulary = _EXACT_VOCABULARY[kind] if exact else _VOCABULARY[kind]
    found = vocabulary.get(squashed(path))
    if found is None and _is_path(path, kind):
        return path
    return found if found is not None else vocabulary.get(squashed(without_question(path)))


@dataclass(frozen=True)
class _Guess:
    """The options of a guess, and the facts about the file that it needs."""

    kind: str
    mapped: Mapping[str, str]
    ignored: Sequence[str]
    custom: bool
    system: str | None
    exact: bool
    program: Program | None


def guess_columns(
    names: Sequence[str],
    kind: str,
    *,
    mapped: Mapping[str, str] | None = None,
    ignored: Sequence[str] = (),
    custom: bool = True,
    system: str | None = None,
    exact: bool = False,
) -> tuple[Column, ...]:
    """Returns the columns with their fields.

    `mapped` has fields by column name, `ignored` has names of columns; both are options of the command. An unknown
    column becomes a custom field of the person, or with `custom=False` is ignored. If a `system` is given, columns of
    ids hold identifiers of this system. `exact` is for our own exports. Raises ValueError, whose text is for the user.
    """
    mapped = mapped or {}
    if system and not IDENTIFIER.fullmatch(f"identifiers[{system}]"):
        raise ValueError(f"'{system}' is not a valid system name. Remove spaces, colons and brackets.")
    absent = [name for name in (*mapped, *ignored) if name not in names]
    if absent:
        raise ValueError(f"There is no column '{absent[0]}'. The columns are: {', '.join(names)}.")
    guess = _Guess(kind, mapped, ignored, custom, system, exact, None if exact else program_of(names))
    columns = []
    name_by_field: dict[str, str] = {}
    for index, name in enumerate(names):
        column = _guessed(index, name, guess)
        if (
            column.field not in (IGNORED, TAGS, LISTS)
            and not IDENTIFIER.fullmatch(column.field)
            and not is_flag(column.field)
        ):
            if column.field in name_by_field and column.because == "option":
                raise ValueError(f"'{name_by_field[column.field]}' and '{name}' both map to {column.field}.")
            if column.field in name_by_field:
                column = _second_column(column, name_by_field[column.field], set(name_by_field))
            name_by_field.setdefault(column.field, name)
        columns.append(column)
    return tuple(columns)


@lru_cache(PATHS)
def is_flag(field: str) -> bool:
    """True if the field is a flag about consent, such as `opted_out`; several columns can have the same."""
    return FLAG.fullmatch(field.removeprefix("person.")) is not None


def _guessed(index: int, name: str, guess: _Guess) -> Column:
    kind = guess.kind
    if name in guess.ignored:
        return Column(index, name, IGNORED, "option")
    if name in guess.mapped:
        field = known_field(guess.mapped[name], kind)
        if field is None:
            raise ValueError(f"There is no field '{guess.mapped[name]}'; docs/importing.md lists them.")
        return Column(index, name, field, "option")
    if not name.strip():
        return Column(index, name, IGNORED, UNNAMED)
    if squashed(name) in map(squashed, (REJECTED_LINE, REJECTED_REASON)):
        return Column(index, name, IGNORED, REJECTED_BECAUSE)
    if squashed(name) in OF_SERVER:
        return Column(index, name, IGNORED, "set by the server")
    if guess.system and (prefix := ID_COLUMNS[kind].get(squashed(name))) is not None:
        return Column(index, name, f"{prefix}identifiers[{guess.system}]", f"of {guess.system}")
    field = known_field(name, kind, exact=guess.exact, program=guess.program)
    if field is not None:
        return Column(index, name, field)
    if squashed(name) in column_names.REDUNDANT:
        return Column(index, name, IGNORED, "in other columns, too")
    if not guess.custom:
        return Column(index, name, IGNORED, UNKNOWN)
    own = NO_CUSTOM_FIELD.sub("", name.strip())[:MAX_CUSTOM_FIELD_NAME_LENGTH] or f"column {index + 1}"
    return Column(index, name, f"{_of_person(kind)}custom_fields.{own}", CUSTOM_BECAUSE)


def _second_column(column: Column, first: str, used: set[str]) -> Column:
    """Returns the second column for a field: another entry of an array, a flag about consent, or ignored."""
    match = PATH.fullmatch(column.field.removeprefix("person."))
    prefix = "person." if column.field.startswith("person.") else ""
    if match and match["top"] in ARRAYS and match["leaf"] in ("number", "address"):
        for number in range(2, 10):
            field = f"{prefix}{match['top']}[{match['slot']}_{number}].{match['leaf']}"
            if field not in used:
                return Column(column.index, column.name, field, f"in addition to '{first}'")
    if column.field == prefix + EMAIL_STATUS:
        # A flag reads statuses too, and several flags are united: the strictest counts.
        return Column(column.index, column.name, f"{prefix}opted_in", f"in addition to '{first}'")
    return Column(column.index, column.name, IGNORED, f"same field as '{first}'")


def _split(path: str, kind: str) -> tuple[str, str]:
    """Returns the kind whose table has the field at a path, and the path inside of it."""
    if kind == OUTREACHES and path.startswith("person."):
        return PEOPLE, path.removeprefix("person.")
    return kind, path


@lru_cache(PATHS)
def field_at(path: str, kind: str) -> Field | None:
    """Returns the definition of the field at a path of a file of this kind, or None if no table has it."""
    kind, path = _split(path, kind)
    match = PATH.fullmatch(path)
    if match is None:
        return None
    if path in OTHERS:
        return OTHERS[path][1]
    top, leaf = match.group("top", "leaf")
    field = find(TABLES[kind], top)
    if field is None or leaf is None:
        return field
    found = PROPERTIES.get(top, {}).get(FURTHER.sub("", leaf))
    return found if found is None or found.name == leaf or isinstance(found, Strings) else None


def _is_path(path: str, kind: str) -> bool:
    if is_flag(path):
        return path.startswith("person.") == (kind == OUTREACHES)
    if IDENTIFIER.fullmatch(path):
        return kind == OUTREACHES or not path.startswith("person.")
    field = field_at(path, kind)
    kind, path = _split(path, kind)
    match = PATH.fullmatch(path)
    if match is None:
        return False
    top, slot, leaf = match.group("top", "slot", "leaf")
    if slot is None and leaf is None and (top in AS_JSON[kind] or (kind == PEOPLE and top in OTHERS)):
        return True
    whole = find(TABLES[kind], top)
    if whole is None:
        return False
    if isinstance(whole, CustomFields):
        return leaf is not None and not NO_CUSTOM_FIELD.search(leaf) and len(leaf) <= MAX_CUSTOM_FIELD_NAME_LENGTH
    if leaf is None:
        return slot is None and (not properties(whole) or top == "birthdate")
    return field is not None and (slot is None or isinstance(whole, Objects))


def _of_person(kind: str) -> str:
    return "person." if kind == OUTREACHES else ""


def _own_names(kind: str) -> Iterator[tuple[str, str]]:
    """Yields the names of a person's or an outreach's own fields and columns, with their paths."""
    for each in TABLES[kind]:
        if not properties(each) and not isinstance(each, CustomFields):
            yield each.name, each.name
    for column in PERSON_COLUMNS if kind == PEOPLE else OUTREACH_COLUMNS:
        if column.name not in EXPORTED and column.name != "advocacy_campaign_id":
            yield column.name, column.path
    yield from ((each, each) for each in AS_JSON[kind])


def _vocabulary(kind: str, *, exact: bool) -> dict[str, str]:
    """Returns paths by squashed name; in a file of outreaches, names of the outreach override those of the person."""
    found: dict[str, str] = {}
    sources = [(PEOPLE, column_names.OF_PEOPLE, _of_person(kind))]
    if kind == OUTREACHES:
        sources.append((OUTREACHES, column_names.OF_OUTREACHES, ""))
    for own, elsewhere, prefix in sources:
        ours = {squashed(name): prefix + path for name, path in _own_names(own)}
        others = {name: path if path in (TAGS, LISTS, CAMPAIGN) else prefix + path for name, path in elsewhere.items()}
        found |= {**others, **ours} if exact else {**ours, **others}
        found |= {squashed(flag): prefix + flag for flag in FLAGS if own == PEOPLE}
    found |= {squashed(each): _of_person(kind) + each for each in (NAME, "birthdate")}
    found |= {squashed(each): each for each in (TAGS, LISTS)}
    found["identifiers"] = "identifiers"
    if kind == OUTREACHES:
        found |= {squashed(column.name): column.path for column in TARGET_COLUMNS}
        found[squashed(TARGET_NUMBER)] = TARGET_NUMBER
    return found


_VOCABULARY: Final = {kind: _vocabulary(kind, exact=False) for kind in TABLES}
_EXACT_VOCABULARY: Final = {kind: _vocabulary(kind, exact=True) for kind in TABLES}
