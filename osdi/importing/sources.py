"""Files as what is imported: each row or line as a body, or as why it is none. Only a part of a file is in memory.

CSV files say by the names of their columns what they hold; NDJSON files hold a document of OSDI in each line, as an
export of this server or an answer of another has it.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import orjson

from osdi.importing.csv_files.cell_values import DayFirst
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
from osdi.importing.csv_files.encoding import NAMES, NO_TEXT, Survey
from osdi.importing.csv_files.records import (
    DELIMITER_NAMES,
    DELIMITERS,
    Lines,
    Record,
    guess_delimiter,
    header_of,
    records,
)
from osdi.importing.csv_files.row_bodies import Body, Reading, Unreadable, body_of, digest_of
from osdi.importing.osdi_documents import document_of

NDJSON: Final = (".ndjson", ".jsonl", ".json")
LINE_BYTES: Final = 1_000_000
# Of one outreach: as many as its targets may be.
ROWS: Final = 1_000


@dataclass(frozen=True)
class Item:
    """What one row or line holds: a body, the campaign and namespace that it names; or why it cannot be read.

    `written` is how it stood in the file, for the file of refused lines; `further` are the rows of an outreach's other
    targets, which are taken or refused with it.
    """

    line: int
    written: tuple[str, ...] | bytes
    body: Body | None = None
    campaign: str | None = None
    namespace: str | None = None
    refused: str | None = None
    further: tuple["Item", ...] = ()

    def rows(self) -> tuple["Item", ...]:
        """All rows that it was made of."""
        return (self, *self.further)


class Source(Protocol):
    """A file that is imported."""

    def described(self) -> list[str]:
        """What the file is taken for, in lines of text."""

    def items(self) -> Iterator[Item]:
        """What it holds, in its order."""

    @property
    def position(self) -> int:
        """How many bytes of it are read."""

    def close(self) -> None:
        """Close the file."""


@dataclass(frozen=True)
class CsvChoices:
    """How a CSV file is to be read, where somebody knows better than the guesses."""

    encoding: str | None = None
    delimiter: str | None = None
    mapped: Mapping[str, str] = field(default_factory=dict)
    ignored: Sequence[str] = ()
    ignore_unknown: bool = False
    system: str | None = None
    dates: DayFirst | None = None
    tags_by: str | None = None


class CsvSource:
    """A CSV file. Raises ValueError: a sentence, where it has no columns that are known."""

    def __init__(
        self, path: Path, survey: Survey, kind: str, choices: CsvChoices, namespace: str, campaign_id: str | None
    ) -> None:
        self._campaign_id = campaign_id
        self.encoding = choices.encoding or survey.encoding
        wide = self.encoding.startswith("utf-16")
        if wide and survey.encoding.startswith("utf-16"):  # of its two forms that one, which nobody has to know
            self.encoding = survey.encoding
        self._file: BinaryIO = path.open("rb")
        text = io.TextIOWrapper(self._file, self.encoding, NO_TEXT if wide else "surrogateescape", newline="")
        self._lines = Lines(text)
        try:
            self.header, self.delimiter = self._read_header(kind, choices.delimiter)
            # What our own export has in `id`, and in columns of ids, is of the namespace.
            ours = set(self.header) >= EXPORTED
            self._system = choices.system or (namespace if ours else None)
            self.columns = self._guess_columns(kind, choices)
        except ValueError:
            self.close()
            raise
        self._reading = Reading(kind, self.columns, choices.dates, choices.tags_by, exact=ours)
        self._numbered = next((each.index for each in self.columns if each.field == TARGET_NUMBER), None)

    def _guess_columns(self, kind: str, choices: CsvChoices) -> tuple[Column, ...]:
        columns = guess_columns(
            self.header,
            kind,
            mapped=dict(choices.mapped),
            ignored=choices.ignored,
            custom=kind != OUTREACHES and not choices.ignore_unknown,
            system=self._system,
        )
        if all(column.field == IGNORED or column.because == CUSTOM_BECAUSE for column in columns):
            raise ValueError(
                f"None of the columns is known: {', '.join(self.header)[:500]}. The first line has to name the columns;"
                " what they hold can be said by --map COLUMN=FIELD."
            )
        return columns

    def _read_header(self, kind: str, delimiter: str | None) -> tuple[list[str], str]:
        first = self._lines.next().removeprefix("\ufeff")
        told = first.rstrip("\r\n")
        if told.lower().startswith("sep=") and told[4:] in DELIMITERS:  # how spreadsheets are told the delimiter
            delimiter, first = delimiter or told[4:], self._lines.next()
        while first and not first.strip():
            first = self._lines.next()
        if not first:
            raise ValueError("The file is empty.")
        delimiter = delimiter or guess_delimiter(first, lambda name: known_field(name, kind) is not None)
        self._lines.give_back([first])
        return header_of(self._lines, delimiter), delimiter

    def described(self) -> list[str]:
        """What the file is taken for."""
        name = DELIMITER_NAMES.get(self.delimiter, repr(self.delimiter))
        return [f"{NAMES.get(self.encoding, self.encoding)}, cells separated by {name}, {len(self.header)} columns"]

    def items(self) -> Iterator[Item]:
        """Each row, or the rows of one outreach's targets together."""
        rows: list[Item] = []
        for record in records(self._lines, self.delimiter, len(self.header)):
            item = self._item(record)
            goes_on = self._goes_on(record) and len(rows) < ROWS
            if rows and not (goes_on and _same_outreach(rows[0], item)):
                yield _one_outreach(rows)
                rows = []
            rows.append(item)
        if rows:
            yield _one_outreach(rows)

    @property
    def position(self) -> int:
        """How many bytes of it are read."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _goes_on(self, record: Record) -> bool:
        """Whether a row is about another target of the outreach above."""
        if self._numbered is None or record.refused is not None:
            return False
        number = record.cells[self._numbered].strip().lstrip("0")
        return number.isdecimal() and number != "1"

    def _item(self, record: Record) -> Item:
        if record.refused is not None:
            return Item(record.line, record.cells, refused=record.refused)
        try:
            body, campaign = body_of(record.cells, self._reading)
        except Unreadable as error:
            return Item(record.line, record.cells, refused=str(error))
        if self._reading.kind == OUTREACHES and "identifiers" not in body:
            about = self._campaign_id or campaign or ""
            body["identifiers"] = [f"import:{digest_of(record.cells, self._reading, about)}"]
        return Item(record.line, record.cells, body, campaign, self._system)


class NdjsonSource:
    """A file of OSDI's documents, one in each line."""

    def __init__(self, path: Path, kind: str) -> None:
        self._kind = kind
        self._file: BinaryIO = path.open("rb")

    def described(self) -> list[str]:
        """What the file is taken for."""
        return ["a document of OSDI in each line"]

    def items(self) -> Iterator[Item]:
        """Each line that is not blank."""
        number = 0
        while line := self._file.readline(LINE_BYTES + 1):
            number += 1
            too_long = len(line) > LINE_BYTES and not line.endswith(b"\n")
            while too_long and (rest := self._file.readline(LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            line = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
            if too_long:
                yield Item(number, line[:1_000], refused=f"Longer than {LINE_BYTES:,} bytes, and cut here.")
            elif line:
                yield self._item(number, line)

    @property
    def position(self) -> int:
        """How many bytes of it are read."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _item(self, number: int, line: bytes) -> Item:
        try:
            found = document_of(orjson.loads(line), self._kind, line)
        except orjson.JSONDecodeError as error:
            return Item(number, line, refused=f"Not valid JSON: {str(error).partition(':')[0]}.")
        except ValueError as error:
            return Item(number, line, refused=str(error))
        return Item(number, line, found.body, found.campaign, found.namespace)


def _same_outreach(first: Item, item: Item) -> bool:
    """Whether a row that numbers another target is of the outreach above; one that cannot be read is taken for that."""
    if first.body is None or item.body is None:
        return True
    return bool(first.body.get("identifiers") == item.body.get("identifiers"))


def _one_outreach(rows: list[Item]) -> Item:
    """The outreach that these rows are the targets of; where one of them cannot be taken, none is."""
    first, *further = rows
    if not further:
        return first
    wrong = next((each.refused for each in rows if each.refused is not None), None)
    if wrong is not None or first.body is None:
        return replace(first, body=None, refused=wrong, further=tuple(further))
    targets = [target for each in rows if each.body for target in each.body.get("targets", ())]
    return replace(first, body={**first.body, "targets": targets}, further=tuple(further))
