"""One page of a collection ("Collections and Navigation" in the standard's general concepts)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Page:
    """The documents of a page, where it stands, the totals of the whole collection, and the field of its cursors."""

    documents: Sequence[Mapping[str, Any]]
    page: int
    per_page: int
    total_records: int
    has_next: bool
    has_previous: bool
    cursor: str = "_id"

    @property
    def total_pages(self) -> int:
        return -(-self.total_records // self.per_page)

    def with_documents(self, documents: Iterable[Mapping[str, Any]], *, cursor: str = "_id") -> "Page":
        """The same page of changed documents."""
        return replace(self, documents=list(documents), cursor=cursor)
