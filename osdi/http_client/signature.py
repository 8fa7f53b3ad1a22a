"""Signatures of what we POST, by which receivers know that it is ours and fresh: Standard Webhooks, symmetric (v1)."""

import base64
import datetime as dt
import secrets
from typing import Final

from standardwebhooks.webhooks import Webhook

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
SECRET_BYTES_LEAST: Final = 24
SECRET_BYTES_MOST: Final = 64


def new_secret() -> str:
    """A secret that nobody has seen yet: `whsec_` and 32 bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(secret: str, message_id: str, timestamp: dt.datetime, body: bytes) -> dict[str, str]:
    """The headers that go with a body of UTF-8: id, time in whole seconds, and the signature over these and the body.

    `moment` is aware; receivers refuse what is minutes off. Raises ValueError for a naive one, and for a secret or a
    body that is none.
    """
    if timestamp.tzinfo is None:
        raise ValueError("A moment without a time zone.")
    # The package takes any time for UTC, whatever zone it is in.
    timestamp = timestamp.astimezone(dt.UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(timestamp.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, timestamp, body.decode()),
    }


def check_secret(secret: str) -> None:
    """Raises ValueError, a sentence, for what is no secret that somebody has made with care."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith(PREFIX) or not SECRET_BYTES_LEAST <= len(key) <= SECRET_BYTES_MOST:
        raise ValueError(f"Not a secret such as {PREFIX} and {SECRET_BYTES} random bytes in base64.")
