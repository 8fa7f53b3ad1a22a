"""Authentication: finds the holders of tokens, and stores the time at which a token was last used.

Nearly every request has a token, so each process caches found tokens for a few seconds. A token that was not found is
looked up again.
"""

import datetime as dt
import threading
from typing import Final

from cachetools import LRUCache, TTLCache

from osdi.access.token_store import mark_used
from osdi.access.tokens import Caller, caller_from, token_hash
from osdi.documents import Document
from osdi.ids import now
from osdi.store import Store
from osdi.store.indexes import TOKENS

CACHED_TOKENS: Final = 1_000
MINUTE: Final = dt.timedelta(minutes=1)


class Authentication:
    """Finds the callers of one store by their tokens."""

    def __init__(self, store: Store, *, cache_seconds: float) -> None:
        self._store = store
        self._tokens: TTLCache[str, Document] = TTLCache(CACHED_TOKENS, cache_seconds)
        self._used: LRUCache[str, dt.datetime] = LRUCache(CACHED_TOKENS)
        self._lock = threading.Lock()

    def caller(self, secret: str) -> Caller:
        """Returns the holder of a token, and records the use of the token.

        Raises OsdiError 401 for a token that is unknown or has expired, 503 if the database is unavailable.
        """
        timestamp = now()
        token = self._token(token_hash(secret))
        caller = caller_from(token, timestamp)
        if token is not None:
            self._record_use(token, timestamp)
        return caller

    def _token(self, digest: str) -> Document | None:
        with self._lock:
            found = self._tokens.get(digest)
        if found is None:
            found = self._store.find_one(TOKENS, {"hash": digest})
            if found is not None:
                with self._lock:
                    self._tokens[digest] = found
        return found

    def _record_use(self, token: Document, timestamp: dt.datetime) -> None:
        """Stores the minute of a token's use: at most one write per minute and process, none if another did it."""
        stored = token.get("last_used_date")
        with self._lock:
            recorded = self._used.get(token["_id"])
            if any(earlier is not None and timestamp - earlier < MINUTE for earlier in (stored, recorded)):
                return
            self._used[token["_id"]] = timestamp
        mark_used(self._store, token["_id"], timestamp.replace(second=0))
