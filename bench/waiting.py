"""A database in which outreaches wait for a worker, made by the helper, and put back to that for each measurement."""

from pathlib import Path
from typing import Any

from pymongo import MongoClient

from bench import bodies
from bench.contenders import Ours, post_all
from bench.server import Server
from dev.mongod import Mongod
from osdi.action_functions.followup_kinds import SENT
from osdi.store.writes import WEBHOOK_EVENTS

KEPT = "outreaches_kept"
NOTED = f"{WEBHOOK_EVENTS}.0"


class Waiting:
    """So many outreaches of as many people, with what they wait for: `waiting.fill()`, then `waiting.put_back()`."""

    def __init__(self, mongod: Mongod, contender: Ours, count: int) -> None:
        self.name = f"osdi_{contender.key.replace('-', '_')}_waiting"
        self.uri = mongod.uri.replace("/osdi?", f"/{self.name}?")
        self.contender = contender
        self.count = count
        self._client = MongoClient[dict[str, Any]](mongod.uri)
        self._database = self._client[self.name]

    def fill(self, scratch: Path) -> None:
        """Post every outreach to the helper, and keep a copy of what it made of them. Raises ServerFailed."""
        self.contender.prepare(self.uri)
        variables = self.contender.variables(self.uri)
        log = scratch / f"{self.name}.log"
        with Server(self.contender.app, folder=self.contender.folder(scratch), log=log, variables=variables) as server:
            traffic = self.contender.traffic(server.port)
            (request,) = traffic.requests
            texts = (bodies.filled(request.body, number) for number in range(self.count))
            post_all(server.port, request.path, texts, traffic.headers)
        self._database.outreaches.aggregate([{"$out": KEPT}])

    def put_back(self) -> None:
        """Every outreach as the helper wrote it; its indexes stay."""
        self._database[KEPT].aggregate([{"$out": "outreaches"}])
        # A checkpoint now, so that the measurement does not pay for it.
        self._client.admin.command("fsync")

    def left(self) -> int:
        """How many outreaches have not got what they waited for."""
        done: dict[str, Any] = {"followups.state": SENT} if self.contender.trigger else {NOTED: {"$exists": False}}
        return self.count - self._database.outreaches.count_documents(done)

    def one_of_each(self) -> tuple[dict[str, Any], ...]:
        """An outreach, its person, its campaign and the message, as they are stored."""
        names = ("outreaches", "people", "advocacy_campaigns", "messages")
        return tuple(self._database[name].find_one() or {} for name in names)

    def close(self) -> None:
        """Drop the database."""
        self._client.drop_database(self.name)
        self._client.close()
