"""Contenders of the benchmark: prepares and serves each one, makes its requests, and checks its database afterwards.

Each contender does the same job: it records an outreach of one person. Each has its own database on the same server.
"""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench import bodies
from bench.load import CONNECTIONS, Request, Traffic
from bench.server import ROOT, ServerFailed, environment
from osdi.store import Store

API = "/api/v1"
# The campaign's id for contenders that do not check if the campaign exists.
CAMPAIGN = "01890a5d-ac96-774b-bcce-b302099a8057"
COMMAND_SECONDS = 60
WEBHOOK_EVENT = "outreach_recorded"
# Address of a webhook where no server listens.
UNREACHABLE = "http://127.0.0.1:9/osdi"


@dataclass(frozen=True)
class Counts:
    """Numbers of people and outreaches in a database, and of outreaches that match `Contender.expected`."""

    people: int
    outreaches: int
    complete: int


class Contender(Protocol):
    """One application in the comparison."""

    key: str
    label: str
    app: str
    requests_per_outreach: int
    expected: Mapping[str, object]
    """MongoDB query that every outreach must match afterwards, such as a queued follow-up."""

    def folder(self, scratch: Path) -> Path:
        """Returns the working folder of gunicorn."""

    def variables(self, uri: str) -> dict[str, str]:
        """Returns the environment variables of the application and its commands."""

    def prepare(self, uri: str) -> None:
        """Prepares the database before the server starts."""

    def traffic(self, port: int) -> Traffic:
        """Creates what the load needs on the running server, and returns the load."""


