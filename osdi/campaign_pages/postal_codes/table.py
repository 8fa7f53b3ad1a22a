"""Reads a table of postal codes from CSV (RFC 4180), and finds the entry that a code leads to.

The columns are `postal_code`, the beginning of codes, and `target`: a number in the campaign's `target_list` from 1, an
Open Civic Data identifier, or a name. The line with the code `*` is for every code that no other line is for. A code in
several lines leads to several targets.

Pure.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from osdi.campaign_pages.targets import Target, target_key, target_name
from osdi.errors import invalid
from osdi.exporting.csv_cells import defused, restored
from osdi.fields.limits import MAX_LINE_LENGTH, MAX_POSTAL_CODE_LINES
from osdi.values.names import letters_and_digits
from osdi.values.postal_codes import compared_postal_code, compared_without_country

POSTAL_CODE, TARGET = "postal_code", "target"
COLUMNS: Final = (POSTAL_CODE, TARGET)
EVERY_OTHER: Final = "*"
# Letters and digits of the longest postal code are fewer.
MAX_PREFIX_LENGTH: Final = 20
DELIMITERS: Final = ",;\t"
# Examples in a report.
EXAMPLES: Final = 50


@dataclass(frozen=True)
class Problem:
    """A line that cannot be used, and the reason. The line of the header is 1."""

    line: int
    postal_code: str
    target: str
    message: str


@dataclass
class Table:
    """The table of a file. `targets` has the keys of targets by prefix, `codes` each prefix as it is written first."""

    targets: dict[str, list[str]] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    lines: int = 0
    repeated_lines: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_table(text: str, target_list: Sequence[Target]) -> Table:
    """Returns the table of a CSV file, which may have a byte order mark, and commas, semicolons or tabs.

    Raises OsdiError 400 for a text that is no such file or has more than MAX_POSTAL_CODE_LINES lines.
    """
    directory, table = _Directory(target_list), Table()
    for line, code, target, columns in _rows(text):
        table.lines += 1
        if table.lines > MAX_POSTAL_CODE_LINES:
            raise invalid(f"The table has more than {MAX_POSTAL_CODE_LINES:,} lines.")
        try:
            if columns != len(COLUMNS):
                raise ValueError(f"The line has {columns} columns. Put a text with a comma in quotation marks.")
            _add(table, line, code, directory.key(target))
        except ValueError as error:
            table.problems.append(Problem(line, code[:MAX_LINE_LENGTH], target[:MAX_LINE_LENGTH], str(error)))
    return table


def _rows(text: str) -> Iterator[tuple[int, str, str, int]]:
    """Yields number, postal code, target and number of columns of each line that is not empty. Raises OsdiError 400."""
    content = text.removeprefix("\ufeff")
    header = content.partition("\n")[0]
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=max(DELIMITERS, key=header.count), strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if sorted(names) != sorted(COLUMNS):
            raise invalid(f"The first line has to be {POSTAL_CODE},{TARGET}.")
        code_at, target_at = (names.index(name) for name in COLUMNS)
        for row in reader:
            cells = [restored(cell.strip()) for cell in row]
            if any(cells):
                both = [*cells, ""]
                yield reader.line_num, both[code_at], both[target_at], len(cells)
    except csv.Error as error:
        raise invalid(f"Line {reader.line_num} is not valid CSV: {error}.") from error


def _add(table: Table, line: int, code: str, key: str) -> None:
    """Adds a line to the table. Raises ValueError."""
    prefix = _prefix(code)
    keys = table.targets.setdefault(prefix, [])
    if key in keys:
        table.repeated_lines.append(line)
    else:
        keys.append(key)
        table.codes.setdefault(prefix, code)


def _prefix(code: str) -> str:
    """Returns the prefix of a line. Raises ValueError."""
    if code == EVERY_OTHER:
        return code
    if EVERY_OTHER in code:
        raise ValueError("Write the beginning of the codes without *, such as 10 for 10115. Only * alone is allowed.")
    prefix = compared_postal_code(code)
    if not prefix:
        raise ValueError("The line has no postal code.")
    if len(prefix) > MAX_PREFIX_LENGTH:
        raise ValueError(f"A postal code has at most {MAX_PREFIX_LENGTH} letters and digits.")
    return prefix


class _Directory:
    """The campaign's targets, by every text that names one of them."""

    def __init__(self, target_list: Sequence[Target]) -> None:
        self._keys = [target_key(target) for target in target_list]
        self._times = Counter(self._keys)
        self._named: dict[str, set[int]] = {}
        for position, target in enumerate(target_list):
            for name in _names(target):
                self._named.setdefault(name, set()).add(position)

    def key(self, text: str) -> str:
        """Returns the key of the target that a text names. Raises ValueError."""
        if not text:
            raise ValueError("The line has no target.")
        if text.isascii() and text.isdigit():
            positions = {int(text) - 1} if 1 <= int(text[:9]) <= len(self._keys) and len(text) <= 9 else set()
        else:
            positions = self._named.get(text.casefold()) or self._named.get(letters_and_digits(text), set())
        if not positions:
            raise ValueError("No target of the campaign has this number, name or ocdid.")
        if len(positions) > 1:
            raise ValueError("Several targets of the campaign have this name. Write the ocdid or the number.")
        (position,) = positions
        if self._times[self._keys[position]] > 1:
            raise ValueError("Another target of the campaign has the same name or ocdid. Give each its own ocdid.")
        return self._keys[position]


