"""Database deployments under test: a single-member replica set, a standalone, and a set of three members.

Each consists of packaged mongod processes with their own data folders. A killed mongod restarts on its data.
"""

import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from dev.mongod import START_SECONDS, Mongod, MongodUnavailable

SINGLE, STANDALONE, THREE = "single", "standalone", "three"
# Time that a transaction keeps its locks when its client is gone. This is MongoDB's default.
TRANSACTION_SECONDS: Final = 60
PROBE_MS: Final = 1_000
MEMBERS: Final = 3


class Member(Mongod):
    """A mongod of a larger set, which the set elects to primary or secondary."""

    def _wait_until_writable(self) -> None:
        """Waits until the mongod answers. It need not be the primary. Raises MongodUnavailable."""
        ends = time.monotonic() + START_SECONDS
        while hello(self) is None:
            if self.process is not None and self.process.poll() is not None:
                raise MongodUnavailable(f"it ended with exit code {self.process.returncode}")
            if time.monotonic() > ends:
                raise MongodUnavailable(f"it did not respond within {START_SECONDS} s")
            time.sleep(0.05)


class Deployment:
    """Mongod processes and their connection string: `with Deployment(...) as deployment`."""

    title = ""
    supports_transactions = True

    def __init__(self, mongods: Sequence[Mongod], uri: str) -> None:
        self.mongods = mongods
        self.uri = uri

    def __enter__(self) -> "Deployment":
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Kills all processes. SIGKILL also ends a frozen one, and the data is no longer needed."""
        for mongod in self.mongods:
            if mongod.process is not None:
                kill(mongod)

    def start(self) -> None:
        for mongod in self.mongods:
            mongod.start()

    def primary(self) -> Mongod:
        """Returns the mongod that accepts writes. Raises MongodUnavailable if there is none in time."""
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends:
            for mongod in self.mongods:
                if (hello(mongod) or {}).get("isWritablePrimary"):
                    return mongod
            time.sleep(0.05)
        raise MongodUnavailable(f"no primary was elected within {START_SECONDS} s")


class SingleMember(Deployment):
    """A replica set of one member, as `make run` starts it."""

    title = "single-member set"

    def __init__(self, folder: Path, options: tuple[str, ...] = ()) -> None:
        mongod = Mongod(folder / "0", transaction_seconds=TRANSACTION_SECONDS, options=options)
        super().__init__([mongod], mongod.uri)


class Standalone(Deployment):
    """One mongod without a replica set, and so without transactions."""

    title = "standalone"
    supports_transactions = False

    def __init__(self, folder: Path, options: tuple[str, ...] = ()) -> None:
        mongod = Mongod(folder / "0", replica_set=None, options=options)
        super().__init__([mongod], mongod.uri)


class ThreeMembers(Deployment):
    """A replica set of three members that vote and keep data, with MongoDB's own settings for elections."""

    title = "three members"

    def __init__(self, folder: Path, options: tuple[str, ...] = ()) -> None:
        mongods = [
            Member(folder / str(number), transaction_seconds=TRANSACTION_SECONDS, options=options)
            for number in range(MEMBERS)
        ]
        hosts = ",".join(f"127.0.0.1:{mongod.port}" for mongod in mongods)
        super().__init__(mongods, f"mongodb://{hosts}/osdi?replicaSet={mongods[0].replica_set}")

    def start(self) -> None:
        super().start()
        members = [{"_id": number, "host": f"127.0.0.1:{mongod.port}"} for number, mongod in enumerate(self.mongods)]
        with _client(self.mongods[0]) as client:
            client.admin.command("replSetInitiate", {"_id": self.mongods[0].replica_set, "members": members})
        self.primary()
        self.wait_for_secondaries()

    def wait_for_secondaries(self) -> None:
        """Waits until both other members follow the primary. Raises MongodUnavailable if one does not in time."""
        ends = time.monotonic() + START_SECONDS
        while sum(bool((hello(mongod) or {}).get("secondary")) for mongod in self.mongods) < MEMBERS - 1:
            if time.monotonic() > ends:
                raise MongodUnavailable(f"a member did not become secondary within {START_SECONDS} s")
            time.sleep(0.05)


DEPLOYMENTS: Final[Mapping[str, type[SingleMember | Standalone | ThreeMembers]]] = {
    SINGLE: SingleMember,
    STANDALONE: Standalone,
    THREE: ThreeMembers,
}


def kill(mongod: Mongod) -> None:
    """Sends SIGKILL and waits until the process has ended."""
    assert mongod.process is not None
    with suppress(ProcessLookupError):
        mongod.process.kill()
    mongod.process.wait()


def freeze(mongod: Mongod) -> None:
    """Sends SIGSTOP: mongod keeps its connections but does not respond."""
    assert mongod.process is not None
    os.kill(mongod.process.pid, signal.SIGSTOP)


def thaw(mongod: Mongod) -> None:
    """Sends SIGCONT: mongod continues."""
    assert mongod.process is not None
    os.kill(mongod.process.pid, signal.SIGCONT)


def hello(mongod: Mongod) -> dict[str, Any] | None:
    """Returns the response of a mongod to `hello`, which contains its role, or None if it does not respond."""
    with _client(mongod) as client:
        try:
            return client.admin.command("hello")
        except PyMongoError:
            return None


def _client(mongod: Mongod) -> "MongoClient[dict[str, Any]]":
    address = f"mongodb://127.0.0.1:{mongod.port}/?directConnection=true"
    return MongoClient(address, serverSelectionTimeoutMS=PROBE_MS, socketTimeoutMS=PROBE_MS)
