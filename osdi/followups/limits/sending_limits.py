"""Sending limits: how many follow-ups of anonymous posts are sent, in all and to one address.

The package `limits` counts in the same MongoDB, so that all workers count together. The storage stores digests only.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from limits import RateLimitItem
from limits.errors import StorageError
from limits.storage import MemoryStorage, MongoDBStorage
from limits.strategies import FixedWindowRateLimiter

from osdi.access.rate_limit_storage import SharedCounters, counts_in_mongodb, items
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
        kind = _counted_as(kind)
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

    def count_ahead(self, kind: str, keys: Sequence[str]) -> list[bool]:
        """Counts follow-ups of a kind to these match keys at once; returns for each whether it was counted.

        One that was not counted may still be sent: `reached` decides. Raises OsdiError 503.
        """
        if not isinstance(self._storage, SharedCounters):
            return [False] * len(keys)
        self._used = True
        kind = _counted_as(kind)
        all_keys = {item.key_for("followups", kind): item for item in self._all[kind]}
        taken = {
            key: self._storage.take(key, item.get_expiry(), len(keys), item.amount) for key, item in all_keys.items()
        }
        at_most = min(taken.values(), default=len(keys))
        counted = [number < at_most for number in range(len(keys))]
        for item in self._address:
            # Only those that have passed the limits before.
            asked = [number for number, passed in enumerate(counted) if passed]
            of_addresses = [item.key_for("followup", kind, keys[number]) for number in asked]
            added = self._storage.count_each(of_addresses, item.get_expiry(), item.amount) if asked else []
            for number, passed in zip(asked, added, strict=True):
                counted[number] = passed
        self._storage.give_back({key: amount - sum(counted) for key, amount in taken.items()})
        return counted

    def give_back(self, kind: str, keys: Sequence[str]) -> None:
        """Uncounts follow-ups that were counted ahead and not sent. Raises OsdiError 503."""
        if keys and isinstance(self._storage, SharedCounters):
            kind = _counted_as(kind)
            of_addresses = Counter(item.key_for("followup", kind, key) for item in self._address for key in keys)
            of_all = {item.key_for("followups", kind): len(keys) for item in self._all[kind]}
            self._storage.give_back(of_all | of_addresses)

    def close(self) -> None:
        """Closes the connection that counts, unless nothing was counted: closing would open one first."""
        if self._used and isinstance(self._storage, MongoDBStorage):
            self._storage.storage.close()

    def _wait(self, item: RateLimitItem, kind: str) -> LimitReached:
        until = self._limiter.get_window_stats(item, "followups", kind).reset_time
        return LimitReached(address=False, seconds=max(1, math.ceil(until - timestamp())))


def _counted_as(kind: str) -> str:
    """Returns the kind under which a follow-up counts: mails of all kinds count together."""
    return AUTORESPONSE if kind in MAILS else kind
