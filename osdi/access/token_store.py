"""Tokens in the store: found for the operator, replaced by their successors, and marked as used.

Their documents have no `version`: each write here means the same whatever was written meanwhile.
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

# The one write that is not acknowledged. Nobody was promised it and the next minute repeats it, while a request would
# wait for a majority's disks. Such a write has no reply, so all it may wait for is a server to send it to.
UNACKNOWLEDGED: Final = WriteConcern(w=0)
MARK_SECONDS: Final = 0.5


def find_tokens(store: Store, query: Query) -> list[Document]:
    """The stored tokens that the query selects, oldest first."""
    return store.find(TOKENS, query, sort=("_id",))


def replace_token(store: Store, token_id: str, successor: Document, expires_date: dt.datetime | None) -> None:
    """Store a token's successor and end the token: at once, or at a date unless it ends sooner.

    Raises WriteConflict where the token is gone. A server without transactions has stored the successor by then, whose
    secret nobody has seen.
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
            raise WriteConflict(f"{TOKENS} {token_id} is gone")
    write_log.record(TOKENS, successor["_id"])
    write_log.record(TOKENS, token_id)


def mark_used(store: Store, token_id: str, minute: dt.datetime) -> None:
    """Move a token's `last_used_date` forward, or leave it where that cannot be done: no request fails of it."""
    with suppress(PyMongoError), timeout(MARK_SECONDS):
        tokens = store.collection(TOKENS).with_options(write_concern=UNACKNOWLEDGED)
        tokens.update_one({"_id": token_id}, {"$max": {"last_used_date": minute}})
