"""Stores the counters of rate limits and sending limits in MongoDB, through the `limits` library.

A counter's id is a keyed digest, because what is counted are IP addresses, e-mail addresses and phone numbers. Windows
begin and end by the database's clock, so a wrong clock of a process changes no limit.
"""

import hmac
import secrets
from typing import Any, Final

from limits import RateLimitItem, parse_many
from limits.storage import MongoDBStorage

from osdi.ids import timestamp
from osdi.store.driver import database_name

WAIT_MS: Final = 1_000
COUNTERS: Final = "rate_limits"
# The document with the key of the digests. It is beside the counters, since a backup must not contain either.
KEY_ID: Final = "signing_key"
KEY_BYTES: Final = 32


class SharedCounters(MongoDBStorage):
    """The library's storage with keyed digests and the database's clock.

    It closes its client only if there is one: the library would connect to close.
    """

    _key = b""

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Adds to the counter of a key and returns its value. A counter begins again after `expiry` seconds."""
        ended = {"$lt": ["$expireAt", "$$NOW"]}  # also if there is none
        change = {
            "count": {"$cond": [ended, amount, {"$add": ["$count", amount]}]},
            "expireAt": {"$cond": [ended, {"$add": ["$$NOW", expiry * 1_000]}, "$expireAt"]},
        }
        counter: Any = self.counters.find_one_and_update(
            {"_id": self._digest(key)},
            [{"$set": change}],
            upsert=True,
            projection=["count"],
            return_document=self.lib.ReturnDocument.AFTER,
        )
        return int(counter["count"])

    def get(self, key: str) -> int:
        """Returns the value of the counter of a key."""
        current = {"_id": self._digest(key), "$expr": {"$gte": ["$expireAt", "$$NOW"]}}
        counter = self.counters.find_one(current, projection=["count"])
        return int(counter["count"]) if counter else 0

    def get_expiry(self, key: str) -> float:
        """Returns the time at which the counter of a key begins again, in seconds since 1970."""
        return super().get_expiry(self._digest(key)) if self.get(key) else timestamp()

    def clear(self, key: str) -> None:
        """Deletes the counter of a key."""
        super().clear(self._digest(key))

    def _digest(self, key: str) -> str:
        if not self._key:
            fresh = {"$setOnInsert": {"key": secrets.token_hex(KEY_BYTES)}}
            after = self.lib.ReturnDocument.AFTER
            found: Any = self.counters.find_one_and_update({"_id": KEY_ID}, fresh, upsert=True, return_document=after)
            self._key = bytes.fromhex(found["key"])
        return hmac.digest(self._key, key.encode(errors="surrogatepass"), "sha256").hex()

    def __del__(self) -> None:
        client = getattr(self, "_storage", None)
        if client is not None:
            client.close()


def counts_in_mongodb(mongodb_uri: str) -> SharedCounters:
    """Returns the storage of `limits` that all processes of a deployment share; it connects at its first use."""
    return SharedCounters(
        mongodb_uri,
        database_name=database_name(mongodb_uri),
        counter_collection_name=COUNTERS,
        window_collection_name="rate_limit_windows",
        wrap_exceptions=True,
        serverSelectionTimeoutMS=WAIT_MS,
        socketTimeoutMS=WAIT_MS,
    )


def items(text: str) -> list[RateLimitItem]:
    """Returns the limits of a setting, such as `120/minute;2000/hour`; none for an empty one."""
    return parse_many(text) if text else []
