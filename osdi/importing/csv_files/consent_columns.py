"""Finds columns that look like consent, by their names or values, but whose meaning is unknown.

Such a column stops the import: as a custom field it would not prevent a message to somebody who has opted out. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from osdi.importing.csv_files import column_names, row_consent
from osdi.importing.csv_files.column_mapping import CUSTOM_BECAUSE, EMAIL_STATUS, UNKNOWN, Column, is_flag
from osdi.importing.csv_files.records import Record
from osdi.values.opt_out_flags import FLAGS, squashed

MAX_DISTINCT: Final = 100
STATUS_BECAUSE: Final = "its values are statuses"


class UnclearColumns(ValueError):
    """An error about the columns, which somebody has to decide. Its text is for the user of the command.

    `reason` is one of the constants below, `names` are those of the columns in question, `columns` are all of them with
    the fields that are known so far.
    """

    def __init__(self, message: str, reason: str, columns: Sequence[Column], names: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.reason, self.columns, self.names = reason, tuple(columns), tuple(names)


ALL_UNKNOWN, NO_DATE, DOUBTFUL, FILE_NAME = "all_unknown", "no_date", "doubtful", "file_name"


@dataclass
class Values:
    """The values of a column: up to MAX_DISTINCT different ones, and if one of all is an opt-out."""

    distinct: set[str] = field(default_factory=set)
    has_opt_out: bool = False

    def add(self, value: str) -> None:
        if value in self.distinct:
            return
        self.has_opt_out = self.has_opt_out or row_consent.state_opt_out((value,))
        if len(self.distinct) < MAX_DISTINCT:
            self.distinct.add(value)


def unknown_columns(columns: Iterable[Column]) -> list[Column]:
    """Returns the columns whose field is neither recognised nor chosen by an option."""
    return [each for each in columns if each.because in (CUSTOM_BECAUSE, UNKNOWN)]


def values_of(records: Iterable[Record], columns: Sequence[Column]) -> dict[int, Values]:
    """Returns the values of these columns by the columns' indexes."""
    found = {each.index: Values() for each in columns}
    for record in records:
        if record.rejected is None:
            for index, values in found.items():
                if value := record.cells[index].strip():
                    values.add(value)
    return found


def checked_columns(columns: Sequence[Column], values: Mapping[int, Values], prefix: str) -> tuple[Column, ...]:
    """Returns the columns; a column `Status` whose values are those of e-mail addresses gets their field.

    `prefix` is that of a person's fields. Raises UnclearColumns that names the columns which look like consent.
    """
    known = [*columns]
    for each in unknown_columns(columns):
        distinct = values[each.index].distinct
        taken = any(column.field == prefix + EMAIL_STATUS for column in known)
        if squashed(each.name) in column_names.STATUS and row_consent.are_statuses(distinct) and not taken:
            known[each.index] = replace(each, field=prefix + EMAIL_STATUS, because=STATUS_BECAUSE)
    doubtful = [each.name for each in unknown_columns(known) if _is_doubtful(each.name, values[each.index], known)]
    if doubtful:
        names = ", ".join(f"'{name}'" for name in doubtful)
        flags = ", ".join(prefix + flag for flag in FLAGS)
        raise UnclearColumns(
            f"It is unknown if these columns say who wants no e-mails, calls or texts: {names}. Map each of them, such"
            f' as --map "{doubtful[0]}={prefix}opted_out" (other fields: {flags}),'
            f' keep it as it is with --map "{doubtful[0]}={prefix}custom_fields.NAME", or leave it out with --ignore'
            f' "{doubtful[0]}".',
            DOUBTFUL,
            known,
            doubtful,
        )
    return tuple(known)


def check_file_name(stem: str, columns: Sequence[Column]) -> None:
    """Raises UnclearColumns if a file's name says that its people have opted out, and no column says it."""
    if not _with_consent(columns) and row_consent.is_opt_out_file(stem):
        raise UnclearColumns(
            f"The name of the file, {stem}, says that its people want no e-mails or calls, and no column does. Use"
            " --unsubscribed if they want no e-mails, or rename the file.",
            FILE_NAME,
            columns,
        )


def _with_consent(columns: Sequence[Column]) -> bool:
    return any(is_flag(each.field) or each.field.endswith(EMAIL_STATUS) for each in columns)


def _is_doubtful(name: str, values: Values, columns: Sequence[Column]) -> bool:
    if not values.distinct or squashed(name) in column_names.OTHER_MEDIA:
        return False
    flags = {each.field.removeprefix("person.") for each in columns if is_flag(each.field)}
    if squashed(name) in column_names.LETTERS and "opted_out" in flags:
        return False
    if values.has_opt_out or row_consent.may_be_flags(name, values.distinct):
        return True
    if squashed(name) in column_names.STATUS and row_consent.may_be_statuses(values.distinct):
        return True
    return row_consent.looks_like_consent(name) and not row_consent.is_circumstance(
        name, with_consent=_with_consent(columns)
    )
