"""Migrations: numbered steps that bring stored documents into the shape that this program writes.

Each step is small, goes through documents in batches, and may be repeated: whatever it did before is found done. It has
to leave documents that the program before still reads, since that one serves while the release runs. A step never goes
away and never changes its number; the next one is added at the end, and `SCHEMA_VERSION` is its number.

One release at a time runs them: it holds a lease in the schema's document, by the server's clock, and renews it from
batch to batch; a release that died is followed by another when its lease is over.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from osdi.documents import Document
from osdi.errors import OsdiError, WriteConflict, unavailable
from osdi.ids import new_id, now
from osdi.match_keys import MatchKeyRules
from osdi.operations.migration_steps import MIGRATIONS, Migration, MigrationContext
from osdi.store import Store
from osdi.store.schema_version import ID, SCHEMA, SCHEMA_VERSION

LEASE_SECONDS: Final = 60
WAIT_SECONDS: Final = 600.0
LOOK_SECONDS: Final = 1.0


def schema_version(store: Store) -> int:
    """The database's schema_version; 0 where no release has run yet. Raises OsdiError 503."""
    return int((store.get(SCHEMA, ID) or {}).get("schema_version", 0))


def migrate(
    store: Store,
    rules: MatchKeyRules,
    tell: Callable[[str], None],
    *,
    migrations: tuple[Migration, ...] = MIGRATIONS,
    wait: float = WAIT_SECONDS,
) -> int:
    """Bring the database to the last migration; returns its version then. `tell` is told each step as a sentence.

    Waits for another release that is at it. Raises OsdiError 503 where that takes longer than `wait` seconds or the
    database is away, WriteConflict where our lease ran out. What is done stays done: run it again.
    """
    if store.in_memory:
        return SCHEMA_VERSION
    lease = _lease(store, tell, wait)
    try:
        for migration in migrations:
            if schema_version(store) >= migration.number:
                continue
            changed = 0
            for number in migration.run(MigrationContext(store, rules)):
                changed += number
                _renew(store, lease)
            done = {"number": migration.number, "date": now(), "documents": changed}
            _change(store, lease, {"$max": {"schema_version": migration.number}, "$push": {"migrations": done}})
            tell(f"Migrated to schema_version {migration.number}: {migration.what} ({changed} changed).")
    finally:
        _give_back(store, lease)
    return schema_version(store)


def _lease(store: Store, tell: Callable[[str], None], wait: float) -> str:
    """Hold the lease, at once or when it is free."""
    lease, ends, told = new_id(), time.monotonic() + wait, False
    while True:
        free: Document = {"_id": ID, "$expr": {"$lte": [{"$ifNull": ["$lease_ends", 0]}, "$$NOW"]}}
        with store.operation():
            documents = store.collection(SCHEMA)
            with suppress(DuplicateKeyError):  # as at every release but the first
                documents.insert_one({"_id": ID, "schema_version": 0})
            taken = documents.find_one_and_update(
                free, [{"$set": {"lease": lease, **_from_now()}}], return_document=ReturnDocument.AFTER
            )
        if taken is not None:
            return lease
        if not told:
            tell("Another release is migrating the database; waiting for it.")
            told = True
        if time.monotonic() >= ends:
            raise unavailable("Another release is migrating the database; try again when it is done.")
        time.sleep(LOOK_SECONDS)


def _from_now() -> Mapping[str, Any]:
    return {"lease_ends": {"$add": ["$$NOW", LEASE_SECONDS * 1000]}}


def _renew(store: Store, lease: str) -> None:
    _change(store, lease, [{"$set": _from_now()}])


def _change(store: Store, lease: str, change: Any) -> None:
    """Change the schema's document while the lease is ours. Raises WriteConflict."""
    with store.operation():
        changed = store.collection(SCHEMA).update_one({"_id": ID, "lease": lease}, change)
    if not changed.matched_count:
        raise WriteConflict("Another release took over, since this one was slow; run it again.")


def _give_back(store: Store, lease: str) -> None:
    # Where the database is away the lease ends by itself, and what went wrong is told.
    with suppress(OsdiError), store.operation():
        store.collection(SCHEMA).update_one({"_id": ID, "lease": lease}, {"$unset": {"lease": "", "lease_ends": ""}})
