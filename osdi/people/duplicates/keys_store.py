"""Reads unclaimed keys: match keys of people that other people own, and the people who share such a key.

The migration `set_derived_keys_of_all` adds the keys to documents that an earlier release wrote.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from osdi.documents import Document, Query
from osdi.match_keys import DERIVED_KEYS, MatchKeyRules, name_and_postal_code_keys
from osdi.resources import PERSON
from osdi.store import Store
from osdi.store.driver import only_duplicate_keys
from osdi.store.scan import scan

BATCH: Final = 500
WAIT_SECONDS: Final = 60.0


def people_with_unclaimed_keys(store: Store, after: str, limit: int) -> list[Document]:
    """Returns the ids and `unclaimed_keys` of people with unclaimed keys: the first `limit` after the id `after`."""
    query = {"maybe_duplicate": True, "_id": {"$gt": after}}
    return _first_people(store, query, limit, "unclaimed_keys")


def owners_of(store: Store, keys: Sequence[str]) -> dict[str, str]:
    """Returns the id of the owner of each key that has one, by key."""
    owners = store.find(PERSON.collection, {"match_keys": {"$in": list(keys)}}, fields=("match_keys",))
    return {key: owner["_id"] for owner in owners for key in owner["match_keys"]}


def sharing_people(store: Store, key: str, limit: int) -> list[str]:
    """Returns the first `limit` ids of people who have this key but do not own it."""
    return [each["_id"] for each in _first_people(store, {"unclaimed_keys": key}, limit)]


def owners_and_sharing(store: Store, keys: Sequence[str], limit: int) -> set[str]:
    """Returns the ids of the owners of these keys, and of the first `limit` people who share one of them."""
    if not keys:
        return set()
    sharing = _first_people(store, {"unclaimed_keys": {"$in": list(keys)}}, limit)
    return {*owners_of(store, keys).values(), *(each["_id"] for each in sharing)}


def people_sharing(store: Store, keys: Sequence[str], limit: int) -> list[Document]:
    """Returns ids and `unclaimed_keys` of the first `limit` people who have one of these keys but do not own it."""
    return _first_people(store, {"unclaimed_keys": {"$in": list(keys)}}, limit, "unclaimed_keys")


def _first_people(store: Store, query: Query, limit: int, *fields: str) -> list[Document]:
    """Returns the id and these fields of the first people that the query selects, in the order of ids."""
    return store.find(PERSON.collection, query, sort=("_id",), limit=limit, fields=fields)


def set_derived_keys_of_all(store: Store, rules: MatchKeyRules, after: str = "") -> Iterator[int]:
    """Sets the derived keys of every person after the id `after`; yields the number of changed people for each batch.

    It can be repeated, and other requests may write at the same time: a request that changes a person sets the keys
    too. Clients do not see the keys, so the version and the modified date stay, and no webhook is notified. The unique
    index on match keys must exist. Raises OsdiError 503.
    """
    behind = {"_id": {"$gt": after}} if after else {}
    people = scan(store, PERSON.collection, behind, wait_seconds=WAIT_SECONDS)
    while batch := list(islice(people, BATCH)):
        changed, rejected = _write_keys(store, [each for person in batch for each in _update(person, rules)])
        again = [person for person in batch if person["_id"] in rejected]
        without_claims = (each for person in again for each in _update(person, rules, claiming=False))
        yield changed + _write_keys(store, list(without_claims))[0]


def _update(person: Document, rules: MatchKeyRules, *, claiming: bool = True) -> Iterator[UpdateOne]:
    """Yields the update that sets a person's derived keys, if one is needed.

    With `claiming` the person also claims the keys of the name and postal code.
    """
    updated = dict(person)
    if claiming:
        known = (*person["match_keys"], *person.get("unclaimed_keys", ()))
        updated["match_keys"] = [
            *person["match_keys"],
            *(key for key in name_and_postal_code_keys(person) if key not in known),
        ]
    rules.set_derived_keys(updated)
    names = ("match_keys", *DERIVED_KEYS)
    fields = {name: updated[name] for name in names if name in updated and updated[name] != person.get(name)}
    gone = {name: "" for name in DERIVED_KEYS if name in person and name not in updated}
    change = {name: value for name, value in (("$set", fields), ("$unset", gone)) if value}
    if change:
        yield UpdateOne({"_id": person["_id"], "version": person["version"]}, change)


def _write_keys(store: Store, updates: list[UpdateOne]) -> tuple[int, set[str]]:
    """Does the updates; returns the number of changed people, and the ids of people whose key another person owns."""
    if not updates:
        return 0, set()
    with store.operation():
        try:
            return store.collection(PERSON.collection).bulk_write(updates, ordered=False).modified_count, set()
        except BulkWriteError as error:
            if not only_duplicate_keys(error):
                raise
            rejected = {each["op"]["q"]["_id"] for each in error.details["writeErrors"]}
            return int(error.details["nModified"]), rejected
