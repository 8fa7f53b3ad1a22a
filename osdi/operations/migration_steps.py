"""TODO: osdi/operations/migration_steps.py."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from pymongo import UpdateOne

from osdi.match_keys import contact_keys
from osdi.people.duplicate_keys_store import note_everybodys
from osdi.resources import PERSON
from osdi.store import Store
from osdi.store.indexes import MATCH_KEYS, create
from osdi.store.scan import in_order

BATCH: Final = 500
PATIENCE_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Given:
    """What a step is given: the store, and the setting by which phone numbers are read."""

    store: Store
    phone_region: str


@dataclass(frozen=True)
class Migration:
    """A step to `number`. `run` changes a batch at a time and yields how many documents it changed."""

    number: int
    what: str
    run: Callable[[Given], Iterator[int]]


def note_contact_keys(given: Given) -> Iterator[int]:
    """People from before `contact_keys`, which filters by e-mail and phone, unsubscribing and follow-ups look at.

    Whoever changes a person meanwhile notes the keys too, so only one that is still as it was read is changed.
    """
    without = {"contact_keys": {"$exists": False}}
    contacts = {"$or": [{f"{array}.0": {"$exists": True}} for array in ("email_addresses", "phone_numbers")]}
    people = in_order(given.store, PERSON.collection, without | contacts, patience=PATIENCE_SECONDS)
    while batch := list(islice(people, BATCH)):
        noted = [(person, contact_keys(person, given.phone_region)) for person in batch]
        updates = [
            UpdateOne({"_id": person["_id"], "version": person["version"], **without}, {"$set": {"contact_keys": keys}})
            for person, keys in noted
            if keys
        ]
        changed = 0
        if updates:
            with given.store.asking():
                found = given.store._collection(PERSON.collection).bulk_write(updates, ordered=False)
                changed = found.modified_count
        yield changed


def note_name_keys(given: Given) -> Iterator[int]:
    """People from before their names had keys, by which `GET /people/duplicates` finds those who are probably one."""
    create(given.store._collection(PERSON.collection), (MATCH_KEYS,))  # else two could own a key, and none be made then
    yield from note_everybodys(given.store, given.phone_region)


MIGRATIONS: Final = (
    Migration(1, "people know the keys of their contact details", note_contact_keys),
    Migration(2, "people have the keys of their names", note_name_keys),
)
