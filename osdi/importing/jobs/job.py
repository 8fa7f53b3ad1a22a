"""The states of an import job, and the documents of new ones.

A job is `{_id, kind, campaign_id?, file_name, bytes, staff_id, person_id?, created_date, modified_date, expires_date,
state, due?, queued_date?, lease?, attempts, file_parts, rejected_parts, rejected_bytes, options, described, columns,
check_id?, problem?, position, report?, sample, created_tags}`. It has `due` while the worker has to act on it: a worker
that has leased it moves `due` to the end of its lease. The database deletes a job, and the parts of its files, at the
`expires_date`.

Pure, except for the clock.
"""

import datetime as dt
import re
from pathlib import PurePosixPath
from typing import Final

from osdi.documents import Document
from osdi.errors import ErrorDescription, OsdiError
from osdi.ids import new_id, now

# The worker reads the file; a member chooses fields; the worker checks; a member starts; the worker imports.
READING, COLUMNS, CHECKING, CHECKED, IMPORTING = "reading", "columns", "checking", "checked", "importing"
DONE, CANCELED, FAILED = "done", "canceled", "failed"
OF_WORKER: Final = (READING, CHECKING, IMPORTING)
OF_MEMBER: Final = (COLUMNS, CHECKED)
ACTIVE: Final = (*OF_WORKER, *OF_MEMBER)
ENDED: Final = (DONE, CANCELED, FAILED)
# Jobs whose file is stored. More uploads are rejected, so that they do not fill the database.
MAX_ACTIVE: Final = 20
# A worker takes a job within a second. After this time the page says that no worker runs.
AWAY: Final = dt.timedelta(seconds=10)
MAX_NAME_BYTES: Final = 100
UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f/\\\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def new_job(kind: str, file_name: str, member: Document, campaign_id: str | None, days: int) -> Document:
    """Returns the document of a job for a member, which has no file yet and is kept for this number of days."""
    timestamp = now()
    job: Document = {
        "_id": new_id(),
        "kind": kind,
        "file_name": safe_name(file_name),
        "bytes": 0,
        "staff_id": member["_id"],
        "created_date": timestamp,
        "modified_date": timestamp,
        "expires_date": timestamp + dt.timedelta(days=days),
        "state": READING,
        "due": timestamp,
        "queued_date": timestamp,
        "attempts": 0,
        "file_parts": [],
        "rejected_parts": [],
        "rejected_bytes": 0,
        "options": {},
        "described": [],
        "columns": [],
        "position": 0,
        "sample": [],
        "created_tags": [],
    }
    optional = {"campaign_id": campaign_id, "person_id": member.get("person_id")}
    return job | {name: value for name, value in optional.items() if value}


def safe_name(name: str) -> str:
    """Returns the name of an uploaded file without folders and control characters, short enough for a disk."""
    found = UNSAFE.sub("", name.replace("\\", "/").rpartition("/")[2]).strip(" .")
    suffix = PurePosixPath(found).suffix[:10]
    stem = found.removesuffix(suffix).encode()[:MAX_NAME_BYTES].decode(errors="ignore").strip(" .")
    return f"{stem or 'file'}{suffix or '.csv'}"


def waits_for_worker(job: Document, timestamp: dt.datetime) -> bool:
    """True if a worker should have taken the job, or gone on with it, some time ago."""
    if job["state"] not in OF_WORKER:
        return False
    since: dt.datetime = job["due"] if job.get("lease") else job["queued_date"]
    return timestamp - since > AWAY


def wrong_state() -> OsdiError:
    """Returns a 409: the import has gone on since the page was opened."""
    message = "This import has gone on since you opened the page. Look at its present state."
    return OsdiError(409, ErrorDescription("IMPORT_STATE", message))
