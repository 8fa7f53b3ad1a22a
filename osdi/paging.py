"""One page of a collection ("Collections and Navigation" in the standard's general concepts), and its cursors."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

MODIFIED: Final = "modified_date"
EPOCH: Final = dt.datetime(1970, 1, 1)
MILLISECOND: Final = dt.timedelta(milliseconds=1)
# No id of a document contains a dot. 15 digits of milliseconds are beyond the year 9999.
DATED: Final = re.compile(r"(-?[0-9]{1,15})\.(.*)", re.DOTALL)


@dataclass(frozen=True)
class Cursor:
    """A place in a collection: behind or ahead of the document with this id and, in the order of dates, this date."""

    document_id: str
    date: dt.datetime | None = None

    def __str__(self) -> str:
        if self.date is None:
            return self.document_id
        return f"{(self.date - EPOCH) // MILLISECOND}.{self.document_id}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Returns the cursor of a text; a text that has no date is an id."""
        found = DATED.fullmatch(text)
        if found is None:
            return cls(text)
        try:
            return cls(found[2], EPOCH + int(found[1]) * MILLISECOND)
        except OverflowError:
            return cls(text)


@dataclass(frozen=True)
class Page:
    """The documents of a page, its position, the collection's total, and the fields that its cursors contain.

    `by_date` is True for the order of MODIFIED, in which a cursor has the date too.
    """

    documents: Sequence[Mapping[str, Any]]
    page: int
    per_page: int
    total_records: int
    has_next: bool
    has_previous: bool
    cursor: str = "_id"
    by_date: bool = False

    @property
    def total_pages(self) -> int:
        return -(-self.total_records // self.per_page)

    def cursor_at(self, index: int) -> str:
        """Returns the cursor of a document of the page, as a text for links."""
        document = self.documents[index]
        return str(Cursor(document[self.cursor], document[MODIFIED] if self.by_date else None))

    def with_documents(self, documents: Iterable[Mapping[str, Any]], *, cursor: str = "_id") -> "Page":
        """Returns the same page with other documents."""
        return replace(self, documents=list(documents), cursor=cursor)
