"""Ceilings: how many follow-ups go out that came through the open door, in all and to one address.

Counted by `limits` in the same MongoDB, so all workers count together; addresses are counted by their hash.
"""

import hashlib
import math
import time
from dataclasses import dataclass

from limits import RateLimitItem
from limits.errors import StorageError
from limits.storage import MemoryStorage, MongoDBStorage
from limits.strategies import FixedWindowRateLimiter

from osdi.access.rate_limit_storage import counts_in_mongodb, items
from osdi.errors import unavailable
from osdi.settings import Settings
from osdi.store.driver import MOCK


@dataclass(frozen=True)
class LimitReached:
    """A ceiling is reached: of this address, or of all, and then for so many seconds."""

    address: bool
    seconds: int = 0


class SendingLimits:
    """The ceilings of one deployment."""

    def __init__(self, settings: Settings) -> None:
        self._all = items(settings.rate_limit_mail)
        self._address = items(settings.rate_limit_mail_address)
        in_memory = settings.mongodb_uri.startswith(MOCK)
        self._storage = MemoryStorage() if in_memory else counts_in_mongodb(settings.mongodb_uri)
        self._limiter = FixedWindowRateLimiter(self._storage)
        self._used = False

    def over(self, kind: str, key: str) -> LimitReached | None:
        """Count a follow-up of this kind to this match key; None where it may go. Raises OsdiError 503.

        Where all have to wait the address is not counted, so that waiting does not use up what it may get.
        """
        digest = hashlib.sha256(key.encode()).hexdigest()
        self._used = True
        try:
            for item in self._all:
                if not self._limiter.test(item, "followups", kind):
                    return self._wait(item, kind)
            for item in self._address:
                if not self._limiter.hit(item, "followup", kind, digest):
                    return LimitReached(address=True)
            for item in self._all:
                if not self._limiter.hit(item, "followups", kind):
                    return self._wait(item, kind)
        except StorageError as error:
            raise unavailable("The database does not answer at the moment.") from error
        return None

    def close(self) -> None:
        """Close the connection by which was counted; where nothing was, closing would open one first."""
        if self._used and isinstance(self._storage, MongoDBStorage):
            self._storage.storage.close()

    def _wait(self, item: RateLimitItem, kind: str) -> LimitReached:
        until = self._limiter.get_window_stats(item, "followups", kind).reset_time
        return LimitReached(address=False, seconds=max(1, math.ceil(until - time.time())))
