"""Rate limits: counts requests by token, without a token by IP address, and by the contact detail that they are about.

A request is counted before its view is called; the bytes of an anonymous post when its body is read. A request over a
limit gets 429 with `Retry-After`. Preflights are not counted, nor are GETs of public pages and assets. An outreach over
the limit of its contact detail is recorded nevertheless (docs/decisions/0027).

Each process counts for itself. If several processes share the limits, a process also counts in MongoDB what exceeds the
first part of a limit. So most callers, who send few requests, cause no write. MongoDB gets digests of keys only.
"""

import ipaddress
import math
import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from flask import Flask, current_app, g
from flask.globals import request_ctx
from limits import RateLimitItem
from limits.errors import StorageError
from limits.strategies import FixedWindowRateLimiter

from blueprints.http.access import identify
from osdi.access.fixed_windows import Windows
from osdi.access.rate_limit_storage import SharedCounters, counts_in_mongodb, items
from osdi.access.tokens import ANONYMOUS, Caller
from osdi.errors import too_many_requests
from osdi.ids import timestamp
from osdi.match_keys import email_key, mailbox_key
from osdi.resources import API, PAGES
from osdi.settings import Settings
from osdi.store.driver import MOCK

EXTENSION: Final = "osdi_rate_limits"

# The holder of one IPv6 address has its whole network, so the network is counted.
IPV6_NETWORK: Final = 64

# After a failure of the database, this process counts alone for this time, so that requests do not wait for it.
AWAY_SECONDS: Final = 10.0

# One part in this many of a limit is counted in a process only. The requests that several processes have counted so
# exceed the limit: with two processes by an eighth at most.
ALONE_PART: Final = 8


class CountsHere:
    """Fixed windows in this process, each from its first request on. (`limits` would start a thread per request.)"""

    def __init__(self) -> None:
        self._windows: dict[RateLimitItem, Windows] = {}
        self._lock = threading.Lock()

    def count(self, item: RateLimitItem, kind: str, key: str, cost: int) -> tuple[int, float]:
        """Adds `cost` to a window; returns its sum, and the seconds until the window ends."""
        with self._lock:
            windows = self._windows.get(item)
            if windows is None:
                windows = self._windows[item] = Windows(item.get_expiry())
            return windows.count(f"{kind}:{key}", cost)


class RateLimits:
    """The limits of one application: of callers, and of the contact details that anonymous posts are about."""

    def __init__(self, settings: Settings) -> None:
        self._per_address = items(settings.rate_limit_anonymous)
        self._bytes_per_address = items(settings.rate_limit_anonymous_bytes)
        self._per_token = items(settings.rate_limit_token)
        self._per_contact = items(settings.rate_limit_contact)
        self._per_sign_in = items(settings.rate_limit_sign_in)
        self._here = CountsHere()
        self._shared: SharedCounters | None = None
        if settings.rate_limit_storage == "mongodb" and not settings.mongodb_uri.startswith(MOCK):
            self._shared = counts_in_mongodb(settings.mongodb_uri)
        self._together = FixedWindowRateLimiter(self._shared) if self._shared else None
        # A plain number instead of a TTLCache, because comparing it needs no lock.
        self._away_until = 0.0

    def hit_caller(self, caller: Caller, address: str | None) -> None:
        """Counts a request of this caller. Raises OsdiError 429."""
        if caller.token_id is not None:
            self._hit(self._per_token, "token", caller.token_id)
        elif self._per_address:
            self._hit(self._per_address, "address", _network(address or ""))

    def contact_counter(self) -> Callable[[str], bool]:
        """Returns a function for one request: it counts the contact detail of a match key; True if it is over a limit.

        It counts a key once, although the request may match its person again after a write conflict.
        """

        counted: dict[str, bool] = {}  # a functools.cache takes longer to make than the counting

        def count(key: str) -> bool:
            if key not in counted:
                seconds = [self._over(item, "contact", key, 1) for item in self._per_contact]  # counts for each limit
                counted[key] = any(seconds)
            return counted[key]

        return count

    def hit_signup(self, address: str | None, keys: Sequence[str]) -> None:
        """Counts a signup of this address about the first of these match keys. Raises OsdiError 429.

        Other senders who post the same contact detail do not count, so nobody can lock a person out. The first key
        counts, whether or not it is stored, so that the response does not reveal who is.
        """
        for key in keys[:1]:
            self._hit(self._per_contact, "signup", f"{_network(address or '')} {key}")

    def hit_sign_in(self, address: str | None, email: str) -> None:
        """Counts a request for a sign-in mail, by this network address and by the mailbox. Raises OsdiError 429.

        It counts whether or not the mailbox is that of a member, so that the response does not reveal who is.
        """
        self._hit(self._per_sign_in, "sign-in address", _network(address or ""))
        self._hit(self._per_sign_in, "sign-in mailbox", mailbox_key(email_key(email)))

    def hit_test_mail(self, member_id: str) -> None:
        """Counts a test mail of a staff member, with the limit of sign-in mails. Raises OsdiError 429."""
        self._hit(self._per_sign_in, "test mail", member_id)

    def hit_bytes(self, number: int, address: str | None) -> None:
        """Counts the bytes of an anonymous post. Raises OsdiError 429 if a limit is exceeded."""
        if self._bytes_per_address and number:
            self._hit(self._bytes_per_address, "bytes", _network(address or ""), number)

    def close(self) -> None:
        """Closes the connection to the shared counters, if there is one."""
        if self._shared is not None:
            self._shared.storage.close()

    def _hit(self, limits: Sequence[RateLimitItem], kind: str, key: str, cost: int = 1) -> None:
        for item in limits:
            seconds = self._over(item, kind, key, cost)
            if seconds:
                raise too_many_requests(max(1, math.ceil(seconds)))

    def _over(self, item: RateLimitItem, kind: str, key: str, cost: int) -> float:
        """Counts a request; returns the seconds until the window ends if the limit is exceeded, else 0."""
        count, seconds = self._here.count(item, kind, key, cost)
        over = seconds if count > item.amount else 0
        alone = item.amount // ALONE_PART
        if over or count <= alone or self._together is None or time.monotonic() < self._away_until:
            return over
        # The first count that is shared includes what was counted here until then.
        shared_cost = count if count - cost <= alone else cost
        try:
            if self._together.hit(item, kind, key, cost=shared_cost):
                return 0
            return max(1, self._together.get_window_stats(item, kind, key).reset_time - timestamp())
        except StorageError:  # an outreach is more important than its count, so the request goes on
            self._away_until = time.monotonic() + AWAY_SECONDS
            return over


def limit_rates(app: Flask) -> None:
    """Counts every request to the API, and every post to a campaign page, before its view is called."""
    app.before_request(_count)


def rate_limits() -> RateLimits:
    """Returns the limits of the current application."""
    found: RateLimits = current_app.extensions[EXTENSION]
    return found


def _count() -> None:
    sent = request_ctx.request
    if sent.method == "OPTIONS":
        return
    if sent.path.startswith(API):
        # A request with an invalid token counts for its address, and is rejected later.
        rate_limits().hit_caller(identify(), sent.remote_addr)
    elif sent.method == "POST" and sent.path.startswith(f"{PAGES}/"):
        g.caller = ANONYMOUS  # pages read no token
        rate_limits().hit_caller(ANONYMOUS, sent.remote_addr)


@lru_cache(maxsize=10_000)
def _network(address: str) -> str:
    """Returns an IPv4 address, or the network of an IPv6 address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:  # a Unix socket has none
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, IPV6_NETWORK), strict=False))
