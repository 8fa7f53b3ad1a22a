"""Signatures of what we POST, by which receivers know that it is ours and fresh: Standard Webhooks, symmetric (v1)."""

import base64
import datetime as dt
import secrets
from typing import Final

from standardwebhooks.webhooks import Webhook

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
MIN_SECRET_BYTES: Final = 24
MAX_SECRET_BYTES: Final = 64


def new_secret() -> str:
    """Returns a new secret: `whsec_` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(secret: str, message_id: str, timestamp: dt.datetime, body: bytes) -> dict[str, str]:
    """Returns the headers of a body of UTF-8: id, time in whole seconds, and the signature over these and the body.

    `timestamp` has a time zone; receivers reject one that is minutes off. Raises ValueError for a timestamp without a
    time zone, an invalid secret, or a body that is not UTF-8.
    """
    if timestamp.tzinfo is None:
        raise ValueError("The timestamp has no time zone.")
    # The package ignores the time zone and takes any time for UTC.
    timestamp = timestamp.astimezone(dt.UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(timestamp.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, timestamp, body.decode()),
    }


def check_secret(secret: str) -> None:
    """Raises ValueError, a sentence, for a secret that is not like one of `new_secret`."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith(PREFIX) or not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        raise ValueError(f"Not a secret such as {PREFIX} and {SECRET_BYTES} random bytes in base64.")
