"""Imports the items of a source, a batch at a time.

While one batch is being stored, the next one is read from the source. A batch that cannot be stored, since another
client has changed the same people, is divided; the rows of the last parts are imported one by one, by the same code
without a batch. On a server without transactions all rows are.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Final

from osdi.errors import OsdiError, WriteConflict
from osdi.importing.batches.batch_store import BatchStore, BatchTooLarge
from osdi.importing.batches.reading_ahead import read_ahead, remembering
from osdi.importing.batches.single_rows import Imported, groups, one_by_one, outcomes
from osdi.importing.importer import DataAccess, Loaded, Prepared, RowImporter
from osdi.importing.report import Outcome
from osdi.importing.sources import Item
from osdi.privacy.tombstones import erased_in, tombstone_ids_in
from osdi.store.indexes import TOMBSTONES

# The number of rows of a batch follows the speed of the machine, so that it takes about BATCH_SECONDS: a worker that is
# stopped waits for it, and so does a client that posts one of its people.
FIRST_ROWS: Final = 64
MIN_ROWS: Final = 16
MAX_ROWS: Final = 512
BATCH_SECONDS: Final = 0.3
CLOCK: Final[Callable[[], float]] = time.monotonic


@dataclass
class _Row:
    """A row of a batch; it is prepared once, however often the batch is divided."""

    item: Item
    loaded: Loaded
    prepared: Prepared | None = None


@dataclass
class _Started:
    """Rows with their outcomes, which count once `stored` has no error."""

    rows: list[_Row]
    imported: Imported
    stored: "Future[None] | None" = None


class RowBatches:
    """Imports items of one kind. The threads of `pool` store batches, and import single rows."""

    def __init__(self, importer: RowImporter, pool: ThreadPoolExecutor) -> None:
        self._importer = importer
        self._pool = pool
        self._store = BatchStore(importer.store)
        self._tombstone_ids = tombstone_ids_in(importer.store)
        self._is_erased = erased_in(self._store)
        self._size = FIRST_ROWS

    def imported(self, items: Iterable[Item]) -> Iterator[Imported]:
        """Imports the items in their order, and yields the outcomes of each batch. Raises OsdiError 503.

        Nothing is in progress when it yields: all rows so far are stored, and no other row is.
        """
        importer = self._importer
        if not importer.retry_while_unavailable(lambda: importer.store.supports_transactions):
            yield from one_by_one(items, importer, self._pool)
            return
        remaining = iter(items)
        began = CLOCK()
        started: _Started | None = None
        while True:
            rows = [_Row(item, importer.load_item(item)) for item in islice(remaining, self._size)]
            if started is not None:
                imported = self._ended(started)
                self._follow_speed(CLOCK() - began, len(imported))
                yield imported
            if not rows:
                return
            began = CLOCK()
            started = self._start(rows)

    def _follow_speed(self, seconds: float, rows: int) -> None:
        if seconds > 2 * BATCH_SECONDS:
            self._size = max(MIN_ROWS, rows // 2)
        elif seconds < BATCH_SECONDS and rows == self._size:
            self._size = min(MAX_ROWS, rows * 2)

    def _start(self, rows: list[_Row]) -> _Started:
        """Imports the rows into the batch, and begins to store it. Raises OsdiError 503."""
        try:
            imported = self._import(rows)
        except BatchTooLarge:
            return _Started(rows, self._divided(rows))
        return _Started(rows, imported, self._pool.submit(self._store.flush, absent=TOMBSTONES))

    def _import(self, rows: list[_Row]) -> Imported:
        """Runs the code that serves POSTs for each row, on what was read ahead. Raises OsdiError 503, BatchTooLarge."""
        importer, store = self._importer, self._store
        store.clear()
        loaded = [row.loaded for row in rows]
        importer.retry_while_unavailable(lambda: read_ahead(store, loaded, self._tombstone_ids))
        access = DataAccess(store, remembering(importer.reference), self._is_erased)
        imported = []
        for row in rows:
            row.prepared = row.prepared or importer.prepare(row.loaded, access)
            attempt = row.prepared.attempt
            imported.append((row.item, attempt(access) if attempt else Outcome(rejected=row.prepared.rejected)))
        return imported

    def _ended(self, started: _Started) -> Imported:
        """Returns the outcomes once the rows are stored. Raises OsdiError 503."""
        if started.stored is None:
            return started.imported
        try:
            started.stored.result()
        except WriteConflict:
            return self._divided(started.rows)
        except OsdiError as error:
            # If the database cannot say if it has stored the batch, look: then the rows are not counted as unchanged.
            if error.status < 500 or not self._importer.retry_while_unavailable(self._store.was_flushed):
                return self._divided(started.rows)
        return started.imported

    def _divided(self, rows: list[_Row]) -> Imported:
        """Imports the rows in two batches, or one by one. Raises OsdiError 503."""
        if len(rows) > MIN_ROWS:
            half = len(rows) // 2
            parts = (rows[:half], rows[half:])
            return [outcome for part in parts for outcome in self._ended(self._start(part))]
        importer = self._importer
        single = ((row.item, row.prepared or importer.prepare(row.loaded, importer.directly)) for row in rows)
        return [each for group in groups(single) for each in outcomes(group, importer.directly, self._pool)]
