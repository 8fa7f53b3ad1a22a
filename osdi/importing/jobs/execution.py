"""One leased job that a worker executes: a check, which stores nothing, or the import itself, some seconds at a time.

The progress is in the job. If the worker dies, another one continues an import behind the rows that are counted; the
rows that it imports again are recognised and change nothing. A check begins again, because its pending writes are
lost.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from osdi.documents import Document, LoadBody
from osdi.importing.dry_run_store import DryRunStore
from osdi.importing.file_import import import_groups
from osdi.importing.importer import RowImporter, row_importers
from osdi.importing.jobs import jobs_store
from osdi.importing.jobs.import_choices import row_choices
from osdi.importing.jobs.job import CHECKED, CHECKING, DONE
from osdi.importing.jobs.parts_store import PART_BYTES, REJECTED, store_part
from osdi.importing.jobs.reading import fetch_file, fetch_rejected, opened
from osdi.importing.jobs.sample import Sample
from osdi.importing.loading.garbage import rare_collections
from osdi.importing.rejected_rows import RejectedFile
from osdi.importing.report import Report
from osdi.importing.sources import CsvSource
from osdi.settings import Settings
from osdi.store import Store

KEEP_SECONDS: Final = 1.0
# The worker also sends mails: fewer threads than the command has by default.
THREADS: Final = 4
# Shorter than the time in which a worker has to stop. Then the loop of the worker tries again.
WAIT_SECONDS: Final = 10.0
TAGS_KEPT: Final = 100


class LeaseLost(Exception):
    """The job was cancelled, or another worker has it."""


class Execution:
    """The check or the import of a leased job.

    `store` has the job; `data` is a store that notes no webhook events, for what the import writes.
    """

    def __init__(self, store: Store, data: Store, settings: Settings, load_body: LoadBody, job: Document) -> None:
        """Raises OsdiError 503, OSError, and ValueError if the file or a column cannot be read."""
        self.job = job
        self._store, self._settings = store, settings
        self._checks = job["state"] == CHECKING
        self._stack = ExitStack()
        self._folder = Path(tempfile.mkdtemp(prefix="osdi-import-"))
        self._stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
        self._kept = time.monotonic()
        try:
            self._begin(data, load_body)
        except BaseException:
            self.close()
            raise

    def _begin(self, data: Store, load_body: LoadBody) -> None:
        path = fetch_file(self._store, self.job, self._folder)
        self._source = opened(path, self.job, self._settings.namespace)
        self._stack.callback(self._source.close)
        self._position = self._source.position
        resumed = not self._checks and "report" in self.job
        self._report = Report.of(self.job["report"]) if resumed else Report()
        self._rows = self._report.rows
        self._rejected = self._rejected_file(path)
        self._stack.callback(self._rejected.close)
        self._sample = Sample()
        self._importer = self._row_importer(data, load_body)
        self._groups = self._imported_groups()
        self._stack.callback(self._groups.close)  # its threads and its process end before the files are closed

    def _row_importer(self, data: Store, load_body: LoadBody) -> RowImporter:
        if self._checks:
            data = DryRunStore(self._settings.mongodb_uri)
            self._stack.callback(data.close)
        kind, choices = self.job["kind"], row_choices(self.job)
        importer = row_importers(data, self._settings, load_body, choices, (kind,))[kind]
        importer.wait_seconds = WAIT_SECONDS
        importer.created_tags.update(dict.fromkeys(() if self._checks else self.job["created_tags"]))
        if choices.campaign_id is not None:
            importer.reference.campaign(choices.campaign_id)
        return importer

    def _rejected_file(self, path: Path) -> RejectedFile:
        csv = self._source if isinstance(self._source, CsvSource) else None
        header, delimiter = (csv.header, csv.delimiter) if csv else (None, ",")
        size = 0 if self._checks else self.job["rejected_bytes"]
        if not size:
            return RejectedFile(path, header, delimiter)
        earlier = self._folder / "rejected"
        fetch_rejected(self._store, self.job, earlier)
        return RejectedFile(path, header, delimiter, path=earlier, size=size)

    def _imported_groups(self) -> Generator[int, None, None]:
        seen: Callable[..., None] = self._sample.add if self._checks else lambda *_: None
        threads = 1 if self._checks else THREADS
        return import_groups(self._source, self._importer, self._rejected, self._report, threads=threads, seen=seen)

    def advance(self, seconds: float) -> bool:
        """Works for some seconds and keeps the progress; returns True at the end of the file.

        Raises LeaseLost, OsdiError 503, OSError.
        """
        ends = time.monotonic() + seconds
        with rare_collections():
            for position in self._groups:
                self._position = position
                if time.monotonic() - self._kept >= KEEP_SECONDS:
                    self._keep()
                if time.monotonic() >= ends:
                    return False
        self._end()
        return True

    def close(self) -> None:
        """Closes and removes the files of this execution."""
        self._stack.close()

    def _keep(self) -> None:
        progress = self._progress()
        if not self._checks and self._report.rows > self._rows:
            progress["attempts"] = 0
        if not jobs_store.keep_lease(self._store, self.job, progress, self._new_parts()):
            raise LeaseLost
        self._kept = time.monotonic()

    def _end(self) -> None:
        new_parts = self._new_parts()
        if not jobs_store.keep_lease(self._store, self.job, self._progress(), new_parts):
            raise LeaseLost
        state = CHECKED if self._checks else DONE
        if not jobs_store.end_lease(self._store, self.job, {"state": state}):
            raise LeaseLost

    def _progress(self) -> Document:
        """Returns the fields of the job that say how far it is."""
        progress: Document = {
            "position": self._position,
            "report": self._report.kept(),
            "created_tags": list(self._importer.created_tags)[:TAGS_KEPT],
        }
        return progress | ({"sample": self._sample.rows} if self._checks else {"rejected_bytes": self._rejected.size()})

    def _new_parts(self) -> list[str]:
        """Stores the rejected rows since the last time, and returns the ids of their parts. Raises OsdiError 503."""
        size = self._rejected.size()
        stored = self.job["rejected_bytes"]
        if self._checks or size == stored:
            return []
        assert self._rejected.path is not None
        ids = []
        with self._rejected.path.open("rb") as file:
            file.seek(stored)
            while piece := file.read(PART_BYTES):
                ids.append(store_part(self._store, self.job["_id"], REJECTED, piece, self.job["expires_date"]))
        self.job["rejected_bytes"] = size
        return ids
