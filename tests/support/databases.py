"""Databases of tests: emptied between tests, with their indexes kept."""

from pymongo.database import Database

# The `dbHash` of a collection without documents: the MD5 of an empty input.
EMPTY_HASH = "d41d8cd98f00b204e9800998ecf8427e"


def empty(database: Database) -> None:
    """Deletes all documents. One command tells which collections contain any."""
    for name, digest in database.command("dbHash")["collections"].items():
        if digest != EMPTY_HASH:
            database[name].delete_many({})
