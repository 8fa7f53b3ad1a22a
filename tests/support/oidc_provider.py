"""An OpenID provider: discovery, authorization with PKCE, ID tokens that are signed by a generated key.

It checks what a real provider checks: the client, its secret, the redirect URI, the verifier, and that a code is used
once. A test changes the ID token by `claims` and `sign`, and what the person does by `account` and `asks`.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "river client", "s3cret&+/:"
Claims = dict[str, Any]


@cache
def _key() -> RSAKey:
    """Returns the key of all providers of this process: generating one takes longer than a sign-in."""
    return RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})


class OidcProvider:
    """A real HTTP server on a free loopback port: `with OidcProvider() as provider: ... provider.issuer`."""

    def __init__(self) -> None:
        self.reset()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer_get(self)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.answer_post(self, dict(parse_qsl(body)))

            def log_message(self, *_: object) -> None:
                """Tests look at what was asked."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def reset(self) -> None:
        """Forgets codes and requests, and what a test has replaced."""
        self.key = _key()
        self.account: Claims = {"email": "ada@example.org", "email_verified": True}
        self.claims: Callable[[Claims], Claims] = lambda claims: claims
        self.sign: Callable[[Claims], str] = self.signed
        # Of documents and responses: what a test replaces.
        self.metadata: Claims = {}
        self.documents: dict[str, bytes] = {}
        self.response: dict[str, str] = {}
        # True: the person has to press a button, as in a browser.
        self.asks = False
        self.asked: list[dict[str, str]] = []
        self.requests: list[str] = []
        self.used_methods: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def settings(self) -> dict[str, str]:
        return {"oidc_issuer": self.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}

    def signed(self, claims: Claims, *, alg: str = "RS256", key: Any = None, **header: str) -> str:
        """Returns an ID token."""
        return jwt.encode({"alg": alg, "kid": "1", **header}, claims, key or self.key, algorithms=[alg])

    def authorize(self, address: str) -> str:
        """Does what a person does at the authorization endpoint; returns the address that the browser is led to."""
        asked = dict(parse_qsl(urlsplit(address).query))
        self.asked.append(asked)
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        response = {"code": code, "state": asked["state"], **self.response}
        return f"{asked['redirect_uri']}?{urlencode({name: text for name, text in response.items() if text})}"

    def id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": "7", "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        return self.sign(self.claims({**claims, **self.account}))

    def answer_get(self, handler: BaseHTTPRequestHandler) -> None:
        path = urlsplit(handler.path).path
        self.requests.append(path)
        if path in self.documents:
            _send(handler, 200, self.documents[path])
        elif path == "/.well-known/openid-configuration":
            endpoints = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
            found = {name: f"{self.issuer}/{each}" for name, each in endpoints.items()}
            _send(handler, 200, json.dumps({"issuer": self.issuer, **found, **self.metadata}).encode())
        elif path == "/jwks":
            _send(handler, 200, json.dumps({"keys": [self.key.as_dict(private=False)]}).encode())
        elif path == "/authorize" and self.asks:
            page = f'<h1>Provider</h1><form action="/consent"><input name="query" value="{_quoted(handler.path)}">'
            _send(handler, 200, f"<!DOCTYPE html><html>{page}<button>Agree</button></form>".encode(), "text/html")
        elif path == "/consent":
            (_, query), *_ = parse_qsl(urlsplit(handler.path).query)
            _send(handler, 303, b"", location=self.authorize(query))
        else:
            _send(handler, 404, b"{}")

    def answer_post(self, handler: BaseHTTPRequestHandler, form: dict[str, str]) -> None:
        self.requests.append(handler.path)
        if handler.path == "/moved":
            _send(handler, 307, b"", location="/token")
            return
        asked = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        valid = (
            self._knows_client(handler.headers.get("Authorization", ""), form)
            and asked is not None
            and asked["redirect_uri"] == form.get("redirect_uri")
            and asked["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
        )
        if not valid or asked is None:
            _send(handler, 400, b'{"error": "invalid_grant", "error_description": "<b>words of a stranger</b>"}')
            return
        body = {"access_token": "x", "token_type": "Bearer", "id_token": self.id_token(asked)}
        _send(handler, 200, json.dumps(body).encode())

    def _knows_client(self, authorization: str, form: dict[str, str]) -> bool:
        if authorization:
            self.used_methods.append("basic")
            pair = base64.b64decode(authorization.removeprefix("Basic ")).decode().split(":")
            return [unquote_plus(each) for each in pair] == [CLIENT, SECRET]
        self.used_methods.append("post")
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)

    def __enter__(self) -> "OidcProvider":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def _send(
    handler: BaseHTTPRequestHandler, status: int, body: bytes, kind: str = "application/json", location: str = ""
) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    if location:
        handler.send_header("Location", location)
    handler.end_headers()
    handler.wfile.write(body)


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;")
