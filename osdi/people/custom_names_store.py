"""Names of the custom fields that people have, counted ahead: a CSV file of people begins with them.

One document has the names, and how many stored states of people had each. The worker reads people once in the order of
ids, up to `after_id`, and then those who have changed since that began, up to the cursor `through`. An export counts
those who have changed since then. So it does not read all people. A complete export replaces the numbers by exact ones,
without the names that nobody has any more.

An erasure deletes the document, since a name may be personal data. It is counted anew, from the first person.
"""

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pymongo import ASCENDING

from osdi.documents import Document, Query, ReadOnlyDocument
from osdi.errors import DuplicateKey
from osdi.ids import new_id, now
from osdi.paging import EPOCH, MODIFIED, Cursor
from osdi.resources import CUSTOM_FIELDS, PERSON
from osdi.store import Insert, Store
from osdi.store.driver import READ_MS
from osdi.store.indexes import CUSTOM_NAMES
from osdi.store.pages.order import Place
from osdi.store.scan import scan
from osdi.store.store import SETTLED

ID: Final = PERSON.collection
# People of one read.
BATCH: Final = 10_000
# Posts without a token can create any number of names. Names beyond this number have no column anyway.
MAX_NAMES: Final = 10_000
LOOK_SECONDS: Final = 30.0


class CustomNamesAhead:
    """The worker's part: counts the names of people who have changed. Only one thread may use it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._after = float("-inf")

    def do_next(self) -> bool:
        """Counts one batch of people; False if there is none. Raises OsdiError 503."""
        if time.monotonic() < self._after:
            return False
        if count_next(self._store):
            return True
        self._after = time.monotonic() + LOOK_SECONDS
        return False


def count_next(store: Store) -> bool:
    """Counts the next batch of people whose changes are committed; returns True if there may be more.

    Raises OsdiError 503.
    """
    counted = _counted_names(store)
    if counted["after_id"] is None:
        people = _changed_people(store, counted["through"], now() - SETTLED)
        moved: Document = {"through": _place_of(people)} if people else {}
    else:
        people = _people(store, {"_id": {"$gt": counted["after_id"]}})
        moved = {"after_id": people[-1]["_id"] if len(people) == BATCH else None}
    if moved:
        names = _with_names_of(Counter(counted["names"]), people)
        _update(store, counted, {"names": names, **moved})
    return len(people) == BATCH or counted["after_id"] is not None


def names_of_all(store: Store) -> Counter[str]:
    """Returns the names under which the custom fields of all people are stored, with numbers. Raises OsdiError 503.

    It reads the people who have changed since the last count and, if nobody has counted, all people.
    """
    counted = stored_names(store)
    if counted is None or counted["after_id"] is not None:
        counted = _count_all(store)
    while count_next(store):
        pass
    counted = stored_names(store) or counted
    names: Counter[str] = Counter(counted["names"])
    through = counted["through"]
    while people := _changed_people(store, through, dt.datetime.max):
        names, through = _with_names_of(names, people), _place_of(people)
    return names


def _count_all(store: Store) -> Document:
    """Counts the names of all people, and returns the document with them."""
    counted, through = _counted_names(store), _settled()
    people = scan(store, PERSON.collection, {CUSTOM_FIELDS: {"$exists": True}}, fields=(CUSTOM_FIELDS,))
    state = {"names": dict(_with_names_of(Counter(), people)), "after_id": None, "through": through}
    _update(store, {"generation": counted["generation"]}, state)
    return {**counted, **state}


def stored_names(store: Store) -> Document | None:
    """Returns the stored document, or None if nobody has counted. Raises OsdiError 503."""
    return store.get(CUSTOM_NAMES, ID)


def _counted_names(store: Store) -> Document:
    """Returns the stored document, which is created if there is none. Raises OsdiError 503."""
    found = stored_names(store)
    if found is not None:
        return found
    # An update applies to one generation only, so that it stores no name that an erasure has deleted.
    created: Document = {"_id": ID, "generation": new_id(), "names": {}, "after_id": "", "through": _settled()}
    try:
        store.write(Insert(CUSTOM_NAMES, created))
    except DuplicateKey:  # another process was first
        return stored_names(store) or created
    return created


def replace_names(store: Store, before: ReadOnlyDocument, names: Mapping[str, int]) -> None:
    """Stores exact numbers, which a reader of all people has counted since it read the document `before`.

    The people who were changed meanwhile are counted again. Raises OsdiError 503.
    """
    if before["after_id"] is None:
        _update(store, {"generation": before["generation"]}, {"names": dict(names), "through": before["through"]})


def forget_names(store: Store) -> None:
    """Deletes the names, so that they are counted anew. Raises OsdiError 503."""
    with store.operation():
        store.collection(CUSTOM_NAMES).delete_many({})


def with_names(counted: Counter[str], several: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Returns the numbers with the names of further custom fields; names beyond MAX_NAMES are ignored."""
    for custom in several:
        counted.update(name for name in custom if name in counted or len(counted) < MAX_NAMES)
    return counted


def _update(store: Store, selected: Mapping[str, Any], changed: Mapping[str, Any]) -> None:
    unchanged = {name: selected[name] for name in ("generation", "after_id", "through") if name in selected}
    with store.operation():
        store.collection(CUSTOM_NAMES).update_one({"_id": ID, **unchanged}, {"$set": changed})


def _settled() -> str:
    """Returns the cursor ahead of people whose changes may not be committed."""
    return str(Cursor("", now() - SETTLED))


def _with_names_of(counted: Counter[str], people: Iterable[ReadOnlyDocument]) -> Counter[str]:
    return with_names(counted, (each.get(CUSTOM_FIELDS, {}) for each in people))


def _changed_people(store: Store, through: str, until: dt.datetime) -> list[Document]:
    """Returns the next people behind a cursor who were changed before `until`."""
    place = Place.of({MODIFIED: {"$gte": EPOCH, "$lt": until}}, through, None)
    return _people(store, place.selected, MODIFIED)


def _people(store: Store, query: Query, *sort: str) -> list[Document]:
    """Returns the first people that the query selects: their custom fields and dates."""
    order = [(name, ASCENDING) for name in (*sort, "_id")]
    with store.operation():
        people = store.collection(PERSON.collection).find(query, {MODIFIED: 1, CUSTOM_FIELDS: 1})
        return list(people.sort(order).limit(BATCH).max_time_ms(READ_MS))


def _place_of(people: Sequence[ReadOnlyDocument]) -> str:
    return str(Cursor(people[-1]["_id"], people[-1][MODIFIED]))
