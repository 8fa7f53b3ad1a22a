"""Readers of files to import: each yields a body, or the reason of a rejection, for a row or line.

CSV files are read by the names of their columns. NDJSON files have an OSDI document in each line, as in an export. Only
a part of the file is in memory.
"""

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import orjson

from osdi.importing.csv_files.column_mapping import (
    CUSTOM_BECAUSE,
    EXPORTED,
    IGNORED,
    OUTREACHES,
    TARGET_NUMBER,
    Column,
    guess_columns,
    known_field,
)
from osdi.importing.csv_files.consent_columns import (
    ALL_UNKNOWN,
    NO_DATE,
    UnclearColumns,
    check_file_name,
    checked_columns,
    unknown_columns,
    values_of,
)
from osdi.importing.csv_files.encoding import ENCODINGS, NAMES, NO_TEXT, Survey
from osdi.importing.csv_files.records import (
    DELIMITER_NAMES,
    DELIMITERS,
    Lines,
    Record,
    guess_delimiter,
    header_of,
    records,
)
from osdi.importing.csv_files.row_bodies import Body, Reading, Row, Unreadable, digest_of, row_of
from osdi.importing.osdi_documents import document_of
from osdi.values.dates import DayFirst
from osdi.values.identifiers import has_id

MAX_LINE_BYTES: Final = 1_000_000
# Maximum number of rows that are read as one outreach.
ROWS: Final = 1_000
DATE: Final = "action_date"
UNDATED: Final = "The row has no date. Write one, or name a date for such rows with --action-date."
# Encodings for which `surrogateescape` keeps undecodable bytes.
ASCII_COMPATIBLE: Final = frozenset(each for each in ENCODINGS.values() if not each.startswith("utf-16"))


# Device, number on the device, bytes, and nanoseconds of the last change.
FileVersion = tuple[int, int, int, int]


@dataclass(frozen=True)
class Item:
    """One row or line: a body with the campaign and namespace that it names, or the reason why it is rejected.

    `written` is the unchanged row, for the file of rejected rows. `further` are the rows of the outreach's other
    targets, which are imported or rejected with it. `row` has more about a row of a CSV file.
    """

    line: int
    written: tuple[str, ...] | bytes
    body: Body | None = None
    campaign: str | None = None
    namespace: str | None = None
    rejected: str | None = None
    further: tuple["Item", ...] = ()
    row: Row | None = None

    def rows(self) -> tuple["Item", ...]:
        """Returns all rows of the item."""
        return (self, *self.further)


class Source(Protocol):
    """A file that is imported. It can be pickled: the copy reads the same rows from the beginning of the file.

    Unpickling raises OSError, and ValueError if the path has another file now, or the file has been changed.
    """

    def described(self) -> list[str]:
        """Returns a description of the file's format, in lines of text."""

    def items(self) -> Iterator[Item]:
        """Yields the items in the order of the file."""

    @property
    def size(self) -> int:
        """The number of bytes of the file."""

    @property
    def position(self) -> int:
        """The number of bytes that have been read."""

    def close(self) -> None:
        """Closes the file."""


@dataclass(frozen=True)
class CsvChoices:
    """Options for reading a CSV file, which override the guesses."""

    encoding: str | None = None
    delimiter: str | None = None
    mapped: Mapping[str, str] = field(default_factory=dict)
    ignored: Sequence[str] = ()
    ignore_unknown: bool = False
    system: str | None = None
    dates: DayFirst | None = None
    tag_separator: str | None = None
    unsubscribed: bool = False
    action_date: str | None = None


