"""The load: clients that post until they are told to stop, and the ledger of what they were answered.

Every other client keeps its connection, as a sync script does; the others connect anew for each post, as visitors do.
What is refused, cut or not answered in time they send again, unchanged, as clients of the service are told to; an
answer of 503 they take at its Retry-After.
"""

import http.client
import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from faults.posts import Post, post

REFUSED, CUT, TIMED_OUT = "refused", "cut", "timed out"
OK, UNAVAILABLE = "200", "503"
FORESEEN = frozenset({OK, UNAVAILABLE, REFUSED, CUT, TIMED_OUT})

NOT_TOLD_WHEN: Final = "503 without Retry-After"

# How long a client waits, as a platform's router does.
ANSWER_SECONDS: Final = 30.0
# The longest that one operation may take: it hangs, waits for a new primary, and hangs there too.
LATE_SECONDS: Final = 23.0
# How long a client goes on with its last post after it was told to stop.
PATIENCE_SECONDS: Final = 20.0
THINKING_SECONDS: Final = 0.005
AGAIN_SECONDS: Final = {REFUSED: 0.2, CUT: 0.1, TIMED_OUT: 0.1}
JOIN_SECONDS: Final = ANSWER_SECONDS + PATIENCE_SECONDS + 5


@dataclass(frozen=True)
class Attempt:
    """One request: its post's number, when it was begun and ended (time.monotonic), and what came of it."""

    number: int
    began: float
    ended: float
    outcome: str

    @property
    def seconds(self) -> float:
        return self.ended - self.began


@dataclass(frozen=True)
class Acknowledged:
    """A post that was answered 200 at a moment, and of which outreach and person the answer spoke, if of any."""

    post: Post
    timestamp: float
    outreach_id: str | None
    person_id: str | None


@dataclass
class Ledger:
    """Everything that clients saw. Threads only append to it; it is read when they have ended."""

    attempts: list[Attempt] = field(default_factory=list)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    given_up: list[Post] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    stopped: float = 0.0

    def outcomes(self) -> Counter[str]:
        """How many attempts ended in which way."""
        return Counter(attempt.outcome for attempt in self.attempts)

    def unforeseen(self) -> int:
        """How many answers had another status than 200 and 503."""
        return sum(count for outcome, count in self.outcomes().items() if outcome not in FORESEEN)

    def late(self) -> int:
        """How many attempts took longer than LATE_SECONDS, whatever came of them."""
        return sum(attempt.seconds > LATE_SECONDS for attempt in self.attempts)

    def longest_answer(self) -> float:
        """The longest time, in seconds, that a client waited for what came of a request."""
        return max((attempt.seconds for attempt in self.attempts), default=0.0)

    def longest_pause(self) -> float:
        """The longest time, in seconds, in which nothing was acknowledged while the load was on."""
        return longest_pause([each.timestamp for each in self.acknowledged], self.stopped)


def longest_pause(moments: Sequence[float], stopped: float) -> float:
    """The longest gap between two of the moments, or between the last of them and the stop, that began before it."""
    ordered = sorted(moments)
    ends = [*ordered[1:], max(stopped, *ordered)] if ordered else []
    return max((end - begin for begin, end in zip(ordered, ends, strict=True) if begin < stopped), default=0.0)


class Load:
    """So many clients at work: `with Load(port, path, token, clients) as load: ...; load.finish()`."""

    def __init__(self, port: int, path: str, token: str, clients: int) -> None:
        self.ledger = Ledger()
        self._port = port
        self._path = path
        self._token = token
        self._numbers = itertools.count()
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
        """Let the clients work for so long. Raises RuntimeError where one of them has ended."""
        self._stop.wait(seconds)
        if not all(thread.is_alive() for thread in self._threads):
            raise RuntimeError("a client of the load failed")

    def finish(self) -> Ledger:
        """Stop posting anew, wait for what is under way, and return the ledger.

        Raises RuntimeError where a client does not end.
        """
        self.ledger.stopped = time.monotonic()
        self._give_up = self.ledger.stopped + PATIENCE_SECONDS
        self._stop.set()
        ends = time.monotonic() + JOIN_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            raise RuntimeError(f"a client of the load did not end within {JOIN_SECONDS:.0f} s")
        return self.ledger

    def _work(self, *, keeps_connection: bool) -> None:
        client = Client(self._port, self._path)
        try:
            while not self._stop.wait(THINKING_SECONDS):
                self._post(client, post(next(self._numbers), self._token))
                if not keeps_connection:
                    client.close()
        finally:
            client.close()

    def _post(self, client: "Client", sent: Post) -> None:
        """Send it until it is acknowledged, refused for good, or given up."""
        while True:
            began = time.monotonic()
            answer = client.send(sent)
            ended = time.monotonic()
            self.ledger.attempts.append(Attempt(sent.number, began, ended, answer.outcome))
            if answer.outcome == OK:
                self.ledger.acknowledged.append(_acknowledged(sent, ended, answer.body))
                return
            if answer.outcome not in FORESEEN:
                self.ledger.remarks.append(f"{sent.source} was answered {answer.outcome}: {answer.body[:500]!r}")
            if answer.outcome == UNAVAILABLE and not answer.retry_after:
                self.ledger.remarks.append(NOT_TOLD_WHEN)
            if answer.outcome[0] == "4":
                return
            again = float(answer.retry_after or AGAIN_SECONDS.get(answer.outcome, 1))
            if self._abort.wait(again * random.uniform(1, 1.2)) or time.monotonic() > self._give_up:
                self.ledger.given_up.append(sent)
                return


@dataclass(frozen=True)
class Answer:
    """What came of one request: a status or the kind of failure, the Retry-After as it was told, and the body."""

    outcome: str
    retry_after: str | None = None
    body: bytes = b""


class Client:
    """One connection to the service, opened again where it was closed."""

    def __init__(self, port: int, path: str) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
        self._path = path

    def send(self, sent: Post) -> Answer:
        """Post it once."""
        try:
            self._http.request("POST", self._path, sent.body, sent.headers)
            answer = self._http.getresponse()
            if answer.length is None:  # http.client takes an answer that is cut among its headers for a whole one
                raise http.client.IncompleteRead(b"")
            return Answer(str(answer.status), answer.getheader("Retry-After"), answer.read())
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Answer(_kind(error))

    def close(self) -> None:
        self._http.close()


def _kind(error: Exception) -> str:
    """How a request failed that got no answer."""
    if isinstance(error, ConnectionRefusedError):
        return REFUSED
    return TIMED_OUT if isinstance(error, TimeoutError) else CUT


def _acknowledged(sent: Post, timestamp: float, body: bytes) -> Acknowledged:
    """Read the outreach's own identifier, which comes first, and the person's link; without a token there is none."""
    answer: dict[str, Any] = json.loads(body)
    if not answer:
        return Acknowledged(sent, timestamp, None, None)
    outreach_id = answer["identifiers"][0].partition(":")[2]
    return Acknowledged(sent, timestamp, outreach_id, answer["_links"]["osdi:person"]["href"].rsplit("/", 1)[1])
