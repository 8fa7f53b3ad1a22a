"""Measures the start of a web process and its memory, and those of the floor beside it.

A start ends with the first response. Processor time counts master, worker and the check of the settings; memory is that
of the worker, before any post and after some.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from pymongo import MongoClient

from bench import bodies, proc
from bench.contenders import CONTENDERS, Contender, post_all
from bench.server import Server
from dev.mongod import Mongod

KEYS = ("ours-token", "floor-transaction")
ROUNDS = 5
POSTS = 50
COLUMNS = ("until the first response, s", "processor time, s", "resident MB", f"resident MB after {POSTS} posts")


@dataclass(frozen=True)
class Start:
    """One start of one contender."""

    seconds: float
    cpu_seconds: float
    megabytes: float
    megabytes_after_posts: float

    @property
    def values(self) -> tuple[float, ...]:
        return self.seconds, self.cpu_seconds, self.megabytes, self.megabytes_after_posts


def measure_start(mongod: Mongod, scratch: Path) -> str:
    """Returns the Markdown section: medians of ROUNDS starts of each contender, which take turns, and their ratios."""
    contenders = [each for each in CONTENDERS if each.key in KEYS]
    starts: dict[str, list[Start]] = {each.label: [] for each in contenders}
    for contender in contenders:
        contender.prepare(_uri(mongod, contender))
        _start(contender, mongod, scratch, 0)  # compiles what it imports
    for number in range(1, ROUNDS + 1):
        for contender in contenders:
            starts[contender.label].append(_start(contender, mongod, scratch, number))
    with MongoClient[dict[str, Any]](mongod.uri) as client:
        for contender in contenders:
            client.drop_database(_database(contender))
    medians = {
        label: [median(column) for column in zip(*(each.values for each in found), strict=True)]
        for label, found in starts.items()
    }
    ours, floor = medians.values()
    ratios = [ours_value / floor_value for ours_value, floor_value in zip(ours, floor, strict=True)]
    return "\n".join(
        (
            "## Start and size",
            "",
            f"A server with one worker and 4 threads, started {ROUNDS} times in turns with the floor; medians. A start "
            "ends with the first response; its processor time is that of master and worker.",
            "",
            f"| | {' | '.join(COLUMNS)} |",
            "|---|---:|---:|---:|---:|",
            *(_row(label, found) for label, found in medians.items()),
            _row("ratio", ratios, decimals=2),
        )
    )


def _start(contender: Contender, mongod: Mongod, scratch: Path, number: int) -> Start:
    """Starts a contender for the `number`th time, and sends posts about people that no other start has posted."""
    variables = contender.variables(_uri(mongod, contender)) | {"PYTHONDONTWRITEBYTECODE": ""}
    folder, log = contender.folder(scratch), scratch / "start.log"
    began = time.perf_counter()
    with Server(contender.app, folder=folder, log=log, variables=variables, workers=1) as server:
        seconds = time.perf_counter() - began
        assert server.process is not None
        (worker,) = server.workers
        cpu = proc.cpu_seconds(worker) + proc.cpu_seconds(server.process.pid, with_ended_children=True)
        megabytes = proc.resident_megabytes(worker)
        traffic = contender.traffic(server.port)
        request = traffic.requests[0]
        people = range(number * POSTS, (number + 1) * POSTS)
        post_all(server.port, request.path, (bodies.filled(request.body, each) for each in people), traffic.headers)
        return Start(seconds, cpu, megabytes, proc.resident_megabytes(worker))


def _database(contender: Contender) -> str:
    return f"osdi_start_{contender.key.replace('-', '_')}"


def _uri(mongod: Mongod, contender: Contender) -> str:
    return mongod.uri.replace("/osdi?", f"/{_database(contender)}?")


def _row(label: str, values: list[float], *, decimals: int = 0) -> str:
    """Returns a row of the table; `decimals` are those of the memory."""
    seconds, cpu, ready, posted = values
    return f"| {label} | {seconds:.2f} | {cpu:.2f} | {ready:.{decimals}f} | {posted:.{decimals}f} |"
