"""Removes the entries of a deleted tag, list or question from people, in batches of one read and one write each.

A process that still has the tag in its cache may add an entry after the deletion. If there is a new tag with the same
name or identifier, the entry belongs to it, and is moved there.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from osdi.action_functions.answers import FURTHER_ANSWERS, set_further_answers
from osdi.crud.subresources import KINDS, Embedded
from osdi.crud.unlink_store import move_entry, pull_entries
from osdi.documents import Document, ReadOnlyDocument
from osdi.ids import now
from osdi.resources import PERSON, Resource
from osdi.retry import retry_on_conflict
from osdi.store import Store, Update

BATCH: Final = 1_000


@dataclass(frozen=True)
class Removal:
    """The entries of one person that are removed, by id, and those that are moved: the new resource by their ids."""

    removed: tuple[str, ...]
    moved: Mapping[str, str]

    @classmethod
    def of(
        cls, kind: Embedded, entries: Sequence[ReadOnlyDocument], old_id: str, successor: ReadOnlyDocument | None
    ) -> "Removal":
        """Decides about a person's entries; `successor` is the new resource with the name of the deleted one.

        A person has one entry for a tag or list, and may have several answers to a question.
        """
        old = [entry for entry in entries if entry[kind.field] == old_id]
        moved: dict[str, str] = {}
        if successor is not None:
            has_successor = any(each[kind.field] == successor["_id"] for each in entries)
            late = [entry["_id"] for entry in old if _is_later(entry, successor)]
            several = late if kind.several else [] if has_successor else late[:1]
            moved = dict.fromkeys(several, str(successor["_id"]))
        return cls(tuple(entry["_id"] for entry in old if entry["_id"] not in moved), moved)


def remove_entries(store: Store, resource: Resource, document_id: str, keys: Sequence[str], seconds: float) -> bool:
    """Removes the entries of a deleted document, at least one batch; returns False if `seconds` ended before the last.

    `keys` are the match keys that it had. A repeated call continues. Raises OsdiError 503.
    """
    until = time.monotonic() + seconds
    for kind in KINDS:
        while kind.parent is resource and _remove_batch(store, kind, document_id, keys):
            if time.monotonic() >= until:
                return False
    return True


def _remove_batch(store: Store, kind: Embedded, document_id: str, keys: Sequence[str]) -> bool:
    """Removes the entries of one batch of people; returns True if there may be more."""
    query = {f"{kind.array}.{kind.field}": document_id}
    people = store.find(PERSON.collection, query, limit=BATCH, fields=(kind.array,))
    if not people:
        return False
    successor = _successor(store, kind.parent, document_id, keys)
    pointing = {kind.field: document_id}
    removed: dict[str, Sequence[str]] = {}
    for person in people:
        removal = Removal.of(kind, person[kind.array], document_id, successor)
        for entry_id, to_id in removal.moved.items():
            move_entry(store, kind.array, pointing, entry_id, {kind.field: to_id}, now())
        if kind.several and removal.moved:
            retry_on_conflict(partial(_count_further_answers, store, person["_id"]))
        if removal.removed:
            removed[person["_id"]] = removal.removed
    if removed:
        pull_entries(store, kind.array, pointing, removed, now())
    return len(people) == BATCH


def _count_further_answers(store: Store, person_id: str) -> None:
    person = store.get(PERSON.collection, person_id)
    changed = dict(person or {})
    set_further_answers(changed)
    if person is not None and FURTHER_ANSWERS in changed and changed != person:
        fields = {FURTHER_ANSWERS: changed[FURTHER_ANSWERS]}
        store.write(Update(PERSON.collection, person_id, person["version"], fields))


def _successor(store: Store, resource: Resource, old_id: str, keys: Sequence[str]) -> Document | None:
    owners = store.by_match_keys(resource.collection, keys)
    return next((each for each in owners if each["_id"] != old_id), None)


def _is_later(entry: Mapping[str, Any], successor: ReadOnlyDocument) -> bool:
    """True if the entry was added after the new resource. Dates have whole seconds, and ids milliseconds."""
    date = entry.get("created_date")
    later: bool = date is not None and date >= successor["created_date"] and entry["_id"] > successor["_id"]
    return later
