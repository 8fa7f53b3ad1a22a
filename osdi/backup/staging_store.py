"""Staging collections: a restore fills them while the old data stays, and then puts them in the place of the old data.

The state of a restore is in the document of the schema version, which every process checks:

- `restoring`: a restore has begun. No other process works on the database.
- `replacing`: all data is in the staging collections and valid, and they are being renamed. It has the names of the
  collections that the database has in the end.

A restore that fails before `replacing` is set deletes the staging collections and `restoring`: the old data is in
service again. If its process is killed, `end_interrupted_restore` does that. Once `replacing` is set, it completes the
renaming instead, which is safe to repeat.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

from pymongo.collection import Collection
from pymongo.database import Database

from osdi.access.signing_keys import ERASURE, SUPPRESSION
from osdi.backup.dump_store import COUNTED, STAGING, WAIT_SECONDS, collections, insert
from osdi.documents import Document
from osdi.ids import now
from osdi.retry import retry_while_unavailable
from osdi.store import Store
from osdi.store.driver import DATABASE
from osdi.store.indexes import SIGNING_KEYS, SUPPRESSIONS, TOMBSTONES
from osdi.store.scan import scan
from osdi.store.schema_version import ID, SCHEMA

BATCH: Final = 500

# The results of `end_interrupted_restore`.
CANCELLED: Final = "cancelled"
COMPLETED: Final = "completed"


class StagingStore(Store):
    """A Store that reads and writes the staging collections of a database under their future names."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri, queues_events=False)
        self.skip_schema_check()

    def collection(self, name: str) -> Collection[Document]:
        """Returns the staging collection of this name."""
        return super().collection(f"{STAGING}{name}")


@contextmanager
def staging(store: Store, schema_version: int) -> Iterator[StagingStore]:
    """Marks the database and yields a store on new staging collections, for documents of this schema version.

    At the end the staging collections replace the old data. After an error, the old data is in service again.
    """
    end_interrupted_restore(store)
    with store.operation():
        store.collection(SCHEMA).update_one({"_id": ID}, {"$set": {"restoring": now()}}, upsert=True)
    staged = StagingStore(store.uri)
    try:
        _drop_staging(store)
        with staged.operation():
            staged.collection(SCHEMA).insert_one({"_id": ID, "schema_version": schema_version})
        staged.create_indexes()
        keep_digests(store, staged)
        yield staged
        _begin_replacing(store)
    except BaseException:
        _cancel(store)
        raise
    finally:
        staged.close()
    retry_while_unavailable(lambda: _complete(store), WAIT_SECONDS)


def keep_digests(store: Store, staged: StagingStore) -> None:
    """Copies tombstones and suppression list of the old data, and the keys of their digests; safe to repeat.

    So people who were erased since the backup stay erased, and no opt-out since then is lost.
    """
    for collection, purpose in ((TOMBSTONES, ERASURE), (SUPPRESSIONS, SUPPRESSION)):
        documents = scan(store, collection, {})
        while batch := list(islice(documents, BATCH)):
            insert(staged, collection, batch)
        if store.find_one(collection, {}, fields=("_id",)):
            key = store.get(SIGNING_KEYS, purpose)
            insert(staged, SIGNING_KEYS, [key] if key else [])


def end_interrupted_restore(store: Store) -> str | None:
    """Ends a restore whose process was killed.

    Returns CANCELLED if the old data is in service again, COMPLETED if the restored data is, None if there was none.
    """
    with store.operation():
        mark = store.collection(SCHEMA).find_one({"_id": ID}) or {}
    if "restoring" not in mark:
        return None
    if "replacing" in mark:
        _complete(store)
        return COMPLETED
    _cancel(store)
    return CANCELLED


def _database(store: Store) -> Database[dict[str, Any]]:
    return store.connect().get_default_database(DATABASE)


def _staged_names(store: Store) -> list[str]:
    """Returns the names that staging collections have in the end."""
    found = _database(store).list_collection_names(filter={"name": {"$regex": f"^{STAGING}"}})
    return sorted(name.removeprefix(STAGING) for name in found)


def _drop_staging(store: Store) -> None:
    with store.operation():
        for name in _staged_names(store):
            _database(store).drop_collection(f"{STAGING}{name}")


def _cancel(store: Store) -> None:
    """Deletes the staging collections, and then the mark."""
    with store.operation():
        # It may be set although its write has failed. Nobody must complete a restore whose collections are deleted.
        store.collection(SCHEMA).update_one({"_id": ID}, {"$unset": {"replacing": ""}})
    _drop_staging(store)
    with store.operation():
        schema = store.collection(SCHEMA)
        schema.update_one({"_id": ID}, {"$unset": {"restoring": ""}})
        schema.delete_one({"_id": ID, "schema_version": {"$exists": False}})  # an empty database had no document


def _begin_replacing(store: Store) -> None:
    with store.operation():
        change = {"$set": {"replacing": _staged_names(store)}}
        store.collection(SCHEMA).update_one({"_id": ID}, change)


def _complete(store: Store) -> None:
    """Renames the staging collections, drops all others, and takes the mark away; safe to repeat."""
    with store.operation():
        database = _database(store)
        mark = store.collection(SCHEMA).find_one({"_id": ID}) or {}
        for name in _staged_names(store):
            if name != SCHEMA:
                database[f"{STAGING}{name}"].rename(name, dropTarget=True)
        for name in {*COUNTED, *collections(store)} - set(mark["replacing"]):
            database.drop_collection(name)
        # The document without the marks replaces the one with them: from now on the restored data is in service.
        restored = database[f"{STAGING}{SCHEMA}"].find_one({"_id": ID})
        assert restored is not None
        store.collection(SCHEMA).replace_one({"_id": ID}, restored)
        database.drop_collection(f"{STAGING}{SCHEMA}")
