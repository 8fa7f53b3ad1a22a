"""The schema version of the stored documents: a number in a document of its own collection.

A program reads and writes its own version and those before it. It does not work on a database that a newer program has
migrated, nor on one with an unfinished restore. A process checks both at its first operation (see `Store.operation`),
and every LOOK_SECONDS for a restore. A release runs while the previous program still serves.
"""

from collections.abc import Mapping
from typing import Any, Final

from pymongo.database import Database

from osdi.errors import ErrorDescription, OsdiError

SCHEMA: Final = "schema"
ID: Final = "schema"

# The number of the last migration (see migrations).
SCHEMA_VERSION: Final = 10

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


def check_schema(database: Database[dict[str, Any]], *, serves: bool = False) -> None:
    """Raises WrongDatabase if this program must not work on the database. One without a version has version 0.

    A process that `serves` continues after a newer release has migrated the database: the steps allow for that.
    """
    found = database[SCHEMA].find_one({"_id": ID}) or {}
    version = version_of(found)
    if version > SCHEMA_VERSION and not serves:
        raise NewerDatabase(
            f"The database has schema_version {version}, and this program knows {SCHEMA_VERSION} at most:"
            " start the program that migrated it, or restore a backup from before."
        )
    if "restoring" in found:
        raise WrongDatabase(
            "A restore into this database was begun and has not ended: let it end. If its process was killed, run"
            " `bin/osdi restore --recover`, or repeat the restore."
        )
