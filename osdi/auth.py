"""Who calls: tokens, made from 256 random bits, shown once and stored as a hash, and the scopes they carry."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from osdi.errors import forbidden, unauthorized
from osdi.ids import new_id, now

PREFIX = "osdi_"
READ, WRITE, ADMIN = "read", "write", "admin"
SCOPES = (READ, WRITE, ADMIN)
MAXIMUM_LENGTH = 200


@dataclass(frozen=True)
class Caller:
    """Who sends a request: the holder of a token, who may be one of the people here, or nobody known."""

    token_id: str | None = None
    name: str | None = None
    scopes: frozenset[str] = frozenset()
    person_id: str | None = None

    @property
    def has_token(self) -> bool:
        return self.token_id is not None

    def require(self, scope: str) -> None:
        """Raises OsdiError 403 where the token lacks the scope; `admin` holds every other."""
        if scope not in self.scopes and ADMIN not in self.scopes:
            raise forbidden(f"This token lacks the scope '{scope}'.")


ANONYMOUS = Caller()


def new_token(name: str, scopes: tuple[str, ...] = SCOPES, person_id: str | None = None) -> tuple[str, dict[str, Any]]:
    """A secret to show once, and the document to store for it."""
    secret = PREFIX + secrets.token_urlsafe(32)
    return secret, stored_token(name, secret, scopes, person_id)


def stored_token(
    name: str, secret: str, scopes: tuple[str, ...] = SCOPES, person_id: str | None = None
) -> dict[str, Any]:
    """What is kept of a token: `{_id, name, hash, scopes, created_date}` and whose it is, where that is known."""
    document = {
        "_id": new_id(),
        "name": name,
        "hash": token_hash(secret),
        "scopes": list(scopes),
        "created_date": now(),
    }
    return document | ({"person_id": person_id} if person_id else {})


def token_hash(secret: str) -> str:
    """What is stored of a token. A plain hash is enough: there is nothing to guess in 256 random bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def caller_from(document: Mapping[str, Any] | None) -> Caller:
    """The caller behind a stored token. Raises OsdiError 401 where there is none."""
    if document is None:
        raise unauthorized("The token is not valid.")
    return Caller(document["_id"], document["name"], frozenset(document["scopes"]), document.get("person_id"))
