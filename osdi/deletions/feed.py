"""Reads the published deletions in the order in which they were recorded, for copies of the data.

Ids are given before their documents are committed. So the feed shows a record only when it is older than SETTLED:
then no earlier one can follow, and no cursor skips any.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from osdi.deletions.records import void_among
from osdi.documents import Document
from osdi.errors import expired
from osdi.ids import id_before, now
from osdi.resources import DELETION
from osdi.store import Store
from osdi.store.indexes import DELETIONS_KEPT_SECONDS
from osdi.store.store import SETTLED

KEPT: Final = dt.timedelta(seconds=DELETIONS_KEPT_SECONDS)


@dataclass(frozen=True)
class Deletions:
    """A page of records, and the cursor behind it. `more` is True if further records can be read now."""

    records: list[Document]
    cursor: str
    more: bool


def deletions(store: Store, *, limit: int, since: dt.datetime | None = None, after: str | None = None) -> Deletions:
    """Returns at most `limit` records behind the cursor `after` and since the time `since`, else from the oldest kept.

    A record is left out if its document exists: the deletion has failed. Raises OsdiError 410 if records behind that
    place are not kept any more, 503.
    """
    oldest = now() - KEPT
    # A date before the oldest one need not be one that an id can have.
    begin = max(id_before(max(since, oldest)) if since else "", after or "")
    if (since and since < oldest) or (begin and begin < id_before(oldest)):
        days = KEPT.days
        message = f"Deletions are kept for {days} days, and some since then are gone."
        name = "after" if after else "since"
        raise expired(message, name, hint="Make a full copy, and remove from yours what is not in it.")
    settled = id_before(now() - SETTLED)
    within = {"_id": {"$gt": begin, "$lt": settled}}
    found = store.find(DELETION.collection, within, sort=("_id",), limit=limit + 1)
    more, found = len(found) > limit, found[:limit]
    void = void_among(store, found)
    cursor = found[-1]["_id"] if more else max(begin, settled)
    return Deletions([each for each in found if each["_id"] not in void], cursor, more)
