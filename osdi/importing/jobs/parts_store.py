"""Stores files in parts: the uploaded file of an import, and its rejected rows.

A part is `{_id, job_id, role, data, expires_date}`; the job lists the ids of its parts in their order. The database
deletes each part at its `expires_date`, also one that no job lists. GridFS would need a second collection, whose
parts have no date and so would never expire.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

from osdi.ids import new_id
from osdi.store import Store
from osdi.store.indexes import IMPORT_PARTS

PART_BYTES: Final = 1 << 20
FILE, REJECTED = "file", "rejected"


def store_part(store: Store, job_id: str, role: str, data: bytes, expires: dt.datetime) -> str:
    """Stores a part and returns its id. Raises OsdiError 503."""
    part = {"_id": new_id(), "job_id": job_id, "role": role, "data": data, "expires_date": expires}
    with store.operation():
        store.collection(IMPORT_PARTS).insert_one(part)
    return str(part["_id"])


def read_parts(store: Store, ids: Sequence[str]) -> Iterator[bytes]:
    """Yields the parts with these ids. Raises OsdiError 503, and LookupError for a part that has expired."""
    for each in ids:
        found = store.get(IMPORT_PARTS, each)
        if found is None:
            raise LookupError(each)
        yield bytes(found["data"])


def delete_parts(store: Store, job_id: str, role: str | None = None) -> None:
    """Deletes the parts of a job, or those of one role. Raises OsdiError 503."""
    with store.operation():
        store.collection(IMPORT_PARTS).delete_many({"job_id": job_id, **({"role": role} if role else {})})


def keep_parts_until(store: Store, job_id: str, expires: dt.datetime) -> None:
    """Moves the end of a job's parts. Raises OsdiError 503."""
    with store.operation():
        store.collection(IMPORT_PARTS).update_many({"job_id": job_id}, {"$set": {"expires_date": expires}})
