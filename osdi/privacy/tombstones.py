"""Tombstones: hashes by which an import recognises an erased person and does not create them again.

A tombstone is the HMAC-SHA256 of a match key under a key of this deployment, so that a copy of this collection alone
does not allow testing addresses. A copy of the whole database does, as it contains that key; see docs/privacy.md.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from functools import cache

from osdi.access.signing_keys import ERASURE, keyed_hash, signing_key
from osdi.privacy.erasure_store import (
    any_tombstone,
    date_of_tombstone,
    lay_tombstones,
    lift_tombstones,
    tombstones_since,
)
from osdi.store import Store

EMAIL, PHONE = "email:", "phone:"


def was_erased(store: Store, keys: Sequence[str]) -> bool:
    """True if these match keys of one person (see `MatchKeys.all`) belong to an erased person.

    As in matching, phone numbers are ignored if there is an e-mail address, because households share phones. Raises
    OsdiError 503.
    """
    return erased_in(store)(keys)


def erased_in(store: Store) -> Callable[[Sequence[str]], bool]:
    """Returns `was_erased` for this store as a function that reads the deployment's key once, at its first call.

    The key is not read earlier, so that the retries of an import cover an unavailable database here too.
    """
    ids = tombstone_ids_in(store)
    return lambda keys: any_tombstone(store, ids(keys))


def tombstone_ids_in(store: Store) -> Callable[[Sequence[str]], list[str]]:
    """Returns a function from the match keys of one person to the ids of the tombstones by which `was_erased` decides.

    It reads the deployment's key once, at its first call. The ids are in TOMBSTONES.
    """
    key = cache(lambda: signing_key(store, ERASURE))
    return lambda keys: _digests(key(), _identifying(keys))


def erased_since(store: Store, timestamp: dt.datetime) -> Callable[[Sequence[str], dt.datetime], bool]:
    """Returns the same as `erased_in` for erasures at `timestamp` (naive UTC) or later; it takes a second argument.

    That is the time when the person was created: who was created after the erasure is not the erased person. Raises
    OsdiError 503.
    """
    digests = tombstones_since(store, timestamp)
    key = signing_key(store, ERASURE) if digests else ""

    def is_erased(keys: Sequence[str], created: dt.datetime) -> bool:
        found = _digests(key, _identifying(keys)) if digests else []
        return any(created <= digests[each] for each in found if each in digests)

    return is_erased


def erased_date(store: Store, keys: Sequence[str]) -> dt.datetime | None:
    """Returns the time (naive UTC) at which a person with one of these match keys was erased; None if nobody was.

    Raises OsdiError 503.
    """
    return date_of_tombstone(store, _digests(signing_key(store, ERASURE), keys))


def note_erasure(store: Store, keys: Iterable[str], timestamp: dt.datetime) -> None:
    """Stores tombstones for these match keys; safe to repeat. Raises OsdiError 503."""
    lay_tombstones(store, _digests(signing_key(store, ERASURE), keys), timestamp)


def forget_erasure(store: Store, keys: Iterable[str]) -> int:
    """Deletes the tombstones of these match keys, so that imports accept them; returns their number.

    Raises OsdiError 503.
    """
    return lift_tombstones(store, _digests(signing_key(store, ERASURE), keys))


def _identifying(keys: Sequence[str]) -> list[str]:
    """Returns the match keys of one person that identify them."""
    has_email = any(each.startswith(EMAIL) for each in keys)
    return [each for each in keys if not (has_email and each.startswith(PHONE))]


def _digests(key: str, keys: Iterable[str]) -> list[str]:
    secret = bytes.fromhex(key)
    return [keyed_hash(secret, each) for each in dict.fromkeys(keys)]
