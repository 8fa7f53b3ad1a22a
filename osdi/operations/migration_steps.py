"""The numbered migration steps, in order. `osdi.operations.migrations` runs them.

A step changes stored documents in batches and yields the number of changed documents after each batch. It is safe to
repeat. It leaves documents that the previous version can still read, unless its docstring says otherwise.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from pymongo import ReplaceOne, UpdateOne

from osdi.match_keys import NAME_AND_POSTAL_CODE, MatchKeyRules
from osdi.people.duplicate_keys_store import note_everybodys
from osdi.resources import ADVOCACY_CAMPAIGN, PERSON
from osdi.store import Store
from osdi.store.indexes import MATCH_KEYS, MERGED_PEOPLE, STATISTICS, TOMBSTONES, create
from osdi.store.scan import scan

BATCH: Final = 500
PATIENCE_SECONDS: Final = 60.0


@dataclass(frozen=True)
class MigrationContext:
    """What a step is given: the store, and the rules by which this deployment makes match keys."""

    store: Store
    rules: MatchKeyRules


@dataclass(frozen=True)
class Migration:
    """A step to `number`. `run` changes a batch at a time and yields how many documents it changed."""

    number: int
    what: str
    run: Callable[[MigrationContext], Iterator[int]]


def note_contact_keys(given: MigrationContext) -> Iterator[int]:
    """People from before `contact_keys`, which filters by e-mail and phone, unsubscribing and follow-ups look at.

    Whoever changes a person meanwhile notes the keys too, so only one that is still as it was read is changed.
    """
    without = {"contact_keys": {"$exists": False}}
    contacts = {"$or": [{f"{array}.0": {"$exists": True}} for array in ("email_addresses", "phone_numbers")]}
    people = scan(given.store, PERSON.collection, without | contacts, patience=PATIENCE_SECONDS)
    while batch := list(islice(people, BATCH)):
        noted = [(person, given.rules.contact_keys(person)) for person in batch]
        updates = [
            UpdateOne({"_id": person["_id"], "version": person["version"], **without}, {"$set": {"contact_keys": keys}})
            for person, keys in noted
            if keys
        ]
        changed = 0
        if updates:
            with given.store.operation():
                found = given.store.collection(PERSON.collection).bulk_write(updates, ordered=False)
                changed = found.modified_count
        yield changed


def note_name_keys(given: MigrationContext) -> Iterator[int]:
    """People from before their names had keys, by which `GET /people/duplicates` finds those who are probably one."""
    create(given.store.collection(PERSON.collection), (MATCH_KEYS,))  # else two could own a key, and none be made then
    yield from note_everybodys(given.store, given.rules)


def rename_stored_names(given: MigrationContext) -> Iterator[int]:
    """Renames fields, keys and collections to the terms that docs/architecture.md lists.

    The previous, unreleased version does not read the new names: stop it before this step runs.
    """
    store = given.store
    with store.operation():
        campaigns = store.collection(ADVOCACY_CAMPAIGN.collection)
        yield campaigns.update_many({}, {"$rename": {"open_door": "anonymous_posts"}}).modified_count
    for collection, prefix in ((PERSON.collection, ""), (MERGED_PEOPLE, "person.")):
        for field in (f"{prefix}match_keys", f"{prefix}unclaimed_keys"):
            yield from _rename_keys(store, collection, field)
    yield from _move_documents(store, "erased", TOMBSTONES)
    with store.operation():
        # Rollups that an unread invalidation would have dropped must not survive it: they are counted again when read.
        for name in ("statistics_touches", STATISTICS):
            store.collection(name).delete_many({})


def _rename_keys(store: Store, collection: str, field: str) -> Iterator[int]:
    """Gives the keys of names with postal codes their present prefix in one array field."""
    old, new = "namesake:", NAME_AND_POSTAL_CODE
    renamed = {
        "$cond": [
            {"$eq": [{"$indexOfCP": ["$$key", old]}, 0]},
            {"$concat": [new, {"$substrCP": ["$$key", len(old), {"$strLenCP": "$$key"}]}]},
            "$$key",
        ]
    }
    change = [{"$set": {field: {"$map": {"input": f"${field}", "as": "key", "in": renamed}}}}]
    has_old = {field: {"$regex": f"^{old}"}}
    while True:
        with store.operation():
            documents = store.collection(collection)
            ids = [each["_id"] for each in documents.find(has_old, {"_id": 1}).limit(BATCH)]
            if not ids:
                return
            changed = documents.update_many({"_id": {"$in": ids}}, change).modified_count
        yield changed


def _move_documents(store: Store, old: str, new: str) -> Iterator[int]:
    """Moves every document of one collection to another."""
    while True:
        with store.operation():
            batch = list(store.collection(old).find().limit(BATCH))
            if not batch:
                return
            moves = [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in batch]
            store.collection(new).bulk_write(moves, ordered=False)
            store.collection(old).delete_many({"_id": {"$in": [each["_id"] for each in batch]}})
        yield len(batch)


MIGRATIONS: Final = (
    Migration(1, "people know the keys of their contact details", note_contact_keys),
    Migration(2, "people have the keys of their names", note_name_keys),
    Migration(3, "stored names are the present ones", rename_stored_names),
)
