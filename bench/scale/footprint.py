"""Measures what a database of a size needs: disk, cache, and the memory of mongod, of a web process and of the worker.

The cache is made smaller and smaller while the same mix of requests about people chosen at random is sent. A request
whose pages are not in the cache reads them from the disk, or from the system's file cache, so `pages` says how often
that happens on any machine, and the time only how long it took on this one.
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

from pymongo import MongoClient

from bench import proc
from bench.scale.client import Client
from bench.scale.kinds import KINDS, Kind, RequestFactory
from bench.scale.sizes import Filled
from bench.server import ROOT, environment
from dev.mongod import Mongod

MEGABYTE: Final = 1024 * 1024
# In megabytes, from the largest; mongod itself accepts no less than 256 at its start.
CACHES: Final = (512, 256, 128, 64, 32)
WARM_UP, REQUESTS = 100, 300
# A cache is large enough if a request reads at most this many pages into it, on average: each takes a disk some tenths
# of a millisecond. A time would depend on the disk and on the system's file cache.
MAX_PAGES_READ: Final = 0.5
WORKER_SECONDS: Final = 6.0
# Of a live campaign: most posts are about new people, and the lists show the latest.
LABELS: Final = (
    "helper, somebody new, with token",
    "helper, somebody known, with token",
    "helper, somebody known, without token",
    "a person",
    "people by `email_address`",
)


@dataclass(frozen=True)
class Cached:
    """The mix of requests with one size of the cache: 95th percentile, and pages read into the cache per request."""

    megabytes: int
    p95: float
    pages: float


@dataclass(frozen=True)
class Footprint:
    """Megabytes of a database and of the processes that serve it, and the mix of requests with each cache."""

    people: int
    data: float
    storage: float
    indexes: float
    mongod: float
    web: float
    worker: float
    caches: tuple[Cached, ...]

    @property
    def needed(self) -> int:
        """The smallest cache that is large enough; the largest one if none is."""
        return min((each.megabytes for each in self.caches if each.pages <= MAX_PAGES_READ), default=CACHES[0])


def measure_footprints(mongod: Mongod, filled: Sequence[Filled], scratch: Path) -> list[Footprint]:
    """Measures each database. Raises ServerFailed."""
    return [_measure(mongod, each, scratch) for each in filled]


def _measure(mongod: Mongod, filled: Filled, scratch: Path) -> Footprint:
    assert mongod.process is not None
    with (
        MongoClient[dict[str, Any]](filled.loaded.uri) as database,
        filled.server(scratch) as server,
        filled.client(server) as client,
    ):
        factory = RequestFactory(filled.loaded, client, 0)
        caches = tuple(_with_cache(database, megabytes, client, factory) for megabytes in CACHES)
        _set_cache(database, CACHES[0])
        (web,) = server.workers
        stats = database.get_default_database().command("dbStats", scale=MEGABYTE)
        with _worker(filled, scratch) as worker:
            return Footprint(
                filled.loaded.people,
                stats["dataSize"],
                stats["storageSize"],
                stats["indexSize"],
                proc.resident_megabytes(mongod.process.pid),
                proc.resident_megabytes(web),
                proc.resident_megabytes(worker),
                caches,
            )


def _with_cache(
    database: MongoClient[dict[str, Any]], megabytes: int, client: Client, factory: RequestFactory
) -> Cached:
    """Sends the mix of requests with a cache of this size."""
    _set_cache(database, megabytes)
    _read_all(database)
    choose = random.Random(1)
    kinds = [kind for kind in KINDS if kind.label in LABELS]
    for _ in range(WARM_UP):
        client.send(choose.choice(kinds).make(factory))
    before = _pages(database)
    seconds = [_seconds(choose.choice(kinds), client, factory) for _ in range(REQUESTS)]
    return Cached(megabytes, quantiles(seconds, n=20)[-1] * 1_000, (_pages(database) - before) / REQUESTS)


def _read_all(database: MongoClient[dict[str, Any]]) -> None:
    """Reads each document, so that the cache has as much as it can hold."""
    for name in ("people", "outreaches"):
        for _ in database.get_default_database()[name].find(batch_size=2_000):
            pass


def _seconds(kind: Kind, client: Client, factory: RequestFactory) -> float:
    return client.send(kind.make(factory)).seconds


def _set_cache(database: MongoClient[dict[str, Any]], megabytes: int) -> None:
    database.admin.command("setParameter", 1, wiredTigerEngineRuntimeConfig=f"cache_size={megabytes}M")


def _pages(database: MongoClient[dict[str, Any]]) -> int:
    """Returns how many pages mongod has read into its cache so far."""
    return int(database.admin.command("serverStatus")["wiredTiger"]["cache"]["pages read into cache"])


@contextmanager
def _worker(filled: Filled, scratch: Path) -> Iterator[int]:
    """Runs `bin/osdi worker` on the database for some seconds; yields its process id then."""
    variables = environment({"MONGODB_URI": filled.loaded.uri, "PUBLIC_URL": "http://127.0.0.1"})
    with (scratch / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, os.fspath(ROOT / "app.py"), "worker"], env=variables, stdout=log, stderr=log
        )
    try:
        time.sleep(WORKER_SECONDS)
        yield process.pid
    finally:
        process.terminate()
        process.wait(60)


def footprints_section(found: Sequence[Footprint]) -> str:
    """Returns the Markdown section with a row for each size, and one for each cache of the largest."""
    lines = [
        "| people and outreaches, each | data, MB | data on disk, MB | indexes, MB | cache that is large enough, MB "
        "| mongod resident, MB | web process resident, MB | worker resident, MB |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for each in found:
        sizes = (each.data, each.storage, each.indexes, each.needed, each.mongod, each.web, each.worker)
        lines.append(f"| {each.people:,} | {' | '.join(f'{size:,.0f}' for size in sizes)} |")
    titles = [f"{each.people:,}: p95, ms | pages read per request" for each in found]
    caches = [f"| cache, MB | {' | '.join(titles)} |", f"|---:|{'---:|' * 2 * len(found)}"]
    for at, megabytes in enumerate(CACHES):
        figures = [f"{each.caches[at].p95:.1f} | {each.caches[at].pages:.1f}" for each in found]
        caches.append(f"| {megabytes} | {' | '.join(figures)} |")
    return "\n\n".join(
        (
            "### Memory and disk",
            f"A cache is large enough if a request reads at most {MAX_PAGES_READ} pages into it, on average of "
            f"{REQUESTS} requests, after all documents were read once. The requests are posts to the helper about new "
            "and known people, reads of a person, and searches by e-mail address; the people are chosen at random from "
            "all. The resident memory of mongod includes all databases of this run.",
            "\n".join(lines),
            "\n".join(caches),
        )
    )
