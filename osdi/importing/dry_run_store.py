"""A store for dry runs: it writes nothing to the database, but returns its pending writes as if they were stored.

So a dry run runs the same code as an import, and matches two rows of one person with each other. The pending documents
are in a temporary SQLite file, so memory use does not grow with their number.
"""

import sqlite3
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

import bson

from osdi.documents import Document, Query
from osdi.errors import DuplicateKey, WriteConflict
from osdi.store import Store
from osdi.store.writes import WEBHOOK_EVENTS, Delete, Insert, Replace, Update, Write

NOT_IN_A_DRY_RUN: Final = "A dry run inserts and updates single documents only."


def document_after(write: Write, found: Document | None) -> Document:
    """Returns the document as an insert or update stores it; `found` is the one before, or None.

    Raises DuplicateKey, WriteConflict; NotImplementedError for a Delete or Replace.
    """
    if isinstance(write, Delete | Replace):
        raise NotImplementedError(NOT_IN_A_DRY_RUN)
    if isinstance(write, Insert):
        if found is not None:
            raise DuplicateKey(f"{write.collection} {write.document_id}")
        return write.document
    if found is None or found["version"] != write.version:
        raise WriteConflict(f"{write.collection} {write.document_id}")
    kept = {name: value for name, value in found.items() if name not in write.gone}
    events = [*found.get(WEBHOOK_EVENTS, ()), *write.event_entries]
    noted = {WEBHOOK_EVENTS: events} if write.event_entries else {}
    return {**kept, **write.fields, **noted, "version": write.version + 1}


class DryRunStore(Store):
    """A DocumentStore that keeps inserts and updates in a temporary file, and accepts no other writes.

    `get`, `by_ids` and `by_match_keys` return the pending documents; queries return the stored ones.
    """

    def __init__(self, uri: str) -> None:
        super().__init__(uri, queues_events=False)
        self._guard = threading.RLock()
        self._pending_writes = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._pending_writes.execute("CREATE TABLE documents (collection, id, bson, PRIMARY KEY (collection, id))")
        self._pending_writes.execute("CREATE TABLE owners (collection, key, id, PRIMARY KEY (collection, key))")
        self._pending_writes.execute("BEGIN")

    @property
    def supports_transactions(self) -> bool:
        """True: pending writes are kept all or none."""
        return True

    def get(self, collection: str, document_id: str) -> Document | None:
        """See DocumentStore."""
        return self._pending(collection, document_id) or super().get(collection, document_id)

    def by_ids(self, collection: str, ids: Sequence[str]) -> list[Document]:
        """See DocumentStore."""
        pending = [found for each in ids if (found := self._pending(collection, each))]
        known = {document["_id"] for document in pending}
        return [*pending, *super().by_ids(collection, [each for each in ids if each not in known])]

    def by_match_keys(self, collection: str, keys: Sequence[str]) -> list[Document]:
        """See DocumentStore."""
        with self._guard:
            owners = dict.fromkeys(owner for key in keys if (owner := self._owner(collection, key)))
        pending = [found for each in owners if (found := self._pending(collection, each))]
        stored = super().by_match_keys(collection, keys)
        changed = [self._pending(collection, document["_id"]) or document for document in stored]
        # A document may have a key in the database that its pending version no longer has.
        changed = [each for each in changed if not set(keys).isdisjoint(each["match_keys"])]
        return list({document["_id"]: document for document in (*pending, *changed)}.values())

    def by_match_keys_and_ids(
        self, collection: str, keys: Sequence[str], other: str, ids: Sequence[str]
    ) -> tuple[list[Document], list[Document]]:
        """See DocumentStore."""
        return self.by_match_keys(collection, keys), self.by_ids(other, ids)

    def write(self, *writes: Write) -> None:
        """Keeps the writes as pending; see DocumentStore. Raises NotImplementedError for a Delete or Replace."""
        with self._guard:
            self._pending_writes.execute("SAVEPOINT before")
            try:
                for each in writes:
                    self._keep(each.collection, self._written(each))
            except BaseException:
                self._pending_writes.execute("ROLLBACK TO before")
                raise
            finally:
                self._pending_writes.execute("RELEASE before")

    def write_in_bulk(self, writes: Sequence[Write]) -> None:
        """Keeps the writes of a batch, whose match keys are checked already; see Store."""
        with self._guard:
            for name in dict.fromkeys(each.collection for each in writes):
                some = [each for each in writes if each.collection == name]
                changed = [each.document_id for each in some if isinstance(each, Update)]
                found = {each["_id"]: each for each in self.by_ids(name, changed)} if changed else {}
                for each in some:
                    found[each.document_id] = document_after(each, found.get(each.document_id))
                    self._keep(name, found[each.document_id])

    def _written(self, write: Write) -> Document:
        """Returns the document as the write would store it. Raises DuplicateKey, WriteConflict."""
        written = document_after(write, self.get(write.collection, write.document_id))
        owners = self.by_match_keys(write.collection, written.get("match_keys", ()))
        if any(owner["_id"] != write.document_id for owner in owners):
            raise DuplicateKey(f"{write.collection} {write.document_id}")
        return written

    def apply(self, write: Write, options: Mapping[str, Any]) -> None:
        """Raises NotImplementedError: it would write to the database."""
        raise NotImplementedError(NOT_IN_A_DRY_RUN)

    def update_many(self, collection: str, query: Query, change: Mapping[str, Any]) -> int:
        """Raises NotImplementedError: no import does this."""
        raise NotImplementedError(NOT_IN_A_DRY_RUN)

    def delete_many(self, collection: str, query: Query) -> int:
        """Raises NotImplementedError: no import does this."""
        raise NotImplementedError(NOT_IN_A_DRY_RUN)

    def wait_for_majority(self, collection: str, document: Document) -> None:
        """See DocumentStore. Does not wait."""
        found = self.get(collection, document["_id"])
        if found is None or found["version"] != document["version"]:
            raise WriteConflict(f"{collection} {document['_id']}")

    def close(self) -> None:
        """See DocumentStore."""
        self._pending_writes.close()
        super().close()

    def _pending(self, collection: str, document_id: str) -> Document | None:
        with self._guard:
            row = self._pending_writes.execute(
                "SELECT bson FROM documents WHERE collection = ? AND id = ?", (collection, document_id)
            ).fetchone()
        return bson.decode(row[0]) if row else None

    def _owner(self, collection: str, key: str) -> str | None:
        row = self._pending_writes.execute(
            "SELECT id FROM owners WHERE collection = ? AND key = ?", (collection, key)
        ).fetchone()
        return row[0] if row else None

    def _keep(self, collection: str, document: Document) -> None:
        document_id = document["_id"]
        self._pending_writes.execute(
            "INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", (collection, document_id, bson.encode(document))
        )
        self._pending_writes.execute("DELETE FROM owners WHERE collection = ? AND id = ?", (collection, document_id))
        self._pending_writes.executemany(
            "INSERT OR REPLACE INTO owners VALUES (?, ?, ?)",
            [(collection, key, document_id) for key in document.get("match_keys", ())],
        )
