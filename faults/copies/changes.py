"""Clients that post, change, delete, merge and erase at random, and repeat each request until it gets a response."""

import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from faults.load import CUT, REFUSED, TIMED_OUT, Client, Response
from osdi.resources import API

UNAVAILABLE: Final = "503"
REPEATED: Final = frozenset({CUT, REFUSED, TIMED_OUT, UNAVAILABLE})
# Statuses of a change whose object another client, or a repeated request, has removed.
GONE: Final = frozenset({"301", "400", "404", "409"})
PAUSE_SECONDS: Final = 0.1
# Longer than a server needs to start again.
WAIT_SECONDS: Final = 200.0
# Addresses of supporters. Few, so that many posts are about known people and erased people come back.
SUPPORTERS: Final = 400
CAMPAIGNS: Final = 5

# Makes one change and returns what it was, or nothing if its object was gone.
Kind = Callable[[Client, random.Random], str]


class Changes:
    """Makes `total` changes by `clients` clients: `with Changes(...) as changes: changes.done`."""

    def __init__(self, port: int, token: str, total: int, *, clients: int, seed: int) -> None:
        self.done: Counter[str] = Counter()
        self.repeated = 0
        self.failures: list[str] = []
        self._port, self._token, self._total = port, token, total
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._people: list[str] = []
        self._outreaches: list[str] = []
        self._campaigns: list[str] = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(random.Random(seed * 1_000 + number),))
            for number in range(clients)
        ]

    def __enter__(self) -> "Changes":
        client = Client(self._port)
        for _ in range(CAMPAIGNS):
            self._create_campaign(client, random.Random())
        client.close()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def are_under_way(self) -> bool:
        """True until all changes are made, or a client has failed."""
        return any(thread.is_alive() for thread in self._threads) and not self.failures

    def _work(self, choose: random.Random) -> None:
        client = Client(self._port)
        often = (*[self._post] * 10, *[self._change] * 5)
        kinds: Sequence[Kind] = (*often, self._delete_person, self._delete_outreach, self._merge, self._erase)
        try:
            while sum(self.done.values()) < self._total and not self._stop.is_set():
                kind = self._delete_campaign if choose.random() < 0.002 else choose.choice(kinds)
                name = kind(client, choose)
                if name:
                    with self._lock:
                        self.done[name] += 1
        except Exception as error:  # the run reports it
            self.failures.append(repr(error))
        finally:
            client.close()

    def _post(self, client: Client, choose: random.Random) -> str:
        number = next(self._numbers)
        address = f"{choose.randrange(SUPPORTERS)}@example.com"
        body = {
            "identifiers": [f"copies:{number}"],  # a repeated request records it once
            "person": {"given_name": f"Jane {number}", "email_addresses": [{"address": address}]},
            "type": "email",
        }
        path = f"/advocacy_campaigns/{choose.choice(self._campaigns)}/record_outreach_helper"
        response = self._send(client, "POST", path, body)
        if response.outcome != "200":
            return ""
        links = json.loads(response.body)["_links"]
        self._people.append(_path(links["osdi:person"]))
        self._outreaches.append(_path(links["self"]))
        return "outreaches posted"

    def _change(self, client: Client, choose: random.Random) -> str:
        sent = {"given_name": f"Jane {choose.random()}"}
        return self._counted("people changed", client, "PUT", self._person(choose), sent)

    def _delete_person(self, client: Client, choose: random.Random) -> str:
        return self._counted("people deleted", client, "DELETE", self._person(choose))

    def _delete_outreach(self, client: Client, choose: random.Random) -> str:
        return self._counted(
            "outreaches deleted", client, "DELETE", choose.choice(self._outreaches or ["/people/none"])
        )

    def _merge(self, client: Client, choose: random.Random) -> str:
        link = {"_links": {"osdi:person": {"href": f"http://127.0.0.1:{self._port}{API}{self._person(choose)}"}}}
        return self._counted("people merged", client, "POST", f"{self._person(choose)}/merge", link)

    def _erase(self, client: Client, choose: random.Random) -> str:
        outreaches = choose.choice(("anonymise", "keep", "delete"))
        path = f"{self._person(choose)}?erase=true&outreaches={outreaches}"
        return self._counted("people erased", client, "DELETE", path)

    def _delete_campaign(self, client: Client, choose: random.Random) -> str:
        """Deletes a campaign with its outreaches, once there is another one instead."""
        deleted = self._campaigns[choose.randrange(len(self._campaigns))]
        self._create_campaign(client, choose, instead_of=deleted)
        return self._counted("campaigns deleted", client, "DELETE", f"/advocacy_campaigns/{deleted}?force=true")

    def _create_campaign(self, client: Client, choose: random.Random, *, instead_of: str | None = None) -> None:
        body = {"title": "Protect the river", "identifiers": [f"copies:{next(self._numbers)}"]}
        made = self._send(client, "POST", "/advocacy_campaigns", body)
        found = _path(json.loads(made.body)["_links"]["self"]).rsplit("/", 1)[1]
        self._campaigns = [each for each in self._campaigns if each != instead_of] + [found]

    def _person(self, choose: random.Random) -> str:
        # Mostly one of the latest, who is still there.
        return choose.choice(self._people[-SUPPORTERS:] or ["/people/none"])

    def _counted(self, name: str, client: Client, method: str, path: str, body: Any = None) -> str:
        return name if self._send(client, method, path, body).outcome == "200" else ""

    def _send(self, client: Client, method: str, path: str, body: Any = None) -> Response:
        """Sends a request until it gets a response. Raises RuntimeError for one that no client expects."""
        headers = {"OSDI-API-Token": self._token, "Content-Type": "application/json"}
        sent = json.dumps(body).encode() if body else b""
        ends = time.monotonic() + WAIT_SECONDS
        while True:
            response = client.request(method, API + path, sent, headers)
            if response.outcome not in REPEATED:
                break
            if time.monotonic() > ends:
                raise RuntimeError(f"{method} {path} got no response: {response.outcome}")
            with self._lock:
                self.repeated += 1
            time.sleep(PAUSE_SECONDS)
        if response.outcome != "200" and response.outcome not in GONE:
            raise RuntimeError(f"{method} {path} got {response.outcome}: {response.body[:500]!r}")
        return response


def _path(link: dict[str, str]) -> str:
    return link["href"].split(API, 1)[1]
