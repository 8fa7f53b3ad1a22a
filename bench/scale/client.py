"""One client on a connection that stays open, and what it was answered, with the time that it took."""

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
# gunicorn closes a connection that is silent for 5 s.
IDLE_SECONDS = 3.0


@dataclass(frozen=True)
class Ask:
    """A request: its path under the API's root, with a body where it is a post, and whether the token goes along."""

    path: str
    body: str | None = None
    with_token: bool = True


@dataclass(frozen=True)
class Answer:
    """Seconds until the whole answer was there, and its body."""

    seconds: float
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def next_path(self) -> str | None:
        """The path under the API's root that the link `next` names, or None on the last page."""
        link = self.json["_links"].get("next")
        if link is None:
            return None
        parts = urlsplit(link["href"])
        return f"{parts.path.removeprefix(API)}?{parts.query}"


class Client:
    """Sends requests to one server, one after the other."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        self._used = 0.0
        self._token: Mapping[str, str] = {"OSDI-API-Token": token}

    def ask(self, ask: Ask) -> Answer:
        """Raises ServerFailed on any answer but success."""
        method, headers = ("POST", {"Content-Type": "application/json"}) if ask.body else ("GET", {})
        if ask.with_token:
            headers |= self._token
        if time.monotonic() - self._used > IDLE_SECONDS:
            self._connection.close()
            self._connection.connect()
        began = time.perf_counter()
        try:
            self._connection.request(method, API + ask.path, ask.body.encode() if ask.body else None, headers)
            response = self._connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ServerFailed(f"{method} {ask.path}: {error!r}") from error
        took = time.perf_counter() - began
        self._used = time.monotonic()
        if response.status != 200:
            raise ServerFailed(f"{method} {ask.path} was answered {response.status}: {body[:500]!r}")
        return Answer(took, body)

    def close(self) -> None:
        self._connection.close()
