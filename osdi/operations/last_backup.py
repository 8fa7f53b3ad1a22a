"""The time of the last backup, which `backup` stores and `/metrics` reports, wherever the file is."""

import datetime as dt
from typing import Final

from osdi.ids import now
from osdi.store import Replace, Store

# Not in a backup, which would state the time of the one before.
BACKUPS: Final = "backups"
ID: Final = "last"


def note_backup(store: Store, documents: int) -> None:
    """Stores that a backup with this number of documents is complete. Raises OsdiError 503."""
    store.write(Replace(BACKUPS, {"_id": ID, "version": 1, "finished_date": now(), "documents": documents}))


def last_backup_date(store: Store) -> dt.datetime | None:
    """Returns the time at which the last backup was complete, in naive UTC; None if there was none."""
    found = store.get(BACKUPS, ID)
    return found["finished_date"] if found else None
