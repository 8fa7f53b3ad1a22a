"""Store functions for backup and restore: read and write all documents exactly, as lines of MongoDB Extended JSON.

https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/: JSON types are written as JSON, other BSON types
in canonical form, so that each value keeps its type. On a replica set all documents are read from one snapshot (read
concern `snapshot`), even if clients write meanwhile.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import orjson
from bson import json_util
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from bson.json_util import JSONMode, JSONOptions
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError, OperationFailure

from osdi.documents import Document
from osdi.errors import ErrorDescription, OsdiError
from osdi.operations.last_backup import BACKUPS
from osdi.resources import OUTREACH, PERSON
from osdi.store import Store
from osdi.store.driver import DATABASE, only_duplicate_keys
from osdi.store.indexes import (
    CUSTOM_NAMES,
    IMPORT_JOBS,
    IMPORT_PARTS,
    INVALIDATIONS,
    SIGNING_KEYS,
    STAFF_LINKS,
    STAFF_SESSIONS,
    STATISTICS,
    SUPPRESSIONS,
    TOMBSTONES,
)
from osdi.store.scan import scan
from osdi.store.schema_version import SCHEMA

# Not in a backup: short-lived counters, the schema version (the header has it), the time of the last backup, statistics
# and names of custom fields, which are counted anew, sign-ins, since a restore would make an ended session valid again,
# and uploaded files, which expire within days and would be imported once more.
COUNTED: Final = (STATISTICS, INVALIDATIONS, CUSTOM_NAMES)
SIGN_INS: Final = (STAFF_SESSIONS, STAFF_LINKS)
UPLOADS: Final = (IMPORT_JOBS, IMPORT_PARTS)
LEFT_OUT: Final = ("rate_limits", "rate_limit_windows", SCHEMA, BACKUPS, *COUNTED, *SIGN_INS, *UPLOADS)
# Begins the names of the collections that a restore fills before they replace those in service.
STAGING: Final = "restore_staging."
# Without a snapshot, collections with references are read first, so that the referenced documents are in the file too.
FIRST: Final = (OUTREACH.collection, PERSON.collection)
# Tombstones are read last, so that they include people who are erased meanwhile, and then the key they are made with.
LAST: Final = (TOMBSTONES, SIGNING_KEYS)
# A restore keeps the present documents of these collections, and adds those of the backup.
KEPT: Final = (TOMBSTONES, SUPPRESSIONS, SIGNING_KEYS)

OPTIONS: Final = JSONOptions(
    json_mode=JSONMode.CANONICAL, tz_aware=False, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
CODEC: Final[CodecOptions[Document]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
NATIVE: Final = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATETIME
WAIT_SECONDS: Final = 60.0
# The server gives up history: SnapshotTooOld, SnapshotUnavailable.
TOO_OLD_CODES: Final = frozenset({239, 246})


def encode(document: Mapping[str, Any]) -> bytes:
    """Returns a document as one line of Extended JSON, without the line feed."""
    line = orjson.dumps(document, default=_extended, option=NATIVE)
    # JSON has no infinity, and orjson writes null for it.
    if b"null" in line and _has_odd_number(document):
        return json_util.dumps(document, json_options=OPTIONS).encode()
    return line


def decode(line: bytes) -> Document:
    """Returns the document of a line. Raises ValueError if the line is not a document."""
    try:
        found = json_util.loads(line.decode(), json_options=OPTIONS)
    except (BSONError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise ValueError("This is not a document in Extended JSON.") from error
    if not isinstance(found, dict):
        raise ValueError("This is not a document in Extended JSON.")
    return found


def _extended(value: Any) -> Any:
    return json_util.default(value, OPTIONS)


def _has_odd_number(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_odd_number, value.values()))
    if isinstance(value, list):
        return any(map(_has_odd_number, value))
    return isinstance(value, float) and not math.isfinite(value)


def collections(store: Store) -> list[str]:
    """Returns the names of all collections that a backup contains, in the order in which they are read."""
    with store.operation():
        database = store.connect().get_default_database(DATABASE)
        found = [each["name"] for each in database.list_collections() if each["type"] == "collection"]
    names = {name for name in found if not name.startswith(("system.", STAGING))} - set(LEFT_OUT)
    ordered = [*FIRST, *sorted(names - {*FIRST, *LAST}), *LAST]
    return [name for name in ordered if name in names]


@dataclass(frozen=True)
class DumpReader:
    """Reads the documents of a backup; all from one snapshot if there is a `session`."""

    store: Store
    session: ClientSession | None
    counts: Mapping[str, int]

    def collections(self) -> Iterator[str]:
        """Yields the names of all collections in order; without a snapshot also of those that are created meanwhile."""
        yield from (done := list(self.counts))
        while self.session is None:
            created = [name for name in collections(self.store) if name not in done]
            if not created:
                return
            yield created[0]
            done.append(created[0])

    def documents(self, collection: str) -> Iterator[Document]:
        """Yields every document of a collection, ordered by `_id`. Raises OsdiError 503."""
        with _report_old_snapshot():
            yield from scan(
                self.store,
                collection,
                {},
                wait_seconds=WAIT_SECONDS,
                session=self.session,
                options={"codec_options": CODEC},
            )


@contextmanager
def reading(store: Store, *, snapshot: bool) -> Iterator[DumpReader]:
    """Returns a reader of the whole database, with a snapshot if requested and supported. Raises OsdiError 503."""
    names = collections(store)
    if not (snapshot and store.supports_transactions):
        yield DumpReader(store, None, _counts(store, names, None))
        return
    with store.operation():
        session = store.connect().start_session(snapshot=True)
    with session:
        yield DumpReader(store, session, _counts(store, names, session))


def _counts(store: Store, names: Sequence[str], session: ClientSession | None) -> dict[str, int]:
    with store.operation(), _report_old_snapshot():
        return {name: store.collection(name).count_documents({}, session=session, hint="_id_") for name in names}


@contextmanager
def _report_old_snapshot() -> Iterator[None]:
    try:
        yield
    except OperationFailure as error:
        if error.code not in TOO_OLD_CODES:
            raise
        message = "The backup took longer than the server keeps a snapshot: use --no-snapshot, or mongodump."
        raise OsdiError(503, ErrorDescription("UNAVAILABLE", message)) from error


def document_counts(store: Store) -> dict[str, int]:
    """Returns the number of documents of each collection that a backup contains. Raises OsdiError 503."""
    return _counts(store, collections(store), None)


def drop_database(store: Store) -> None:
    """Deletes the whole database of this store. Raises OsdiError 503."""
    with store.operation():
        client = store.connect()
        client.drop_database(client.get_default_database(DATABASE).name)


def is_empty(store: Store) -> bool:
    """True if none of the server's collections has a document. Raises OsdiError 503."""
    with store.operation():
        return not any(store.collection(name).find_one({}, {"_id": 1}) for name in collections(store))


def insert(store: Store, collection: str, documents: Sequence[Document]) -> list[Document]:
    """Inserts documents unchanged; returns those that were not inserted because of a unique index, in their order.

    Of the collections that a restore keeps (KEPT), only the missing documents are inserted. Raises
    OsdiError 503.
    """
    if not documents:
        return []
    with store.operation():
        try:
            store.collection(collection).insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if not only_duplicate_keys(error):
                raise
            if collection not in KEPT:
                return [documents[each["index"]] for each in error.details["writeErrors"]]
    return []


def exists(store: Store, collection: str, document: Document) -> bool:
    """True if a document with this id is stored. The id may have any type."""
    with store.operation():
        return store.collection(collection).find_one({"_id": document["_id"]}, {"_id": 1}) is not None


def replace_document(store: Store, collection: str, document: Document) -> None:
    """Stores a document in place of the one with its id."""
    with store.operation():
        store.collection(collection).replace_one({"_id": document["_id"]}, document)
