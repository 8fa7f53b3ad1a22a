"""Requests of the administration, each repeated until it is acknowledged, as the documentation demands of clients."""

import json
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from faults.load import CUT, EXPECTED, LATE_SECONDS, OK, RETRY_SECONDS, UNAVAILABLE, WITHOUT_RETRY_AFTER, Client
from faults.posts import TOKEN_HEADER

GONE: Final = "404"
# Time that a request is repeated after the stop. A killed process holds the lock of merges for up to 20 s.
WAIT_SECONDS: Final = 30.0


class NoResponse(Exception):
    """A request was given up after the stop, or was rejected; the remarks have the reason."""


@dataclass
class Responses:
    """Sentences about unexpected answers to the administration, and numbers of requests that were given up or cut."""

    remarks: list[str] = field(default_factory=list)
    given_up: int = 0
    cut: int = 0


class Requests:
    """Sends requests with a token over one connection, until `stop` and WAIT_SECONDS more."""

    def __init__(self, port: int, token: str, stop: threading.Event, responses: Responses) -> None:
        self._client = Client(port)
        self._headers = {"Content-Type": "application/json", TOKEN_HEADER: token}
        self._stop = stop
        self._answers = responses
        self._ends: float | None = None

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Sends the request until it gets 200; returns the response's body. Raises NoResponse.

        A DELETE that is repeated may find nothing: then an earlier attempt has succeeded, and the result is empty.
        """
        content = b"" if body is None else json.dumps(body).encode()
        repeated = False
        while True:
            began = time.monotonic()
            response = self._client.request(method, path, content, self._headers)
            if time.monotonic() - began > LATE_SECONDS:
                self._answers.remarks.append(f"{method} {path} took longer than {LATE_SECONDS:.0f} s")
            self._answers.cut += response.outcome == CUT
            if response.outcome == OK:
                found: dict[str, Any] = json.loads(response.body)
                return found
            if response.outcome == GONE and method == "DELETE" and repeated:
                return {}
            if response.outcome not in EXPECTED:
                self._answers.remarks.append(f"{method} {path} got {response.outcome}: {response.body[:500]!r}")
                raise NoResponse
            if response.outcome == UNAVAILABLE and not response.retry_after:
                self._answers.remarks.append(f"{method} {path}: {WITHOUT_RETRY_AFTER}")
            repeated = True
            self._wait(float(response.retry_after or RETRY_SECONDS.get(response.outcome, 1)))

    def close(self) -> None:
        self._client.close()

    def _wait(self, seconds: float) -> None:
        """Waits before the next attempt. Raises NoResponse if WAIT_SECONDS have passed."""
        time.sleep(seconds * random.uniform(1, 1.2))
        if self._stop.is_set():
            self._ends = self._ends or time.monotonic() + WAIT_SECONDS
            if time.monotonic() > self._ends:
                self._answers.given_up += 1
                raise NoResponse
