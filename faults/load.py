"""The load: clients that post until they are stopped, and the ledger of their requests and responses.

Half of the clients keep their connection, as a sync script does. The others reconnect for each post, as visitors do.
A client repeats a post, unchanged, if the connection is refused or cut, or if the response does not come in time. The
service's documentation demands this of clients. After a 503 a client waits for the `Retry-After`.
"""

import http.client
import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from faults.posts import Post, post

REFUSED, CUT, TIMED_OUT = "refused", "cut", "timed out"
OK, UNAVAILABLE = "200", "503"
EXPECTED = frozenset({OK, UNAVAILABLE, REFUSED, CUT, TIMED_OUT})

WITHOUT_RETRY_AFTER: Final = "503 without Retry-After"

# Time-out of a client; platforms' routers use the same.
RESPONSE_SECONDS: Final = 30.0
# Longest time of a response: the database hangs, a new primary is elected, and that hangs too.
LATE_SECONDS: Final = 23.0
# Time that a client continues to repeat its last post after the stop.
WAIT_SECONDS: Final = 20.0
PAUSE_SECONDS: Final = 0.005
RETRY_SECONDS: Final = {REFUSED: 0.2, CUT: 0.1, TIMED_OUT: 0.1}
JOIN_SECONDS: Final = RESPONSE_SECONDS + WAIT_SECONDS + 5


@dataclass(frozen=True)
class Attempt:
    """One request: number of its post, start and end (time.monotonic), and outcome."""

    number: int
    began: float
    ended: float
    outcome: str

    @property
    def seconds(self) -> float:
        return self.ended - self.began


@dataclass(frozen=True)
class Acknowledged:
    """A post that got 200: time of the response, and ids of outreach and person if the response names them."""

    post: Post
    timestamp: float
    outreach_id: str | None
    person_id: str | None


@dataclass
class Ledger:
    """All requests and responses of the clients. Threads only append to it; it is read after they have ended."""

    attempts: list[Attempt] = field(default_factory=list)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    given_up: list[Post] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    stopped: float = 0.0

    def outcomes(self) -> Counter[str]:
        """Returns the number of attempts by outcome."""
        return Counter(attempt.outcome for attempt in self.attempts)

    def unexpected(self) -> int:
        """Returns the number of responses with another status than 200 and 503."""
        return sum(count for outcome, count in self.outcomes().items() if outcome not in EXPECTED)

    def late(self) -> int:
        """Returns the number of attempts that took longer than LATE_SECONDS, with any outcome."""
        return sum(attempt.seconds > LATE_SECONDS for attempt in self.attempts)

    def longest_answer(self) -> float:
        """Returns the longest time, in seconds, that a request took, with any outcome."""
        return max((attempt.seconds for attempt in self.attempts), default=0.0)

    def longest_pause(self) -> float:
        """Returns the longest time, in seconds, without an acknowledgement during the load."""
        return longest_pause([each.timestamp for each in self.acknowledged], self.stopped)


def longest_pause(timestamps: Sequence[float], stopped: float) -> float:
    """Returns the longest gap between two timestamps, or between the last one and the stop.

    It counts only gaps that began before the stop.
    """
    ordered = sorted(timestamps)
    ends = [*ordered[1:], max(stopped, *ordered)] if ordered else []
    return max((end - begin for begin, end in zip(ordered, ends, strict=True) if begin < stopped), default=0.0)


class Load:
    """Runs `clients` clients in threads: `with Load(port, path, token, clients) as load: ...; load.finish()`.

    The posts have the numbers from `first` on.
    """

    def __init__(self, port: int, path: str, token: str, clients: int, *, first: int = 0) -> None:
        self.ledger = Ledger()
        self._port = port
        self._path = path
        self._token = token
        self._numbers = itertools.count(first)
        self._stop = threading.Event()
        self._abort = threading.Event()
        self._give_up = float("inf")
        self._threads = [
            threading.Thread(target=self._work, kwargs={"keeps_connection": number % 2 == 0}, daemon=True)
            for number in range(clients)
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._abort.set()

    def run(self, seconds: float) -> None:
        """Waits `seconds` while the clients post. Raises RuntimeError if one of them has ended."""
        self._stop.wait(seconds)
        if not all(thread.is_alive() for thread in self._threads):
            raise RuntimeError("a client of the load failed")

    def finish(self) -> Ledger:
        """Stops new posts, waits for the unfinished ones, and returns the ledger.

        Raises RuntimeError if a client does not end.
        """
        self.ledger.stopped = time.monotonic()
        self._give_up = self.ledger.stopped + WAIT_SECONDS
        self._stop.set()
        ends = time.monotonic() + JOIN_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            raise RuntimeError(f"a client of the load did not end within {JOIN_SECONDS:.0f} s")
        return self.ledger

    def _work(self, *, keeps_connection: bool) -> None:
        client = Client(self._port)
        try:
            while not self._stop.wait(PAUSE_SECONDS):
                self._post(client, post(next(self._numbers), self._token))
                if not keeps_connection:
                    client.close()
        finally:
            client.close()

    def _post(self, client: "Client", sent: Post) -> None:
        """Sends the post until it is acknowledged, gets a 4xx, or is given up."""
        while True:
            began = time.monotonic()
            response = client.request("POST", self._path, sent.body, sent.headers)
            ended = time.monotonic()
            self.ledger.attempts.append(Attempt(sent.number, began, ended, response.outcome))
            if response.outcome == OK:
                self.ledger.acknowledged.append(_acknowledged(sent, ended, response.body))
                return
            if response.outcome not in EXPECTED:
                self.ledger.remarks.append(f"{sent.source} got {response.outcome}: {response.body[:500]!r}")
            if response.outcome == UNAVAILABLE and not response.retry_after:
                self.ledger.remarks.append(WITHOUT_RETRY_AFTER)
            if response.outcome[0] == "4":
                return
            delay = float(response.retry_after or RETRY_SECONDS.get(response.outcome, 1))
            if self._abort.wait(delay * random.uniform(1, 1.2)) or time.monotonic() > self._give_up:
                self.ledger.given_up.append(sent)
                return


@dataclass(frozen=True)
class Response:
    """Result of one request: status or kind of failure, the header `Retry-After`, and the body."""

    outcome: str
    retry_after: str | None = None
    body: bytes = b""


class Client:
    """One connection to the service. It reconnects if the connection was closed."""

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=RESPONSE_SECONDS)

    def request(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Response:
        """Sends the request once. Returns the response, or the kind of failure as its outcome."""
        try:
            self._http.request(method, path, body, headers)
            response = self._http.getresponse()
            if response.length is None:  # http.client accepts a response that was cut within its headers
                raise http.client.IncompleteRead(b"")
            return Response(str(response.status), response.getheader("Retry-After"), response.read())
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Response(_kind(error))

    def close(self) -> None:
        self._http.close()


def _kind(error: Exception) -> str:
    """Returns the outcome of a request that got no response."""
    if isinstance(error, ConnectionRefusedError):
        return REFUSED
    return TIMED_OUT if isinstance(error, TimeoutError) else CUT


def _acknowledged(sent: Post, timestamp: float, body: bytes) -> Acknowledged:
    """Reads the ids of outreach and person from the response. Without a token the response is `{}` and has none."""
    response: dict[str, Any] = json.loads(body)
    if not response:
        return Acknowledged(sent, timestamp, None, None)
    outreach_id = response["identifiers"][0].partition(":")[2]
    return Acknowledged(sent, timestamp, outreach_id, response["_links"]["osdi:person"]["href"].rsplit("/", 1)[1])
