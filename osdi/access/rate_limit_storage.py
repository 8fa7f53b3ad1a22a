"""Stores the counters of rate limits and sending limits in MongoDB, through the `limits` library."""

from typing import Final

from limits import RateLimitItem, parse_many
from limits.storage import MongoDBStorage

from osdi.store.driver import database_name

WAIT_MS: Final = 1_000


class LazilyClosedStorage(MongoDBStorage):
    """The library's storage, which closes its client only if there is one: the library would connect to close."""

    def __del__(self) -> None:
        client = getattr(self, "_storage", None)
        if client is not None:
            client.close()


def counts_in_mongodb(mongodb_uri: str) -> MongoDBStorage:
    """Returns the storage of `limits` that all processes of a deployment share; it connects at its first use."""
    return LazilyClosedStorage(
        mongodb_uri,
        database_name=database_name(mongodb_uri),
        counter_collection_name="rate_limits",
        window_collection_name="rate_limit_windows",
        wrap_exceptions=True,
        serverSelectionTimeoutMS=WAIT_MS,
        socketTimeoutMS=WAIT_MS,
    )


def items(text: str) -> list[RateLimitItem]:
    """Returns the limits of a setting, such as `120/minute;2000/hour`; none for an empty one."""
    return parse_many(text) if text else []
