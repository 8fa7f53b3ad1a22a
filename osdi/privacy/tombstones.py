"""Who was erased: tombstones by which an import knows somebody who asked to be forgotten, and does not bring them back.

A tombstone is the HMAC-SHA256 of a match key under a key of this deployment, so that nobody who has the collection
alone can try addresses on it. Whoever has the database has that key too; docs/privacy.md says so.
"""

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from functools import cache

from osdi.access.signing_keys import ERASURE, signing_key
from osdi.privacy.erasure_store import any_tombstone, lay_tombstones, lift_tombstones, tombstones_since
from osdi.store import Store

EMAIL, PHONE = "email:", "phone:"


def was_erased(store: Store, keys: Sequence[str]) -> bool:
    """Whether these match keys of one person, as `MatchKeys.all` has them, are of somebody who was erased.

    As in matching, a phone number tells nothing where there is an e-mail address: households share phones. Raises
    OsdiError 503.
    """
    return erased_in(store)(keys)


def erased_in(store: Store) -> Callable[[Sequence[str]], bool]:
    """`was_erased` of this store, for whoever asks often: the deployment's key is read once, at the first question.

    Not before, so that an import which waits for a database that is away waits for the key too.
    """
    key = cache(lambda: signing_key(store, ERASURE))

    def is_erased(keys: Sequence[str]) -> bool:
        return any_tombstone(store, _digests(key(), _identifying(keys)))

    return is_erased


def erased_since(store: Store, timestamp: dt.datetime) -> Callable[[Sequence[str]], bool]:
    """As `erased_in`, of whoever was erased at this moment (naive UTC) or later. Raises OsdiError 503."""
    digests = tombstones_since(store, timestamp)
    if not digests:
        return lambda _: False
    key = signing_key(store, ERASURE)
    return lambda keys: not digests.isdisjoint(_digests(key, _identifying(keys)))


def note_erasure(store: Store, keys: Iterable[str], timestamp: dt.datetime) -> None:
    """Remember that whoever has these match keys was erased; safe to repeat. Raises OsdiError 503."""
    lay_tombstones(store, _digests(signing_key(store, ERASURE), keys), timestamp)


def forget_erasure(store: Store, keys: Iterable[str]) -> int:
    """Let imports bring back whoever has these match keys; how many of them were known. Raises OsdiError 503."""
    return lift_tombstones(store, _digests(signing_key(store, ERASURE), keys))


def _identifying(keys: Sequence[str]) -> list[str]:
    """Those of somebody's match keys that tell who they are."""
    has_email = any(each.startswith(EMAIL) for each in keys)
    return [each for each in keys if not (has_email and each.startswith(PHONE))]


def _digests(key: str, keys: Iterable[str]) -> list[str]:
    secret = bytes.fromhex(key)
    return [hmac.new(secret, each.encode(), hashlib.sha256).hexdigest() for each in dict.fromkeys(keys)]
