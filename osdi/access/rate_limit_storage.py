"""Stores the counters of rate limits and sending limits in MongoDB, through the `limits` library."""

from typing import Final

from limits import RateLimitItem, parse_many
from limits.storage import MongoDBStorage

from osdi.store.driver import database_name

WAIT_MS: Final = 1_000


class LazilyClosedStorage(MongoDBStorage):
    """The library's storage, closed only if it was used: the library would connect first, when Python ends."""

    def __del__(self) -> None:
        client = getattr(self, "_storage", None)
        if client is not None:
            client.close()


def counts_in_mongodb(mongodb_uri: str) -> MongoDBStorage:
    """Where `limits` counts for every process of a deployment; it connects when it is first used."""
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
    """The limits that a setting names, such as `120/minute;2000/hour`; an empty one names none."""
    return parse_many(text) if text else []
