"""Completes interrupted merges, erasures and deletions at the end of a row, as a worker does some minutes later.

A worker waits until no request can be running any more that has read the data before. Here all processes have ended,
so the same functions run at once, with a time in the future.
"""

import time
from typing import Final

from osdi.crud.delete import CACHED, complete_next_deletion
from osdi.ids import now
from osdi.people.merge import complete_next_merge
from osdi.privacy.erasure import finish_next_erasure, resume_erasure
from osdi.settings import Settings
from osdi.store import Store

# Far more than a row leaves behind; an operation that is never complete is an error.
MAX_SECONDS: Final = 60.0


def complete(uri: str, seconds: float = MAX_SECONDS) -> None:
    """Completes everything in the database at a connection string. Raises RuntimeError after `seconds`."""
    store, rules = Store(uri), Settings(mongodb_uri=uri).match_key_rules
    later = now() + 2 * CACHED
    ends = time.monotonic() + seconds
    try:
        while (
            complete_next_merge(store, rules, resume_erasure, later)
            or finish_next_erasure(store, rules, later)
            or complete_next_deletion(store, later)
        ):
            if time.monotonic() > ends:
                raise RuntimeError(f"interrupted operations were not completed within {seconds:.0f} s")
    finally:
        store.close()
