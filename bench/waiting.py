"""Databases with outreaches that wait for a worker. The helper fills them; each measurement restores them first."""

from pathlib import Path
from typing import Any

from pymongo import MongoClient, WriteConcern
from pymongo.collection import Collection

from bench import bodies
from bench.contenders import Ours, post_all
from bench.server import Server
from dev.mongod import Mongod
from osdi.action_functions.followup_kinds import SENT
from osdi.store.writes import WEBHOOK_EVENTS

COPY = "outreaches_copy"
FIRST_EVENT = f"{WEBHOOK_EVENTS}.0"


class Waiting:
    """`count` outreaches of as many people, each with a queued follow-up or event.

    Call `fill()` once, then `restore()` before each measurement.
    """

    def __init__(self, mongod: Mongod, contender: Ours, count: int) -> None:
        self.name = f"osdi_{contender.key.replace('-', '_')}_waiting"
        self.uri = mongod.uri.replace("/osdi?", f"/{self.name}?")
        self.contender = contender
        self.count = count
        self._client = MongoClient[dict[str, Any]](mongod.uri)
        self._database = self._client[self.name]

    def fill(self, scratch: Path) -> None:
        """Posts every outreach to the helper and keeps a copy of the stored outreaches. Raises ServerFailed."""
        self.contender.prepare(self.uri)
        variables = self.contender.variables(self.uri)
        log = scratch / f"{self.name}.log"
        with Server(self.contender.app, folder=self.contender.folder(scratch), log=log, variables=variables) as server:
            traffic = self.contender.traffic(server.port)
            (request,) = traffic.requests
            texts = (bodies.filled(request.body, number) for number in range(self.count))
            post_all(server.port, request.path, texts, traffic.headers)
        self._database.outreaches.aggregate([{"$out": COPY}])

    def restore(self) -> None:
        """Restores every outreach as the helper wrote it. The indexes stay."""
        self._database[COPY].aggregate([{"$out": "outreaches"}])
        # Force a checkpoint now, so that the measurement does not pay for it.
        self._client.admin.command("fsync")

    def outreaches(self) -> Collection[dict[str, Any]]:
        """Returns the collection, whose writes are acknowledged by the majority and journaled, as those of a worker."""
        return self._database.get_collection("outreaches", write_concern=WriteConcern(w="majority", j=True))

    def left(self) -> int:
        """Returns the number of outreaches whose follow-up or event was not delivered."""
        done: dict[str, Any] = (
            {"followups.state": SENT} if self.contender.trigger else {FIRST_EVENT: {"$exists": False}}
        )
        return self.count - self._database.outreaches.count_documents(done)

    def one_of_each(self) -> tuple[dict[str, Any], ...]:
        """Returns an outreach, a person, a campaign and a message, as stored."""
        names = ("outreaches", "people", "advocacy_campaigns", "messages")
        return tuple(self._database[name].find_one() or {} for name in names)

    def close(self) -> None:
        """Drops the database and closes the client."""
        self._client.drop_database(self.name)
        self._client.close()
