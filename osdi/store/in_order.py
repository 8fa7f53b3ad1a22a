"""Whole collections in the store, one document after another in the order of their ids, however many there are.

Read by bounded queries, each behind the last id that was seen: no cursor has to outlive what is done with the
documents, and whoever is cut off by a failover asks again from where they are. So each document that is there all the
time comes exactly once. Memory holds one reply of the server, of 16 MB at the most.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

from pymongo import ASCENDING
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import CursorNotFound

from osdi.errors import OsdiError
from osdi.store import Query, Store
from osdi.store.driver import READ_MS, Document
from osdi.store.schema import WrongDatabase

Result = TypeVar("Result")

BATCH: Final = 500

# Between two attempts of somebody who is patient.
AGAIN_SECONDS: Final = 1.0


def in_order(
    store: Store,
    collection: str,
    query: Query,
    *,
    fields: Mapping[str, int] | None = None,
    patience: float = 0,
    session: ClientSession | None = None,
    options: Mapping[str, Any] | None = None,
) -> Iterator[Document]:
    """Every document that the query selects, by `_id`; only the `fields` of each where they are named.

    A database that is away is asked again for `patience` seconds, beyond what the driver waits by itself. `options` are
    those of pymongo's `with_options`. Raises OsdiError 503.
    """
    after: str | None = None
    gives_up: float | None = None
    while True:
        number = 0
        behind = [{"_id": {"$gt": after}}] if after is not None else []
        try:
            with store.asking():
                documents: Collection[Document] = store._collection(collection)
                if options:
                    documents = documents.with_options(**options)
                found = documents.find({"$and": [query, *behind]} if query or behind else {}, fields, session=session)
                found = found.sort("_id", ASCENDING).limit(BATCH).batch_size(BATCH).max_time_ms(READ_MS)
            while True:
                with store.asking():
                    document = next(found, None)
                if document is None:
                    break
                number, after, gives_up = number + 1, document["_id"], None
                yield document
        except CursorNotFound:  # what is done with large documents took longer than the server keeps a cursor
            continue
        except OsdiError as error:
            gives_up = time.monotonic() + patience if gives_up is None else gives_up
            if not _may_pass(error) or time.monotonic() >= gives_up:
                raise
            time.sleep(AGAIN_SECONDS)
            continue
        if number < BATCH:
            return


def patiently(ask: Callable[[], Result], patience: float) -> Result:
    """What `ask` returns; where the database is away it is called again, as `in_order` asks. Raises OsdiError 503."""
    gives_up: float | None = None
    while True:
        try:
            return ask()
        except OsdiError as error:
            gives_up = time.monotonic() + patience if gives_up is None else gives_up
            if not _may_pass(error) or time.monotonic() >= gives_up:
                raise
            time.sleep(AGAIN_SECONDS)


def _may_pass(error: OsdiError) -> bool:
    """Whether the database may be asked again for the same."""
    return error.status == 503 and not isinstance(error, WrongDatabase)


def how_many(store: Store, collection: str, query: Query) -> int | None:
    """How many documents the query selects; None where counting them would take too long. Raises OsdiError 503."""
    try:
        with store.asking():
            return store._count(collection, query)
    except OsdiError as error:
        if error.status != 503 or not query:
            raise
        return None
