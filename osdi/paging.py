"""One page of a collection ("Collections and Navigation" in the standard's general concepts)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Page:
    """The documents of a page, its position, the collection's total, and the field that its cursors contain."""

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
        """Returns the same page with other documents."""
        return replace(self, documents=list(documents), cursor=cursor)
