"""Begins a sign-in at the OpenID provider, and ends it in the browser in which it began.

A signed cookie has the state of a sign-in: `state` binds the response to this browser, `nonce` the ID token to this
sign-in, and the verifier the code to us (PKCE). The server stores nothing before a member is signed in, and makes no
account.
"""

import base64
import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from itsdangerous import BadData

from osdi.access.signing_keys import timed_signer
from osdi.documents import Document
from osdi.errors import OsdiError
from osdi.staff.members import find_member, staff_address
from osdi.staff.oidc.errors import SignInFailed
from osdi.staff.oidc.id_token import (
    Claims,
    UnknownKey,
    check_claims,
    signed_in_since,
    verified_address,
    verified_claims,
)
from osdi.staff.oidc.provider import Provider
from osdi.staff.sessions import FRESH
from osdi.store import Store

PURPOSE: Final = "oidc"
VALID_SECONDS: Final = 600
SCOPE: Final = "openid email"
MAX_LENGTH: Final = 4_000


@dataclass(frozen=True)
class Begun:
    """A sign-in that has begun: the address at the provider, and the content of the cookie."""

    address: str
    cookie: str


@dataclass(frozen=True)
class Ended:
    """A sign-in that has succeeded: the member, and the path of the page that the member wanted to see.

    `fresh` is True if the person has just signed in at the provider too, and not only the browser was known there.
    """

    member: Document
    next: str
    fresh: bool


@dataclass(frozen=True)
class _Remembered:
    """The content of the cookie. `fresh` is True if the person has to sign in at the provider once more."""

    state: str
    nonce: str
    verifier: str
    next: str
    fresh: bool


def begin(
    store: Store, provider: Provider, redirect_uri: str, *, next_page: str = "", fresh_for: str | None = None
) -> Begun:
    """Begins a sign-in; `fresh_for` is the address of a member who has to sign in once more.

    Raises SignInFailed if the provider does not respond, and OsdiError 503.
    """
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "scope": SCOPE,
        "state": state,
        "nonce": nonce,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
    }
    if provider.hosted_domain:
        asked["hd"] = provider.hosted_domain
    if fresh_for is not None:
        asked |= {"prompt": "login", "max_age": str(int(FRESH.total_seconds())), "login_hint": fresh_for}
    endpoint = provider.metadata.authorization_endpoint
    address = f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"
    content = [state, nonce, verifier, next_page, fresh_for is not None]
    return Begun(address, timed_signer(store, PURPOSE).dumps(content))


def end(
    store: Store,
    provider: Provider,
    redirect_uri: str,
    response: Mapping[str, str],
    cookie: str,
    timestamp: dt.datetime,
) -> Ended:
    """Ends a sign-in by the provider's response, the arguments of an address. Raises SignInFailed and OsdiError 503."""
    remembered = _remembered(store, cookie)
    if not hmac.compare_digest(response.get("state", "").encode("utf-8", "surrogatepass"), remembered.state.encode()):
        raise SignInFailed("state")
    _check_issuer(provider, response)
    if "error" in response:
        raise SignInFailed("declined" if response["error"] == "access_denied" else "provider_error")
    code = response.get("code", "")
    if not code or len(code) > MAX_LENGTH:
        raise SignInFailed("no_code")
    claims = _claims(provider, provider.id_token(code, remembered.verifier, redirect_uri))
    check_claims(
        claims,
        issuer=provider.issuer,
        client_id=provider.client_id,
        nonce=remembered.nonce,
        timestamp=timestamp,
        max_age=FRESH if remembered.fresh else None,
    )
    fresh = remembered.fresh or signed_in_since(claims, timestamp - FRESH)
    return Ended(_member(store, verified_address(claims, provider.hosted_domain)), remembered.next, fresh)


def _remembered(store: Store, cookie: str) -> _Remembered:
    if not cookie or len(cookie) > MAX_LENGTH:
        raise SignInFailed("no_cookie")
    try:
        return _Remembered(*timed_signer(store, PURPOSE).loads(cookie, max_age=VALID_SECONDS))
    except BadData:
        raise SignInFailed("cookie") from None


def _check_issuer(provider: Provider, response: Mapping[str, str]) -> None:
    """Raises SignInFailed for a response of another provider, which must not be sent to ours (RFC 9207)."""
    named = response.get("iss")
    if named is None and not provider.metadata.names_issuer:
        return
    if named != provider.issuer:
        raise SignInFailed("response_issuer")


def _claims(provider: Provider, token: str) -> Claims:
    try:
        return verified_claims(token, provider.keys())
    except UnknownKey:
        return verified_claims(token, provider.keys(again=True))


def _member(store: Store, email: str) -> Document:
    try:
        member = find_member(store, staff_address(email))
    except OsdiError as error:
        if error.status >= 500:
            raise
        raise SignInFailed("no_address") from None
    if member is None:
        raise SignInFailed("no_member")
    if member["disabled"]:
        raise SignInFailed("disabled", member["_id"])
    return member


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
