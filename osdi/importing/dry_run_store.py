"""A store that writes nothing: what would be written lies in a file of its own, and is read as if it were stored.

So a dry run goes through the same code as the real one, and two rows of one file that mean the same person are told as
such. The file (SQLite's, which deletes it at the end) keeps memory flat however much would be written.
"""

import sqlite3
import threading
from collections.abc import Sequence

import bson

from osdi.documents import Document
from osdi.errors import DuplicateKey, WriteConflict
from osdi.store import Store
from osdi.store.writes import Delete, Insert, Replace, Write


class DryRunStore(Store):
    """Reads by ids and match keys as the store does, and takes inserts and updates of what was read so."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri, tells_webhooks=False)
        self._guard = threading.RLock()
        self._would_be = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._would_be.execute("CREATE TABLE documents (collection, id, bson, PRIMARY KEY (collection, id))")
        self._would_be.execute("CREATE TABLE owners (collection, key, id, PRIMARY KEY (collection, key))")
        self._would_be.execute("BEGIN")

    @property
    def supports_transactions(self) -> bool:
        """As nothing is written, all of it is written or none."""
        return True

    def get(self, collection: str, document_id: str) -> Document | None:
        """The document with this id as it would be, or None."""
        return self._trial(collection, document_id) or super().get(collection, document_id)

    def by_ids(self, collection: str, ids: Sequence[str]) -> list[Document]:
        """The documents with one of these ids as they would be."""
        would_be = [found for each in ids if (found := self._trial(collection, each))]
        known = {document["_id"] for document in would_be}
        return [*would_be, *super().by_ids(collection, [each for each in ids if each not in known])]

    def by_match_keys(self, collection: str, keys: Sequence[str]) -> list[Document]:
        """The documents that would own one of the keys."""
        with self._guard:
            owners = dict.fromkeys(owner for key in keys if (owner := self._owner(collection, key)))
        would_be = [found for each in owners if (found := self._trial(collection, each))]
        stored = super().by_match_keys(collection, keys)
        changed = [self._trial(collection, document["_id"]) or document for document in stored]
        # A key that somebody would have given up is theirs in the database only.
        changed = [each for each in changed if not set(keys).isdisjoint(each["match_keys"])]
        return list({document["_id"]: document for document in (*would_be, *changed)}.values())

    def write(self, *writes: Write) -> None:
        """Remember what would be written. Raises Duplicate and WriteConflict as the store does."""
        with self._guard:
            documents = [self._written(each) for each in writes]
            for each, document in zip(writes, documents, strict=True):
                self._keep(each.collection, document)

    def _written(self, write: Write) -> Document:
        """The document that a write would leave."""
        if isinstance(write, Delete | Replace):
            raise NotImplementedError("A trial deletes and replaces nothing.")
        if isinstance(write, Insert):
            if self.by_match_keys(write.collection, write.document.get("match_keys", ())):
                raise DuplicateKey(f"{write.collection} {write.document_id}")
            return write.document
        found = self.get(write.collection, write.document_id)
        if found is None or found["version"] != write.version:
            raise WriteConflict(f"{write.collection} {write.document_id}")
        kept = {name: value for name, value in found.items() if name not in write.gone}
        return {**kept, **write.fields, "version": write.version + 1}

    def wait_for_majority(self, collection: str, document: Document) -> None:
        """Nothing is to be kept."""

    def close(self) -> None:
        """Forget all of it, and close the connections."""
        self._would_be.close()
        super().close()

    def _trial(self, collection: str, document_id: str) -> Document | None:
        with self._guard:
            row = self._would_be.execute(
                "SELECT bson FROM documents WHERE collection = ? AND id = ?", (collection, document_id)
            ).fetchone()
        return bson.decode(row[0]) if row else None

    def _owner(self, collection: str, key: str) -> str | None:
        row = self._would_be.execute(
            "SELECT id FROM owners WHERE collection = ? AND key = ?", (collection, key)
        ).fetchone()
        return row[0] if row else None

    def _keep(self, collection: str, document: Document) -> None:
        document_id = document["_id"]
        self._would_be.execute(
            "INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", (collection, document_id, bson.encode(document))
        )
        self._would_be.execute("DELETE FROM owners WHERE collection = ? AND id = ?", (collection, document_id))
        self._would_be.executemany(
            "INSERT OR REPLACE INTO owners VALUES (?, ?, ?)",
            [(collection, key, document_id) for key in document.get("match_keys", ())],
        )
