"""Which shape the stored documents have, as a number: `schema_version`, one document in a collection of its own.

A program reads and writes its own shape and the ones before it. It refuses a database that a newer program has
migrated, and one into which a restore was begun and not ended. Each process looks at that when it first asks the
database for anything (see `Store.asking`), and every few seconds for a restore; a release is run while the program
before still serves.
"""

from typing import Any, Final

from pymongo.database import Database

from osdi.errors import ErrorDescription, OsdiError

SCHEMA: Final = "schema"
ID: Final = "schema"

# The number of the last migration (see migrations).
SCHEMA_VERSION: Final = 3

# How often a process looks whether a restore was begun.
LOOK_SECONDS: Final = 5.0


class WrongDatabase(OsdiError):
    """This program must not work on this database: 503, with a sentence for the operator."""

    needs_operator = True

    def __init__(self, message: str) -> None:
        super().__init__(503, ErrorDescription("UNAVAILABLE", message), headers={"Retry-After": "60"})


class NewerDatabase(WrongDatabase):
    """A newer program has migrated it: this one will never work on it."""


def check_schema(database: Database[dict[str, Any]], *, serves: bool = False) -> None:
    """Raises WrongDatabase. A database without a version is one from before there was any.

    A process that `serves` goes on where a newer release has migrated the database meanwhile: its steps allow for that.
    """
    found = database[SCHEMA].find_one({"_id": ID}) or {}
    version = found.get("schema_version", 0)
    if version > SCHEMA_VERSION and not serves:
        raise NewerDatabase(
            f"The database has schema_version {version}, and this program knows {SCHEMA_VERSION} at most:"
            " start the program that migrated it, or restore a backup from before."
        )
    if "restoring" in found:
        raise WrongDatabase(
            "A restore into this database was begun and has not ended: let it end, or repeat it with --replace."
        )
