"""The store on MongoDB: connection, operations, transactions, reads, writes and pages.

Every write but the use of a token is acknowledged by a majority and journaled. On a replica set the writes of one call
are one transaction. On a standalone they are done in the order given, which callers choose so that a retry repairs what
a crash in between leaves.
"""

import datetime as dt
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from cachetools import TTLCache, cached
from pymongo import ASCENDING, DESCENDING, MongoClient
from pymongo.collection import Collection
from pymongo.errors import ExecutionTimeout, PyMongoError

from osdi import log
from osdi.documents import Document, Query
from osdi.errors import OsdiError, WriteConflict, invalid
from osdi.ids import follow_clock
from osdi.paging import Page
from osdi.store import write_log
from osdi.store.circuit_breaker import CircuitBreaker
from osdi.store.driver import DATABASE, DURABLE, MOCK, READ_MS, abort, connect, driver_errors, server_clock_ahead
from osdi.store.indexes import INDEXES, WEBHOOKS, create
from osdi.store.interface import DocumentStore
from osdi.store.pages.count_cache import LARGE, CollectionCounts, CountCache
from osdi.store.pages.order import Place
from osdi.store.pages.positions import MAX_STEPS, KnownPosition, PagePositions
from osdi.store.schema_version import LOOK_SECONDS, check_schema
from osdi.store.transactions.bulk import apply_in_bulk
from osdi.store.transactions.group_commit import GroupCommit
from osdi.store.transactions.stale_transactions import StaleTransactions
from osdi.store.writes import Delete, Insert, Replace, Update, Write, with_events

# Ids are given before their documents are committed. A document whose id is older than this is committed.
SETTLED: Final = dt.timedelta(seconds=90)
REMEMBERED: Final = 100
LONGER: Final = 12
SLOW_SECONDS: Final = 0.05
# Smaller differences between clocks do no harm, and each step would change the order of ids.
CLOCK_STEP_SECONDS: Final = 1.0
# The log and /readyz report a larger difference.
WRONG_CLOCK_SECONDS: Final = 5.0


