"""Many writes with few commands: for an import, whose rows write hundreds of documents, and for a group commit."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pymongo import UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from osdi.documents import Document
from osdi.errors import DuplicateKey, WriteConflict
from osdi.store.driver import only_duplicate_keys
from osdi.store.writes import Insert, Update, Write


class Collections(Protocol):
    """Returns the driver's collection of a name."""

    def __call__(self, name: str) -> Collection[Document]: ...


def apply_in_bulk(collection_of: Collections, writes: Sequence[Write], options: Mapping[str, Any]) -> None:
    """Does these inserts and updates with the options of a transaction, which the caller aborts after an error.

    The order is that in which the collections occur first; of one collection all inserts come before the updates.
    Raises DuplicateKey, WriteConflict; NotImplementedError for a Delete or Replace.
    """
    for name in dict.fromkeys(each.collection for each in writes):
        some = [each for each in writes if each.collection == name]
        inserts = [each.document for each in some if isinstance(each, Insert)]
        updates = [_update(each) for each in some if not isinstance(each, Insert)]
        try:
            if inserts:
                collection_of(name).insert_many(inserts, **options)
            matched = collection_of(name).bulk_write(updates, **options).matched_count if updates else 0
        except BulkWriteError as error:
            if not only_duplicate_keys(error):
                raise
            raise DuplicateKey("A unique index rejected a write.") from error
        if matched != len(updates):
            raise WriteConflict(f"{len(updates) - matched} of {name} have another version.")


def _update(write: Write) -> UpdateOne:
    if not isinstance(write, Update):
        raise NotImplementedError("Only inserts and updates are done in bulk.")
    return UpdateOne({"_id": write.document_id, "version": write.version}, write.operators())
