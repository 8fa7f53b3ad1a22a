"""Keys that this deployment signs with, one for each purpose: made when first needed and kept in the database.

So web and worker processes have the same one without a setting, and links that were sent once stay good.
"""

import secrets
from contextlib import suppress
from typing import Final

from osdi.errors import DuplicateKey
from osdi.ids import now
from osdi.store import DocumentStore, Insert

SIGNING_KEYS: Final = "signing_keys"
KEY_BYTES: Final = 32
# The purpose of the key with which tombstones are made (see osdi.privacy.tombstones).
ERASURE: Final = "erasure"


def signing_key(store: DocumentStore, purpose: str) -> str:
    """The deployment's key for a purpose. Raises OsdiError 503."""
    found = store.get(SIGNING_KEYS, purpose)
    if found is None:
        with suppress(DuplicateKey):  # another process was first, and its key counts
            made = {"_id": purpose, "key": secrets.token_hex(KEY_BYTES), "created_date": now()}
            store.write(Insert(SIGNING_KEYS, made))
        found = store.get(SIGNING_KEYS, purpose)
    assert found is not None
    key: str = found["key"]
    return key
