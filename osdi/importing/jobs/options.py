"""The options of an import job, as a member chooses them on the page.

Stored are `{mapped: [[column, field]], ignored: [column], encoding, delimiter, system, dates, tag_separator,
unsubscribed, action_date, create_tags}`; names of columns are values, since names of fields should have no dots.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from osdi.documents import Document, ReadOnlyDocument
from osdi.errors import invalid
from osdi.fields.limits import MAX_CUSTOM_FIELD_NAME_LENGTH
from osdi.importing.csv_files.column_mapping import IDENTIFIER, IGNORED, OUTREACHES, guess_columns, known_field
from osdi.importing.csv_files.encoding import ENCODINGS
from osdi.values.dates import timestamp

DELIMITERS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
DATES: Final = ("dmy", "mdy")
MAX_TEXT_LENGTH: Final = 100
# The choice of a column that keeps its values in a custom field of the column's name.
CUSTOM: Final = "custom field"
# The choice of a column that is left out.
LEFT_OUT: Final = "leave out"


def chosen_options(job: ReadOnlyDocument, texts: Mapping[str, str], fields: Sequence[str]) -> Document:
    """Returns the options that a member has chosen: `fields` has a choice for each column, empty for the proposal.

    Raises OsdiError 400 for a value that the page does not offer, and for two columns with one field.
    """
    options = _general(texts)
    if not job["columns"]:
        return options
    if len(fields) != len(job["columns"]):
        raise invalid("The page and the file have different columns. Open the page again.", "form")
    mapped, ignored = _of_columns(job, fields)
    _check_columns(job, dict(mapped), ignored, options)
    return options | {"mapped": mapped, "ignored": ignored}


def _general(texts: Mapping[str, str]) -> Document:
    """Returns the options besides the columns. Raises OsdiError 400."""
    options: Document = {name: True for name in ("create_tags", "unsubscribed") if texts.get(name)}
    for name, offered in (("encoding", ENCODINGS), ("delimiter", DELIMITERS), ("dates", DATES)):
        if text := texts.get(name, ""):
            if text not in offered:
                raise invalid("Choose one of the offered values.", name)
            options[name] = text
    if system := texts.get("system", "").strip():
        if len(system) > MAX_TEXT_LENGTH or not IDENTIFIER.fullmatch(f"identifiers[{system}]"):
            raise invalid("Write a short name without spaces, colons and brackets, such as crm.", "system")
        options["system"] = system
    if separator := texts.get("tag_separator", ""):
        options["tag_separator"] = separator[:MAX_TEXT_LENGTH]
    if date := texts.get("action_date", "").strip():
        try:
            options["action_date"] = timestamp(date[:MAX_TEXT_LENGTH], options.get("dates"))
        except ValueError as error:
            raise invalid(f"{error} Write a date such as 2024-12-31.", "action_date") from error
    return options


def _of_columns(job: ReadOnlyDocument, fields: Sequence[str]) -> tuple[list[list[str]], list[str]]:
    """Returns the chosen fields by column, and the columns that are left out. Raises OsdiError 400."""
    mapped, ignored = [], []
    for index, (column, chosen) in enumerate(zip(job["columns"], fields, strict=True)):
        name = column["name"]
        if not name or not chosen:
            continue
        if chosen == LEFT_OUT:
            ignored.append(name)
            continue
        field = custom_field(job["kind"], name) if chosen == CUSTOM else chosen
        if field == IGNORED or known_field(field, job["kind"]) is None:
            raise invalid(f"{name}: choose one of the offered fields.", f"column-{index}")
        mapped.append([name, field])
    return mapped, ignored


def custom_field(kind: str, name: str) -> str:
    """Returns the path of the custom field that has the name of a column."""
    return f"{'person.' if kind == OUTREACHES else ''}custom_fields.{name[:MAX_CUSTOM_FIELD_NAME_LENGTH]}"


def _check_columns(job: ReadOnlyDocument, mapped: dict[str, str], ignored: list[str], options: Document) -> None:
    """Raises OsdiError 400 if two columns have one field."""
    names: list[Any] = [each["name"] for each in job["columns"]]
    try:
        guess_columns(names, job["kind"], mapped=mapped, ignored=ignored, system=options.get("system"))
    except ValueError as error:
        raise invalid(str(error), "form") from error
