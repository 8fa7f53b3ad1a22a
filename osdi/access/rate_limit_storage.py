"""Stores the counters of rate limits and sending limits in MongoDB, through the `limits` library.

A counter's id is a keyed digest, because what is counted are IP addresses, e-mail addresses and phone numbers. Windows
begin and end by the database's clock, so a wrong clock of a process changes no limit.
"""

import datetime as dt
import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from limits import RateLimitItem, parse_many
from limits.storage import MongoDBStorage

from osdi.ids import timestamp
from osdi.store.driver import database_name, driver_errors, only_duplicate_keys

WAIT_MS: Final = 1_000
COUNTERS: Final = "rate_limits"
# The document with the key of the digests. It is beside the counters, since a backup must not contain either.
KEY_ID: Final = "signing_key"
KEY_BYTES: Final = 32
# Clocks of processes follow the database's to a second.
CLOCK_MARGIN_SECONDS: Final = 2.0

# True if the window of a counter has ended, also if there is no counter.
ENDED: Final = {"$lt": ["$expireAt", "$$NOW"]}


class SharedCounters(MongoDBStorage):
    """The library's storage with keyed digests and the database's clock.

    It closes its client only if there is one: the library would connect to close.
    """

    _key = b""

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Adds to the counter of a key and returns its value. A counter begins again after `expiry` seconds."""
        counter: Any = self.counters.find_one_and_update(
            {"_id": self._digest(key)},
            [{"$set": _counted(expiry, amount)}],
            upsert=True,
            projection=["count"],
            return_document=self.lib.ReturnDocument.AFTER,
        )
        return int(counter["count"])

    def take(self, key: str, expiry: int, wanted: int, limit: int) -> int:
        """Adds up to `wanted` to the counter of a key, and returns how many: as many as its limit leaves.

        Raises DatabaseUnavailable.
        """
        counted = {"$cond": [ENDED, 0, {"$ifNull": ["$count", 0]}]}
        taken = {"$max": [0, {"$min": [wanted, {"$subtract": [limit, counted]}]}]}
        change = {"taken": taken, "count": {"$add": [counted, taken]}, "expireAt": _end(expiry)}
        with driver_errors():
            counter: Any = self.counters.find_one_and_update(
                {"_id": self._digest(key)},
                [{"$set": change}],
                upsert=True,
                projection=["taken"],
                return_document=self.lib.ReturnDocument.AFTER,
            )
        return int(counter["taken"])

    def count_each(self, keys: Sequence[str], expiry: int, limit: int) -> list[bool]:
        """Adds one to the counter of each key that has not reached the limit; returns for each whether it was added.

        A key may be listed several times. It may be False, too, if another process counts the same key at this moment,
        or if the counter has just begun again. Raises DatabaseUnavailable.
        """
        # An upsert takes no expression in its filter, so it has this process's clock, which may be a little ahead.
        ended = dt.datetime.fromtimestamp(timestamp() - CLOCK_MARGIN_SECONDS, dt.UTC).replace(tzinfo=None)
        not_reached = [{"count": {"$lt": limit}}, {"expireAt": {"$lt": ended}}]
        change = [{"$set": _counted(expiry, 1)}]
        # If the limit is reached, the filter selects nothing, and the upsert fails on the unique `_id`.
        counts = [
            self.lib.UpdateOne({"_id": self._digest(key), "$or": not_reached}, change, upsert=True) for key in keys
        ]
        added = [True] * len(counts)
        with driver_errors():
            try:
                self.counters.bulk_write(counts, ordered=False)
            except self.lib.errors.BulkWriteError as error:
                if not only_duplicate_keys(error):
                    raise
                for each in error.details["writeErrors"]:
                    added[each["index"]] = False
        return added

    def give_back(self, amounts: Mapping[str, int]) -> None:
        """Subtracts from the counters of these keys what was added to them and not used. Raises DatabaseUnavailable."""
        current = {"$expr": {"$gte": ["$expireAt", "$$NOW"]}}
        changes = [
            self.lib.UpdateOne({"_id": self._digest(key), **current}, {"$inc": {"count": -amount}})
            for key, amount in amounts.items()
            if amount
        ]
        if changes:
            with driver_errors():
                self.counters.bulk_write(changes, ordered=False)

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


def _counted(expiry: int, amount: int) -> dict[str, Any]:
    """Returns the new fields of a counter to which `amount` is added."""
    return {"count": {"$cond": [ENDED, amount, {"$add": ["$count", amount]}]}, "expireAt": _end(expiry)}


def _end(expiry: int) -> dict[str, Any]:
    """Returns the end of a counter's window; a new one if that has passed."""
    return {"$cond": [ENDED, {"$add": ["$$NOW", expiry * 1_000]}, "$expireAt"]}


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
