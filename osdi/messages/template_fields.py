"""The fields that a message's template prints: of the person, the outreach, its targets and the campaign, by name.

What somebody posted could be anything. A person's fields may have come through the open door, so they are always short
single lines without links; and so are the outreach's and the targets', unless it was recorded with a token. A text with
a link is no name: it counts as not said, and the template's `default` is printed.

Pure.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Final

from osdi.fields.contacts import TARGET
from osdi.fields.definition import names
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH, PERSON

UNSUBSCRIBE_URL: Final = "unsubscribe_url"

LINE_LENGTH: Final = 100
TEXT_LENGTH: Final = 10_000
LONGEST_LIST: Final = 100

TARGET_NAMES: Final = frozenset(names(TARGET.fields))

# The names that a template knows, and their fields; a list has none.
FIELDS: Final[Mapping[str, frozenset[str] | None]] = {
    "person": frozenset(PERSON.fields),
    "outreach": frozenset(OUTREACH.fields),
    "targets": None,
    "campaign": frozenset(ADVOCACY_CAMPAIGN.fields),
}
# What the entries of a list have for fields.
LISTED: Final[Mapping[str, frozenset[str]]] = {
    "targets": TARGET_NAMES,
    "outreach.targets": TARGET_NAMES,
    "campaign.target_list": TARGET_NAMES,
}

# What mail programs make a link of, wherever it stands, and dots that they take for one between two names.
LINK: Final = re.compile(r"://|www\.|@|\b(?:mailto|tel|sms|https?):", re.IGNORECASE)
DOT: Final = re.compile(r"([.\u3002\uff61])(?=[^\s.])")
UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
JOINERS: Final = "\u200c\u200d"  # they belong to the words of some languages, and to emoji


def fields(
    person: Mapping[str, Any] | None, outreach: Mapping[str, Any], campaign: Mapping[str, Any], *, by_token: bool
) -> dict[str, Any]:
    """`{person, outreach, targets, campaign}` as a template may print them; nothing of a person who is not known."""
    said = _of(OUTREACH.fields, outreach)
    printed = _bounded_texts(said) if by_token else _single_lines(said)
    return {
        "person": _single_lines(_of(PERSON.fields, person or {})),
        "outreach": printed,
        "targets": printed.get("targets", []),
        "campaign": _bounded_texts(_of(ADVOCACY_CAMPAIGN.fields, campaign)),
    }


def single_line(text: str, length: int) -> str:
    """The text in one line without what nobody sees, no longer than that."""
    seen = "".join(
        character if character in JOINERS or unicodedata.category(character) not in UNSEEN else " "
        for character in text[: 4 * length]
    )
    line = " ".join(seen.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def _of(names: tuple[str, ...], document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in names if name in document}


def _bounded_texts(value: Any) -> Any:
    return _each(value, lambda text: text[:TEXT_LENGTH])


def _single_lines(value: Any) -> Any:
    return _each(value, _harmless)


def _harmless(text: str) -> str:
    line = single_line(unicodedata.normalize("NFKC", text), LINE_LENGTH)
    if LINK.search(line):
        return ""
    # "St.John" is a name, "evil.example" would become a link: neither does when the dot ends a word.
    return DOT.sub(r"\1 ", line)


def _each(value: Any, change: Callable[[str], str]) -> Any:
    """The value with every text in it changed; what then says nothing is left out."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [kept for each in value[:LONGEST_LIST] if (kept := _each(each, change)) not in ("", {}, [])]
    if isinstance(value, Mapping):
        changed = {name: _each(each, change) for name, each in value.items()}
        return {name: each for name, each in changed.items() if each not in ("", {}, [])}
    return value
