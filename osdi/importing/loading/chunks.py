"""Chunks: the form in which loaded rows go from one process to another.

A chunk has few rows and few bytes of the file, so that the rows on their way take little memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from osdi.importing.loading.row_loader import LoadedRow, RowLoader
from osdi.importing.sources import Item, Source

MAX_ROWS: Final = 128
MAX_BYTES: Final = 250_000


@dataclass(frozen=True)
class Chunk:
    """Loaded rows that follow each other in the file, and the number of bytes that were read when they were loaded."""

    rows: list[LoadedRow]
    position: int


def chunks(source: Source, loader: RowLoader, skipped: int) -> Iterator[Chunk]:
    """Loads the rows of the source after the first `skipped` ones, and yields them in chunks."""
    rows: list[LoadedRow] = []
    began = source.position
    for item in islice(source.items(), skipped, None):
        rows.append((_as_written(item), loader.load(item)))
        if len(rows) == MAX_ROWS or source.position - began >= MAX_BYTES:
            yield Chunk(rows, source.position)
            rows, began = [], source.position
    yield Chunk(rows, source.position)


def _as_written(item: Item) -> Item:
    """Returns an item without what was needed to load it."""
    return replace(item, body=None, row=None, further=tuple(map(_as_written, item.further)))
