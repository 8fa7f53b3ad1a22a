"""How far each import has come: one document for each file, or server, that data come from."""

from typing import Final

from osdi.documents import Document
from osdi.store import DocumentStore, Store

IMPORTS: Final = "imports"


def import_progress(store: DocumentStore, import_id: str) -> Document | None:
    """What was kept last of this import, or None."""
    return store.get(IMPORTS, import_id)


def keep_import_progress(store: Store, progress: Document) -> None:
    """Keep how far an import has come, in place of what was kept before.

    Acknowledged by a majority, as every write: what the import found to be here already, and therefore did not write,
    is as durable then.
    """
    with store.operation():
        store.collection(IMPORTS).replace_one({"_id": progress["_id"]}, progress, upsert=True)
