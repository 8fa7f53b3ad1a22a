"""Imports loaded rows, a batch at a time.

While the rows of one batch are imported, a thread reads ahead what the next batch needs. While the batch is being
stored, the batch after that one is read from the source. A batch that cannot be stored, since another client has
changed the same people, is divided; the rows of the last parts are imported one by one, by the same code without a
batch. On a server without transactions all rows are.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final

from osdi.errors import OsdiError, WriteConflict
from osdi.importing.batches.batch_store import BatchStore, BatchTooLarge
from osdi.importing.batches.reading_ahead import read_ahead, remembering
from osdi.importing.batches.single_rows import Imported, groups, one_by_one, outcomes
from osdi.importing.importer import DataAccess, Prepared, RowImporter
from osdi.importing.loading.row_loader import Loaded, LoadedRow
from osdi.importing.report import Outcome
from osdi.importing.sources import Item
from osdi.privacy.tombstones import tombstone_ids_in
from osdi.store.indexes import SUPPRESSIONS, TOMBSTONES

# The number of rows of a batch follows the speed of the machine, so that it takes about BATCH_SECONDS: a worker that is
# stopped waits for it, and so does a client that posts one of its people.
FIRST_ROWS: Final = 64
MIN_ROWS: Final = 16
MAX_ROWS: Final = 512
BATCH_SECONDS: Final = 0.3
# An erasure or an opt-out that comes after a batch has read these counts for its rows.
READ_ONLY: Final = (TOMBSTONES, SUPPRESSIONS)
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
    """Imports rows of one kind. The threads of `pool` store batches, and import single rows."""

    def __init__(self, importer: RowImporter, pool: ThreadPoolExecutor) -> None:
        self._importer = importer
        self._pool = pool
        # The store of the present batch, and that of the next one, which reads ahead meanwhile.
        self._store, self._next_store = BatchStore(importer.store), BatchStore(importer.store)
        # Of two batches: a row asks for those that were read ahead.
        self._tombstone_ids = lru_cache(2 * MAX_ROWS)(tombstone_ids_in(importer.store))
        self._size = FIRST_ROWS

    def imported(self, loaded: Iterable[LoadedRow]) -> Iterator[Imported]:
        """Imports the rows in their order, and yields the outcomes of each batch. Raises OsdiError 503.

        No write is in progress when it yields: all rows so far are stored, and no other row is.
        """
        importer = self._importer
        if not importer.retry_while_unavailable(lambda: importer.store.supports_transactions):
            yield from one_by_one(loaded, importer, self._pool)
            return
        remaining = iter(loaded)
        rows = self._next_rows(remaining)
        reading = self._read_ahead(rows)
        next_rows = self._next_rows(remaining)
        stored = True
        while rows:
            began = CLOCK()
            self._store, self._next_store = self._next_store, self._store
            has_read = _has_read(reading) and stored
            if has_read:
                self._store.adopt(self._next_store)
            reading = self._read_ahead(next_rows)
            started = self._start(rows, has_read)
            rows, next_rows = next_rows, self._next_rows(remaining)
            imported = self._ended(started)
            stored = imported is started.imported and started.stored is not None
            self._follow_speed(CLOCK() - began, len(imported))
            yield imported

    def _next_rows(self, remaining: Iterator[LoadedRow]) -> list[_Row]:
        find = self._importer.with_campaign
        return [_Row(item, find(item, loaded)) for item, loaded in islice(remaining, self._size)]

    def _read_ahead(self, rows: list[_Row]) -> "Future[None]":
        """Begins to read what these rows, which follow the present batch, need."""
        self._next_store.clear()
        return self._pool.submit(read_ahead, self._next_store, [row.loaded for row in rows], self._tombstone_ids)

    def _is_erased(self, keys: Sequence[str]) -> bool:
        return bool(self._store.by_ids(TOMBSTONES, self._tombstone_ids(keys)))

    def _follow_speed(self, seconds: float, rows: int) -> None:
        if seconds > 2 * BATCH_SECONDS:
            self._size = max(MIN_ROWS, rows // 2)
        elif seconds < BATCH_SECONDS and rows == self._size:
            self._size = min(MAX_ROWS, rows * 2)

    def _start(self, rows: list[_Row], has_read: bool = False) -> _Started:
        """Imports the rows into the batch, and begins to store it. Raises OsdiError 503.

        `has_read` is True if the store has read ahead for them.
        """
        try:
            imported = self._import(rows, has_read)
        except BatchTooLarge:
            return _Started(rows, self._divided(rows))
        return _Started(rows, imported, self._pool.submit(self._store.flush, unchanged=READ_ONLY))

    def _import(self, rows: list[_Row], has_read: bool) -> Imported:
        """Runs the code that serves POSTs for each row, on what was read ahead. Raises OsdiError 503, BatchTooLarge."""
        importer, store = self._importer, self._store
        if not has_read:
            store.clear()
            loaded = [row.loaded for row in rows]
            importer.retry_while_unavailable(lambda: read_ahead(store, loaded, self._tombstone_ids))
        find = remembering(importer.reference, creates_tags=importer.choices.create_tags)
        access = DataAccess(store, find, self._is_erased)
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


def _has_read(reading: "Future[None]") -> bool:
    """True if the reading has read everything; if not, the batch reads again, and repeats it or is divided."""
    try:
        reading.result()
    except (OsdiError, BatchTooLarge):
        return False
    return True