class Store(DocumentStore):
    """A DocumentStore on MongoDB. It connects when it is first used, so that each forked process has its own client."""

    def __init__(self, uri: str, *, cache_seconds: float = 0, queues_events: bool = True) -> None:
        """`cache_seconds` is how long large counts, the enabled webhooks and signing keys are remembered."""
        self.uri = uri
        self._queues_events = queues_events
        self._counts = CountCache(cache_seconds)
        self._remembered: TTLCache[str, str] = TTLCache(REMEMBERED, cache_seconds)
        self._remembered_if_slow: TTLCache[str, str] = TTLCache(REMEMBERED, LONGER * cache_seconds)
        self._collection_counts = CollectionCounts()
        self._positions = PagePositions()
        self._enabled_webhooks = cached(TTLCache(1, cache_seconds), lock=threading.Lock())(self._find_enabled_webhooks)
        self._lock = threading.Lock()
        self._in_operation: set[int] = set()
        self._client: MongoClient[Document] | None = None
        self._circuit = CircuitBreaker(0)
        self._stale_transactions = StaleTransactions()
        self._collections: dict[str, Collection[Document]] = {}
        self._group_commit = GroupCommit(self._write_one, self._write_group)
        self._transactions: bool | None = None
        self._served = False
        # No TTLCache: nothing is remembered but a time, which each operation compares, and a restore sets to never.
        self._next_schema_check = 0.0
        # Seconds by which the server's clock is ahead of this machine's: as measured, and as ids and times follow it.
        self.clock_ahead = 0.0
        self._followed = 0.0

    @property
    def in_memory(self) -> bool:
        """True if there is no server, only memory of this process (mongomock)."""
        return self.uri.startswith(MOCK)

    @property
    def supports_transactions(self) -> bool:
        """True for a replica set and a sharded cluster, False for a standalone and in memory."""
        if self._transactions is None:
            if self.in_memory:
                self._transactions = False
            else:
                with self.operation():
                    hello = self.connect().admin.command("hello")
                self._transactions = "setName" in hello or hello.get("msg") == "isdbgrid"
        return self._transactions

    def connect(self) -> MongoClient[Document]:
        """Returns the driver's client, which is made at the first call."""
        if self._client is None:
            with self._lock:
                if self._client is None:
                    self._client, self._circuit = connect(self.uri)
        return self._client

    def collection(self, name: str) -> Collection[Document]:
        """Returns the driver's collection, for modules named `*_store.py`, inside an `operation()`.

        It is kept, since making one takes longer than a read.
        """
        found = self._collections.get(name)
        if found is None:
            found = self._collections[name] = self.connect().get_default_database(DATABASE)[name]
        return found

    @contextmanager
    def operation(self) -> Iterator[None]:
        """Wraps calls of the driver: raises the project's errors in place of the driver's (see `driver_errors`).

        The first operation checks the schema version, and one every LOOK_SECONDS checks whether a restore was begun:
        both raise WrongDatabase. These two also make this process follow the server's clock. Raises OsdiError 503 at
        once while the circuit breaker is open.
        """
        # Of a set, which threads may change at once: each uses one connection, or waits for one.
        thread = threading.get_ident()
        self._in_operation.add(thread)
        try:
            with driver_errors(), self._circuit.operation():
                if time.monotonic() >= self._next_schema_check:
                    check_schema(self.connect().get_default_database(DATABASE), serves=self._served)
                    self._served = True
                    if not self.in_memory:
                        self._follow_clock()
                    self._next_schema_check = time.monotonic() + LOOK_SECONDS
                yield
        finally:
            self._in_operation.discard(thread)

    @contextmanager
    def transaction(self) -> Iterator[dict[str, Any]]:
        """Yields the options that put a call of the driver into a transaction: `{"session": session}`.

        The transaction is committed at the end, and aborted after an error. Without transactions the options are `{}`
        (mongomock rejects a session even if it is None), and each call stands for itself.
        """
        if not self.supports_transactions:
            yield {}
            return
        with self.connect().start_session() as session:
            session.start_transaction(write_concern=DURABLE)
            try:
                yield {"session": session}
            except (PyMongoError, WriteConflict) as error:
                abort(session)
                self._stale_transactions.end_where_in_the_way(self.connect(), error)
                raise
            session.commit_transaction()  # the driver repeats it where the outcome is unknown

    def _follow_clock(self) -> None:
        """Makes this process's ids and times follow the server's clock, and logs a difference that begins."""
        ahead = server_clock_ahead(self.connect())
        if ahead is None:
            return
        if abs(ahead - self._followed) > CLOCK_STEP_SECONDS:
            self._followed = ahead if abs(ahead) > CLOCK_STEP_SECONDS else 0.0
            follow_clock(self._followed)
        was_wrong, self.clock_ahead = self.has_wrong_clock, ahead
        if self.has_wrong_clock and not was_wrong:
            log.logger().warning("clock", seconds_ahead=round(-ahead, 1))

    @property
    def has_wrong_clock(self) -> bool:
        """True if this machine's clock and that of the database differ."""
        return abs(self.clock_ahead) > WRONG_CLOCK_SECONDS

    def skip_schema_check(self) -> None:
        """Accepts whatever schema the documents have: for a restore, which replaces them."""
        self._next_schema_check = math.inf

    @contextmanager
    def accepting_newer_schema(self) -> Iterator[None]:
        """Accepts the documents of a newer program: for a release, which decides if this program can go back."""
        self._served, before = True, self._served
        try:
            yield
        finally:
            self._served, self._next_schema_check = before, 0.0

    def create_indexes(self) -> list[str]:
        """Creates every index that is missing; safe to repeat. Returns the names of all as `collection.index`."""
        with self.operation():
            return [
                f"{name}.{index}"
                for name, declared in INDEXES.items()
                for index in create(self.collection(name), declared)
            ]

    def connection_gauges(self) -> tuple[int, bool]:
        """Returns how many threads of this process use or await a connection, and True if the circuit is open."""
        return len(self._in_operation) + self._group_commit.waiting, self._circuit.is_open

    def close(self) -> None:
        """See DocumentStore."""
        with self._lock:
            client, self._client, self._transactions = self._client, None, None
            self._served, self._next_schema_check = False, 0.0
            self._collections = {}
        if client is not None:
            client.close()

    def get(self, collection: str, document_id: str) -> Document | None:
        """See DocumentStore."""
        with self.operation():
            return self.collection(collection).find_one({"_id": document_id})

    def by_ids(self, collection: str, ids: Sequence[str]) -> list[Document]:
        """See DocumentStore."""
        with self.operation():
            return list(self.collection(collection).find({"_id": {"$in": list(ids)}}))

    def by_match_keys(self, collection: str, keys: Sequence[str]) -> list[Document]:
        """See DocumentStore."""
        if not keys:
            return []
        with self.operation():
            return list(self.collection(collection).find({"match_keys": {"$in": list(keys)}}))

    def by_match_keys_and_ids(
        self, collection: str, keys: Sequence[str], other: str, ids: Sequence[str]
    ) -> tuple[list[Document], list[Document]]:
        """See DocumentStore."""
        if not keys or not ids or self.in_memory:  # mongomock has no $unionWith
            return self.by_match_keys(collection, keys), self.by_ids(other, ids) if ids else []
        by_ids = {"coll": other, "pipeline": [{"$match": {"_id": {"$in": list(ids)}}}]}
        pipeline: list[Document] = [{"$match": {"match_keys": {"$in": list(keys)}}}, {"$unionWith": by_ids}]
        with self.operation():
            found = list(self.collection(collection).aggregate(pipeline))
        # The documents of the second collection come last.
        first = next((index for index, each in enumerate(found) if each["_id"] in ids), len(found))
        return found[:first], found[first:]

    def find_one(
        self, collection: str, query: Query, *, sort: tuple[str, ...] = (), fields: tuple[str, ...] | None = None
    ) -> Document | None:
        """See DocumentStore."""
        with self.operation():
            return self.collection(collection).find_one(
                query, _projection(fields), sort=_order(sort), max_time_ms=READ_MS
            )

    def find(
        self,
        collection: str,
        query: Query,
        *,
        sort: tuple[str, ...] = (),
        limit: int | None = None,
        fields: tuple[str, ...] | None = None,
    ) -> list[Document]:
        """See DocumentStore."""
        with self.operation():
            found = self.collection(collection).find(query, _projection(fields), sort=_order(sort), limit=limit or 0)
            return list(found.max_time_ms(READ_MS))

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
        """See DocumentStore."""
        place = Place.of(query, after, before)
        known = (
            KnownPosition(0, None) if after or before else self._positions.nearest(collection, query, page, per_page)
        )
        if known.steps > MAX_STEPS:
            total_records = self.count(collection, query) if total_records is None else total_records
            if (page - 1) * per_page < total_records:
                raise _too_far(page)
            return Page([], page, per_page, total_records, has_next=False, has_previous=True)
        if known.cursor:
            place = Place.of(query, known.cursor, None)
        with self.operation():
            found = self.collection(collection).find(place.selected).sort(place.sort).max_time_ms(READ_MS)
            documents = list(found.skip(known.steps).limit(per_page + 1))
        if total_records is None:
            total_records = self.count(collection, query)
        more = len(documents) > per_page
        documents = documents[:per_page]
        if place.backwards:
            documents.reverse()
        has_next, has_previous = (total_records > 0, more) if place.backwards else (more, page > 1)
        result = Page(documents, page, per_page, total_records, has_next, has_previous, by_date=place.by_date)
        if more and not after and not before:
            self._positions.remember(collection, query, result)
        return result

    def count(self, collection: str, query: Query) -> int:
        """See DocumentStore."""
        with self.operation():
            documents = self.collection(collection)
            if not query:
                return self._count_all(documents)
            # mongomock rejects the option.
            options: dict[str, Any] = {} if self.in_memory else {"maxTimeMS": READ_MS}
            return self.cached_count(
                {collection: query}, lambda: documents.count_documents(query, **options), large=LARGE
            )

    def _count_all(self, documents: Collection[Document]) -> int:
        """Returns the number of all documents of a collection; this takes no longer as a large collection grows."""
        if self.in_memory:
            return documents.count_documents({})

        def count(limit: int | None) -> int | None:
            options: dict[str, Any] = {"limit": limit} if limit else {}
            try:
                return documents.count_documents({}, hint="_id_", maxTimeMS=READ_MS, **options)
            except ExecutionTimeout:  # more than some ten million documents
                return None

        kept = documents.estimated_document_count
        return self._collection_counts.get(documents.name, self._server_process(), kept, count, large=LARGE)

    def _server_process(self) -> tuple[Any, ...]:
        """Returns a value that is another one after a start of the server that accepts writes, or a change of it."""
        servers = self.connect().topology_description.server_descriptions().values()
        return tuple(
            (each.address, *sorted((each.topology_version or {}).items())) for each in servers if each.is_writable
        )

    def cached_count(self, counted: Mapping[str, Any], count: Callable[[], int], *, large: int) -> int:
        """Returns the result of `count`, or an earlier one for the same `counted` (BSON) that was more than `large`."""
        return self._counts.get(counted, count, large=large)

    def remembered(self, name: str, read: Callable[[], str]) -> str:
        """Returns the result of `read`, or an earlier one for this name that is at most `cache_seconds` old."""
        try:
            with self._lock:
                return self._remembered[name]
        except KeyError:
            found = read()
        with self._lock:
            self._remembered[name] = found
        return found

    def remembered_if_slow(self, name: str, read: Callable[[], str]) -> str:
        """Returns the result of `read`, or an earlier one for this name.

        An earlier result is at most LONGER times `cache_seconds` old, and its reading took longer than SLOW_SECONDS.
        """
        with self._lock:
            found = self._remembered_if_slow.get(name)
        if found is not None:
            return found
        began = time.monotonic()
        found = read()
        if time.monotonic() - began > SLOW_SECONDS:
            with self._lock:
                self._remembered_if_slow[name] = found
        return found

    def write(self, *writes: Write) -> None:
        """See DocumentStore. The same write stores the document's events for webhooks."""
        if not writes:
            return
        if webhooks_of := self.webhooks_of():
            writes = tuple(with_events(each, webhooks_of) for each in writes)
        if not self.supports_transactions:
            with self.operation():
                for each in writes:
                    self.apply(each, {})
                    write_log.record(each.collection, each.document_id)
            return
        # A single write is one command already.
        if len(writes) > 1 and all(isinstance(each, Insert | Update) for each in writes):
            self._group_commit.write(writes)
        else:
            self._write_one(writes)
        for each in writes:
            write_log.record(each.collection, each.document_id)

    def _write_one(self, writes: Sequence[Write]) -> None:
        """Does the writes of one thread with transactions."""
        with self.operation():
            if len(writes) == 1:
                self.apply(writes[0], {})
                return
            with self.transaction() as options:
                for each in writes:
                    self.apply(each, options)

    def _write_group(self, group: Sequence[Sequence[Write]]) -> None:
        """Does the writes of several threads in one transaction; see GroupCommit."""
        with self.operation(), self.transaction() as options:
            apply_in_bulk(self.collection, [write for writes in group for write in writes], options)

    def apply(self, write: Write, options: Mapping[str, Any]) -> None:
        """Does one write inside an `operation()`, with the options of a `transaction()`. It is not logged."""
        collection = self.collection(write.collection)
        if isinstance(write, Insert):
            collection.insert_one(write.document, **options)
            return
        if isinstance(write, Replace):
            collection.replace_one({"_id": write.document_id}, write.document, upsert=True, **options)
            return
        selected = {"_id": write.document_id, "version": write.version}
        if isinstance(write, Delete):
            matched = collection.delete_one(selected, **options).deleted_count
        else:
            matched = collection.update_one(selected, write.operators(), **options).matched_count
        if not matched:
            raise _version_conflict(write.collection, selected)

    def update_many(self, collection: str, query: Query, change: Mapping[str, Any]) -> int:
        """See DocumentStore."""
        with self.operation():
            changed = self.collection(collection).update_many(query, change).modified_count
        write_log.record_many(collection, query, changed)
        return changed

    def delete_many(self, collection: str, query: Query) -> int:
        """See DocumentStore."""
        with self.operation():
            deleted = self.collection(collection).delete_many(query).deleted_count
        write_log.record_many(collection, query, deleted)
        return deleted

    def wait_for_majority(self, collection: str, document: Document) -> None:
        """See DocumentStore. It is a write that changes nothing."""
        selected = {"_id": document["_id"], "version": document["version"]}
        with self.operation():
            found = self.collection(collection).update_one(selected, {"$set": {"version": document["version"]}})
        if not found.matched_count:
            raise _version_conflict(collection, selected)

    def write_in_bulk(self, writes: Sequence[Write]) -> None:
        """Does many inserts and updates in one transaction, so all or none, with few commands.

        They have their events already. Raises as `write` does. Only for a server with transactions.
        """
        with self.operation(), self.transaction() as options:
            apply_in_bulk(self.collection, writes, options)
        for each in writes:
            write_log.record(each.collection, each.document_id)

    def webhooks_of(self) -> dict[str, list[str]]:
        """Returns the ids of the enabled webhooks by event; up to `cache_seconds` old."""
        return self._enabled_webhooks() if self._queues_events else {}

    def _find_enabled_webhooks(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for webhook in self.find(WEBHOOKS, {"enabled": True}):
            for event in webhook["events"]:
                found.setdefault(event, []).append(webhook["_id"])
        return found


def _projection(fields: tuple[str, ...] | None) -> dict[str, int] | None:
    return None if fields is None else dict.fromkeys(("_id", *fields), 1)


def _order(sort: tuple[str, ...]) -> list[tuple[str, int]] | None:
    """Returns the driver's order for field names; `-` before a name means descending."""
    return [(name.removeprefix("-"), DESCENDING if name.startswith("-") else ASCENDING) for name in sort] or None


def _version_conflict(collection: str, selected: Mapping[str, Any]) -> WriteConflict:
    return WriteConflict(f"{collection} {selected['_id']} is no longer at version {selected['version']}")


def _too_far(page: int) -> OsdiError:
    """Returns the error for a page whose number is too far from any known one."""
    message = (
        f"Page {page} is more than {MAX_STEPS:,} resources away from the first page and from those that were read last."
    )
    return invalid(message, "page", hint="Follow the links `next`, or select fewer resources by a filter.")
