"""The signed token of a rendered form: its campaign, the time when it was made, and an idempotency key.

A form needs no session and no cookie. All processes of a deployment sign with one key (osdi.access.signing_keys), so
any of them reads the token of another. The token proves no identity: without a valid one the server asks the supporter
to confirm.
"""

import hashlib
import secrets
import threading
from dataclasses import dataclass, replace
from typing import Final

from itsdangerous import BadData, URLSafeSerializer

from osdi.access.signing_keys import FORMS, signing_key
from osdi.ids import timestamp
from osdi.store import DocumentStore

KEY_BYTES: Final = 16
MAX_TOKEN_LENGTH: Final = 500
DAY: Final = 24 * 60 * 60


@dataclass(frozen=True)
class FormToken:
    """The content of a token. `made` is in seconds since 1970; `confirmed` is True on a page that asks to confirm."""

    campaign_id: str
    made: float
    key: str
    confirmed: bool = False

    @classmethod
    def new(cls, campaign_id: str, *, confirmed: bool = False) -> "FormToken":
        """Returns a token that is made now, with a new idempotency key."""
        return cls(campaign_id, timestamp(), secrets.token_urlsafe(KEY_BYTES), confirmed)

    def renewed(self, *, confirmed: bool) -> "FormToken":
        """Returns a token that is made now and keeps the idempotency key, so that one form stays one outreach."""
        return replace(self, made=timestamp(), confirmed=confirmed)

    def expired(self) -> bool:
        """True if the form is older than a day: its idempotency key may be forgotten."""
        return timestamp() - self.made > DAY

    def too_quick(self, seconds: float) -> bool:
        """True if the form was sent in less than `seconds`, and was not sent by the button of a page that asks.

        0 seconds are never too few, also if the clocks of two processes differ.
        """
        return not self.confirmed and bool(seconds) and timestamp() - self.made < seconds


class FormTokens:
    """Signs and reads tokens; reads the key once for each process."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store
        self._serializer: URLSafeSerializer | None = None
        self._lock = threading.Lock()

    def signed(self, token: FormToken) -> str:
        """Returns the token as text for a hidden control. Raises OsdiError 503."""
        text = self._signer().dumps([token.campaign_id, round(token.made, 1), token.key, token.confirmed])
        return text if isinstance(text, str) else text.decode()

    def read(self, text: str, campaign_id: str) -> FormToken | None:
        """Returns the token of a text; None if this deployment has not signed it for this campaign.

        Raises OsdiError 503.
        """
        if not text or len(text) > MAX_TOKEN_LENGTH:
            return None
        try:
            found = FormToken(*self._signer().loads(text))
        except BadData:
            return None
        return found if found.campaign_id == campaign_id else None

    def _signer(self) -> URLSafeSerializer:
        with self._lock:
            if self._serializer is None:
                key = signing_key(self._store, FORMS)
                self._serializer = URLSafeSerializer(
                    key, salt=FORMS, signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"}
                )
            return self._serializer
