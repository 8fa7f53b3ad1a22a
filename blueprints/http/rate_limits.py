"""How often one caller may call: counted by token, without one by address, and by contact detail that is posted.

A request is counted before its view is called, in this process or, where several are to count together, in the same
MongoDB. Whoever is over a limit is refused with 429 and told when to come back. Pages, assets and preflights are not
counted. Contact details are counted by their hash, so that nobody's address stands in the counters.
"""

import hashlib
import ipaddress
import math
import threading
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from flask import Flask, current_app, request
from limits import RateLimitItem
from limits.errors import StorageError
from limits.storage import MongoDBStorage
from limits.strategies import FixedWindowRateLimiter

from blueprints.http.access import identify
from osdi.access.fixed_windows import Windows
from osdi.access.rate_limit_storage import counts_in_mongodb, items
from osdi.access.tokens import Caller
from osdi.errors import too_many_requests
from osdi.resources import API
from osdi.settings import Settings
from osdi.store.driver import MOCK

EXTENSION: Final = "osdi_rate_limits"

# Whoever has one IPv6 address has all of its network.
IPV6_NETWORK: Final = 64

# Counting is worth no more waiting than it takes once: a database that was away is not asked again for a while.
AWAY_SECONDS: Final = 10.0


class CountsHere:
    """Fixed windows in this process, each from its first request on. (`limits` would start a thread a request.)"""

    def __init__(self) -> None:
        self._windows: dict[RateLimitItem, Windows] = {}
        self._lock = threading.Lock()

    def over(self, item: RateLimitItem, kind: str, key: str) -> float:
        """Count one; seconds until the window ends where that was one too many, else 0."""
        with self._lock:
            windows = self._windows.get(item)
            if windows is None:
                windows = self._windows[item] = Windows(item.get_expiry())
            count, seconds = windows.count(f"{kind}:{key}")
        return seconds if count > item.amount else 0


class RateLimits:
    """The limits of one application: of callers, and of the contact details that come through the open door."""

    def __init__(self, settings: Settings) -> None:
        self._per_address = items(settings.rate_limit_anonymous)
        self._per_token = items(settings.rate_limit_token)
        self._per_contact = items(settings.rate_limit_contact)
        self._here = CountsHere()
        self._shared: MongoDBStorage | None = None
        if settings.rate_limit_storage == "mongodb" and not settings.mongodb_uri.startswith(MOCK):
            self._shared = counts_in_mongodb(settings.mongodb_uri)
        self._together = FixedWindowRateLimiter(self._shared) if self._shared else None
        # No TTLCache: nothing is remembered but a time, and to compare it takes no lock.
        self._away_until = 0.0

    def hit_caller(self, caller: Caller, address: str | None) -> None:
        """Count a request of this caller. Raises OsdiError 429."""
        if caller.token_id is not None:
            self._hit(self._per_token, "token", caller.token_id)
        elif self._per_address:
            self._hit(self._per_address, "address", _network(address or ""))

    def hit_contacts(self, keys: Iterable[str]) -> None:
        """Count a post about these contact details (match keys). Raises OsdiError 429 for one that came too often."""
        if self._per_contact:
            for key in keys:
                self._hit(self._per_contact, "contact", hashlib.sha256(key.encode()).hexdigest())

    def close(self) -> None:
        """Close the connection by which is counted, where there is one."""
        if self._shared is not None:
            self._shared.storage.close()

    def _hit(self, limits: Sequence[RateLimitItem], kind: str, key: str) -> None:
        for item in limits:
            seconds = self._over(item, kind, key)
            if seconds:
                raise too_many_requests(max(1, math.ceil(seconds)))

    def _over(self, item: RateLimitItem, kind: str, key: str) -> float:
        if self._together is None or time.monotonic() < self._away_until:
            return self._here.over(item, kind, key)
        try:
            if self._together.hit(item, kind, key):
                return 0
            return max(1, self._together.get_window_stats(item, kind, key).reset_time - time.time())
        except StorageError:  # an outreach that the database takes again is not lost for the sake of a count
            self._away_until = time.monotonic() + AWAY_SECONDS
            return self._here.over(item, kind, key)


def limit_rates(app: Flask, settings: Settings) -> None:
    """Count every request to the application's API before it is answered."""
    app.extensions[EXTENSION] = RateLimits(settings)
    app.before_request(_count)


def rate_limits() -> RateLimits:
    """The limits of the application that answers this request."""
    found: RateLimits = current_app.extensions[EXTENSION]
    return found


def _count() -> None:
    if request.method == "OPTIONS" or not request.path.startswith(API):
        return
    # A request with an invalid token counts for its address, and is rejected later.
    rate_limits().hit_caller(identify(), request.remote_addr)


@lru_cache(maxsize=10_000)
def _network(address: str) -> str:
    """The address, or of an IPv6 address its network."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:  # a Unix socket has none
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, IPV6_NETWORK), strict=False))
