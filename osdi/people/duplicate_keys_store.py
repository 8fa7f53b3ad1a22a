"""Keys that people have without owning them, in the store: who they are, page by page, and who else has the key.

A document written before these keys were kept is given them by `note_everybodys`, which is a migration.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from osdi.documents import Document, Query
from osdi.match_keys import MatchKeyRules, name_and_postal_code_keys
from osdi.resources import PERSON
from osdi.store import Store
from osdi.store.driver import only_duplicate_keys
from osdi.store.scan import scan

BATCH: Final = 500
PATIENCE_SECONDS: Final = 60.0
NOTED: Final = ("contact_keys", "unclaimed_keys", "maybe_duplicate")


def people_without(store: Store, after: str, limit: int) -> list[Document]:
    """The ids and `unclaimed_keys` of people who have a key that they do not own, in the order of ids, behind one."""
    query = {"maybe_duplicate": True, "_id": {"$gt": after}}
    return _first_people(store, query, limit, "unclaimed_keys")


def owners_of(store: Store, keys: Sequence[str]) -> dict[str, str]:
    """The ids of those who own these keys, by the key."""
    owners = store.find(PERSON.collection, {"match_keys": {"$in": list(keys)}}, fields=("match_keys",))
    return {key: owner["_id"] for owner in owners for key in owner["match_keys"]}


def having_without(store: Store, key: str, limit: int) -> list[str]:
    """The first ids, in their order, of people who have this key and do not own it."""
    return [each["_id"] for each in _first_people(store, {"unclaimed_keys": key}, limit)]


def _first_people(store: Store, query: Query, limit: int, *fields: str) -> list[Document]:
    """Returns the first people by `_id` that the query selects; of each the id, and these fields."""
    return store.find(PERSON.collection, query, sort=("_id",), limit=limit, fields=fields)


def note_everybodys(store: Store, rules: MatchKeyRules, after: str = "") -> Iterator[int]:
    """Give every person behind the id `after` the keys of their name; yields after each batch how many it changed.

    Safe to repeat, and while others write: whoever changes a person meanwhile gives them the keys too. It is no change
    that a client sees, so neither version nor modified date move, and webhooks are not told. The index has to be there
    that lets a key have one owner. Raises OsdiError 503.
    """
    behind = {"_id": {"$gt": after}} if after else {}
    people = scan(store, PERSON.collection, behind, patience=PATIENCE_SECONDS)
    while batch := list(islice(people, BATCH)):
        changed, refused = _write_keys(store, [each for person in batch for each in _update(person, rules)])
        again = [person for person in batch if person["_id"] in refused]
        owning_none = (each for person in again for each in _update(person, rules, claiming=False))
        yield changed + _write_keys(store, list(owning_none))[0]


def _update(person: Document, rules: MatchKeyRules, *, claiming: bool = True) -> Iterator[UpdateOne]:
    """The update, if any, that gives a person their keys; `claiming` those of their name that nobody may own."""
    noted = dict(person)
    if claiming:
        known = (*person["match_keys"], *person.get("unclaimed_keys", ()))
        noted["match_keys"] = [
            *person["match_keys"],
            *(key for key in name_and_postal_code_keys(person) if key not in known),
        ]
    rules.set_derived_keys(noted)
    fields = {name: noted[name] for name in ("match_keys", *NOTED) if name in noted and noted[name] != person.get(name)}
    gone = {name: "" for name in NOTED if name in person and name not in noted}
    change = {name: value for name, value in (("$set", fields), ("$unset", gone)) if value}
    if change:
        yield UpdateOne({"_id": person["_id"], "version": person["version"]}, change)


def _write_keys(store: Store, updates: list[UpdateOne]) -> tuple[int, set[str]]:
    """Do the updates; returns how many changed somebody, and the ids of those of whom another one owns a key."""
    if not updates:
        return 0, set()
    with store.operation():
        try:
            return store.collection(PERSON.collection).bulk_write(updates, ordered=False).modified_count, set()
        except BulkWriteError as error:
            if not only_duplicate_keys(error):
                raise
            refused = {each["op"]["q"]["_id"] for each in error.details["writeErrors"]}
            return int(error.details["nModified"]), refused
