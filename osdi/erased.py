"""Who was erased: tombstones by which an import knows somebody who asked to be forgotten, and does not bring them back.

A tombstone is the HMAC-SHA256 of a match key under a key of this deployment, so that nobody who has the collection
alone can try addresses on it. Whoever has the database has that key too; docs/privacy.md says so.
"""

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Final

from osdi.store import Store
from osdi.store.erasure import any_tombstone, lay_tombstones, lift_tombstones
from osdi.store.signing_keys import signing_key

PURPOSE: Final = "erasure"
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
    key = cache(lambda: signing_key(store, PURPOSE))

    def is_erased(keys: Sequence[str]) -> bool:
        has_email = any(each.startswith(EMAIL) for each in keys)
        asked = [each for each in keys if not (has_email and each.startswith(PHONE))]
        return any_tombstone(store, _digests(key(), asked))

    return is_erased


def note_erasure(store: Store, keys: Iterable[str], moment: dt.datetime) -> None:
    """Remember that whoever has these match keys was erased; safe to repeat. Raises OsdiError 503."""
    lay_tombstones(store, _digests(signing_key(store, PURPOSE), keys), moment)


def forget_erasure(store: Store, keys: Iterable[str]) -> int:
    """Let imports bring back whoever has these match keys; how many of them were known. Raises OsdiError 503."""
    return lift_tombstones(store, _digests(signing_key(store, PURPOSE), keys))


def _digests(key: str, keys: Iterable[str]) -> list[str]:
    secret = bytes.fromhex(key)
    return [hmac.new(secret, each.encode(), hashlib.sha256).hexdigest() for each in dict.fromkeys(keys)]