class CsvSource:
    """Reader of a CSV file. Raises ValueError, whose text is for the user, for a file without known columns."""

    def __init__(
        self, path: Path, survey: Survey, kind: str, choices: CsvChoices, namespace: str, campaign_id: str | None
    ) -> None:
        self._campaign_id = campaign_id
        self._path = path
        self._example = survey.example if choices.encoding in (None, survey.encoding) else ""
        self.encoding = choices.encoding or survey.encoding
        wide = self.encoding.startswith("utf-16")
        if wide and survey.encoding.startswith("utf-16"):  # the byte order is guessed
            self.encoding = survey.encoding
        self._file, self._lines = self._opened()
        try:
            self.header, self.delimiter = self._read_header(kind, choices.delimiter)
            # In our own export, columns of ids have identifiers of the namespace.
            ours = set(self.header) >= EXPORTED
            self._system = choices.system or (namespace if ours else None)
            self.columns = self._guess_columns(kind, choices, exact=ours)
        except ValueError:
            self.close()
            raise
        self._reading = Reading(
            kind,
            self.columns,
            choices.dates,
            choices.tag_separator,
            exact=ours,
            unsubscribed=choices.unsubscribed,
        )
        self._action_date = choices.action_date
        self._numbered = next((each.index for each in self.columns if each.field == TARGET_NUMBER), None)

    def __getstate__(self) -> dict[str, Any]:
        """Returns what was read of the header, and guessed. The rows are read by the copy."""
        state = {name: value for name, value in vars(self).items() if name not in ("_file", "_lines")}
        return {**state, "file_version": _version_of(self._file)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Opens the file. Raises OSError, ValueError."""
        version = state.pop("file_version")
        vars(self).update(state)
        self._file, self._lines = self._after_header()
        _check_version(self._file, version)

    def _after_header(self) -> tuple[BinaryIO, Lines]:
        """Returns the file from its first row. Raises OSError, ValueError."""
        file, lines = self._opened()
        self._skip_to_header(lines)
        header_of(lines, self.delimiter)
        return file, lines

    def _opened(self) -> tuple[BinaryIO, Lines]:
        """Returns the file from its beginning, as bytes and as lines of text. Raises OSError."""
        file = self._path.open("rb")
        errors = "surrogateescape" if self.encoding in ASCII_COMPATIBLE else NO_TEXT
        return file, Lines(io.TextIOWrapper(file, self.encoding, errors, newline=""))

    def _guess_columns(self, kind: str, choices: CsvChoices, *, exact: bool) -> tuple[Column, ...]:
        columns = guess_columns(
            self.header,
            kind,
            mapped=dict(choices.mapped),
            ignored=choices.ignored,
            custom=kind != OUTREACHES and not choices.ignore_unknown,
            system=self._system,
            exact=exact,
        )
        if all(column.field == IGNORED or column.because == CUSTOM_BECAUSE for column in columns):
            raise UnclearColumns(
                f"All columns are unknown: {', '.join(self.header)[:500]}. Name the columns in the first line, or map"
                " them with --map COLUMN=FIELD.",
                ALL_UNKNOWN,
                columns,
            )
        if kind == OUTREACHES and choices.action_date is None and not any(each.field == DATE for each in columns):
            raise UnclearColumns(
                "No column says when the outreaches were made. Map one with --map COLUMN=action_date, or name the date"
                " of all rows with --action-date.",
                NO_DATE,
                columns,
            )
        checked = self._with_consent(columns, kind)
        if kind != OUTREACHES and not choices.unsubscribed and not exact:
            check_file_name(self._path.stem, checked)
        return checked

    def _with_consent(self, columns: tuple[Column, ...], kind: str) -> tuple[Column, ...]:
        """Returns the columns after a look at the values of the unknown ones. Raises ValueError."""
        unknown = unknown_columns(columns)
        if not unknown:
            return columns
        file, lines = self._after_header()
        with file:
            values = values_of(records(lines, self.delimiter, len(self.header)), unknown)
        return checked_columns(columns, values, "person." if kind == OUTREACHES else "")

    def _read_header(self, kind: str, delimiter: str | None) -> tuple[list[str], str]:
        first, declared = self._skip_to_header(self._lines)
        if not first:
            raise ValueError("The file is empty.")
        delimiter = delimiter or declared or guess_delimiter(first, lambda name: known_field(name, kind) is not None)
        return header_of(self._lines, delimiter), delimiter

    @staticmethod
    def _skip_to_header(lines: Lines) -> tuple[str, str | None]:
        """Reads the lines before the header. Returns its first line, and the delimiter that a line declares."""
        delimiter, first = None, lines.next().removeprefix("\ufeff")
        line = first.rstrip("\r\n")
        if line.lower().startswith("sep=") and line[4:] in DELIMITERS:  # the delimiter, for spreadsheets
            delimiter, first = line[4:], lines.next()
        while first and not first.strip():
            first = lines.next()
        if first:
            lines.give_back([first])
        return first, delimiter

    def described(self) -> list[str]:
        """See Source."""
        name = DELIMITER_NAMES.get(self.delimiter, repr(self.delimiter))
        encoding = NAMES.get(self.encoding, self.encoding)
        if self._example:  # a reader sees a wrong guess
            encoding += f", in which a word reads '{self._example}' (--encoding changes it)"
        return [f"{encoding}, cells separated by {name}, {len(self.header)} columns"]

    def items(self) -> Iterator[Item]:
        """Yields an item for each row, or for all rows of one outreach."""
        rows: list[Item] = []
        for record in records(self._lines, self.delimiter, len(self.header)):
            item = self._item(record)
            continues = self._continues_outreach(record) and len(rows) < ROWS
            if rows and not (continues and _same_outreach(rows[0], item)):
                yield self._dated(_one_outreach(rows))
                rows = []
            rows.append(item)
        if rows:
            yield self._dated(_one_outreach(rows))

    @property
    def size(self) -> int:
        """See Source."""
        return os.fstat(self._file.fileno()).st_size

    @property
    def position(self) -> int:
        """See Source."""
        return self._file.tell()

    def close(self) -> None:
        """See Source."""
        self._file.close()

    def _dated(self, item: Item) -> Item:
        """Returns an outreach without a date with the date of the option, or rejected: the date of today is wrong."""
        if self._reading.kind != OUTREACHES or item.body is None or DATE in item.body:
            return item
        if self._action_date is None:
            return replace(item, body=None, rejected=UNDATED)
        return replace(item, body={**item.body, DATE: self._action_date})

    def _continues_outreach(self, record: Record) -> bool:
        """True if the row's target has a number above 1."""
        if self._numbered is None or record.rejected is not None:
            return False
        number = record.cells[self._numbered].strip().lstrip("0")
        return number.isdecimal() and number != "1"

    def _item(self, record: Record) -> Item:
        if record.rejected is not None:
            return Item(record.line, record.cells, rejected=record.rejected)
        try:
            row = row_of(record.cells, self._reading)
        except Unreadable as error:
            return Item(record.line, record.cells, rejected=str(error))
        if self._reading.kind == OUTREACHES and not has_id(row.body.get("identifiers", [])):
            about = self._campaign_id or row.campaign or ""
            of_row = f"import:{digest_of(record.cells, self._reading, about)}"
            row.body["identifiers"] = [*row.body.get("identifiers", []), of_row]
        return Item(record.line, record.cells, row.body, row.campaign, self._system, row=row)


class NdjsonSource:
    """Reader of an NDJSON file: an OSDI document in each line."""

    def __init__(self, path: Path, kind: str) -> None:
        self._path, self._kind = path, kind
        self._file: BinaryIO = path.open("rb")

    def __getstate__(self) -> tuple[Path, str, FileVersion]:
        return self._path, self._kind, _version_of(self._file)

    def __setstate__(self, state: tuple[Path, str, FileVersion]) -> None:
        """Opens the file. Raises OSError, ValueError."""
        self._path, self._kind, version = state
        self._file = self._path.open("rb")
        _check_version(self._file, version)

    def described(self) -> list[str]:
        """See Source."""
        return ["an OSDI document in each line"]

    def items(self) -> Iterator[Item]:
        """Yields an item for each line that is not blank."""
        number = 0
        while line := self._file.readline(MAX_LINE_BYTES + 1):
            number += 1
            too_long = len(line) > MAX_LINE_BYTES and not line.endswith(b"\n")
            while too_long and (rest := self._file.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            line = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
            if too_long:
                yield Item(
                    number, line[:1_000], rejected=f"The line has more than {MAX_LINE_BYTES:,} bytes; it is cut here."
                )
            elif line:
                yield self._item(number, line)

    @property
    def size(self) -> int:
        """See Source."""
        return os.fstat(self._file.fileno()).st_size

    @property
    def position(self) -> int:
        """See Source."""
        return self._file.tell()

    def close(self) -> None:
        """See Source."""
        self._file.close()

    def _item(self, number: int, line: bytes) -> Item:
        try:
            found = document_of(orjson.loads(line), self._kind, line)
        except orjson.JSONDecodeError as error:
            return Item(number, line, rejected=f"Not valid JSON: {str(error).partition(':')[0]}.")
        except ValueError as error:
            return Item(number, line, rejected=str(error))
        return Item(number, line, found.body, found.campaign, found.namespace)


def _version_of(file: BinaryIO) -> FileVersion:
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _check_version(file: BinaryIO, version: FileVersion) -> None:
    """Closes the file and raises ValueError if it is not the one that had this version, or was changed since."""
    if _version_of(file) != version:
        file.close()
        raise ValueError("The file was changed or replaced.")


def _same_outreach(first: Item, item: Item) -> bool:
    """True if both rows have the same identifiers, or one of them cannot be read."""
    if first.body is None or item.body is None:
        return True
    return bool(first.body.get("identifiers") == item.body.get("identifiers"))


def _one_outreach(rows: list[Item]) -> Item:
    """Returns the rows as one outreach with several targets; if one row is rejected, all are."""
    first, *further = rows
    if not further:
        return first
    reason = next((each.rejected for each in rows if each.rejected is not None), None)
    if reason is not None or first.body is None:
        return replace(first, body=None, rejected=reason, further=tuple(further))
    targets = [target for each in rows if each.body for target in each.body.get("targets", ())]
    for each in further:
        if first.row is not None and each.row is not None:
            first.row.warnings += each.row.warnings
    return replace(first, body={**first.body, "targets": targets}, further=tuple(further))
