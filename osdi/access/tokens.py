"""Tokens and callers: a token has 256 random bits, is shown once, and is stored as a hash.

A token has scopes, and may be scoped to one campaign. Its successor keeps both.
"""

import datetime as dt
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from osdi.errors import forbidden, unauthorized
from osdi.ids import new_id, now

PREFIX: Final = "osdi_"
READ, WRITE, ADMIN = "read", "write", "admin"
SCOPES: Final = (READ, WRITE, ADMIN)
MAX_TOKEN_LENGTH: Final = 200


@dataclass(frozen=True)
class Caller:
    """The sender of a request: the holder of a token, who may be one of the stored people, or an anonymous sender.

    `imports` is True for an import by the operator, which has every scope and keeps the strictest opt-outs.
    """

    token_id: str | None = None
    name: str | None = None
    scopes: frozenset[str] = frozenset()
    person_id: str | None = None
    advocacy_campaign_id: str | None = None
    holder_id: str | None = None
    imports: bool = False
    # The source of the opt-outs that the sender reports, see osdi.suppression.
    source: str = "api"

    @property
    def has_token(self) -> bool:
        return self.token_id is not None

    def may(self, scope: str) -> bool:
        """True if the token has the scope; `admin` includes every other."""
        return scope in self.scopes or ADMIN in self.scopes

    def require(self, scope: str) -> None:
        """Raises OsdiError 403 if the token lacks the scope."""
        if not self.may(scope):
            raise forbidden(f"This token lacks the scope '{scope}'.")

    def require_campaign(self, advocacy_campaign_id: str | None) -> None:
        """Raises OsdiError 403 for a campaign-scoped token if the request is about no campaign or another one."""
        if self.advocacy_campaign_id not in (None, advocacy_campaign_id):
            raise forbidden(
                "This token is scoped to one campaign: it can read that campaign, and read, record, change and delete"
                " its outreaches. Use another token for other requests.",
                "CAMPAIGN_TOKEN",
            )


ANONYMOUS: Final = Caller()
IMPORTER: Final = Caller(
    token_id="import",  # noqa: S106  # no secret
    name="import",
    scopes=frozenset(SCOPES),
    holder_id="import",
    imports=True,
    source="file",
)
# An import from another server.
PULLER: Final = replace(IMPORTER, source="pull")


def new_token(
    name: str,
    scopes: tuple[str, ...] = SCOPES,
    person_id: str | None = None,
    advocacy_campaign_id: str | None = None,
) -> tuple[str, dict[str, Any]]:
    """Returns a secret to show once, and the document to store for it."""
    secret = PREFIX + secrets.token_urlsafe(32)
    return secret, stored_token(name, secret, scopes, person_id, advocacy_campaign_id)


def stored_token(
    name: str,
    secret: str,
    scopes: tuple[str, ...] = SCOPES,
    person_id: str | None = None,
    advocacy_campaign_id: str | None = None,
) -> dict[str, Any]:
    """Returns the document of a token: `{_id, name, hash, scopes, created_date, person_id?, advocacy_campaign_id?}`.

    Later there may be `expires_date`, `last_used_date` (a whole minute), and `holder_id` (see `successor`).
    """
    document = {
        "_id": new_id(),
        "name": name,
        "hash": token_hash(secret),
        "scopes": list(scopes),
        "created_date": now(),
    }
    bound = {"person_id": person_id, "advocacy_campaign_id": advocacy_campaign_id}
    return document | {field: value for field, value in bound.items() if value}


def successor(token: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Returns a secret to show once, and the document of the token that replaces this one.

    All successors of a token have its id as `holder_id`: the holder stays the same, so an Idempotency-Key that was sent
    with the former token is recognised with the new one.
    """
    person_id, campaign_id = token.get("person_id"), token.get("advocacy_campaign_id")
    secret, document = new_token(token["name"], tuple(token["scopes"]), person_id, campaign_id)
    return secret, document | {"holder_id": token.get("holder_id", token["_id"])}


def token_hash(secret: str) -> str:
    """Returns the hash of a token, which is stored. A plain hash is enough: 256 random bits cannot be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def has_expired(token: Mapping[str, Any], timestamp: dt.datetime) -> bool:
    """True if a stored token has expired at a timestamp (naive UTC)."""
    return "expires_date" in token and bool(token["expires_date"] <= timestamp)


def caller_from(token: Mapping[str, Any] | None, timestamp: dt.datetime) -> Caller:
    """Returns the caller of a stored token at a timestamp (naive UTC).

    Raises OsdiError 401 if there is no token or it has expired.
    """
    if token is None:
        raise unauthorized("The token is not valid.")
    if has_expired(token, timestamp):
        raise unauthorized("The token has expired.")
    return Caller(
        token_id=token["_id"],
        name=token["name"],
        scopes=frozenset(token["scopes"]),
        person_id=token.get("person_id"),
        advocacy_campaign_id=token.get("advocacy_campaign_id"),
        holder_id=token.get("holder_id", token["_id"]),
    )