def _names(target: Target) -> set[str]:
    """Returns the texts that name a target, as they are compared."""
    without_title = " ".join(str(target[part]) for part in ("given_name", "family_name") if target.get(part))
    texts = (target_name(target), without_title, str(target.get("organization", "")))
    ocdid = str(target.get("ocdid", "")).strip().casefold()
    return ({letters_and_digits(text) for text in texts} | {ocdid}) - {""}


@dataclass(frozen=True)
class Found:
    """The keys of the targets that a code leads to, and those for every other code."""

    keys: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def prefixes(code: str) -> tuple[str, ...]:
    """Returns the prefixes by which a code is looked up, in their order: the longest first.

    The code without the sign of its country comes after the whole code: `D-10115` is found by `10115`.
    """
    whole = compared_postal_code(code)[:MAX_PREFIX_LENGTH]
    spellings = (whole, compared_without_country(whole))
    return tuple(dict.fromkeys(each[:length] for each in spellings for length in range(len(each), 0, -1)))


def best(code: str, targets: Mapping[str, Sequence[str]]) -> Found:
    """Returns the keys under the longest prefix of a code; without one, those for every other code."""
    others = tuple(targets.get(EVERY_OTHER, ()))
    keys = next((tuple(targets[each]) for each in prefixes(code) if each in targets), others)
    return Found(keys, others)


def report(table: Table, target_list: Sequence[Target]) -> dict[str, Any]:
    """Returns counts and problems of a table, as the API shows them; lists have at most EXAMPLES entries."""
    several = [table.codes[prefix] for prefix, keys in table.targets.items() if len(keys) > 1]
    reached = {key for keys in table.targets.values() for key in keys}
    missed = [
        label(target_list, position) for position, each in enumerate(target_list) if target_key(each) not in reached
    ]
    return {
        "lines": table.lines,
        "postal_codes": len(table.targets),
        "targets": len(reached),
        "for_every_other_code": [label(target_list, each) for each in _positions(table, target_list)],
        "problems": [vars(each) for each in table.problems[:EXAMPLES]],
        "total_problems": len(table.problems),
        "repeated_lines": table.repeated_lines[:EXAMPLES],
        "total_repeated_lines": len(table.repeated_lines),
        "codes_with_several_targets": several[:EXAMPLES],
        "total_codes_with_several_targets": len(several),
        "targets_without_code": missed[:EXAMPLES],
        "total_targets_without_code": len(missed),
    }


def _positions(table: Table, target_list: Sequence[Target]) -> list[int]:
    keys = table.targets.get(EVERY_OTHER, ())
    return [position for position, each in enumerate(target_list) if target_key(each) in keys]


def label(target_list: Sequence[Target], position: int) -> str:
    """Returns the text that names a target in a file: its ocdid, its name if no other target has it, or its number."""
    target = target_list[position]
    if target.get("ocdid"):
        return str(target["ocdid"])
    name = target_name(target)
    compared = letters_and_digits(name)
    others = (each for number, each in enumerate(target_list) if number != position)
    return str(position + 1) if not compared or any(compared in _names(each) for each in others) else name


def as_csv(rows: Sequence[tuple[str, str]]) -> str:
    """Returns a file of pairs of postal code and target."""
    file = io.StringIO(newline="")
    csv.writer(file).writerows([COLUMNS, *((defused(code), defused(target)) for code, target in rows)])
    return file.getvalue()