class Ours:
    """The application of this checkout, used through its own commands, configuration and routes.

    With `shared_phone` all posts have one phone number. With `trigger` each request asks for an autoresponse whose
    message exists. `webhook` is the address of a webhook for every outreach. No worker runs, so the events stay queued.
    """

    app = "wsgi:app"
    requests_per_outreach = 1

    def __init__(
        self,
        key: str,
        label: str,
        *,
        with_token: bool,
        known_people: bool = False,
        shared_phone: bool = False,
        trigger: bool = False,
        webhook: str = "",
    ) -> None:
        self.key = key
        self.label = label
        self.with_token = with_token
        self.known_people = known_people
        self.shared_phone = shared_phone
        self.trigger = trigger
        self.webhook = webhook
        self.token = ""
        queued = {"followups": {"$elemMatch": {"kind": "autoresponse", "state": "queued"}}} if trigger else {}
        self.expected: Mapping[str, object] = queued | ({"webhook_events.event": WEBHOOK_EVENT} if webhook else {})

    def folder(self, scratch: Path) -> Path:
        return ROOT

    def variables(self, uri: str) -> dict[str, str]:
        # The rate limits count requests as in production, but allow one address to send all of them.
        limits = ("RATE_LIMIT_ANONYMOUS", "RATE_LIMIT_TOKEN", "RATE_LIMIT_CONTACT")
        return {
            "MONGODB_URI": uri,
            "WEBHOOK_NETWORKS": "127.0.0.0/8",
            **dict.fromkeys(limits, "1000000/second"),
            # Posts about known people are equal, and all come from one address.
            "REPEAT_SECONDS": "0",
            "RATE_LIMIT_ANONYMOUS_BYTES": "1000000000/second",
        }

    def prepare(self, uri: str) -> None:
        self._flask(uri, "indexes")
        self.token = self._flask(uri, "tokens", "create", "bench").splitlines()[-1].strip()
        if self.webhook:
            self._flask(uri, "webhooks", "create", self.webhook, "--event", WEBHOOK_EVENT)

    def traffic(self, port: int) -> Traffic:
        headers = {"OSDI-API-Token": self.token}
        created = send(port, "POST", f"{API}/advocacy_campaigns", '{"title": "Bench", "name": "Bench"}', headers)
        campaign = json.loads(created)["_links"]["self"]["href"].rstrip("/").rsplit("/", 1)[-1]
        if self.trigger:
            send(port, "POST", f"{API}/messages", json.dumps(bodies.message()), headers)
            triggers = {"autoresponse": {"identifiers": [bodies.MESSAGE]}}
            send(port, "PUT", f"{API}/advocacy_campaigns/{campaign}/triggers", json.dumps(triggers), headers)
        path = f"{API}/advocacy_campaigns/{campaign}/record_outreach_helper"
        if self.known_people:
            post_all(port, path, map(bodies.known_person_body, range(bodies.KNOWN_PEOPLE)), headers)
        body = bodies.helper_body(identifiers=self.with_token, known_person=self.known_people, trigger=self.trigger)
        if self.shared_phone:
            body = body.replace("@phone@", bodies.SHARED_PHONE)
        known = bodies.KNOWN_PEOPLE if self.known_people else 0
        return Traffic((Request(path, body),), headers if self.with_token else {}, known)

    def _flask(self, uri: str, *arguments: str) -> str:
        """Runs a command of the application and returns its output. Raises ServerFailed if it fails."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        finished = subprocess.run(
            command,
            cwd=ROOT,
            env=environment(self.variables(uri)),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if finished.returncode != 0:
            raise ServerFailed(f"flask {' '.join(arguments)} failed:\n{finished.stdout}{finished.stderr}")
        return finished.stdout.strip()


class Floor:
    """The bare Flask view (bench/floor.py)."""

    app = "bench.floor:app_from_environment()"
    requests_per_outreach = 1
    expected: Mapping[str, object] = {}

    def __init__(self, key: str, label: str, *, commit: str, known_people: bool = False) -> None:
        self.key = key
        self.label = label
        self.commit = commit
        self.known_people = known_people

    def folder(self, scratch: Path) -> Path:
        return scratch

    def variables(self, uri: str) -> dict[str, str]:
        return {"MONGODB_URI": uri, "FLOOR_COMMIT": self.commit}

    def prepare(self, uri: str) -> None:
        # The floor uses our index declaration, so that it always pays for the same indexes.
        store = Store(uri)
        store.create_indexes()
        store.close()

    def traffic(self, port: int) -> Traffic:
        path = f"{API}/advocacy_campaigns/{CAMPAIGN}/record_outreach_helper"
        if not self.known_people:
            return Traffic((Request(path, bodies.helper_body(identifiers=True)),), {})
        post_all(port, path, map(bodies.known_person_body, range(bodies.KNOWN_PEOPLE)), {})
        body = bodies.helper_body(identifiers=True, known_person=True)
        return Traffic((Request(path, body),), {}, bodies.KNOWN_PEOPLE)


class EvePairs:
    """Eve with two requests for an outreach: one creates the person, the next an outreach that refers to it."""

    key = "eve"
    label = "Eve pairs"
    app = "bench.eve_pairs:app_from_environment()"
    requests_per_outreach = 2
    expected: Mapping[str, object] = {}

    def folder(self, scratch: Path) -> Path:
        return scratch

    def variables(self, uri: str) -> dict[str, str]:
        return {"MONGODB_URI": uri}

    def prepare(self, uri: str) -> None:
        from bench import eve_pairs  # only `make bench` installs Eve

        eve_pairs.create_indexes(uri)

    def traffic(self, port: int) -> Traffic:
        person = bodies.person("@unique@", identifiers=True) | {"_id": "@unique@"}
        outreach = bodies.outreach(identifiers=True) | {"person": "@unique@", "advocacy_campaign": CAMPAIGN}
        people = Request("/people", bodies.template(person))
        return Traffic((people, Request("/outreaches", bodies.template(outreach))), {})


CONTENDERS: tuple[Contender, ...] = (
    Ours("ours-token", "ours, with token", with_token=True),
    Ours("ours-trigger", "ours, with token and trigger", with_token=True, trigger=True),
    Ours("ours-webhook", "ours, with token and a webhook", with_token=True, webhook=UNREACHABLE),
    Ours("ours-public", "ours, without token", with_token=False),
    Ours("ours-public-trigger", "ours, without token, with trigger", with_token=False, trigger=True),
    Floor("floor-ordered", "floor, ordered", commit="ordered"),
    Floor("floor-transaction", "floor, transaction", commit="transaction"),
    EvePairs(),
    Ours("ours-phone", "ours, one phone number", with_token=True, shared_phone=True),
    Ours("ours-known", "ours, known people", with_token=True, known_people=True),
    Ours("ours-public-known", "ours, known people, without token", with_token=False, known_people=True),
    Floor("floor-known", "floor, known people", commit="ordered", known_people=True),
)


def send(port: int, method: str, path: str, body: str, headers: Mapping[str, str]) -> bytes:
    """Sends a JSON request to a server on this machine. Returns the body. Raises ServerFailed unless it gets 2xx."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=COMMAND_SECONDS)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    if not 200 <= response.status < 300:
        raise ServerFailed(f"{method} {path} got {response.status}: {content[:500]!r}")
    return content


def post_all(port: int, path: str, texts: Iterable[str], headers: Mapping[str, str]) -> None:
    """Posts each body once, several at a time. Creates data before a measurement. Raises ServerFailed."""
    with ThreadPoolExecutor(CONNECTIONS // 2) as pool:
        for sent in [pool.submit(send, port, "POST", path, text, headers) for text in texts]:
            sent.result()


def check_counts(contender: Contender, traffic: Traffic, counts: Counts, responses: int, runs: int) -> None:
    """Compares the database with the responses. Raises ServerFailed if they do not match.

    `responses` counts the successful responses. At the end of a run wrk leaves requests without a response, at most one
    for each connection. The server may have written these too.
    """
    pending = runs * CONNECTIONS
    people = 0 if traffic.known_people else counts.people
    if contender.requests_per_outreach == 2:
        written, balanced = people + counts.outreaches, abs(people - counts.outreaches) <= pending
    else:
        # Each response stands for a new person and an outreach. A known person exists already: no duplicate may appear.
        written = counts.outreaches - traffic.known_people
        balanced = counts.people == (traffic.known_people or counts.outreaches)
    balanced = balanced and counts.complete == counts.outreaches
    if not balanced or not responses <= written <= responses + pending:
        raise ServerFailed(f"{contender.label}: {responses} requests succeeded, but the database has {counts}")
