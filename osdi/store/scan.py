"""Whole collections in the store, one document after another in the order of their ids, however many there are.

Read by bounded queries, each behind the last id that was seen: no cursor has to outlive what is done with the
documents, and whoever is cut off by a failover asks again from where they are. So each document that is there all the
time comes exactly once. Memory holds one reply of the server, of 16 MB at the most.

A query that no index serves, and that selects few of millions, takes longer than the server is given for one answer.
Then so many documents are looked through at a time.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

import tenacity
from pymongo import ASCENDING
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import CursorNotFound, ExecutionTimeout

from osdi.documents import Document, Query
from osdi.errors import OsdiError
from osdi.store import Store
from osdi.store.driver import READ_MS
from osdi.store.schema_version import WrongDatabase

Result = TypeVar("Result")

BATCH: Final = 500
LOOKED_THROUGH: Final = 50_000

# Between two attempts of somebody who is patient.
AGAIN_SECONDS: Final = 1.0


def scan(
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
    takes_long = False
    while True:
        number = 0
        try:
            through = _further_on(store, collection, after, session) if takes_long else None
            within = {"$gt": after, "$lte": through}
            within = {operator: value for operator, value in within.items() if value is not None}
            conditions = [each for each in (query, {"_id": within} if within else {}) if each]
            with store.operation():
                documents: Collection[Document] = store.collection(collection)
                if options:
                    documents = documents.with_options(**options)
                found = documents.find({"$and": conditions} if conditions else {}, fields, session=session)
                found = found.sort("_id", ASCENDING).limit(BATCH).batch_size(BATCH).max_time_ms(READ_MS)
            while True:
                with store.operation():
                    document = next(found, None)
                gives_up = None
                if document is None:
                    break
                number, after = number + 1, document["_id"]
                yield document
        except CursorNotFound:  # what is done with large documents took longer than the server keeps a cursor
            continue
        except OsdiError as error:
            if query and not takes_long and isinstance(error.__cause__, ExecutionTimeout):
                takes_long = True
                continue
            gives_up = time.monotonic() + patience if gives_up is None else gives_up
            if not _may_pass(error) or time.monotonic() >= gives_up:
                raise
            time.sleep(AGAIN_SECONDS)
            continue
        if number < BATCH:
            if through is None:
                return
            after = through


def _further_on(store: Store, collection: str, after: str | None, session: ClientSession | None) -> str | None:
    """The last id of those that are looked through next; None where these are all that are left."""
    behind = {"_id": {"$gt": after}} if after is not None else {}
    with store.operation():
        ids = store.collection(collection).find(behind, {"_id": 1}, session=session).sort("_id", ASCENDING)
        found = next(ids.skip(LOOKED_THROUGH - 1).limit(1).max_time_ms(READ_MS), None)
    return found["_id"] if found else None


def retry_while_unavailable(ask: Callable[[], Result], patience: float) -> Result:
    """What `ask` returns; where the database is away it is called again, as `scan` asks. Raises OsdiError 503."""
    try:
        return ask()  # the usual case pays nothing for the machinery
    except OsdiError as error:
        if not _may_pass(error) or patience <= 0:
            raise
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(_may_pass),
        wait=tenacity.wait_fixed(AGAIN_SECONDS),
        stop=tenacity.stop_after_delay(patience),
        reraise=True,
    )(ask)


def _may_pass(error: BaseException) -> bool:
    """Whether the database may be asked again for the same."""
    return isinstance(error, OsdiError) and error.status == 503 and not isinstance(error, WrongDatabase)


def how_many(store: Store, collection: str, query: Query) -> int | None:
    """How many documents the query selects; None where counting them would take too long. Raises OsdiError 503."""
    try:
        with store.operation():
            return store.count(collection, query)
    except OsdiError as error:
        if error.status != 503 or not query:
            raise
        return None
