"""Duplicate exceptions: pairs of people who look alike, and who are not the same, as a member of the staff has said.

An exception is `{_id, people, created_date}`. `people` has the ids of both in their order, and `_id` is made of them.
The audit log of the staff pages has the member who said so.

An exception outlives a merge of one of both with a third person: the survivor keeps the ids of merged people, so it is
found by them. A merge of both, a deletion and an erasure delete it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from osdi.documents import Document, ReadOnlyDocument
from osdi.ids import now
from osdi.people.merged_people_store import ids_of
from osdi.store import Replace, Store
from osdi.store.indexes import DUPLICATE_EXCEPTIONS

# Two people who are not the same, by their present ids.
Apart = frozenset[str]


@dataclass(frozen=True)
class Exceptions:
    """A page of exceptions, the newest first, and the cursor of the next page; None at the end."""

    documents: Sequence[Document]
    after: str | None


def add_exception(store: Store, one_id: str, other_id: str) -> str:
    """Stores that these two people are not the same, if that is not stored already; returns its id."""
    people = sorted((one_id, other_id))
    exception: Document = {"_id": " ".join(people), "people": people, "created_date": now()}
    store.write(Replace(DUPLICATE_EXCEPTIONS, exception))
    return str(exception["_id"])


def remove_exceptions(store: Store, one: ReadOnlyDocument, other: ReadOnlyDocument) -> int:
    """Deletes all exceptions of these two people, also of people who were merged into them; returns their number."""
    return store.delete_many(DUPLICATE_EXCEPTIONS, _exceptions_query(ids_of(one), ids_of(other)))


def remove_exceptions_within(store: Store, person: ReadOnlyDocument) -> None:
    """Deletes the exceptions of people who were merged into this one: they are one person now."""
    ids = ids_of(person)
    store.delete_many(DUPLICATE_EXCEPTIONS, _exceptions_query(ids, ids))


def remove_exceptions_of(store: Store, ids: Iterable[str]) -> None:
    """Deletes the exceptions of people with these ids, who are deleted or erased."""
    store.delete_many(DUPLICATE_EXCEPTIONS, {"people": {"$in": list(ids)}})


def exceptions_of(store: Store, ids: Sequence[str]) -> list[Document]:
    """Returns the exceptions of a person with these ids, the oldest first."""
    return store.find(DUPLICATE_EXCEPTIONS, {"people": {"$in": list(ids)}}, sort=("created_date",))


def apart(store: Store, people: Iterable[ReadOnlyDocument]) -> frozenset[Apart]:
    """Returns the pairs of these people who are not the same. Raises OsdiError 503."""
    present = {each: person["_id"] for person in people for each in ids_of(person)}
    found = store.find(DUPLICATE_EXCEPTIONS, {"people": {"$in": sorted(present)}}) if present else []
    return frozenset(_pairs(found, present))


def latest_exceptions(store: Store, limit: int, after: str = "") -> Exceptions:
    """Returns the latest exceptions behind the cursor `after`, the id of an exception. Raises OsdiError 503."""
    query: Document = {}
    if after and (last := store.get(DUPLICATE_EXCEPTIONS, after)):
        date = last["created_date"]
        query = {"$or": [{"created_date": {"$lt": date}}, {"created_date": date, "_id": {"$lt": after}}]}
    found = store.find(DUPLICATE_EXCEPTIONS, query, sort=("-created_date", "-_id"), limit=limit + 1)
    shown = found[:limit]
    return Exceptions(shown, shown[-1]["_id"] if len(found) > limit else None)


def _exceptions_query(ids: Sequence[str], others: Sequence[str]) -> Document:
    """Returns the query for the exceptions of one of `ids` with one of `others`."""
    ways = ((ids, others), (others, ids))
    either = [{"people.0": {"$in": list(first)}, "people.1": {"$in": list(second)}} for first, second in ways]
    return {"people": {"$in": list(ids)}, "$or": either}


def _pairs(found: Iterable[Document], present: dict[str, str]) -> Iterator[Apart]:
    for each in found:
        if all(person_id in present for person_id in each["people"]):
            yield frozenset(present[person_id] for person_id in each["people"])
