"""Stores the progress of imports: one document for each imported file or server."""

from typing import Final

from osdi.documents import Document
from osdi.store import DocumentStore, Store

IMPORTS: Final = "imports"


def import_progress(store: DocumentStore, import_id: str) -> Document | None:
    """Returns the last stored progress of this import, or None."""
    return store.get(IMPORTS, import_id)


def keep_import_progress(store: Store, progress: Document) -> None:
    """Stores the progress of an import in place of the earlier one.

    A majority acknowledges the write. So the documents that the import found unchanged, and did not write, are durable
    too.
    """
    with store.operation():
        store.collection(IMPORTS).replace_one({"_id": progress["_id"]}, progress, upsert=True)
