"""Imports loaded rows, a batch at a time.

While the rows of one batch are imported, the batch before it is being stored, and after that the next batch reads ahead
what it needs. A batch that cannot be stored, since another client has changed the same people, is divided; the rows of
the last parts are imported one by one, by the same code without a batch. On a server without transactions all rows are.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import cycle, islice
from typing import Final

from osdi.errors import OsdiError, WriteConflict
from osdi.importing.batches.batch_store import BatchGivenUp, BatchStore
from osdi.importing.batches.reading_ahead import read_ahead, remembering
from osdi.importing.batches.single_rows import Imported, one_by_one
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
class _Batch:
    """Rows, the store that reads ahead for them, and their outcomes, which count once `stored` has no error.

    Without `stored` the store has not stored the rows as one batch. A batch is `outdated` if it has read before the
    earlier rows were stored in another way.
    """

    rows: list[_Row]
    store: BatchStore
    reading: "Future[None] | None" = None
    imported: Imported | None = None
    stored: "Future[None] | None" = None
    outdated: bool = False


class RowBatches:
    """Imports rows of one kind. The threads of `pool` store batches, and import single rows."""

    def __init__(self, importer: RowImporter, pool: ThreadPoolExecutor) -> None:
        self._importer = importer
        self._pool = pool
        # Of the batch that is being stored, the one that is being imported, and the one that reads ahead.
        self._stores = cycle([BatchStore(importer.store) for _ in range(3)])
        # Of these batches: a row asks for those that were read ahead.
        self._tombstone_ids = lru_cache(3 * MAX_ROWS)(tombstone_ids_in(importer.store))
        self._size = FIRST_ROWS

    def imported(self, loaded: Iterable[LoadedRow]) -> Iterator[Imported]:
        """Imports the rows in their order, and yields the outcomes of each batch. Raises OsdiError 503.

        No write is in progress when it yields: all rows so far are stored, and no other row is. Only tags of the next
        batch may be created already.
        """
        importer = self._importer
        if not importer.retry_while_unavailable(lambda: importer.store.supports_transactions):
            yield from one_by_one(loaded, importer, self._pool)
            return
        remaining = iter(loaded)
        before: _Batch | None = None
        batch = self._reading(self._next_rows(remaining))
        following = self._reading(self._next_rows(remaining), batch.reading)
        while batch.rows:
            began = CLOCK()
            try:
                self._import_ahead(batch, before)
                further_rows = self._next_rows(remaining)
            except BaseException:  # also of the source: what is being stored is counted
                if before is not None:
                    yield self._ended(before)
                raise
            if before is not None:
                imported = self._ended(before)
                if before.stored is None:
                    batch.imported = None
                # Also if the outcome was unknown: the next reading may have begun before the rows were stored.
                following.outdated = before.stored is None or before.stored.exception() is not None
                began += yield from _paused(imported)
            self._begin_to_store(batch)
            following.outdated = following.outdated or batch.stored is None
            self._follow_speed(CLOCK() - began, len(batch.rows))
            before, batch, following = batch, following, self._reading(further_rows, batch.stored)
        if before is not None:
            yield self._ended(before)

    def _next_rows(self, remaining: Iterator[LoadedRow]) -> list[_Row]:
        find = self._importer.with_campaign
        return [_Row(item, find(item, loaded)) for item, loaded in islice(remaining, self._size)]

    def _reading(self, rows: list[_Row], after: "Future[None] | None" = None) -> _Batch:
        """Returns a batch that reads ahead what its rows need, once `after` is done: the writes of an earlier batch."""
        store = next(self._stores)
        store.clear()
        return _Batch(rows, store, self._pool.submit(self._read_after, after, store, [row.loaded for row in rows]))

    def _read_after(self, after: "Future[None] | None", store: BatchStore, loaded: list[Loaded]) -> None:
        if after is not None:
            wait((after,))
        if loaded:
            read_ahead(store, loaded, self._tombstone_ids)

    def _follow_speed(self, seconds: float, rows: int) -> None:
        if seconds > 2 * BATCH_SECONDS:
            self._size = max(MIN_ROWS, rows // 2)
        elif seconds < BATCH_SECONDS and rows == self._size:
            self._size = min(MAX_ROWS, rows * 2)

    def _import_ahead(self, batch: _Batch, before: _Batch | None) -> None:
        """Imports the rows, if what they need was read, while the batch before is being stored. Raises OsdiError 503.

        They read what that batch has written. If it cannot be stored, they are imported again.
        """
        if not _has_read(batch):
            return
        if before is not None:
            batch.store.adopt(before.store)
        with suppress(BatchGivenUp):  # it begins again once the batch before it is stored
            batch.imported = self._import(batch)

    def _begin_to_store(self, batch: _Batch) -> None:
        """Begins to store the rows, which are imported now unless they were ahead. Raises OsdiError 503."""
        try:
            if batch.imported is None:
                batch.store.clear()
                loaded = [row.loaded for row in batch.rows]
                self._importer.retry_while_unavailable(lambda: read_ahead(batch.store, loaded, self._tombstone_ids))
                batch.imported = self._import(batch)
        except BatchGivenUp:
            batch.imported = self._divided(batch)
        else:
            batch.stored = self._pool.submit(batch.store.flush, unchanged=READ_ONLY)

    def _import(self, batch: _Batch) -> Imported:
        """Runs the code that serves POSTs for each row, on what was read ahead. Raises OsdiError 503, BatchGivenUp."""
        importer, store = self._importer, batch.store
        find = remembering(importer.reference, creates_tags=importer.choices.create_tags)
        access = DataAccess(store, find, lambda keys: bool(store.by_ids(TOMBSTONES, self._tombstone_ids(keys))))
        imported = []
        for row in batch.rows:
            store.begin_row()
            imported.append((row.item, self._outcome(row, access)))
        return imported

    def _outcome(self, row: _Row, access: DataAccess) -> Outcome:
        row.prepared = row.prepared or self._importer.prepare(row.loaded, access)
        attempt = row.prepared.attempt
        return attempt(access) if attempt else Outcome(rejected=row.prepared.rejected)

    def _ended(self, batch: _Batch) -> Imported:
        """Returns the outcomes once the rows are stored, if need be in smaller batches. Raises OsdiError 503."""
        assert batch.imported is not None
        if batch.stored is None:
            return batch.imported
        try:
            batch.stored.result()
        except WriteConflict:
            batch.stored = None
        except OsdiError as error:
            # If the database cannot say if it has stored the batch, look: then the rows are not counted as unchanged.
            if error.status < 500 or not self._importer.retry_while_unavailable(batch.store.was_flushed):
                batch.stored = None
        return batch.imported if batch.stored is not None else self._divided(batch)

    def _divided(self, batch: _Batch) -> Imported:
        """Imports the rows in two batches, or one by one. Raises OsdiError 503."""
        rows = batch.rows
        if len(rows) > MIN_ROWS:
            half = len(rows) // 2
            return [outcome for part in (rows[:half], rows[half:]) for outcome in self._at_once(part, batch.store)]
        # By one thread: two rows of one person may share no key.
        return [(row.item, self._outcome(row, self._importer.directly)) for row in rows]

    def _at_once(self, rows: list[_Row], store: BatchStore) -> Imported:
        batch = _Batch(rows, store)
        self._begin_to_store(batch)
        return self._ended(batch)


def _has_read(batch: _Batch) -> bool:
    """True if the store has read everything; if not, the batch reads again, and repeats it or is divided."""
    assert batch.reading is not None
    try:
        batch.reading.result()
    except (OsdiError, BatchGivenUp):
        return False
    return not batch.outdated


def _paused(imported: Imported) -> Generator[Imported, None, float]:
    """Yields the outcomes, and returns the seconds until the import goes on."""
    began = CLOCK()
    yield imported
    return CLOCK() - began
