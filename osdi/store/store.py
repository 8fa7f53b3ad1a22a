"""The document store: the only package that speaks pymongo.

Documents are plain dicts with `_id`, and `version` where they change under a condition. Every write but one is
acknowledged by a majority and journaled. What belongs together is written in one transaction where the server has them
(a replica set of any size), and in the order given where it has not (a standalone), which callers choose so that a
crash in between leaves nothing that a retry does not mend. `driver` holds the connection and turns driver errors into
ours; `writes` says what a write is; `written` tells whoever asks which documents were written; `tokens` holds the one
write that nobody waits for.
"""

import datetime as dt
import math
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from cachetools import TTLCache, cached
from pymongo import ASCENDING, DESCENDING, MongoClient
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from osdi.documents import Document, Query
from osdi.errors import WriteConflict
from osdi.ids import id_before, now
from osdi.paging import Page
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH, PERSON
from osdi.statistics.invalidation import invalidate
from osdi.statistics.range_cache import RangeCache
from osdi.store import write_log
from osdi.store.circuit_breaker import CircuitBreaker
from osdi.store.count_cache import LARGE, LARGE_ENTRIES, Counts, entries
from osdi.store.driver import DATABASE, DURABLE, MOCK, READ_MS, abort, connect, driver_errors
from osdi.store.indexes import INDEXES, STATISTICS, WEBHOOKS, create
from osdi.store.schema_version import LOOK_SECONDS, check_schema
from osdi.store.stale_transactions import StaleTransactions
from osdi.store.writes import Delete, Insert, Replace, Update, Write, with_events

__all__ = ["Delete", "Insert", "Replace", "Store", "Update", "Write"]

# Outreaches younger than this may still be committed out of order, so they are counted anew at each reading.
SETTLED = dt.timedelta(seconds=90)
UNCOUNTED_LIMIT: Final = 1_000


