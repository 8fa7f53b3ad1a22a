"""The OpenID provider of a deployment: its metadata and keys, which are cached, and the exchange of a code.

Every exchange has a bound in time and size. The operator names the issuer, so that may be in a private network. An
address on another host in its metadata has to be public, so a provider cannot lead requests to other internal servers.
"""

import base64
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

import orjson

from osdi.http_client.fetch import HttpFetch
from osdi.http_client.post import NotDelivered
from osdi.settings import Settings
from osdi.staff.oidc.errors import SignInFailed
from osdi.values.web_addresses import origin_of, secure_address

DISCOVERY: Final = "/.well-known/openid-configuration"
REQUEST_SECONDS: Final = 5.0
KEPT_SECONDS: Final = 3_600.0
# After a failure nothing is asked for this long, so that a provider that is away holds no threads of the web process.
PAUSE_SECONDS: Final = 10.0
# Keys are read again for a token with an unknown key, but not more often.
KEYS_SECONDS: Final = 60.0
ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
BASIC, POST = "client_secret_basic", "client_secret_post"


@dataclass(frozen=True)
class Metadata:
    """The part of a provider's metadata that a sign-in needs; `names_issuer` is True if its responses have `iss`."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    basic: bool
    names_issuer: bool


class _Cached:
    """A document that is read at most once in KEPT_SECONDS; after a failure not for PAUSE_SECONDS."""

    def __init__(self, read: Callable[[], Any]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._value: Any = None
        self._failure = ""
        self._read_at = 0.0
        self._until = 0.0

    def get(self, *, newer_than: float | None = None) -> Any:
        """Returns the document; with `newer_than` one that was read in the last such seconds. Raises SignInFailed."""
        with self._lock:
            timestamp = time.monotonic()
            old = newer_than is not None and timestamp - self._read_at >= newer_than
            if timestamp >= self._until or (old and not self._failure):
                self._refresh(timestamp)
            if self._failure:
                raise SignInFailed(self._failure)
            return self._value

    def _refresh(self, timestamp: float) -> None:
        self._read_at = timestamp
        try:
            self._value, self._failure = self._read(), ""
            self._until = timestamp + KEPT_SECONDS
        except SignInFailed as error:
            self._failure, self._until = error.reason, time.monotonic() + PAUSE_SECONDS


class Provider:
    """The provider that the settings name. It asks for nothing before the first sign-in."""

    def __init__(self, settings: Settings) -> None:
        self.issuer = settings.oidc_issuer
        self.client_id = settings.oidc_client_id
        self.hosted_domain = settings.oidc_hosted_domain
        self._secret = settings.oidc_client_secret
        self._networks = settings.webhook_networks
        self._metadata = _Cached(self._read_metadata)
        self._keys = _Cached(self._read_keys)

    @property
    def metadata(self) -> Metadata:
        """The provider's metadata. Raises SignInFailed."""
        found: Metadata = self._metadata.get()
        return found

    def keys(self, *, again: bool = False) -> list[dict[str, Any]]:
        """Returns the provider's keys (JWK); with `again` new ones, if they were not just read. Raises SignInFailed."""
        found: list[dict[str, Any]] = self._keys.get(newer_than=KEYS_SECONDS if again else None)
        return found

    def id_token(self, code: str, verifier: str, redirect_uri: str) -> str:
        """Exchanges a code and returns the ID token. Raises SignInFailed."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {}
        if self.metadata.basic:
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self._secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self.client_id, "client_secret": self._secret}
        content = self._document(self.metadata.token_endpoint, "token", urlencode(form).encode(), headers)
        token = content.get("id_token")
        if not isinstance(token, str):
            raise SignInFailed("no_id_token")
        return token

    def _read_metadata(self) -> Metadata:
        found = self._document(self.issuer.rstrip("/") + DISCOVERY, "discovery")
        if found.get("issuer") != self.issuer:
            raise SignInFailed("discovery_issuer")
        try:
            authorization, token, keys = (secure_address(str(found.get(name, ""))) for name in ENDPOINTS)
        except ValueError:
            raise SignInFailed("discovery_endpoint") from None
        methods = found.get("token_endpoint_auth_methods_supported") or (BASIC,)
        names_issuer = found.get("authorization_response_iss_parameter_supported") is True
        return Metadata(authorization, token, keys, BASIC in methods or POST not in methods, names_issuer)

    def _read_keys(self) -> list[dict[str, Any]]:
        found = self._document(self.metadata.jwks_uri, "keys").get("keys")
        if not isinstance(found, list):
            raise SignInFailed("keys_format")
        return [each for each in found if isinstance(each, dict)]

    def _document(
        self, url: str, name: str, form: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Returns the JSON object at an address. Raises SignInFailed with a reason that begins with `name`."""
        guarded = origin_of(url) != origin_of(self.issuer)
        try:
            found = orjson.loads(self._http.fetch(url, form, headers, guarded=guarded))
        except NotDelivered as error:
            raise SignInFailed(f"{name}_{error.reason}") from None
        except orjson.JSONDecodeError:
            raise SignInFailed(f"{name}_format") from None
        if not isinstance(found, dict):
            raise SignInFailed(f"{name}_format")
        return found

    @cached_property
    def _http(self) -> HttpFetch:
        """The client, which reads the certificates of the system when it is made."""
        return HttpFetch(self._networks, seconds=REQUEST_SECONDS)
