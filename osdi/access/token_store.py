"""Finds stored tokens, replaces a token by its successor, and stores the last use of a token.

The documents have no `version`: each write here has the same effect after any other write.
"""

import datetime as dt
from contextlib import suppress
from typing import Final

from pymongo import WriteConcern, timeout
from pymongo.errors import PyMongoError

from osdi.documents import Document, Query
from osdi.errors import WriteConflict
from osdi.store import Store, write_log
from osdi.store.indexes import TOKENS

# The one write that is not acknowledged. No response depends on it and the next minute repeats it; a request would wait
# for the disks of a majority. It has no reply, so it waits only for the selection of a server.
UNACKNOWLEDGED: Final = WriteConcern(w=0)
MARK_SECONDS: Final = 0.5


def find_tokens(store: Store, query: Query) -> list[Document]:
    """Returns the stored tokens that the query selects, oldest first."""
    return store.find(TOKENS, query, sort=("_id",))


def replace_token(store: Store, token_id: str, successor: Document, expires_date: dt.datetime | None) -> None:
    """Stores a token's successor and ends the token: now, or at `expires_date` unless it ends sooner.

    Raises WriteConflict if the token no longer exists. Without transactions the successor is stored then, but its
    secret was never shown.
    """
    with store.operation(), store.transaction() as options:
        tokens = store.collection(TOKENS)
        tokens.insert_one(successor, **options)
        if expires_date is None:
            ended = tokens.delete_one({"_id": token_id}, **options).deleted_count
        else:
            change = {"$min": {"expires_date": expires_date}}
            ended = tokens.update_one({"_id": token_id}, change, **options).matched_count
        if not ended:
            raise WriteConflict(f"{TOKENS} {token_id} no longer exists")
    write_log.record(TOKENS, successor["_id"])
    write_log.record(TOKENS, token_id)


def mark_used(store: Store, token_id: str, minute: dt.datetime) -> None:
    """Moves a token's `last_used_date` forward; an error is ignored, so no request fails because of it."""
    with suppress(PyMongoError), timeout(MARK_SECONDS):
        tokens = store.collection(TOKENS).with_options(write_concern=UNACKNOWLEDGED)
        tokens.update_one({"_id": token_id}, {"$max": {"last_used_date": minute}})
