"""Verifies ID tokens: the signature by a key of the provider, and the claims (OpenID Connect Core 1.0, 3.1.3.7).

The algorithm has to be in ALGORITHMS, all of which are asymmetric: neither an unsigned token nor one that is signed by
the public key as a secret (HS256) gets as far as a key.
"""

import base64
import binascii
import datetime as dt
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from osdi.staff.oidc.errors import SignInFailed

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
KEY_TYPES: Final = frozenset({"RSA", "EC", "OKP"})
MAX_TOKEN_LENGTH: Final = 16_384
MAX_KEYS: Final = 20
# Clocks differ. A token that is older than ten minutes was not made for this sign-in.
LEEWAY: Final = dt.timedelta(seconds=60)
OLDEST: Final = dt.timedelta(minutes=10)
Claims = Mapping[str, Any]


class UnknownKey(SignInFailed):
    """No key of the provider has the id that the token names: the provider may have new keys."""

    def __init__(self) -> None:
        super().__init__("unknown_key")


def verified_claims(token: str, keys: Sequence[Mapping[str, Any]]) -> Claims:
    """Returns the claims of a token that one of the keys has signed. Raises SignInFailed."""
    from joserfc import jwt  # it takes a tenth of a second, which a web process needs not wait for
    from joserfc.errors import JoseError
    from joserfc.jwk import JWKRegistry

    header = _header(token)
    if header.get("alg") not in ALGORITHMS:
        raise SignInFailed("algorithm")
    candidates = _candidates(header.get("kid"), keys)
    if not candidates:
        raise UnknownKey
    for each in candidates[:MAX_KEYS]:
        try:
            key = JWKRegistry.import_key(dict(each))
            return jwt.decode(token, key, algorithms=[header["alg"]]).claims
        except (JoseError, ValueError, TypeError, RecursionError):
            continue
    raise SignInFailed("signature")


def check_claims(
    claims: Claims,
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    timestamp: dt.datetime,
    max_age: dt.timedelta | None = None,
) -> None:
    """Raises SignInFailed unless a token was made for this sign-in, by this issuer and for this client.

    `timestamp` is naive UTC. With `max_age` a provider that says when the person signed in there has to say that this
    is not longer ago.
    """
    if claims.get("iss") != issuer:
        raise SignInFailed("issuer")
    _check_audience(claims, client_id)
    if _time(claims, "exp") <= timestamp - LEEWAY:
        raise SignInFailed("expired")
    if not timestamp - OLDEST - LEEWAY <= _time(claims, "iat") <= timestamp + LEEWAY:
        raise SignInFailed("issued_at")
    if "nbf" in claims and _time(claims, "nbf") > timestamp + LEEWAY:
        raise SignInFailed("not_before")
    found = claims.get("nonce")
    if not isinstance(found, str) or not hmac.compare_digest(found.encode(), nonce.encode()):
        raise SignInFailed("nonce")
    if max_age is not None and "auth_time" in claims and _time(claims, "auth_time") < timestamp - max_age - LEEWAY:
        raise SignInFailed("not_fresh")


def signed_in_since(claims: Claims, timestamp: dt.datetime) -> bool:
    """True if the provider says that the person signed in there at a time (naive UTC) or later. Raises SignInFailed."""
    return "auth_time" in claims and _time(claims, "auth_time") >= timestamp


def verified_address(claims: Claims, hosted_domain: str) -> str:
    """Returns the e-mail address of a token, which the provider has verified. Raises SignInFailed."""
    if hosted_domain and claims.get("hd") != hosted_domain:
        raise SignInFailed("hosted_domain")
    if claims.get("email_verified") is not True:
        raise SignInFailed("unverified_address")
    email = claims.get("email")
    if not isinstance(email, str):
        raise SignInFailed("no_address")
    return email


def _check_audience(claims: Claims, client_id: str) -> None:
    """Raises SignInFailed unless the token is for our client; one for several has to name ours as `azp`."""
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
    if client_id not in audiences:
        raise SignInFailed("audience")
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != client_id:
        raise SignInFailed("authorized_party")


def _time(claims: Claims, name: str) -> dt.datetime:
    """Returns a time as naive UTC. Raises SignInFailed for a value that is none."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SignInFailed(f"no_{name}")
    try:
        return dt.datetime.fromtimestamp(value, dt.UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        raise SignInFailed(f"no_{name}") from None


def _header(token: str) -> dict[str, Any]:
    """Returns the header of a token, which nobody has verified. Raises SignInFailed."""
    if len(token) > MAX_TOKEN_LENGTH or not token.isascii():
        raise SignInFailed("format")
    text = token.partition(".")[0]
    try:
        found = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        raise SignInFailed("format") from None
    if not isinstance(found, dict):
        raise SignInFailed("format")
    return found


def _candidates(key_id: object, keys: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Returns the keys that may have signed a token: those with its key id, or all if it names none."""
    signing = [each for each in keys if each.get("kty") in KEY_TYPES and each.get("use", "sig") == "sig"]
    return [each for each in signing if key_id is None or each.get("kid") == key_id]
