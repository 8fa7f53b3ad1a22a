"""The order of pages, and the conditions that continue it behind a cursor.

Pages are in the order of ids, which is that of creation. The pages of a range of `modified_date` are in the order of
that date, and of ids within a date. An index has this order, so a page takes the same time wherever it is. A document
that changes meanwhile gets a later date. It moves behind the cursor of a reader, who reads it again and misses nothing.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING

from osdi.documents import Document, Query
from osdi.ids import id_before
from osdi.paging import MODIFIED, Cursor

RANGE: Final = frozenset({"$gt", "$gte", "$lt", "$lte"})
EPOCH: Final = dt.datetime(1970, 1, 1)
# `created_date` is taken shortly before or after the id is given, and has whole seconds.
MARGIN: Final = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class Place:
    """The place of a page: behind the cursor `after` or ahead of the cursor `before`, in one of both orders."""

    query: Query
    after: Cursor | None
    before: Cursor | None
    by_date: bool

    @classmethod
    def of(cls, query: Query, after: str | None, before: str | None) -> "Place":
        """Returns the place of these cursors; without one, that of the first page.

        A link of an older version has an id as cursor, and continues in the order of ids.
        """
        by_date = _has_range(query)
        read = [Cursor.parse(each) if by_date and each else Cursor(each) if each else None for each in (after, before)]
        dated = all(each is None or each.date is not None for each in read)
        return cls(query, read[0], read[1] if after is None else None, by_date and dated)

    @property
    def backwards(self) -> bool:
        return self.before is not None

    @property
    def sort(self) -> list[tuple[str, int]]:
        """The driver's order, in which the page is read."""
        direction = DESCENDING if self.backwards else ASCENDING
        return [(name, direction) for name in ((MODIFIED, "_id") if self.by_date else ("_id",))]

    @property
    def selected(self) -> Document:
        """The query for the documents behind or ahead of the cursor."""
        cursor, operator = (self.before, "$lt") if self.backwards else (self.after, "$gt")
        earliest = first_id(self.query)
        query = {"$and": [self.query, {"_id": {"$gte": earliest}}]} if earliest else dict(self.query)
        if cursor is None:
            return query
        if not self.by_date:
            return _both(query, {"_id": {operator: cursor.document_id}})
        # Each branch has the whole query, so that the database reads two ranges of the index, and merges them in order.
        same_date = {MODIFIED: cursor.date, "_id": {operator: cursor.document_id}}
        return {"$or": [_both(query, same_date), _both(query, {MODIFIED: {operator: cursor.date}})]}


def _both(query: Document, other: Document) -> Document:
    return {"$and": [query, other]} if query else other


def _conditions(query: Query, field: str) -> Iterator[Any]:
    """Yields the conditions on a field that every selected document fulfils."""
    if field in query:
        yield query[field]
    for each in query.get("$and", ()):
        yield from _conditions(each, field)


def _has_range(query: Query) -> bool:
    """True if the query selects a range of `modified_date`."""
    return any(isinstance(each, Mapping) and not RANGE.isdisjoint(each) for each in _conditions(query, MODIFIED))


def first_id(query: Query) -> str:
    """Returns a string that sorts before the id of every document that the query selects; "" where any id may be."""
    bounds = [""]
    for each in _conditions(query, "created_date"):
        since = each.get("$gt", each.get("$gte")) if isinstance(each, Mapping) else each
        if isinstance(since, dt.datetime):
            bounds.append(id_before(max(since, EPOCH + MARGIN) - MARGIN))
    return max(bounds)
