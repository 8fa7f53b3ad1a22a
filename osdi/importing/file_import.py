"""Imports one file, a batch of rows at a time (osdi.importing.batches).

The progress is stored after each batch, but once a second. An interrupted import continues from there; rows that it
imports again are recognised and change nothing.
"""

import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from osdi.errors import OsdiError
from osdi.ids import now
from osdi.importing.batches.row_batches import RowBatches
from osdi.importing.importer import RowImporter
from osdi.importing.loading.garbage import rare_collections
from osdi.importing.loading.loaded_rows import LoadedRows
from osdi.importing.progress_store import keep_import_progress
from osdi.importing.rejected_rows import RejectedFile
from osdi.importing.report import Outcome, Report
from osdi.importing.sources import Item, Source
from osdi.store import Store

KEEP_SECONDS: Final = 1.0
CLOCK: Final[Callable[[], float]] = time.monotonic


@dataclass
class Progress:
    """The progress of an import, stored in the database; a dry run (`store` is None) stores nothing."""

    store: Store | None
    import_id: str
    about: Mapping[str, Any] = field(default_factory=dict)
    started: Any = field(default_factory=now)
    _kept: float = field(default_factory=CLOCK)

    def keep(self, report: Report, rejected: RejectedFile, *, finished: bool = False, at_once: bool = False) -> None:
        """Stores the progress, at most once a second unless `finished` or `at_once`. Raises OsdiError, OSError."""
        if self.store is None or not (finished or at_once or CLOCK() - self._kept >= KEEP_SECONDS):
            return
        # `size` writes the rejected rows to the disk, before the progress counts them.
        size = rejected.size()
        document = {
            **self.about,
            "_id": self.import_id,
            "report": report.kept(),
            "rejected_file": str(rejected.path.resolve()) if size and rejected.path else None,
            "rejected_bytes": size,
            "started_date": self.started,
            "modified_date": now(),
            "finished": finished,
        }
        keep_import_progress(self.store, document)
        self._kept = CLOCK()


def run(
    source: Source,
    importer: RowImporter,
    rejected: RejectedFile,
    progress: Progress,
    report: Report,
    *,
    threads: int,
    shown: Callable[[Report, int], None] = lambda *_: None,
) -> None:
    """Imports the rows of the source after the first `report.rows`, and adds them to the report.

    Calls `shown` after every batch, with the number of bytes that have been read. Raises OsdiError 503 if the database
    stays unavailable, and OSError if rejected rows cannot be written.
    """
    importer.retry_while_unavailable(lambda: progress.keep(report, rejected, at_once=True))
    try:
        with rare_collections():
            _import_items(source, importer, rejected, progress, report, threads, shown)
    except KeyboardInterrupt:
        with suppress(OsdiError):  # then the import continues from the progress stored before
            progress.keep(report, rejected, at_once=True)
        raise
    importer.retry_while_unavailable(lambda: progress.keep(report, rejected, finished=True))


def _import_items(
    source: Source,
    importer: RowImporter,
    rejected: RejectedFile,
    progress: Progress,
    report: Report,
    threads: int,
    shown: Callable[[Report, int], None],
) -> None:
    for position in import_groups(source, importer, rejected, report, threads=threads):
        importer.retry_while_unavailable(lambda: progress.keep(report, rejected))
        shown(report, position)


def import_groups(
    source: Source,
    importer: RowImporter,
    rejected: RejectedFile,
    report: Report,
    *,
    threads: int,
    seen: Callable[[Item, Outcome], None] = lambda *_: None,
) -> Generator[int, None, None]:
    """Imports the rows of the source after the first `report.rows`.

    Yields after each batch the number of bytes that have been read. The report then counts all rows of the batch. Calls
    `seen` with each row. Raises OsdiError 503, OSError.
    """
    with (
        closing(LoadedRows(source, importer.loader, report.rows)) as rows,
        ThreadPoolExecutor(threads, thread_name_prefix="import") as pool,
    ):
        for imported in RowBatches(importer, pool).imported(rows):
            # Nothing waits until the progress is stored, so a batch is counted completely or not at all.
            for item, outcome in imported:
                if outcome.rejected is not None:
                    for row in item.rows():
                        rejected.add(row.line, outcome.rejected, row.written)
                report.add(outcome, item.line)
                seen(item, outcome)
            yield rows.position
