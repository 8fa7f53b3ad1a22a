"""The fields that a template can print: those of the person, the outreach, its targets and the campaign.

Posted values can contain anything. A person's fields may come from an anonymous post, so they are always reduced to
short single lines without links. The fields of the outreach and its targets are reduced, too, unless a token recorded
the outreach. A text with a link counts as missing, so the template prints its `default`.

Pure.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from osdi.fields.contacts import TARGET
from osdi.fields.definition import names
from osdi.fields.outreach import ACTION_DATE_OFFSET
from osdi.resources import ADVOCACY_CAMPAIGN, CUSTOM_FIELDS, OUTREACH, PERSON
from osdi.values.custom_field_names import as_sent
from osdi.values.text import unicode_form

UNSUBSCRIBE_URL: Final = "unsubscribe_url"
# The value that names the language of dates. No template can print or replace it, because of the spaces.
LANGUAGE: Final = "language of dates"

MAX_LINE_LENGTH: Final = 100
MAX_TEXT_LENGTH: Final = 10_000
MAX_LIST_ENTRIES: Final = 100
EMPTY: Final[tuple[Any, ...]] = ("", {}, [])

TARGET_NAMES: Final = frozenset(names(TARGET.fields))

# The names that a template can use, and their fields; a list has no fields.
FIELDS: Final[Mapping[str, frozenset[str] | None]] = {
    "person": frozenset(PERSON.fields),
    "outreach": frozenset(OUTREACH.fields),
    "targets": None,
    "campaign": frozenset(ADVOCACY_CAMPAIGN.fields),
}
# The fields of a list's entries.
LISTED: Final[Mapping[str, frozenset[str]]] = {
    "targets": TARGET_NAMES,
    "outreach.targets": TARGET_NAMES,
    "campaign.target_list": TARGET_NAMES,
}

# Text that mail programs turn into a link, and dots that can make a link of two words.
LINK: Final = re.compile(r"://|www\.|@|\b(?:mailto|tel|sms|https?):", re.IGNORECASE)
DOT: Final = re.compile(r"([.\u3002\uff61])(?=[^\s.])")
# Unicode categories of invisible characters.
INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
JOINERS: Final = "\u200c\u200d"  # words of some languages and emoji need these


def fields(
    person: Mapping[str, Any] | None,
    outreach: Mapping[str, Any],
    campaign: Mapping[str, Any],
    *,
    by_token: bool,
    zone: dt.tzinfo = dt.UTC,
) -> dict[str, Any]:
    """Returns the values for a template, `{person, outreach, targets, campaign}`; `person` is empty if it is None.

    `by_token` is true if a token recorded the outreach. `zone` is the time zone of dates that were sent in UTC.
    """
    posted = _select(OUTREACH.fields, outreach)
    if "action_date" in posted:
        posted["action_date"] = _local(posted["action_date"], outreach.get(ACTION_DATE_OFFSET), zone)
    printable = _Printable(posted, _shortened if by_token else _safe_line)
    return {
        "person": _Printable(_of_person(person or {}), _safe_line),
        "outreach": printable,
        "targets": printable.get("targets", []),
        "campaign": _Printable(_select(ADVOCACY_CAMPAIGN.fields, campaign), _shortened),
    }


def single_line(text: str, length: int) -> str:
    """Returns the text in one line without invisible characters, cut to `length` characters."""
    text = text[: 4 * length]
    if not text.isprintable():
        text = "".join(
            character if character in JOINERS or unicodedata.category(character) not in INVISIBLE else " "
            for character in text
        )
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def _local(timestamp: dt.datetime, offset: int | None, zone: dt.tzinfo) -> dt.datetime:
    """Returns a naive UTC time by the offset in minutes that was posted with it, or else by the zone."""
    by = dt.timezone(dt.timedelta(minutes=offset)) if offset else zone
    try:
        return timestamp.replace(tzinfo=dt.UTC).astimezone(by)
    except OverflowError:  # in the first or last hours of the calendar
        return timestamp


def _select(names: tuple[str, ...], document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in names if name in document}


def _of_person(person: Mapping[str, Any]) -> dict[str, Any]:
    selected = _select(PERSON.fields, person)
    if CUSTOM_FIELDS in selected:
        selected[CUSTOM_FIELDS] = as_sent(selected[CUSTOM_FIELDS])
    return selected


class _Printable(Mapping[str, Any]):
    """Properties with every text in them changed, without those that become empty.

    Each is changed when a template prints it. Most templates print a few of them.
    """

    def __init__(self, properties: Mapping[str, Any], change: Callable[[str], str]) -> None:
        self._properties = properties
        self._change = change
        self._changed: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._changed:
            self._changed[name] = _change_texts(self._properties[name], self._change)
        changed = self._changed[name]
        if changed in EMPTY:
            raise KeyError(name)
        return changed

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._properties if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _shortened(text: str) -> str:
    return text[:MAX_TEXT_LENGTH]


def _safe_line(text: str) -> str:
    line = single_line(unicode_form("NFKC", text), MAX_LINE_LENGTH)
    if LINK.search(line):
        return ""
    # Mail programs make a link of "evil.example"; a space after the dot prevents it and keeps names such as "St.John".
    return DOT.sub(r"\1 ", line)


def _change_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Returns the value with every text in it changed; entries and properties that become empty are left out."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [kept for each in value[:MAX_LIST_ENTRIES] if (kept := _change_texts(each, change)) not in EMPTY]
    if isinstance(value, Mapping):
        changed = {name: _change_texts(each, change) for name, each in value.items()}
        return {name: each for name, each in changed.items() if each not in EMPTY}
    return value
