"""Databases of tests: options of their servers, and how to empty them."""

from pymongo.database import Database

# By default a mongod sets aside 300 MB for its journal; the folder of a test's server is in memory.
SMALL_JOURNAL = ("--wiredTigerEngineConfigString", "log=(prealloc=false,file_max=40MB)")
# The `dbHash` of a collection without documents: the MD5 of an empty input.
EMPTY_HASH = "d41d8cd98f00b204e9800998ecf8427e"


def empty(database: Database) -> None:
    """Deletes all documents. One command finds the collections that contain any."""
    for name, digest in database.command("dbHash")["collections"].items():
        if digest != EMPTY_HASH:
            database[name].delete_many({})
