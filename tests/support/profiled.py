"""Records the query plan of every operation on a database, by MongoDB's profiler."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pymongo.database import Database

from osdi.store.schema_version import SCHEMA


@dataclass(frozen=True)
class Operation:
    """One operation: the collection, how its documents were found, how many were read, and whether they were sorted."""

    collection: str
    plan: str
    read: int
    sorted: bool


@contextmanager
def profiled(database: Database) -> Iterator[list[Operation]]:
    """The operations that the block does, once it has ended: `with profiled(database) as done: ...`."""
    done: list[Operation] = []
    database.command("profile", 2)
    try:
        yield done
    finally:
        database.command("profile", 0)
        found = list(database.system.profile.find({"planSummary": {"$exists": True}}).sort("ts"))
        database.drop_collection("system.profile")
    for each in found:
        if each["ns"].endswith(f".{SCHEMA}"):
            continue  # which every process looks at once in a while
        plan, read = each["planSummary"], each.get("docsExamined", 0)
        done.append(Operation(each["ns"].partition(".")[2], plan, read, each.get("hasSortStage", False)))
