"""Conditions on the name of a target, as statistics and pages show it (see osdi.statistics.tally.target_name).

The name is title and names, joined by spaces; else the organization, else the division. Nothing is stored of it, so a
condition has an alternative for each place where the text may be divided. Pure.
"""

from collections.abc import Iterator
from typing import Any, Final

ARRAY: Final = "targets"
PARTS: Final = ("title", "given_name", "family_name")
OTHERWISE: Final = ("organization", "ocdid")
# A longer text is rejected: it could be divided in hundreds of places.
MAX_WORDS: Final = 12
EMPTY: Final[dict[str, Any]] = {"$in": [None, ""]}
SAID: Final[dict[str, Any]] = {"$nin": [None, ""]}


def is_named(name: str) -> dict[str, Any]:
    """Returns the query for documents with a target of this name. Raises ValueError for one of too many words."""
    if name.count(" ") >= MAX_WORDS:
        raise ValueError(f"text of at most {MAX_WORDS} words")
    if not name:
        return {"$nor": [{}]}
    return {ARRAY: {"$elemMatch": {"$or": list(_alternatives(name))}}}


def has_name() -> dict[str, Any]:
    """Returns the query for documents with a target that has a name."""
    return {ARRAY: {"$elemMatch": {"$or": [{part: SAID} for part in (*PARTS, *OTHERWISE)]}}}


def _alternatives(name: str) -> Iterator[dict[str, Any]]:
    words = name.split(" ")
    for first in range(len(words) + 1):
        for second in range(first, len(words) + 1):
            texts = [" ".join(each) for each in (words[:first], words[first:second], words[second:])]
            if " ".join(filter(None, texts)) == name:  # not so between two spaces
                yield {part: text or EMPTY for part, text in zip(PARTS, texts, strict=True)}
    without_names = dict.fromkeys(PARTS, EMPTY)
    yield {**without_names, "organization": name}
    yield {**without_names, "organization": EMPTY, "ocdid": name}
