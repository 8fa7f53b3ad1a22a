"""Databases of tests: options of their servers, how to empty them, and databases beside the one that tests share."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient, WriteConcern
from pymongo.database import Database

from osdi.store import Store

# By default a mongod sets aside 300 MB for its journal; the folder of a test's server is in memory. It also collects
# diagnostic data of itself each second. It checks of each new index if its writes go to the journal, for data of a
# server that was a standalone before: a fifth of the time of creating an index.
SMALL_JOURNAL = (
    *("--wiredTigerEngineConfigString", "log=(prealloc=false,file_max=40MB)"),
    *("--setParameter", "diagnosticDataCollectionEnabled=false"),
    *("--setParameter", "wiredTigerSkipTableLoggingChecksOnStartup=true"),
)
# A replica set keeps deleted documents for five minutes, for readers of a snapshot, and each read passes over them.
# Tests delete all the time: with that history, a write and a deletion take twice as long.
SHORT_HISTORY_SECONDS, HISTORY_SECONDS = 1, 300
# The `dbHash` of a collection without documents: the MD5 of an empty input.
EMPTY_HASH = "d41d8cd98f00b204e9800998ecf8427e"

Catalog = dict[str, Any]
# The collections and indexes of each database of `own_database`, as `create_indexes` left them, by connection string.
_prepared: dict[str, Catalog] = {}


def empty(database: Database, *, kept: Mapping[str, str | None] = MappingProxyType({})) -> set[str]:
    """Deletes all documents, and returns the names of the collections that have some nevertheless.

    These are in `kept`, and their `dbHash` is the one that is given there, if any. One command finds all collections
    that contain documents.
    """
    left = set()
    for name, digest in _digests(database).items():
        if digest == EMPTY_HASH:
            continue
        if name in kept and kept[name] in (None, digest):
            left.add(name)
        else:
            database.get_collection(name, write_concern=WriteConcern(w=1)).delete_many({})
    return left


@dataclass
class Kept:
    """A document in each of some collections, which stays there for the next test unless a test changes its collection.

    `digests` are the hashes of the collections with nothing but these documents.
    """

    documents: dict[str, dict[str, Any]]
    digests: dict[str, str] = field(default_factory=dict)
    present: set[str] = field(default_factory=set)

    def insert(self, database: Database) -> None:
        """Inserts the documents that are not `present`, into empty collections."""
        for name in self.documents.keys() - self.present:
            collection = database.get_collection(name, write_concern=WriteConcern(w=1))
            collection.insert_one(self.documents[name])
        if not self.digests:
            self.digests = {name: found for name, found in _digests(database).items() if name in self.documents}


def without_journal(uri: str) -> None:
    """Makes a write that waits for a majority wait for no journal, unless it asks for that as those of `Store` do.

    A write by a test then takes half of the time. No test kills the server that they share.
    """
    with MongoClient(uri) as client:
        config = client.admin.command("replSetGetConfig")["config"]
        changed = {"version": config["version"] + 1, "writeConcernMajorityJournalDefault": False}
        client.admin.command("replSetReconfig", config | changed)
        # Until the next write nothing counts as written by a majority: a command that writes nothing would wait for it.
        client.admin.command("appendOplogNote", data={"reason": "reconfigured"})


def _digests(database: Database) -> dict[str, str]:
    """Returns a digest of the documents of each collection."""
    return dict(database.command("dbHash")["collections"])


class Copy:
    """A copy of all documents of a database, for tests that need the same documents and may change them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        raw = database.with_options(codec_options=database.codec_options.with_options(document_class=RawBSONDocument))
        self._digests = {name: each for name, each in _digests(database).items() if each != EMPTY_HASH}
        self._documents = {name: list(raw[name].find()) for name in self._digests}

    def put_back(self) -> None:
        """Makes the documents those of the copy again. Only collections that have changed are written."""
        found = _digests(self._database)
        for name in found.keys() | self._digests.keys():
            digest = found.get(name, EMPTY_HASH)
            if digest != self._digests.get(name, EMPTY_HASH):
                if digest != EMPTY_HASH:
                    self._database[name].delete_many({})
                if name in self._documents:
                    self._database[name].insert_many(self._documents[name])


@contextmanager
def long_history(uri: str) -> Iterator[None]:
    """Makes the replica set keep deleted documents as long as it does by default: a backup reads from a snapshot."""
    with MongoClient(uri) as client:
        client.admin.command("setParameter", 1, minSnapshotHistoryWindowInSeconds=HISTORY_SECONDS)
        yield
        client.admin.command("setParameter", 1, minSnapshotHistoryWindowInSeconds=SHORT_HISTORY_SECONDS)


@contextmanager
def own_database(uri: str, name: str) -> Iterator[tuple[Store, Database]]:
    """Yields a store with all indexes and without documents, in another database of the server, and that database.

    The collections stay for the next test: to create and drop them takes 20 times as long as to empty them.
    """
    address = uri.replace("/osdi?", f"/{name}?")
    with closing(Store(address)) as store:
        database = store.connect().get_default_database()
        if not _is_prepared(database, address):
            database.client.drop_database(name)
            store.create_indexes()
            _prepared[address] = _catalog(database)
        yield store, database


def _is_prepared(database: Database, address: str) -> bool:
    """Empties a database that a test before has used; False if a test has changed a collection or an index."""
    prepared, found = _prepared.get(address, {}), _catalog(database)
    if not prepared or any(found.get(name) != entry for name, entry in prepared.items()):
        return False
    for name in found.keys() - prepared.keys():
        database.drop_collection(name)
    empty(database)
    return True


def _catalog(database: Database) -> Catalog:
    """Returns options and indexes of each collection."""
    pipeline = [
        {"$listCatalog": {}},
        {"$match": {"db": database.name}},
        {"$project": {"name": 1, "type": 1, "md.options": 1, "md.indexes.spec": 1}},
        {"$unset": "md.options.uuid"},
    ]
    return {each.pop("name"): each for each in database.client.admin.aggregate(pipeline)}
