"""The history of a person: the people who were merged into this one, and what members of the staff have done."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from osdi.documents import ReadOnlyDocument
from osdi.people.lookup import get_person
from osdi.people.merged_people_store import ids_of, merged_copies_of
from osdi.resources import PERSON
from osdi.staff.people.names import name_of
from osdi.store import Store
from osdi.store.indexes import STAFF, STAFF_EVENTS

MAX_EVENTS: Final = 20


@dataclass(frozen=True)
class Merged:
    """A person who was merged into this one: the former id, and name and date for as long as the copy is kept."""

    person_id: str
    name: str
    date: dt.datetime | None


@dataclass(frozen=True)
class Action:
    """An action of the staff on a person: its name, the member, and the time."""

    action: str
    member: str
    at: dt.datetime


@dataclass(frozen=True)
class History:
    """The history of a person, the latest first. `modified_by` is the id and name of the last editor, if it is known.

    `actions` are the MAX_EVENTS latest ones of the audit log.
    """

    merged: tuple[Merged, ...]
    actions: tuple[Action, ...]
    modified_by: tuple[str, str] | None


def history_of(store: Store, person: ReadOnlyDocument, *, with_actions: bool) -> History:
    """Returns the history of a person; actions of the staff only if the reader may see them. Raises OsdiError 503."""
    actions = _actions(store, person) if with_actions else ()
    return History(_merged(store, person), actions, _editor(store, person))


def _merged(store: Store, person: ReadOnlyDocument) -> tuple[Merged, ...]:
    former = ids_of(person)[1:]
    copies = {each["_id"]: each for each in merged_copies_of(store, ids_of(person))} if former else {}
    found = [
        Merged(each, name_of(copies[each]["person"]), copies[each].get("merged_date"))
        if each in copies
        else Merged(each, each, None)
        for each in former
    ]
    return tuple(sorted(found, key=lambda each: each.date or dt.datetime.min, reverse=True))


def _actions(store: Store, person: ReadOnlyDocument) -> tuple[Action, ...]:
    named = [f"{PERSON.collection}/{each}" for each in ids_of(person)]
    events = store.find(STAFF_EVENTS, {"ids": {"$in": named}}, sort=("-_id",), limit=MAX_EVENTS)
    members = store.by_ids(STAFF, sorted({each["staff_id"] for each in events if "staff_id" in each}))
    names = {each["_id"]: each["name"] for each in members}
    return tuple(Action(each["action"], names.get(each.get("staff_id", ""), ""), each["at"]) for each in events)


def _editor(store: Store, person: ReadOnlyDocument) -> tuple[str, str] | None:
    editor = get_person(store, person["modified_by_id"]) if person.get("modified_by_id") else None
    return (editor["_id"], name_of(editor)) if editor else None
