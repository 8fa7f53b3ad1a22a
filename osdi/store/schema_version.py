"""The schema version of the stored documents: a number in a document of its own collection.

A program reads and writes its own version and those before it. It does not work on a database that a newer program has
migrated, nor on one with an unfinished restore. A process checks both at its first operation (see `Store.operation`),
and every LOOK_SECONDS for a restore. A release runs while the previous program still serves.

The document also has the version of the oldest program that can read the migrated documents. The release of such a
program goes back to its own version; the newer program repeats its steps later.
"""

from collections.abc import Mapping
from typing import Any, Final

from pymongo.database import Database

from osdi.errors import ErrorDescription, OsdiError

SCHEMA: Final = "schema"
ID: Final = "schema"

# The number of the last migration (see migrations).
SCHEMA_VERSION: Final = 12
# The SCHEMA_VERSION of the oldest program that can read the documents of this one (see docs/upgrading.md).
OLDEST_PROGRAM: Final = 11

# The time between two checks of a process for a restore.
LOOK_SECONDS: Final = 5.0


class WrongDatabase(OsdiError):
    """This program must not work on this database: 503, with a sentence for the operator."""

    needs_operator = True

    def __init__(self, message: str) -> None:
        super().__init__(503, ErrorDescription("UNAVAILABLE", message), headers={"Retry-After": "60"})


class NewerDatabase(WrongDatabase):
    """A newer program has migrated the database: this one can never work on it."""


def version_of(found: Mapping[str, Any]) -> int:
    """Returns the version that the schema's document states. Raises WrongDatabase if another program wrote it."""
    version = found.get("schema_version", 0)
    if isinstance(version, int):
        return version
    raise WrongDatabase(
        "The collection schema has a document of another program: name another database at the end of MONGODB_URI."
    )


def can_go_back(schema: Mapping[str, Any]) -> bool:
    """True if this program can read the documents of a newer version, by the schema's document."""
    return int(schema.get("oldest_program", schema["schema_version"])) <= SCHEMA_VERSION


def newer_database(schema: Mapping[str, Any]) -> NewerDatabase:
    """Returns the error for a database that a newer program has migrated, by the schema's document."""
    way_back = (
        "run `bin/osdi release` to go back to this one" if can_go_back(schema) else "restore a backup from before"
    )
    return NewerDatabase(
        f"The database has schema_version {schema['schema_version']}, and this program knows {SCHEMA_VERSION} at most:"
        f" start the program that migrated it, or {way_back}."
    )


def check_schema(database: Database[dict[str, Any]], *, serves: bool = False) -> None:
    """Raises WrongDatabase if this program must not work on the database. One without a version has version 0.

    A process that `serves` continues after a newer release has migrated the database: the steps allow for that.
    """
    found = database[SCHEMA].find_one({"_id": ID}) or {}
    if version_of(found) > SCHEMA_VERSION and not serves:
        raise newer_database(found)
    if "restoring" in found:
        raise WrongDatabase(
            "A restore into this database was begun and has not ended: let it end. If its process was killed, run"
            " `bin/osdi restore --recover`, or repeat the restore."
        )
