"""Actions of members on import jobs: upload a file, choose fields, start, cancel, delete.

Each raises OsdiError 404 for a job that does not exist, and 409 if it has gone on since the page was opened.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import IO, Final

from osdi.documents import Document
from osdi.errors import ErrorDescription, OsdiError, conflict, invalid, not_found
from osdi.ids import new_id, now
from osdi.importing.csv_files.column_mapping import OUTREACHES, PEOPLE
from osdi.importing.jobs import jobs_store
from osdi.importing.jobs.job import (
    CANCELED,
    CHECKED,
    CHECKING,
    DONE,
    ENDED,
    IMPORTING,
    MAX_ACTIVE,
    OF_MEMBER,
    READING,
    new_job,
    wrong_state,
)
from osdi.importing.jobs.options import chosen_options
from osdi.importing.jobs.parts_store import FILE, PART_BYTES, delete_parts, keep_parts_until, store_part
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.settings import Settings
from osdi.store import Store

KINDS: Final = (PEOPLE, OUTREACHES)


def get_job(store: Store, job_id: str) -> Document:
    """Returns the job with this id."""
    found = jobs_store.find_job(store, job_id)
    if found is None:
        raise not_found("There is no such import. It may have been deleted, or its time is over.")
    return found


def upload(
    store: Store, settings: Settings, member: Document, named: Mapping[str, str], name: str, file: IO[bytes]
) -> Document:
    """Stores an uploaded file and makes the job of its import, which the worker takes up.

    `named` has the kind, and for outreaches the campaign. Raises OsdiError 400, 409 if too many files wait, 413.
    """
    kind, campaign_id = named.get("kind", ""), named.get("campaign", "")
    if kind not in KINDS:
        raise invalid("Choose what the file contains.", "kind")
    if campaign_id and (kind != OUTREACHES or store.get(ADVOCACY_CAMPAIGN.collection, campaign_id) is None):
        raise invalid("Choose one of the campaigns, for a file of outreaches.", "campaign")
    if jobs_store.count_active(store) >= MAX_ACTIVE:
        text = f"{MAX_ACTIVE} imports have not ended. Cancel one of them first."
        raise OsdiError(409, ErrorDescription("TOO_MANY_IMPORTS", text, ("file",)))
    job = new_job(kind, name, member, campaign_id, settings.import_days)
    try:
        _store_file(store, settings, job, file)
        jobs_store.insert_job(store, job)
    except OsdiError:
        delete_parts(store, job["_id"])
        raise
    return job


def _store_file(store: Store, settings: Settings, job: Document, file: IO[bytes]) -> None:
    limit = settings.max_import_bytes
    while piece := file.read(PART_BYTES):
        job["bytes"] += len(piece)
        if job["bytes"] > limit:
            text = f"The file has more than {limit:,} bytes. Split it, or use the command on the server."
            raise OsdiError(413, ErrorDescription("TOO_LARGE", text, ("file",)))
        job["file_parts"].append(store_part(store, job["_id"], FILE, piece, job["expires_date"]))
    if not job["bytes"]:
        raise invalid("Choose a file. This one is empty, or none was chosen.", "file")


def choose(store: Store, job: Document, texts: Mapping[str, str], fields: Sequence[str], *, read_again: bool) -> None:
    """Stores the options and the fields of the columns, and has the file checked; with `read_again` read anew.

    Raises OsdiError 400 for a wrong choice.
    """
    if read_again:
        changed = {"options": chosen_options({**job, "columns": []}, texts, ()), "state": READING}
    else:
        changed = {"options": chosen_options(job, texts, fields), "state": CHECKING, "check_id": new_id()}
    empty: Document = {"problem": None, "sample": [], "position": 0, "created_tags": []}
    _change(store, job["_id"], OF_MEMBER, changed | empty, queue=True)


def start(store: Store, settings: Settings, job_id: str, check_id: str) -> None:
    """Has the worker import a file that was checked; a second call changes nothing.

    `check_id` names the check whose result the member has seen. The time for which the file is kept begins anew. Raises
    OsdiError 409 if the file was checked again since, for example with columns that another member has chosen.
    """
    job = get_job(store, job_id)
    if job["state"] == CHECKED and check_id != job["check_id"]:
        raise conflict("CHANGED", "The file was checked again meanwhile. Look at the new result before you start.")
    expires = now() + dt.timedelta(days=settings.import_days)
    keep_parts_until(store, job_id, expires)
    # The report of the check would count as that of an interrupted import.
    fields = {"state": IMPORTING, "expires_date": expires, "sample": [], "position": 0, "created_tags": []}
    if jobs_store.change_job(store, job_id, (CHECKED,), fields, queue=True, gone=("report",), check_id=check_id):
        return
    if get_job(store, job_id)["state"] not in (IMPORTING, DONE):
        raise wrong_state()


def cancel(store: Store, job_id: str) -> None:
    """Ends a job that has not ended, and deletes its file. The rows that are imported stay."""
    ended: Document = {"state": CANCELED, "sample": [], "file_parts": []}
    if not jobs_store.change_job(store, job_id, (IMPORTING,), ended):
        # The report of a check is about nothing that is stored.
        _change(store, job_id, (READING, CHECKING, *OF_MEMBER), ended, gone=("report",))
    delete_parts(store, job_id, FILE)


def delete(store: Store, job_id: str) -> None:
    """Deletes a job that has ended, and its rejected rows."""
    get_job(store, job_id)
    if not jobs_store.delete_job(store, job_id, ENDED):
        raise wrong_state()
    delete_parts(store, job_id)


def has_rejected_rows(job: Document) -> bool:
    """True if the file of rejected rows can be downloaded: the import has ended."""
    return bool(job["rejected_bytes"]) and job["state"] in (DONE, CANCELED)


def _change(
    store: Store,
    job_id: str,
    states: Sequence[str],
    fields: Document,
    *,
    queue: bool = False,
    gone: tuple[str, ...] = (),
) -> None:
    get_job(store, job_id)
    if not jobs_store.change_job(store, job_id, states, fields, queue=queue, gone=gone):
        raise wrong_state()
