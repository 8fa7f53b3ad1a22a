"""The contenders: how each one is prepared, served and addressed, and what must be in its database afterwards.

All of them get the same job: record an outreach of one person. Each has a database of its own on the same server.
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
# The campaign's id where nobody looks whether the campaign exists.
CAMPAIGN = "01890a5d-ac96-774b-bcce-b302099a8057"
COMMAND_SECONDS = 60
WEBHOOK_EVENT = "outreach_recorded"
# A webhook's address at which nobody listens.
NOBODY = "http://127.0.0.1:9/osdi"


@dataclass(frozen=True)
class Counts:
    """How many people and outreaches a database holds, and how many of these have `noted` what they should."""

    people: int
    outreaches: int
    noted: int


class Contender(Protocol):
    """What the round needs to know of one contender."""

    key: str
    label: str
    app: str
    requests_per_outreach: int
    noted: Mapping[str, object]
    """A query that every outreach answers afterwards: what its document must say beside itself."""

    def folder(self, scratch: Path) -> Path:
        """Where gunicorn starts."""

    def variables(self, uri: str) -> dict[str, str]:
        """Environment of the application and its commands."""

    def prepare(self, uri: str) -> None:
        """Everything that is done before the server starts."""

    def traffic(self, port: int) -> Traffic:
        """What it is to be sent; makes what has to be there first, on the running server."""


class Ours:
    """The application of this checkout, through its own command line, its own configuration and its own routes.

    With `trigger` each request asks for an autoresponse, whose message exists. `webhook` is an address that is to be
    told of every outreach; no worker runs, so nothing is.
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
        trigger: bool = False,
        webhook: str = "",
    ) -> None:
        self.key = key
        self.label = label
        self.with_token = with_token
        self.known_people = known_people
        self.trigger = trigger
        self.webhook = webhook
        self.token = ""
        queued = {"followups": {"$elemMatch": {"kind": "autoresponse", "state": "queued"}}} if trigger else {}
        self.noted: Mapping[str, object] = queued | ({"webhook_events.event": WEBHOOK_EVENT} if webhook else {})

    def folder(self, scratch: Path) -> Path:
        return ROOT

    def variables(self, uri: str) -> dict[str, str]:
        # Requests are counted as in production, but one address may send them all.
        limits = ("RATE_LIMIT_ANONYMOUS", "RATE_LIMIT_TOKEN", "RATE_LIMIT_CONTACT")
        return {
            "MONGODB_URI": uri,
            "WEBHOOK_NETWORKS": "127.0.0.0/8",
            **dict.fromkeys(limits, "1000000/second"),
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
        known = bodies.KNOWN_PEOPLE if self.known_people else 0
        return Traffic((Request(path, body),), headers if self.with_token else {}, known)

    def _flask(self, uri: str, *arguments: str) -> str:
        """Run one of the application's commands and return what it printed. Raises ServerFailed."""
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
    """The bare Flask view."""

    app = "bench.floor:app_from_environment()"
    requests_per_outreach = 1
    noted: Mapping[str, object] = {}

    def __init__(self, key: str, label: str, *, commit: str) -> None:
        self.key = key
        self.label = label
        self.commit = commit

    def folder(self, scratch: Path) -> Path:
        return scratch

    def variables(self, uri: str) -> dict[str, str]:
        return {"MONGODB_URI": uri, "FLOOR_COMMIT": self.commit}

    def prepare(self, uri: str) -> None:
        # Our own declaration, so that the floor pays for the same indexes whatever they become.
        store = Store(uri)
        store.create_indexes()
        store.close()

    def traffic(self, port: int) -> Traffic:
        path = f"{API}/advocacy_campaigns/{CAMPAIGN}/record_outreach_helper"
        return Traffic((Request(path, bodies.helper_body(identifiers=True)),), {})


class EvePairs:
    """Eve: a person, then an outreach that names it."""

    key = "eve"
    label = "Eve pairs"
    app = "bench.eve_pairs:app_from_environment()"
    requests_per_outreach = 2
    noted: Mapping[str, object] = {}

    def folder(self, scratch: Path) -> Path:
        return scratch

    def variables(self, uri: str) -> dict[str, str]:
        return {"MONGODB_URI": uri}

    def prepare(self, uri: str) -> None:
        from bench import eve_pairs  # Eve is there for `make bench` only

        eve_pairs.create_indexes(uri)

    def traffic(self, port: int) -> Traffic:
        person = bodies.person("@unique@", identifiers=True) | {"_id": "@unique@"}
        outreach = bodies.outreach(identifiers=True) | {"person": "@unique@", "advocacy_campaign": CAMPAIGN}
        people = Request("/people", bodies.template(person))
        return Traffic((people, Request("/outreaches", bodies.template(outreach))), {})


CONTENDERS: tuple[Contender, ...] = (
    Ours("ours-token", "ours, with token", with_token=True),
    Ours("ours-trigger", "ours, with token and trigger", with_token=True, trigger=True),
    Ours("ours-webhook", "ours, with token and a webhook", with_token=True, webhook=NOBODY),
    Ours("ours-public", "ours, without token", with_token=False),
    Ours("ours-public-trigger", "ours, without token, with trigger", with_token=False, trigger=True),
    Floor("floor-ordered", "floor, ordered", commit="ordered"),
    Floor("floor-transaction", "floor, transaction", commit="transaction"),
    EvePairs(),
    Ours("ours-known", "ours, known people", with_token=True, known_people=True),
)


def send(port: int, method: str, path: str, body: str, headers: Mapping[str, str]) -> bytes:
    """One JSON request to a server on this machine. Raises ServerFailed on any answer but success."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=COMMAND_SECONDS)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        answer = response.read()
    finally:
        connection.close()
    if not 200 <= response.status < 300:
        raise ServerFailed(f"{method} {path} was answered {response.status}: {answer[:500]!r}")
    return answer


def post_all(port: int, path: str, texts: Iterable[str], headers: Mapping[str, str]) -> None:
    """POST each body once, some side by side: what is there before anything is measured comes by the same route."""
    with ThreadPoolExecutor(CONNECTIONS // 2) as pool:
        for answered in [pool.submit(send, port, "POST", path, text, headers) for text in texts]:
            answered.result()


def check_counts(contender: Contender, traffic: Traffic, counts: Counts, responses: int, runs: int) -> None:
    """Hold what is in the database against what was answered. Raises ServerFailed when they do not fit.

    What wrk had under way when its time was up may be written too, at most one request a connection in each run.
    """
    under_way = runs * CONNECTIONS
    people = 0 if traffic.known_people else counts.people
    if contender.requests_per_outreach == 2:
        written, balanced = people + counts.outreaches, abs(people - counts.outreaches) <= under_way
    else:
        # Both must be there for each answer; a known person is there already, and must not have become two.
        written = counts.outreaches - traffic.known_people
        balanced = counts.people == (traffic.known_people or counts.outreaches)
    balanced = balanced and counts.noted == counts.outreaches
    if not balanced or not responses <= written <= responses + under_way:
        raise ServerFailed(f"{contender.label}: {responses} answers of success, but in the database {counts}")
