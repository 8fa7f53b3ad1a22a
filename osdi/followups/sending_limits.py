"""Sending limits: how many follow-ups of anonymous posts are sent, in all and to one address.

The package `limits` counts in the same MongoDB, so that all workers count together. The storage stores digests only.
"""

import math
from dataclasses import dataclass

from limits import RateLimitItem
from limits.errors import StorageError
from limits.storage import MemoryStorage, MongoDBStorage
from limits.strategies import FixedWindowRateLimiter

from osdi.access.rate_limit_storage import counts_in_mongodb, items
from osdi.action_functions.followup_kinds import AUTORESPONSE, CALL_RESPONSE, MAILS, SMS_RESPONSE
from osdi.errors import DatabaseUnavailable
from osdi.ids import timestamp
from osdi.settings import Settings
from osdi.store.driver import MOCK


@dataclass(frozen=True)
class LimitReached:
    """A sending limit is reached: that of the address, or that of all, which allows more after `seconds`."""

    address: bool
    seconds: int = 0


class SendingLimits:
    """The sending limits of one deployment."""

    def __init__(self, settings: Settings) -> None:
        phone = items(settings.rate_limit_phone)
        self._all = {AUTORESPONSE: items(settings.rate_limit_mail), SMS_RESPONSE: phone, CALL_RESPONSE: phone}
        self._address = items(settings.rate_limit_mail_address)
        in_memory = settings.mongodb_uri.startswith(MOCK)
        self._storage = MemoryStorage() if in_memory else counts_in_mongodb(settings.mongodb_uri)
        self._limiter = FixedWindowRateLimiter(self._storage)
        self._used = False

    def reached(self, kind: str, key: str) -> LimitReached | None:
        """Counts a follow-up of a kind to the match key of a mailbox or number; None if it may be sent.

        Mails of all kinds count together.
        While the limit of all is reached, the address is not counted, so that waiting does not use up its own limit.
        Raises OsdiError 503.
        """
        self._used = True
        kind = AUTORESPONSE if kind in MAILS else kind
        try:
            for item in self._all[kind]:
                if not self._limiter.test(item, "followups", kind):
                    return self._wait(item, kind)
            for item in self._address:
                if not self._limiter.hit(item, "followup", kind, key):
                    return LimitReached(address=True)
            for item in self._all[kind]:
                if not self._limiter.hit(item, "followups", kind):
                    return self._wait(item, kind)
        except StorageError as error:
            raise DatabaseUnavailable from error
        return None

    def close(self) -> None:
        """Closes the connection that counts, unless nothing was counted: closing would open one first."""
        if self._used and isinstance(self._storage, MongoDBStorage):
            self._storage.storage.close()

    def _wait(self, item: RateLimitItem, kind: str) -> LimitReached:
        until = self._limiter.get_window_stats(item, "followups", kind).reset_time
        return LimitReached(address=False, seconds=max(1, math.ceil(until - timestamp())))
