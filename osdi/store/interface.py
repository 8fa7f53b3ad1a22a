"""The public interface of a store: what every capability may ask of it, whatever is behind it.

`Store` implements it on MongoDB, and in memory by mongomock; `DryRunStore` (osdi.importing) writes nothing.
Leases, aggregations and whatever else a capability needs of MongoDB are in modules named `*_store.py`: these take a
Store and call the driver by its `collection()`, `operation()` and `transaction()`. A contract test holds every
implementation to this interface.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from osdi.documents import Document, Query
from osdi.paging import Page
from osdi.store.writes import Write


class DocumentStore(ABC):
    """Reads and writes documents, by collection.

    A document is a dict as MongoDB stores it: `_id` is a string whose order is that of creation, dates are naive UTC,
    `match_keys` holds keys of which each belongs to one document of its collection, and `version` is raised by each
    update. A caller may change a document that it got: the store keeps none.

    A method that reads or writes raises OsdiError 503 while the database is unavailable. Nothing is known to have been
    written then, and the caller may repeat the call. Threads may share a store.
    """

    @property
    @abstractmethod
    def supports_transactions(self) -> bool:
        """True if several writes of one `write` are all done or none. Raises OsdiError 503."""

    @abstractmethod
    def get(self, collection: str, document_id: str) -> Document | None:
        """Returns the document with this id, or None. A dry run finds what it would have written."""

    @abstractmethod
    def by_ids(self, collection: str, ids: Sequence[str]) -> list[Document]:
        """Returns the documents with these ids, in any order; an id without a document is left out.

        A dry run finds what it would have written.
        """

    @abstractmethod
    def by_match_keys(self, collection: str, keys: Sequence[str]) -> list[Document]:
        """Returns the documents that own at least one of these match keys, each once, in any order.

        A dry run finds what it would have written.
        """

    @abstractmethod
    def by_match_keys_and_ids(
        self, collection: str, keys: Sequence[str], other: str, ids: Sequence[str]
    ) -> tuple[list[Document], list[Document]]:
        """Returns `by_match_keys(collection, keys)` and `by_ids(other, ids)`, in one command if the database can.

        No id may be that of a document in `collection`.
        """

    @abstractmethod
    def find_one(
        self, collection: str, query: Query, *, sort: tuple[str, ...] = (), fields: tuple[str, ...] | None = None
    ) -> Document | None:
        """Returns the first document that `find` returns, or None."""

    @abstractmethod
    def find(
        self,
        collection: str,
        query: Query,
        *,
        sort: tuple[str, ...] = (),
        limit: int | None = None,
        fields: tuple[str, ...] | None = None,
    ) -> list[Document]:
        """Returns the documents that the query, MongoDB's filter document, selects.

        `sort` names fields; `-` before a name means descending. `limit` is the largest number of documents; a caller
        without one knows that few match. With `fields` a document has `_id` and these only. Raises OsdiError 503 for a
        query that takes longer than READ_MS. A dry run reads what is stored, without its own writes.
        """

    @abstractmethod
    def page(
        self,
        collection: str,
        query: Query,
        *,
        page: int,
        per_page: int,
        total_records: int | None = None,
        after: str | None = None,
        before: str | None = None,
    ) -> Page:
        """Returns a page of the documents that the query selects, in the order of creation.

        Those of a range of `modified_date` are in the order of that date. The page begins behind the cursor `after` or
        ends ahead of the cursor `before`; without either it is number `page`, from 1. `total_records` is the number of
        all that the query selects; without it they are counted. Raises OsdiError 400 for a number that is too far from
        any known page, and 503 as `find` does.
        """

    @abstractmethod
    def count(self, collection: str, query: Query) -> int:
        """Returns the number of documents that the query selects.

        A large number may be some seconds old. That of a large whole collection may miss some of the documents that
        were written while it was counted, for ten minutes. Raises OsdiError 503 as `find` does.
        """

    @abstractmethod
    def write(self, *writes: Write) -> None:
        """Does the writes in this order: all or none with transactions, else until one fails.

        An Update and a Delete apply to one version of their document. Raises WriteConflict if the document has another
        version or is gone, or if another transaction was first; DuplicateKey, a WriteConflict too, if an id or a match
        key belongs to another document; OsdiError 413 for a document that is too large for the database.
        """

    @abstractmethod
    def update_many(self, collection: str, query: Query, change: Mapping[str, Any]) -> int:
        """Applies MongoDB's update document to every document that the query selects; returns how many it changed.

        Some documents may be changed when it raises OsdiError 503, so the caller must be able to repeat it. A dry run
        raises NotImplementedError.
        """

    @abstractmethod
    def delete_many(self, collection: str, query: Query) -> int:
        """Deletes every document that the query selects; returns how many it deleted.

        As with `update_many`, the caller must be able to repeat it, and a dry run raises NotImplementedError.
        """

    @abstractmethod
    def wait_for_majority(self, collection: str, document: Document) -> None:
        """Waits until a document that was read is as durable as one that was written.

        A read returns documents whose write is not acknowledged yet, and which a failover may take back. A request
        that reports such a document as recorded waits first, as the request that wrote it does. Raises WriteConflict
        if the document has another version.
        """

    @abstractmethod
    def close(self) -> None:
        """Closes the connections. A Store opens new ones when it is used again; a DryRunStore ends here."""
