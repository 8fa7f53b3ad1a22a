"""Column names of other programs, from column_names.toml: paths of fields by name, and lists of names.

Names are compared without case, spaces and punctuation. Pure, except that the file is read once.
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from osdi.values.opt_out_flags import NAMES as CONSENT_NAMES
from osdi.values.opt_out_flags import squashed

FILE: Final = Path(__file__).with_name("column_names.toml")
NUMBERED: Final = "{n}"
# Words around a column's name in the question of a form: `What is your e-mail address? (required)`,
# and the number of a second column of the same name: `Tags (2)`.
ASKED: Final = re.compile(
    r"^(please )?(enter |provide |fill in )?(what('s|\u2019s| is| are) )?(your|my|deine?|ihre?|votre|ton|tu|su|je|uw) ",
    re.IGNORECASE,
)
REMARK: Final = re.compile(
    r"\s*([(\[](required|optional|pflichtfeld|obligatoire|obligatorio|verplicht|\d+|"
    r"y/n|yes/no|true/false|j/n|ja/nein|ja/nee|o/n|oui/non|s/n|s[ií]/no)[)\]]|[?*:])+\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Program:
    """A program whose export has all columns of `signature`; `fields` are paths by name, empty for a custom field."""

    name: str
    signature: frozenset[str]
    fields: Mapping[str, str]


def without_question(name: str) -> str:
    """Returns the name in a form's question: `e-mail address` for `What is your e-mail address? *`."""
    return ASKED.sub("", REMARK.sub("", name.strip()))


def program_of(names: Iterable[str]) -> Program | None:
    """Returns the program that writes these columns, or None if they are not specific."""
    present = {squashed(name) for name in names}
    return next((each for each in PROGRAMS if each.signature <= present), None)


def _numbered(names: Mapping[str, Collection[str]]) -> Iterator[tuple[str, str]]:
    """Yields each name with its path, both with numbers."""
    for path, each in names.items():
        for name in each:
            numbers = range(1, 10) if NUMBERED in name else (0,)
            yield from ((name.replace(NUMBERED, str(n)), path.replace(NUMBERED, str(n))) for n in numbers)


def _by_name(names: Mapping[str, Collection[str]]) -> dict[str, str]:
    return {squashed(name): path for name, path in _numbered(names)}


def _names(names: Collection[str]) -> frozenset[str]:
    return frozenset(_by_name({"": names}))


_FILE: Final[Mapping[str, Any]] = tomllib.loads(FILE.read_text(encoding="utf-8"))
OF_PEOPLE: Final = {**_by_name(_FILE["people"]), **CONSENT_NAMES}
OF_OUTREACHES: Final = _by_name(_FILE["outreaches"])
PROGRAMS: Final = tuple(
    Program(each["name"], _names(each["signature"]), _by_name(each["columns"])) for each in _FILE["programs"]
)
REDUNDANT: Final = _names(_FILE["redundant"]["names"])
OTHER_MEDIA: Final = _names(_FILE["consent"]["other_media"])
LETTERS: Final = _names(_FILE["consent"]["letters"])
STATUS: Final = _names(_FILE["consent"]["status"])
