"""The screens of likely duplicates and of pairs that are not the same: their rows, and the decision about a pair."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from osdi.documents import Document, ReadOnlyDocument
from osdi.ids import now
from osdi.people.duplicates.exceptions_store import add_exception, latest_exceptions, remove_exceptions
from osdi.people.duplicates.pairs import duplicate_pairs
from osdi.people.lookup import get_people
from osdi.people.merged_people_store import ids_of
from osdi.resources import PERSON
from osdi.staff.people.names import email_of, name_of, phone_of, town_of
from osdi.staff.people.person_actions import check_versions, versions_of
from osdi.store import Store

PER_PAGE: Final = 25


@dataclass(frozen=True)
class Side:
    """One person of a pair: the id, the name, further details, and since when the person is stored."""

    person_id: str
    name: str
    details: tuple[str, ...]
    since: dt.datetime


@dataclass(frozen=True)
class PairRow:
    """Two people, what both have, how certain it is that they are the same, and the versions that this is about."""

    people: tuple[Side, Side]
    by: tuple[str, ...]
    certainty: str
    versions: str


@dataclass(frozen=True)
class DuplicateList:
    """A page of pairs: `after` is the cursor of the next one, None at the end; `checked` is the time of the search."""

    rows: tuple[PairRow, ...]
    after: str | None
    checked: dt.datetime


@dataclass(frozen=True)
class ExceptionRow:
    """Two people who are not the same, and since when that is stored."""

    people: tuple[Side, Side]
    since: dt.datetime


@dataclass(frozen=True)
class ExceptionList:
    """A page of pairs that are not the same; `after` is the cursor of the next one, None at the end."""

    rows: tuple[ExceptionRow, ...]
    after: str | None


def duplicate_list(store: Store, after: str = "") -> DuplicateList:
    """Returns the likely duplicates behind the cursor `after`. Raises OsdiError 503."""
    found = duplicate_pairs(store, limit=PER_PAGE, after=after)
    rows = (
        PairRow((side_of(each.people[0]), side_of(each.people[1])), each.by, each.certainty, versions_of(*each.people))
        for each in found.pairs
    )
    return DuplicateList(tuple(rows), found.after, now())


def exception_list(store: Store, after: str = "") -> ExceptionList:
    """Returns the pairs that are not the same behind the cursor `after`, the newest first. Raises OsdiError 503."""
    found = latest_exceptions(store, PER_PAGE, after)
    people = get_people(store, {each for document in found.documents for each in document["people"]})
    rows = (_exception_row(each, people) for each in found.documents)
    return ExceptionList(tuple(row for row in rows if row is not None), found.after)


def keep_apart(store: Store, one: ReadOnlyDocument, other: ReadOnlyDocument, versions: str) -> list[str]:
    """Stores that two people are not the same, if both have the versions that were compared; returns ids for the log.

    Raises OsdiError 409 if one of both has changed; 503.
    """
    check_versions(one, other, versions)
    add_exception(store, one["_id"], other["_id"])
    return _logged(one, other)


def take_back(store: Store, one: ReadOnlyDocument, other: ReadOnlyDocument) -> list[str]:
    """Deletes what says that two people are not the same; it may be gone already. Returns ids for the audit log.

    Raises OsdiError 503.
    """
    remove_exceptions(store, one, other)
    return _logged(one, other)


def side_of(person: ReadOnlyDocument) -> Side:
    """Returns what a row shows of a person."""
    name = name_of(person)
    details = (email_of(person), phone_of(person), town_of(person))
    return Side(person["_id"], name, tuple(each for each in details if each and each != name), person["created_date"])


def _exception_row(exception: ReadOnlyDocument, people: Mapping[str, Document]) -> ExceptionRow | None:
    """Returns the row of an exception; None if one of both is gone, or if they are one person now."""
    one, other = (people.get(each) for each in exception["people"])
    if one is None or other is None or not set(ids_of(one)).isdisjoint(ids_of(other)):
        return None
    return ExceptionRow((side_of(one), side_of(other)), exception["created_date"])


def _logged(*people: ReadOnlyDocument) -> list[str]:
    return [f"{PERSON.collection}/{person['_id']}" for person in people]
