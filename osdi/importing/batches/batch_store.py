"""A store for a batch of rows: it answers from what it has read ahead, and keeps what rows write until `flush`.

So the code that serves POSTs is the code of a batch. A row reads what the rows before it have written. `flush` stores
everything in one transaction, or nothing: if a person was changed since, or a match key has another owner now, it
raises a WriteConflict, as a write of one row does.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import bson
from pymongo import MongoClient
from pymongo.collection import Collection

from osdi.documents import Document, Query
from osdi.errors import DuplicateKey, WriteConflict
from osdi.importing.dry_run_store import document_after
from osdi.store import Insert, Store, Write
from osdi.store.indexes import SIGNING_KEYS, SUPPRESSIONS
from osdi.store.writes import WEBHOOK_EVENTS, with_events

# The number of keys or ids that one command looks up.
READ_AT_ONCE: Final = 500
# A person may have a megabyte. A batch of such people is divided, so that memory use does not grow. There are three
# batches at a time: one is being stored, one is imported, one reads ahead.
MAX_BYTES: Final = 8_000_000
# Of one row. It is imported again after a conflict with what the batch has read, but that stays the same.
MAX_CONFLICTS: Final = 3
NOT_IN_A_BATCH: Final = "A batch inserts and updates single documents only."


class BatchGivenUp(Exception):
    """The rows of the batch cannot be imported on what it has read."""


class BatchTooLarge(BatchGivenUp):
    """The documents of the batch have more than MAX_BYTES."""


class BatchOutdated(BatchGivenUp):
    """The batch has read documents of different times: another client has changed some of them meanwhile."""


class BatchStore(Store):
    """A Store that reads and writes another one, a batch of rows at a time.

    `get`, `by_ids` and `by_match_keys` return documents as the batch has read and changed them; queries return the
    stored ones. One thread at a time uses it. Raises BatchTooLarge where it reads, and BatchOutdated where it writes.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store.uri)
        self._store = store
        # By collection and id, or match key: the document, the id of the owner; None if there is none.
        self._documents: dict[tuple[str, str], bytes | None] = {}
        self._owners: dict[tuple[str, str], str | None] = {}
        # The documents, and the match keys, that the writes are about.
        self._changed: set[tuple[str, str]] = set()
        self._changed_keys: set[tuple[str, str]] = set()
        # The documents that another batch has written. The database may still have them as they were before.
        self._adopted: set[tuple[str, str]] = set()
        self._writes: list[Write] = []
        self._bytes = self._conflicts = 0
        self._remembered_names: dict[str, str] = {}

    def clear(self) -> None:
        """Forgets what was read, and what was written but not flushed: another batch begins."""
        self._documents.clear()
        self._owners.clear()
        self._changed.clear()
        self._changed_keys.clear()
        self._adopted = set()
        self._writes = []
        self._bytes = self._conflicts = 0
        self._remembered_names.clear()

    def begin_row(self) -> None:
        """Counts the conflicts of the next row. One is normal: an outreach that is known already."""
        self._conflicts = 0

    def adopt(self, earlier: "BatchStore") -> None:
        """Takes over what another batch has written. The database may have it later than this batch has read."""
        self._adopted = set(earlier._changed)
        self._documents |= {at: earlier._documents[at] for at in earlier._changed}
        self._owners |= {at: earlier._owners[at] for at in earlier._changed_keys}

    @property
    def supports_transactions(self) -> bool:
        """True: writes are kept all or none."""
        return True

    def connect(self) -> MongoClient[Document]:
        """See Store."""
        return self._store.connect()

    def collection(self, name: str) -> Collection[Document]:
        """See Store."""
        return self._store.collection(name)

    def operation(self) -> Any:
        """See Store."""
        return self._store.operation()

    def remembered(self, name: str, read: Any) -> str:
        """See Store."""
        if name not in self._remembered_names:
            self._remembered_names[name] = self._store.remembered(name, read)
        return self._remembered_names[name]

    def webhooks_of(self) -> dict[str, list[str]]:
        """See Store."""
        return self._store.webhooks_of()

    def read_ids(self, collection: str, ids: Iterable[str]) -> None:
        """Reads the documents with these ids, unless they are known."""
        unread = [each for each in ids if (collection, each) not in self._documents]
        for some in _parts(unread) if unread else ():
            for document in self._store.by_ids(collection, some):
                self._remember(collection, document)
            for each in some:
                self._documents.setdefault((collection, each), None)

    def read_owners(self, collection: str, keys: Iterable[str]) -> bool:
        """Reads the documents that own these match keys, unless the owners are known. True if it read anything."""
        unread = [each for each in keys if (collection, each) not in self._owners]
        for some in _parts(unread) if unread else ():
            for document in self._store.by_match_keys(collection, some):
                self._remember(collection, document)
            for each in some:
                self._owners.setdefault((collection, each), None)
        return bool(unread)

    def get(self, collection: str, document_id: str) -> Document | None:
        """See DocumentStore."""
        self.read_ids(collection, (document_id,))
        return self._known(collection, document_id)

    def by_ids(self, collection: str, ids: Sequence[str]) -> list[Document]:
        """See DocumentStore."""
        self.read_ids(collection, ids)
        return [found for each in dict.fromkeys(ids) if (found := self._known(collection, each))]

    def by_match_keys(self, collection: str, keys: Sequence[str]) -> list[Document]:
        """See DocumentStore."""
        if self.read_owners(collection, keys):
            # This may have found that another client has changed a document, and what owns its former keys.
            self.read_owners(collection, keys)
        owners = dict.fromkeys(owner for key in keys if (owner := self._owners.get((collection, key))))
        return [document for each in owners if (document := self._known(collection, each))]

    def by_match_keys_and_ids(
        self, collection: str, keys: Sequence[str], other: str, ids: Sequence[str]
    ) -> tuple[list[Document], list[Document]]:
        """See DocumentStore."""
        return self.by_match_keys(collection, keys), self.by_ids(other, ids)

    def write(self, *writes: Write) -> None:
        """Keeps the writes for `flush`; see DocumentStore. Raises NotImplementedError for a Delete or Replace.

        A key of the deployment is stored at once: a batch that is given up must not lose it.
        """
        if any(each.collection == SIGNING_KEYS for each in writes):
            # Forgotten before the write: if it fails, another process has stored its key first, which is read next.
            self._documents = {at: each for at, each in self._documents.items() if at[0] != SIGNING_KEYS}
            self._store.write(*writes)
            return
        if webhooks_of := self.webhooks_of():
            writes = tuple(with_events(each, webhooks_of) for each in writes)
        try:
            made = [self._written(each) for each in writes]
        except WriteConflict as error:
            self._conflicts += 1
            if self._conflicts > MAX_CONFLICTS:
                raise BatchOutdated from error
            raise
        for write, document in zip(writes, made, strict=True):
            self._keep(write, document)

    def flush(self, *, unchanged: Iterable[str] = ()) -> None:
        """Stores all writes, or none.

        Raises WriteConflict if another client has changed one of the documents that the batch writes, has claimed one
        of the match keys, or has added or changed a document of the collections `unchanged` that the batch has read;
        OsdiError 413 and 503.
        """
        if not self._writes:
            return
        for collection in unchanged:
            read = [at for name, at in self._documents if name == collection and (name, at) not in self._changed]
            present = {
                each["_id"]: bson.encode(each) for some in _parts(read) for each in self._store.by_ids(collection, some)
            }
            if any(self._documents[collection, each] != present.get(each) for each in read):
                raise WriteConflict(f"A document of {collection} was added or changed.")
        self._store.write_in_bulk(self._writes)

    def was_flushed(self) -> bool:
        """True if a `flush` of unknown outcome has stored the writes. Raises OsdiError 503.

        They are stored all or none, so one of them tells: best an insert under a new id. The id of an opt-out is the
        same for all clients, so its document has to be the same too, as that of an update.
        """
        new = (each for each in self._writes if isinstance(each, Insert) and each.collection != SUPPRESSIONS)
        if (inserted := next(new, None)) is not None:
            return self._store.get(inserted.collection, inserted.document_id) is not None
        at = _place_of(self._writes[0])
        return _without_events(self._store.get(*at) or {}) == _without_events(self._known(*at) or {})

    def apply(self, write: Write, options: Mapping[str, Any]) -> None:
        """Raises NotImplementedError: it would write at once."""
        raise NotImplementedError(NOT_IN_A_BATCH)

    def update_many(self, collection: str, query: Query, change: Mapping[str, Any]) -> int:
        """Raises NotImplementedError: no row does this."""
        raise NotImplementedError(NOT_IN_A_BATCH)

    def delete_many(self, collection: str, query: Query) -> int:
        """Raises NotImplementedError: no row does this."""
        raise NotImplementedError(NOT_IN_A_BATCH)

    def wait_for_majority(self, collection: str, document: Document) -> None:
        """See DocumentStore. Does not wait: a majority acknowledges the import's progress later."""
        found = self.get(collection, document["_id"])
        if found is None or found["version"] != document["version"]:
            raise WriteConflict(f"{collection} {document['_id']}")

    def close(self) -> None:
        """Forgets the batch. The other store stays open."""
        self.clear()

    def _known(self, collection: str, document_id: str) -> Document | None:
        """Returns a document that was read or written, as a copy that the caller may change."""
        found = self._documents.get((collection, document_id))
        return bson.decode(found) if found else None

    def _remember(self, collection: str, document: Document) -> None:
        at = collection, document["_id"]
        if at in self._changed or at in self._adopted:
            return
        before = self._known(*at) or {}  # another client may have changed it since
        for key in before.get("match_keys", ()):
            if self._owners[collection, key] == document["_id"]:
                del self._owners[collection, key]
        self._put(at, document)
        for key in document.get("match_keys", ()):
            if self._owners.get((collection, key)) is None:
                self._owners[collection, key] = document["_id"]

    def _put(self, at: tuple[str, str], document: Document) -> None:
        encoded = bson.encode(document)
        self._bytes += len(encoded)
        self._documents[at] = encoded
        if self._bytes > MAX_BYTES:
            raise BatchTooLarge

    def _written(self, write: Write) -> Document:
        """Returns the document after the write. Raises WriteConflict, DuplicateKey."""
        is_new = isinstance(write, Insert)
        # The index of the database finds whether another document has a new one's id.
        found = self._known(write.collection, write.document_id) if is_new else self.get(*_place_of(write))
        document = document_after(write, found)
        for key in document.get("match_keys", ()):
            if self._owners.get((write.collection, key), write.document_id) not in (None, write.document_id):
                raise DuplicateKey(f"{write.collection} {write.document_id}")
        return document

    def _keep(self, write: Write, document: Document) -> None:
        at = _place_of(write)
        before = {} if isinstance(write, Insert) else self._known(*at) or {}
        owners: dict[str, str | None] = dict.fromkeys(before.get("match_keys", ()))
        owners |= dict.fromkeys(document.get("match_keys", ()), write.document_id)
        for key, owner in owners.items():
            self._owners[write.collection, key] = owner
            self._changed_keys.add((write.collection, key))
        self._changed.add(at)
        self._writes.append(write)
        self._put(at, document)


def _place_of(write: Write) -> tuple[str, str]:
    return write.collection, write.document_id


def _without_events(document: Document) -> Document:
    """Returns the document without its events for webhooks, which the worker removes at any time."""
    return {name: value for name, value in document.items() if name != WEBHOOK_EVENTS}


def _parts(values: Iterable[str]) -> Iterator[list[str]]:
    """Yields the values, each once, in lists of READ_AT_ONCE."""
    distinct = iter(dict.fromkeys(values))
    while some := list(islice(distinct, READ_AT_ONCE)):
        yield some
