"""Signing keys of a deployment, one for each purpose, which are created at the first use and stored in the database.

So web and worker processes share a key without a setting, and signed links in sent mails stay valid.
"""

import hashlib
import hmac
import secrets
from contextlib import suppress
from functools import lru_cache
from typing import Final

from itsdangerous import URLSafeTimedSerializer

from osdi.errors import DuplicateKey
from osdi.ids import now
from osdi.store import DocumentStore, Insert
from osdi.store.indexes import SIGNING_KEYS

KEY_BYTES: Final = 32
# The purpose of the key for tombstones (see osdi.privacy.tombstones).
ERASURE: Final = "erasure"
# That of the key for senders without a token (see osdi.access.sender_digests).
SENDERS: Final = "senders"
# The purpose of the key for the forms of staff pages (see blueprints.staff.forgery).
STAFF_FORMS: Final = "staff_forms"
# The purpose of the key for hashes in the suppression list (see osdi.suppression).
SUPPRESSION: Final = "suppression"
# That of the key for tokens of forms (see osdi.campaign_pages.form.form_token).
FORMS: Final = "forms"


def signing_key(store: DocumentStore, purpose: str) -> str:
    """Returns the deployment's key for a purpose, and creates it if there is none. Raises OsdiError 503."""
    found = store.get(SIGNING_KEYS, purpose)
    if found is None:
        with suppress(DuplicateKey):  # another process has inserted its key first: that one is used
            document = {"_id": purpose, "key": secrets.token_hex(KEY_BYTES), "created_date": now()}
            store.write(Insert(SIGNING_KEYS, document))
        found = store.get(SIGNING_KEYS, purpose)
    assert found is not None
    key: str = found["key"]
    return key


def timed_signer(store: DocumentStore, purpose: str, *, salt: str = "") -> URLSafeTimedSerializer:
    """Returns the serializer that signs and verifies the tokens of a purpose, and knows when it signed them.

    Purposes that share a key have different salts; without one the purpose is the salt. Raises OsdiError 503.
    """
    key = signing_key(store, purpose)
    return URLSafeTimedSerializer(key, salt=salt or purpose, signer_kwargs={"digest_method": hashlib.sha256})


# An import reads ahead by the hashes of some hundred rows, and asks for each again.
@lru_cache(maxsize=5_000)
def keyed_hash(key: bytes, text: str) -> str:
    """Returns the HMAC-SHA256 of a text in hexadecimal digits. Cached: a row of an import asks for it several times."""
    digest = _hmac(key).copy()
    digest.update(text.encode())
    return digest.hexdigest()


@lru_cache(maxsize=16)
def _hmac(key: bytes) -> hmac.HMAC:
    """Returns the HMAC of an empty text. Cached: OpenSSL takes longer to begin an HMAC than to compute a short one."""
    return hmac.new(key, digestmod="sha256")
