"""Measures a walk over all people by `next` links: every person comes once, and memory does not grow."""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from pymongo import MongoClient

from bench import proc
from bench.scale.client import ApiRequest
from bench.scale.sizes import Filled
from bench.server import ServerFailed

TENTHS = 10
BOUND = 1.1


@dataclass(frozen=True)
class Walk:
    """Result of the walk: for each tenth of it, resident megabytes of worker and client, and seconds."""

    people: int
    pages: int
    per_page: int
    seconds: float
    worker: tuple[float, ...]
    client: tuple[float, ...]
    each_tenth: tuple[float, ...]

    @property
    def kept(self) -> bool:
        return all(round(each[-1] / each[0], 2) <= BOUND for each in (self.worker, self.client))


def measure_walk(filled: Filled, scratch: Path) -> Walk:
    """Reads all people, while no request writes. Raises ServerFailed if a person is missing or comes twice."""
    with MongoClient[dict[str, Any]](filled.loaded.uri) as database:
        expected = database.get_default_database().people.count_documents({})
    with filled.server(scratch, workers=1) as server, filled.client(server) as client:
        (worker,) = server.workers
        per_page = client.send(ApiRequest("/")).json["max_pagesize"]
        path: str | None = f"/people?per_page={per_page}"
        found = pages = 0
        latest = ""
        worker_memory, client_memory, tenths = [], [], []
        began = tenth_began = time.monotonic()
        with click.progressbar(length=expected, label="walk over all people", file=sys.stderr) as bar:
            while path is not None:
                response = client.send(ApiRequest(path))
                links = response.json["_links"]["osdi:people"]
                # Ids sort by creation time, and pages come in that order. A repeated id would not increase.
                for link in links:
                    person_id = link["href"].rsplit("/", 1)[-1]
                    if person_id <= latest:
                        raise ServerFailed(f"the walk found {person_id} after {latest}")
                    latest = person_id
                found, pages = found + len(links), pages + 1
                bar.update(len(links))
                if found >= expected * (len(tenths) + 1) // TENTHS and len(tenths) < TENTHS:
                    worker_memory.append(proc.resident_megabytes(worker))
                    client_memory.append(proc.resident_megabytes(os.getpid()))
                    tenths.append(time.monotonic() - tenth_began)
                    tenth_began = time.monotonic()
                path = response.next_path()
        took = time.monotonic() - began
    if found != expected:
        raise ServerFailed(f"the walk found {found} of {expected} people")
    return Walk(found, pages, per_page, took, tuple(worker_memory), tuple(client_memory), tuple(tenths))


def walk_section(walk: Walk) -> str:
    rows = [
        f"| {name} | {each[0]:.1f} | {each[-1]:.1f} | {each[-1] / each[0]:.2f} |"
        for name, each in (("worker", walk.worker), ("client", walk.client))
    ]
    return "\n\n".join(
        (
            "### Reading all people",
            f"One client read {walk.people:,} people by {walk.pages:,} `next` links of {walk.per_page} people "
            f"each, and parsed each page as JSON. It got each person exactly once, in {walk.seconds:.0f} s, "
            f"which is {walk.people / walk.seconds:,.0f} people per second. The last tenth took "
            f"{walk.each_tenth[-1] / walk.each_tenth[0]:.2f} times as long as the first. Memory may grow "
            f"{BOUND} times: {'kept' if walk.kept else '**not kept**'}.",
            "| resident MB | after a tenth | at the end | ratio |\n|---|---:|---:|---:|\n" + "\n".join(rows),
        )
    )
