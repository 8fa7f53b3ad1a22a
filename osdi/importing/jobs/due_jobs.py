"""Executes import jobs: a work of the worker, which does one job at a time and some seconds of it at each call.

It has a thread of its own in the worker, so mails and webhooks go on meanwhile, and a worker that is stopped leaves
after these seconds.
"""

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from osdi import log
from osdi.documents import Document, LoadBody
from osdi.errors import OsdiError
from osdi.importing.csv_files.consent_columns import UnclearColumns
from osdi.importing.jobs import jobs_store
from osdi.importing.jobs.execution import Execution, LeaseLost
from osdi.importing.jobs.job import CHECKING, COLUMNS, DONE, FAILED, READING
from osdi.importing.jobs.parts_store import FILE, delete_parts
from osdi.importing.jobs.reading import failed, fetch_file, problem_of, read_columns
from osdi.settings import Settings
from osdi.store import Store

SLICE_SECONDS: Final = 2.0
MAX_ATTEMPTS: Final = 5
GAVE_UP: Final = (
    f"The worker has stopped {MAX_ATTEMPTS} times at this file without an advance. Its log has the reason. What is"
    " imported stays."
)


class ImportJobs:
    """Executes the import jobs of a deployment."""

    def __init__(self, store: Store, settings: Settings, load_body: LoadBody) -> None:
        self._store, self._settings, self._load_body = store, settings, load_body
        # An import notifies nobody, so its store notes no webhook events.
        self._data = Store(settings.mongodb_uri, cache_seconds=settings.cache_seconds, queues_events=False)
        self._running: Execution | None = None

    def do_next(self) -> bool:
        """Works for SLICE_SECONDS on a job; returns False if none is due. Raises OsdiError 503."""
        if self._running is None:
            job = jobs_store.lease_job(self._store)
            if job is None:
                return False
            self._begin(job)
        if self._running is not None:
            self._advance(self._running)
        return True

    def close(self) -> None:
        """Gives the job back that is in progress, so that another worker continues at once."""
        running, self._running = self._running, None
        if running is not None:
            running.close()
            with suppress(OsdiError):  # then the lease ends soon
                jobs_store.release_job(self._store, running.job, counts=False)
        self._data.close()

    def _begin(self, job: Document) -> None:
        """Begins a leased job; one whose file is only read is done then. Raises OsdiError 503."""
        if job["attempts"] > MAX_ATTEMPTS:
            self._fail(job, GAVE_UP)
            return
        try:
            if job["state"] == READING:
                self._end(job, self._read(job))
            else:
                self._running = Execution(self._store, self._data, self._settings, self._load_body, job)
        except UnclearColumns as unclear:
            self._end(job, {"state": COLUMNS, "problem": problem_of(unclear)})
        except ValueError as error:
            self._reject(job, error)
        except OsdiError as error:
            if error.status >= 500:
                jobs_store.release_job(self._store, job, counts=True)
                raise
            self._fail(job, str(error))  # such as a campaign that was deleted

    def _read(self, job: Document) -> Document:
        with tempfile.TemporaryDirectory(prefix="osdi-import-") as folder:
            found = read_columns(fetch_file(self._store, job, Path(folder)), job, self._settings.namespace)
        # A file that was readable before an option was changed is not lost.
        return {**found, "state": COLUMNS} if job["columns"] else found

    def _advance(self, running: Execution) -> None:
        try:
            if running.advance(SLICE_SECONDS):
                self._drop(running)
                self._ended(running.job, running.job["state"])
        except LeaseLost:
            self._drop(running)
            log.logger().info("import", job_id=running.job["_id"], state="lease_lost")
        except Exception:
            self._drop(running)
            jobs_store.release_job(self._store, running.job, counts=True)
            raise

    def _ended(self, job: Document, state: str) -> None:
        if state != CHECKING:
            delete_parts(self._store, job["_id"], FILE)
        log.logger().info("import", job_id=job["_id"], state="checked" if state == CHECKING else DONE)

    def _drop(self, running: Execution) -> None:
        running.close()
        self._running = None

    def _reject(self, job: Document, error: ValueError) -> None:
        """Passes a job whose columns do not fit back to the member."""
        if job["state"] == CHECKING and job["columns"]:
            self._end(job, {"state": COLUMNS, "problem": problem_of(error)})
        else:
            self._fail(job, str(error))

    def _fail(self, job: Document, text: str) -> None:
        self._end(job, failed(text))

    def _end(self, job: Document, fields: Document) -> None:
        """Ends the worker's part of a job; the file of one that has failed is deleted. Raises OsdiError 503."""
        if jobs_store.end_lease(self._store, job, fields) and fields["state"] == FAILED:
            delete_parts(self._store, job["_id"], FILE)
        log.logger().info("import", job_id=job["_id"], state=fields["state"])
