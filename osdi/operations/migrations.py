"""Runs migrations: numbered steps that bring stored documents into the form that this program writes.

Each step changes documents in batches and can be repeated. The previous version must still be able to read the changed
documents, since it serves requests while the release runs. A step is never removed and keeps its number; a new step is
added at the end, and `SCHEMA_VERSION` is its number.

The release of an older program sets the number back to its own, if it can read the documents. So the next release of
the newer program repeats its steps, and changes what the older one has written meanwhile.

One release at a time runs the steps: it has a lease in the schema's document, by the database server's clock, and
renews it after each batch. If a release dies, another one can start when the lease has expired.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from osdi.documents import Document
from osdi.errors import OsdiError, WriteConflict, unavailable
from osdi.ids import new_id, now
from osdi.match_keys import MatchKeyRules
from osdi.operations.foreign_documents import reject_foreign_documents
from osdi.operations.migration_steps import MIGRATIONS, Migration, MigrationContext
from osdi.retry import retry_for
from osdi.store import Store
from osdi.store.schema_version import ID, OLDEST_PROGRAM, SCHEMA, SCHEMA_VERSION, can_go_back, newer_database

LEASE_SECONDS: Final = 60
WAIT_SECONDS: Final = 600.0
POLL_SECONDS: Final = 1.0


def schema_version(store: Store) -> int:
    """Returns the database's schema_version; 0 before the first release. Raises OsdiError 503."""
    return int((store.get(SCHEMA, ID) or {}).get("schema_version", 0))


def migrate(
    store: Store,
    rules: MatchKeyRules,
    report: Callable[[str], None],
    *,
    migrations: tuple[Migration, ...] = MIGRATIONS,
    wait: float = WAIT_SECONDS,
) -> int:
    """Runs all missing migrations and returns the new schema version.

    Calls `report` with a sentence for each step, but not for a new database, in which the steps change nothing.
    Waits while another release runs. Raises OsdiError 503 if that takes longer than `wait` seconds or the database is
    unavailable, NewerDatabase if this program cannot read what a newer one has migrated, and WriteConflict if this
    release has lost its lease. After an error the caller can run it again: finished steps are kept.
    """
    if store.in_memory:
        return SCHEMA_VERSION
    reject_foreign_documents(store)
    lease = _acquire_lease(store, report, wait)
    new = _is_new(store)
    try:
        _go_back(store, lease, report)
        for migration in migrations:
            if schema_version(store) >= migration.number:
                continue
            changed = 0
            for number in migration.run(MigrationContext(store, rules)):
                changed += number
                _renew(store, lease)
            entry = {"number": migration.number, "date": now(), "documents": changed}
            _change(store, lease, {"$max": {"schema_version": migration.number}, "$push": {"migrations": entry}})
            if not new:
                report(f"Migrated to schema_version {migration.number}: {migration.description} ({changed} changed).")
        _change(store, lease, {"$max": {"oldest_program": OLDEST_PROGRAM}})
    finally:
        _release_lease(store, lease)
    return schema_version(store)


def _go_back(store: Store, lease: str, report: Callable[[str], None]) -> None:
    """Sets the number of a newer program back to this one's, and leaves the documents as they are.

    Raises NewerDatabase if this program cannot read them.
    """
    schema = store.get(SCHEMA, ID) or {}
    newer = schema.get("schema_version", 0)
    if newer <= SCHEMA_VERSION:
        return
    if not can_go_back(schema):
        raise newer_database(schema)
    entry = {"number": SCHEMA_VERSION, "date": now(), "documents": 0, "from": newer}
    _change(store, lease, {"$set": {"schema_version": SCHEMA_VERSION}, "$push": {"migrations": entry}})
    report(f"Went back from schema_version {newer} to {SCHEMA_VERSION}. No document was changed.")


def _is_new(store: Store) -> bool:
    """True if the database has nothing but the schema's document."""
    with store.operation():
        return set(store.collection(SCHEMA).database.list_collection_names()) <= {SCHEMA}


class _LeaseTaken(Exception):
    """Another release has the lease."""


def _acquire_lease(store: Store, report: Callable[[str], None], wait: float) -> str:
    """Acquires the lease as soon as it is free, and returns its id. Raises OsdiError 503 after `wait` seconds."""
    lease = new_id()
    try:
        retry_for(
            wait,
            lambda: _try_lease(store, lease),
            lambda error: isinstance(error, _LeaseTaken),
            pause=POLL_SECONDS,
            on_first_failure=lambda: report("Another release is migrating the database; waiting for it."),
        )
    except _LeaseTaken as error:
        raise unavailable("Another release is migrating the database; try again when it has finished.") from error
    return lease


def _try_lease(store: Store, lease: str) -> None:
    """Acquires the lease if it is free. Raises _LeaseTaken otherwise."""
    free: Document = {"_id": ID, "$expr": {"$lte": [{"$ifNull": ["$lease_ends", 0]}, "$$NOW"]}}
    with store.operation():
        documents = store.collection(SCHEMA)
        with suppress(DuplicateKeyError):  # the document exists since the first release
            documents.insert_one({"_id": ID, "schema_version": 0})
        leased = documents.update_one(free, [{"$set": {"lease": lease, **_new_end()}}])
    if not leased.matched_count:
        raise _LeaseTaken


def _new_end() -> Mapping[str, Any]:
    return {"lease_ends": {"$add": ["$$NOW", LEASE_SECONDS * 1000]}}


def _renew(store: Store, lease: str) -> None:
    _change(store, lease, [{"$set": _new_end()}])


def _change(store: Store, lease: str, change: Any) -> None:
    """Changes the schema's document if this release still has the lease. Raises WriteConflict otherwise."""
    with store.operation():
        changed = store.collection(SCHEMA).update_one({"_id": ID, "lease": lease}, change)
    if not changed.matched_count:
        raise WriteConflict("This release was too slow and lost its lease to another one; run it again.")


def _release_lease(store: Store, lease: str) -> None:
    # If the database is unavailable, the lease expires by itself; the caller raises the error of the step.
    with suppress(OsdiError), store.operation():
        store.collection(SCHEMA).update_one({"_id": ID, "lease": lease}, {"$unset": {"lease": "", "lease_ends": ""}})
