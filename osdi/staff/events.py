"""The audit log of the staff pages: who did what when, with ids only.

An event is `{_id, at, staff_id?, action, ids, expires_date}`. Without `staff_id` an operator acted, by a command. The
database deletes an event at its `expires_date`.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from osdi.documents import Document
from osdi.ids import new_id, now
from osdi.store import Insert, Store
from osdi.store.indexes import STAFF_EVENTS

# More ids are not listed: an action on many documents would make a long event.
MAX_IDS: Final = 50


def record_event(store: Store, days: int, action: str, ids: Sequence[str], staff_id: str | None = None) -> None:
    """Stores an event, which is kept for this number of days. Raises OsdiError 503."""
    timestamp = now()
    event: Document = {
        "_id": new_id(),
        "at": timestamp,
        "action": action,
        "ids": list(dict.fromkeys(ids))[:MAX_IDS],
        "expires_date": timestamp + dt.timedelta(days=days),
    }
    store.write(Insert(STAFF_EVENTS, event | ({"staff_id": staff_id} if staff_id else {})))
