"""Keyed digests of the network addresses of callers without a token, by which a double click is recognised.

A digest shows no address: addresses are few enough to try all of them, but not without the deployment's key.
"""

import threading

from osdi.access.signing_keys import SENDERS, keyed_hash, signing_key
from osdi.store import DocumentStore


class SenderDigests:
    """Makes the digests; reads the key once for each process."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store
        self._key = ""
        self._lock = threading.Lock()

    def of(self, address: str | None) -> str:
        """Returns the digest of an address; empty without one, as at a Unix socket. Raises OsdiError 503."""
        if not address:
            return ""
        with self._lock:
            self._key = self._key or signing_key(self._store, SENDERS)
        return keyed_hash(self._key.encode(), address)
