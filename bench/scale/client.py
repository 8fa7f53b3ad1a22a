"""HTTP client on one kept-alive connection, which measures the time of each response."""

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bench.contenders import API
from bench.server import ServerFailed

SECONDS = 60
# Idle time after which the client reconnects: gunicorn closes a connection that is silent for 5 s.
IDLE_SECONDS = 3.0


@dataclass(frozen=True)
class ApiRequest:
    """A request: path under `root`, body if it is a POST, and if the client sends its token."""

    path: str
    body: str | None = None
    with_token: bool = True
    root: str = API


@dataclass(frozen=True)
class Response:
    """A response: seconds until the whole response arrived, and its body."""

    seconds: float
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def next_path(self) -> str | None:
        """Returns the path of the link `next` under the API's root, or None on the last page."""
        link = self.json["_links"].get("next")
        if link is None:
            return None
        parts = urlsplit(link["href"])
        return f"{parts.path.removeprefix(API)}?{parts.query}"


class Unavailable(ServerFailed):
    """The server responded with 503."""


class Client:
    """Sends requests to one server, one at a time."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        self._used = 0.0
        self._token: Mapping[str, str] = {"OSDI-API-Token": token}

    def send(self, request: ApiRequest) -> Response:
        """Sends a request and returns the response. Raises Unavailable if it is 503, ServerFailed unless it is 200."""
        method, headers = ("POST", {"Content-Type": "application/json"}) if request.body else ("GET", {})
        if request.with_token:
            headers |= self._token
        if time.monotonic() - self._used > IDLE_SECONDS:
            self._connection.close()
            self._connection.connect()
        began = time.perf_counter()
        try:
            self._connection.request(
                method, request.root + request.path, request.body.encode() if request.body else None, headers
            )
            response = self._connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ServerFailed(f"{method} {request.path}: {error!r}") from error
        took = time.perf_counter() - began
        self._used = time.monotonic()
        if response.status == 503:
            raise Unavailable(f"{method} {request.path}: {body[:500]!r}")
        if response.status != 200:
            raise ServerFailed(f"{method} {request.path} got {response.status}: {body[:500]!r}")
        return Response(took, body)

    def close(self) -> None:
        self._connection.close()
