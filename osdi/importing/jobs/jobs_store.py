"""Reads, leases and changes import jobs. Each change says which state the job must have.

So of two members who press a button, or of two workers, one is first. A worker changes a job only under its lease.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, Final

from pymongo import ASCENDING, ReturnDocument

from osdi.documents import Document
from osdi.ids import new_id, now
from osdi.importing.jobs.job import ACTIVE, OF_WORKER
from osdi.store import Insert, Store, write_log
from osdi.store.indexes import IMPORT_JOBS

LEASE: Final = dt.timedelta(seconds=90)
# Jobs of the list: each expires after some days, so more of them are rare.
MAX_LISTED: Final = 50
LISTED: Final = ("kind", "file_name", "staff_id", "created_date", "modified_date", "state", "report", "campaign_id")


def insert_job(store: Store, job: Document) -> None:
    """Stores a new job. Raises OsdiError 503."""
    store.write(Insert(IMPORT_JOBS, job))


def find_job(store: Store, job_id: str) -> Document | None:
    """Returns a job, or None. Raises OsdiError 503."""
    return store.get(IMPORT_JOBS, job_id)


def latest_jobs(store: Store) -> list[Document]:
    """Returns the latest jobs with the properties that a list shows, the newest first. Raises OsdiError 503."""
    return store.find(IMPORT_JOBS, {}, sort=("-_id",), limit=MAX_LISTED, fields=LISTED)


def count_active(store: Store) -> int:
    """Returns the number of jobs that have not ended. Raises OsdiError 503."""
    with store.operation():
        return store.collection(IMPORT_JOBS).count_documents({"state": {"$in": list(ACTIVE)}})


def change_job(
    store: Store,
    job_id: str,
    states: Collection[str],
    fields: Mapping[str, Any],
    *,
    queue: bool = False,
    gone: tuple[str, ...] = (),
    check_id: str | None = None,
) -> bool:
    """Sets and removes (`gone`) fields of a job in one of these states, and takes it from the worker.

    With `queue` the job is passed to the worker again. Returns False if the job has another state, or a `check_id`
    other than the named one. Raises OsdiError 503.
    """
    timestamp = now()
    change: Document = {"$set": {**fields, "modified_date": timestamp}, "$unset": dict.fromkeys(("lease", *gone), "")}
    if queue:
        change["$set"] |= {"due": timestamp, "queued_date": timestamp, "attempts": 0}
    else:
        change["$unset"] |= {"due": "", "queued_date": ""}
    selected: Document = {"_id": job_id, "state": {"$in": list(states)}}
    if check_id:
        selected["check_id"] = check_id
    with store.operation():
        changed = store.collection(IMPORT_JOBS).update_one(selected, change)
    if changed.matched_count:
        write_log.record(IMPORT_JOBS, job_id)
    return bool(changed.matched_count)


def delete_job(store: Store, job_id: str, states: Collection[str]) -> bool:
    """Deletes a job in one of these states; returns False if there is none. Raises OsdiError 503."""
    with store.operation():
        found = store.collection(IMPORT_JOBS).delete_one({"_id": job_id, "state": {"$in": list(states)}})
    if found.deleted_count:
        write_log.record(IMPORT_JOBS, job_id)
    return bool(found.deleted_count)


def lease_job(store: Store) -> Document | None:
    """Returns the job that has waited longest, leased for this worker, or None if none is due. Raises OsdiError 503."""
    timestamp = now()
    due = {"due": {"$lte": timestamp}, "state": {"$in": list(OF_WORKER)}}
    change = {"$set": {"due": timestamp + LEASE, "lease": new_id()}, "$inc": {"attempts": 1}}
    with store.operation():
        found: Document | None = store.collection(IMPORT_JOBS).find_one_and_update(
            due, change, sort=[("due", ASCENDING)], return_document=ReturnDocument.AFTER
        )
    return found


def keep_lease(store: Store, job: Document, fields: Mapping[str, Any], new_parts: list[str]) -> bool:
    """Sets fields of a leased job, lengthens the lease, and adds parts of rejected rows.

    Returns False if the lease is lost: the job was cancelled, or another worker has it. Raises OsdiError 503.
    """
    timestamp = now()
    change: Document = {"$set": {**fields, "due": timestamp + LEASE, "modified_date": timestamp}}
    if new_parts:
        change["$push"] = {"rejected_parts": {"$each": new_parts}}
    return _change_leased(store, job, change)


def end_lease(store: Store, job: Document, fields: Mapping[str, Any]) -> bool:
    """Sets fields of a leased job, such as its next state, and ends the worker's part of it.

    Returns False if the lease is lost. Raises OsdiError 503.
    """
    ended = {"lease": "", "due": "", "queued_date": ""}
    return _change_leased(store, job, {"$set": {**fields, "modified_date": now()}, "$unset": ended})


def release_job(store: Store, job: Document, *, counts: bool) -> None:
    """Gives a leased job back, so that a worker can go on with it at once; `counts` keeps the failed attempt.

    Raises OsdiError 503.
    """
    timestamp = now()
    change: Document = {"$set": {"due": timestamp, "queued_date": timestamp}, "$unset": {"lease": ""}}
    if not counts:
        change["$set"]["attempts"] = 0
    _change_leased(store, job, change)


def others_are_leased(store: Store, job_id: str, timestamp: dt.datetime) -> bool:
    """True if a worker works on another job. Raises OsdiError 503."""
    leased = {"due": {"$gt": timestamp}, "lease": {"$exists": True}, "_id": {"$ne": job_id}}
    return store.find_one(IMPORT_JOBS, leased, fields=()) is not None


def _change_leased(store: Store, job: Document, change: Document) -> bool:
    leased = {"_id": job["_id"], "lease": job["lease"], "state": job["state"]}
    with store.operation():
        return bool(store.collection(IMPORT_JOBS).update_one(leased, change).matched_count)
