"""Scans: every document that a query selects, in the order of ids, however many there are.

Documents are read in batches, each behind the last id of the one before. No cursor stays open between batches, and
after a failover the scan resumes behind the last document that it returned. So each document that exists all the time
is returned exactly once. Memory holds one reply of the server, of 16 MB at most.

A query that no index serves and that selects few documents of millions takes longer than the server may take for one
reply. The scan then reads windows of WINDOW documents by their ids.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pymongo import ASCENDING
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.cursor import Cursor
from pymongo.errors import CursorNotFound, ExecutionTimeout

from osdi.documents import Document, Query
from osdi.errors import OsdiError
from osdi.retry import retry_while_unavailable
from osdi.store import Store
from osdi.store.driver import READ_MS

BATCH: Final = 500
WINDOW: Final = 50_000


def scan(
    store: Store,
    collection: str,
    query: Query,
    *,
    fields: tuple[str, ...] | None = None,
    wait_seconds: float = 0,
    session: ClientSession | None = None,
    options: Mapping[str, Any] | None = None,
) -> Iterator[Document]:
    """Yields every document that the query selects, by `_id`; only `_id` and the `fields` of each where they are named.

    While the database is unavailable the scan waits for `wait_seconds`, beyond the time that the driver waits.
    `options` are those of pymongo's `with_options`. Raises OsdiError 503.
    """
    position = _Scan(store, collection, query, fields, session, options or {})
    while not position.ended:
        document = retry_while_unavailable(position.step, wait_seconds)
        if document is not None:
            yield document


def count_or_none(store: Store, collection: str, query: Query) -> int | None:
    """Returns the number of documents that the query selects; None where counting takes too long.

    Raises OsdiError 503.
    """
    try:
        return store.count(collection, query)
    except OsdiError as error:
        if error.status != 503 or not query:
            raise
        return None


class _Scan:
    """The position of one scan: the last id that was returned, and the cursor behind it, if one is open."""

    def __init__(
        self,
        store: Store,
        collection: str,
        query: Query,
        fields: tuple[str, ...] | None,
        session: ClientSession | None,
        options: Mapping[str, Any],
    ) -> None:
        self._store = store
        self._collection = collection
        self._query = query
        self._fields = fields
        self._session = session
        self._options = options
        self.ended = False
        self._cursor: Cursor[Document] | None = None
        self._after: str | None = None
        self._returned = 0
        self._in_windows = False
        self._window_end: str | None = None

    def step(self) -> Document | None:
        """Returns the next document, or None at the end of a batch. Raises OsdiError 503; the next call resumes here.

        The end of the last batch sets `ended`.
        """
        try:
            found = self._from_batch()
        except CursorNotFound:  # the caller worked on the documents for longer than the server keeps a cursor
            self._cursor = None
            return None
        except OsdiError as error:
            self._cursor = None
            if not self._is_too_slow(error):
                raise
            self._in_windows = True
            return None
        if found is None:
            self._end_batch()
        else:
            self._after = found["_id"]
            self._returned += 1
        return found

    def _from_batch(self) -> Document | None:
        """Returns the next document of the open batch, or of a new one; None at the end of the batch."""
        with self._store.operation():
            if self._cursor is None:
                self._returned = 0
                self._window_end = self._find_window_end() if self._in_windows else None
                self._cursor = self._open()
            return next(self._cursor, None)

    def _open(self) -> Cursor[Document]:
        within = {"$gt": self._after, "$lte": self._window_end}
        within = {operator: value for operator, value in within.items() if value is not None}
        conditions = [each for each in (self._query, {"_id": within} if within else {}) if each]
        fields = None if self._fields is None else dict.fromkeys(("_id", *self._fields), 1)
        found = self._documents().find({"$and": conditions} if conditions else {}, fields, session=self._session)
        return found.sort("_id", ASCENDING).limit(BATCH).batch_size(BATCH).max_time_ms(READ_MS)

    def _is_too_slow(self, error: OsdiError) -> bool:
        """True if the query took too long, and windows have not been tried."""
        return bool(self._query) and not self._in_windows and isinstance(error.__cause__, ExecutionTimeout)

    def _end_batch(self) -> None:
        self._cursor = None
        if self._returned == BATCH:
            return  # more documents may follow
        if self._window_end is None:
            self.ended = True
        else:
            self._after = self._window_end

    def _find_window_end(self) -> str | None:
        """Returns the last id of the next window; None where the rest of the collection is smaller than a window."""
        behind = {"_id": {"$gt": self._after}} if self._after is not None else {}
        ids = self._documents().find(behind, {"_id": 1}, session=self._session).sort("_id", ASCENDING)
        last = next(ids.skip(WINDOW - 1).limit(1).max_time_ms(READ_MS), None)
        return last["_id"] if last else None

    def _documents(self) -> Collection[Document]:
        found = self._store.collection(self._collection)
        return found.with_options(**self._options) if self._options else found
