"""Imports rows without a batch: several at the same time, but rows of the same person in their order.

A few threads import a group of rows, and mostly wait for the database. Two rows that share a match key are never in one
group, so the later row wins.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from osdi.importing.importer import DataAccess, Prepared, RowImporter
from osdi.importing.loading.row_loader import LoadedRow
from osdi.importing.report import Outcome
from osdi.importing.sources import Item

MAX_GROUP_ROWS: Final = 64

Imported = list[tuple[Item, Outcome]]
Group = list[tuple[Item, Prepared]]


def prepared(rows: Iterable[LoadedRow], importer: RowImporter) -> Iterator[tuple[Item, Prepared]]:
    """Prepares each row. Raises OsdiError 503."""
    return ((item, importer.prepare(importer.with_campaign(item, loaded), importer.directly)) for item, loaded in rows)


def one_by_one(rows: Iterable[LoadedRow], importer: RowImporter, pool: ThreadPoolExecutor) -> Iterator[Imported]:
    """Imports the rows without batches, and yields the outcomes of each group. Raises OsdiError 503."""
    return (outcomes(group, importer.directly, pool) for group in groups(prepared(rows, importer)))


def groups(rows: Iterable[tuple[Item, Prepared]]) -> Iterator[Group]:
    """Yields the rows in groups of up to MAX_GROUP_ROWS; no two rows of a group share a key."""
    group: Group = []
    keys: set[str] = set()
    for item, row in rows:
        if len(group) == MAX_GROUP_ROWS or not keys.isdisjoint(row.keys):
            yield group
            group, keys = [], set()
        group.append((item, row))
        keys |= row.keys
    if group:
        yield group


def outcomes(group: Group, access: DataAccess, pool: ThreadPoolExecutor) -> Imported:
    """Imports a group, and returns the outcomes in its order. Raises OsdiError 503."""
    started = [(item, row, pool.submit(row.attempt, access) if row.attempt else None) for item, row in group]
    return [(item, future.result() if future else Outcome(rejected=row.rejected)) for item, row, future in started]