class Store:
    """Reads and writes documents; connects when first used, so that each forked worker has a client of its own."""

    def __init__(self, uri: str, *, cache_seconds: float = 0, tells_webhooks: bool = True) -> None:
        self.uri = uri
        self._tells_webhooks = tells_webhooks
        self._counts = Counts(cache_seconds)
        self.range_cache = RangeCache()
        self._enabled_webhooks = cached(TTLCache(1, cache_seconds), lock=threading.Lock())(self._find_enabled_webhooks)
        self._lock = threading.Lock()
        self._asking: set[int] = set()
        self._client: MongoClient[Document] | None = None
        self._circuit = CircuitBreaker(0)
        self._abandoned = StaleTransactions()
        self._collections: dict[str, Collection[Document]] = {}
        self._transactions: bool | None = None
        self._served = False
        # No TTLCache: nothing is remembered but a time, which each operation compares, and a restore sets to never.
        self._next_schema_check = 0.0

    @contextmanager
    def operation(self) -> Iterator[None]:
        """Around everything that is asked of the server. Raises what `driver_errors` makes of the driver's errors.

        Whoever asks first looks at the schema, and raises WrongDatabase where this program must not work on it. From
        then on it is looked at every few seconds whether a restore was begun.
        """
        # A set, which several threads may change at once: each uses one connection, or waits for it.
        thread = threading.get_ident()
        self._asking.add(thread)
        try:
            with driver_errors(), self._circuit.operation():
                if time.monotonic() >= self._next_schema_check:
                    check_schema(self.connect().get_default_database(DATABASE), serves=self._served)
                    self._served = True
                    self._next_schema_check = time.monotonic() + LOOK_SECONDS
                yield
        finally:
            self._asking.discard(thread)

    def take_any_schema(self) -> None:
        """Do not look which shape the documents have: for a restore, which replaces them."""
        self._next_schema_check = math.inf

    @property
    def in_memory(self) -> bool:
        """Whether there is no server, only memory of this process."""
        return self.uri.startswith(MOCK)

    def get(self, collection: str, document_id: str) -> Document | None:
        """The document with this id, or None."""
        with self.operation():
            return self.collection(collection).find_one({"_id": document_id})

    def find_one(self, collection: str, query: Query) -> Document | None:
        """Any document that the query selects, or None."""
        with self.operation():
            return self.collection(collection).find_one(query)

    def by_ids(self, collection: str, ids: Sequence[str]) -> list[Document]:
        """The documents with one of these ids."""
        with self.operation():
            return list(self.collection(collection).find({"_id": {"$in": list(ids)}}))

    def by_match_keys(self, collection: str, keys: Sequence[str]) -> list[Document]:
        """The documents that own one of the keys."""
        if not keys:
            return []
        with self.operation():
            # The reply of one batch is the whole answer: no more documents than keys can own one.
            return list(self.collection(collection).find({"match_keys": {"$in": list(keys)}}))

    def write(self, *writes: Write) -> None:
        """Do all the writes or none, where the server has transactions; else in this order.

        Raises Duplicate where a unique index refuses, WriteConflict where a version has moved on or another transaction
        was first; in both cases nothing is written on a server with transactions.
        """
        webhooks_of = self.webhooks_of()
        if webhooks_of:
            writes = tuple(with_events(each, webhooks_of) for each in writes)
        with self.operation():
            if len(writes) == 1 or not self.supports_transactions:
                for each in writes:
                    self.apply(each, None)
                    write_log.record(each.collection, each.document_id)
                return
            with self.transaction() as session:
                for each in writes:
                    self.apply(each, session)
        for each in writes:
            write_log.record(each.collection, each.document_id)

    def wait_for_majority(self, collection: str, document: Document) -> None:
        """Wait until a document that was read is as durable as one that was written: a write that changes nothing.

        A read sees what another request has not been acknowledged for, and what a failover may still take back; so
        a request that answers "it is here already" has to wait as that other request does. Raises WriteConflict if the
        version has moved on.
        """
        selected = {"_id": document["_id"], "version": document["version"]}
        with self.operation():
            found = self.collection(collection).update_one(selected, {"$set": {"version": document["version"]}})
        if found.matched_count == 0:
            raise WriteConflict(f"{collection} {document['_id']} is no longer at version {document['version']}")

    def webhooks_of(self) -> dict[str, list[str]]:
        """Returns the ids of the enabled webhooks by event; up to `cache_seconds` old."""
        return self._enabled_webhooks() if self._tells_webhooks else {}

    def _find_enabled_webhooks(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        with self.operation():
            for webhook in self.collection(WEBHOOKS).find({"enabled": True}):
                for event in webhook["events"]:
                    found.setdefault(event, []).append(webhook["_id"])
        return found

    @property
    def supports_transactions(self) -> bool:
        """Whether the server has transactions: a replica set or a sharded cluster, not a standalone."""
        if self._transactions is None:
            if self.in_memory:
                self._transactions = False
            else:
                with self.operation():
                    hello = self.connect().admin.command("hello")
                self._transactions = "setName" in hello or hello.get("msg") == "isdbgrid"
        return self._transactions

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
        """A page in creation order: behind `after` or ahead of `before` (ids), else by skipping to number `page`."""
        within: Document = {"$gt": after} if after else {"$lt": before} if before else {}
        if earliest := first_id(query):
            within["$gte"] = earliest
        with self.operation():
            found = self.collection(collection).find({**query, **({"_id": within} if within else {})})
            found = found.sort("_id", DESCENDING if before and not after else ASCENDING).limit(per_page + 1)
            found = found.max_time_ms(READ_MS)
            if not after and not before:
                found = found.skip((page - 1) * per_page)
            documents = list(found)
        if total_records is None:
            total_records = self.count(collection, query)
        more = len(documents) > per_page
        documents = documents[:per_page]
        if before and not after:
            documents.reverse()
            return Page(documents, page, per_page, total_records, has_next=total_records > 0, has_previous=more)
        return Page(documents, page, per_page, total_records, has_next=more, has_previous=page > 1)

    def total_outreaches(self, campaign: Query) -> int:
        """How many outreaches a campaign has: exact at every moment, without a write for each outreach.

        The campaign remembers how many there were up to a certain id; only those behind it are counted. When these
        become many the mark is moved forward, but never to within SETTLED of now, since ids are given before they
        are committed.
        """
        counted = campaign.get("counted", {"outreaches": 0, "through": ""})
        behind: Document = {"advocacy_campaign_id": campaign["_id"], "_id": {"$gt": counted["through"]}}
        with self.operation():
            outreaches = self.collection(OUTREACH.collection)
            uncounted = outreaches.count_documents(behind)
            if uncounted > UNCOUNTED_LIMIT:
                through = max(id_before(now() - SETTLED), counted["through"])
                settled = outreaches.count_documents(behind | {"_id": {"$gt": counted["through"], "$lt": through}})
                mark = {"outreaches": counted["outreaches"] + settled, "through": through}
                self.collection(ADVOCACY_CAMPAIGN.collection).update_one(
                    {"_id": campaign["_id"], "counted": campaign.get("counted")}, {"$set": {"counted": mark}}
                )
        return int(counted["outreaches"]) + uncounted

    def count_pointing(self, array: str, field: str, value: str) -> int:
        """How many people have an entry of an embedded array that points at something: a count on an index."""
        return self.count(PERSON.collection, {f"{array}.{field}": value})

    def count_entries(self, array: str, field: str, value: str) -> int:
        """How many entries of an embedded array, over all people, point at something."""
        people = self.collection(PERSON.collection)
        with self.operation():
            found = {array: {field: value}}
            return self._counts.told(found, lambda: entries(people, array, field, value), large=LARGE_ENTRIES)

    def delete_outreach(self, outreach: Document) -> None:
        """Delete an outreach, and lower its campaign's mark where it is among those counted."""
        campaign_id = outreach["advocacy_campaign_id"]
        counted = {"_id": campaign_id, "counted.through": {"$gte": outreach["_id"]}}
        with self.operation(), self.transaction() as session:
            options: dict[str, Any] = {"session": session} if session else {}
            if touched := invalidate(outreach):
                self.apply(touched, session)
            self.apply(Delete(OUTREACH.collection, outreach["_id"], outreach["version"]), session)
            campaigns = self.collection(ADVOCACY_CAMPAIGN.collection)
            campaigns.update_one(counted, {"$inc": {"counted.outreaches": -1}}, **options)
        write_log.record(OUTREACH.collection, outreach["_id"])

    def delete_many(self, collection: str, query: Query) -> None:
        """Delete every document that the query selects."""
        with self.operation():
            deleted = self.collection(collection).delete_many(query)
        write_log.record_many(collection, query, deleted.deleted_count)

    def forget_person(self, person_id: str, timestamp: dt.datetime) -> None:
        """Take a deleted person off their outreaches, which stay, and what their follow-ups were to reach them by."""
        gone = {"person_id": "", "moved_from_ids": ""}
        change = {"$unset": gone, "$set": {"modified_date": timestamp}, "$inc": {"version": 1}}
        outreaches = self.collection(OUTREACH.collection)
        with self.operation():
            outreaches.update_many(
                {"person_id": person_id, "followups.to": {"$exists": True}}, {"$unset": {"followups.$[].to": ""}}
            )
            changed = outreaches.update_many({"person_id": person_id}, change)
        write_log.record_many(OUTREACH.collection, {"person_id": person_id}, changed.modified_count)

    def remove_entries(self, collection: str, array: str, field: str, value: str, timestamp: dt.datetime) -> None:
        """Remove the entries of an embedded array that point at something, from every document."""
        change = {"$pull": {array: {field: value}}, "$set": {"modified_date": timestamp}, "$inc": {"version": 1}}
        pointing = {f"{array}.{field}": value}
        with self.operation():
            changed = self.collection(collection).update_many(pointing, change)
        write_log.record_many(collection, pointing, changed.modified_count)

    def recount(self) -> int:
        """Count every campaign's outreaches anew, from nothing; returns how many campaigns there are."""
        with self.operation():
            self.collection(STATISTICS).delete_many({})
            return (
                self.collection(ADVOCACY_CAMPAIGN.collection).update_many({}, {"$unset": {"counted": ""}}).matched_count
            )

    def create_indexes(self) -> list[str]:
        """Create every index that is missing; safe to repeat. Returns their names as `collection.index`."""
        with self.operation():
            return [
                f"{name}.{index}"
                for name, declared in INDEXES.items()
                for index in create(self.collection(name), declared)
            ]

    def own_figures(self) -> tuple[int, bool]:
        """How many threads of this process ask the server now, or wait to, and whether the circuit is open."""
        return len(self._asking), self._circuit.is_open

    def close(self) -> None:
        """Close the connections; the next use opens new ones."""
        with self._lock:
            client, self._client, self._transactions = self._client, None, None
            self._served, self._next_schema_check = False, 0.0
            self._collections = {}
        if client is not None:
            client.close()

    def count(self, collection: str, query: Query) -> int:
        """Returns the number of documents that the query selects; a large one is up to `cache_seconds` old."""
        # mongomock refuses the option.
        options: dict[str, Any] = {} if self.in_memory else {"maxTimeMS": READ_MS}
        with self.operation():
            documents = self.collection(collection)
            if not query:
                return documents.estimated_document_count()
            return self._counts.told(
                {collection: query}, lambda: documents.count_documents(query, **options), large=LARGE
            )

    @contextmanager
    def transaction(self) -> Iterator[ClientSession | None]:
        """A transaction that commits at the end, where the server has transactions; else nothing."""
        if not self.supports_transactions:
            yield None
            return
        with self.connect().start_session() as session:
            session.start_transaction(write_concern=DURABLE)
            try:
                yield session
            except (PyMongoError, WriteConflict) as error:
                abort(session)
                self._abandoned.end_where_in_the_way(self.connect(), error)
                raise
            session.commit_transaction()  # the driver asks once more where the outcome is unknown

    def apply(self, write: Write, session: ClientSession | None) -> None:
        # mongomock refuses the argument even when it is None.
        options: dict[str, Any] = {"session": session} if session else {}
        collection = self.collection(write.collection)
        if isinstance(write, Insert):
            collection.insert_one(write.document, **options)
            return
        if isinstance(write, Replace):
            collection.replace_one({"_id": write.document_id}, write.document, upsert=True, **options)
            return
        if isinstance(write, Delete):
            deleted = collection.delete_one({"_id": write.document_id, "version": write.version}, **options)
            if deleted.deleted_count == 0:
                raise WriteConflict(f"{write.collection} {write.document_id} is no longer at version {write.version}")
            return
        selected = {"_id": write.document_id, "version": write.version}
        result = collection.update_one(selected, write.operators(), **options)
        if result.matched_count == 0:
            raise WriteConflict(f"{write.collection} {write.document_id} is no longer at version {write.version}")

    def collection(self, name: str) -> Collection[Document]:
        """The collection's handle, kept: making one takes longer than asking it."""
        found = self._collections.get(name)
        if found is None:
            found = self._collections[name] = self.connect().get_default_database(DATABASE)[name]
        return found

    def connect(self) -> MongoClient[Document]:
        if self._client is None:
            with self._lock:
                if self._client is None:
                    self._client, self._circuit = connect(self.uri)
        return self._client


EPOCH: Final = dt.datetime(1970, 1, 1)
MARGIN: Final = dt.timedelta(minutes=1)
"""A date is taken shortly before or after the id is given, and of whole seconds."""


def first_id(query: Mapping[str, Any]) -> str:
    """A string that sorts before the id of every document that the query selects; "" where any id may be."""
    bounds = [first_id(each) for each in query.get("$and", ())]
    since = query.get("created_date")
    if isinstance(since, Mapping):
        since = since.get("$gt", since.get("$gte"))
    if isinstance(since, dt.datetime):
        bounds.append(id_before(max(since, EPOCH + MARGIN) - MARGIN))
    return max(bounds, default="")
