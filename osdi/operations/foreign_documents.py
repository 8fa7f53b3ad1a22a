"""Recognises a database that has another program's documents in collections with our names, such as `people`."""

from typing import Final

from osdi.documents import Document
from osdi.errors import ErrorDescription, OsdiError
from osdi.store import Store
from osdi.store.driver import database_name
from osdi.store.indexes import INDEXES, MATCH_KEYS
from osdi.store.schema_version import ID, SCHEMA, version_of

SAMPLE: Final = 1_000


class ForeignDocuments(OsdiError):
    """The database belongs to another program: 503, until an operator changes MONGODB_URI."""

    needs_operator = True

    def __init__(self, database: str, collection: str) -> None:
        message = (
            f"The database {database} has documents of another program in its collection {collection}: name another"
            " database at the end of MONGODB_URI."
        )
        super().__init__(503, ErrorDescription("UNAVAILABLE", message))


def reject_foreign_documents(store: Store) -> None:
    """Raises ForeignDocuments or WrongDatabase if documents of a collection are none of ours; also OsdiError 503."""
    if store.in_memory:
        return
    foreign = {"match_keys": {"$not": {"$type": "array"}}}
    with store.operation():
        version_of(store.collection(SCHEMA).find_one({"_id": ID}) or {})
        for name in (name for name, declared in INDEXES.items() if MATCH_KEYS in declared):
            first: list[Document] = [{"$limit": SAMPLE}, {"$match": foreign}, {"$limit": 1}, {"$project": {"_id": 1}}]
            if list(store.collection(name).aggregate(first)):
                raise ForeignDocuments(database_name(store.uri), name)
