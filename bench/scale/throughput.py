"""Measures helper requests per second by number and class of workers, with the largest database."""

import itertools
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from bench import bodies, proc
from bench.load import CONNECTIONS
from bench.loaded_people import FIRST, helper_body, shape_of
from bench.loading import HELPER
from bench.scale import lines
from bench.scale.client import ApiRequest
from bench.scale.sizes import Filled
from bench.server import THREADS

WORKERS = (1, 2, 4)
WARM_UP_SECONDS = 2
KNOWN = 5_000
NEW_PEOPLE, KNOWN_PEOPLE = "new people", "known people"
MODEL_WORKERS = 2

_runs = itertools.count(1)


def next_run() -> str:
    """Returns a unique name for a run of wrk, so that its new people are unique."""
    return f"run{next(_runs)}"


@dataclass(frozen=True)
class Setting:
    """Number and class of the workers; an empty class is that of our configuration."""

    workers: int
    worker_class: str = ""

    @property
    def label(self) -> str:
        threads = f" with {THREADS} threads each" if self.worker_class in ("", "gthread") else ""
        return f"{self.worker_class or 'ours'}, {self.workers} worker{'s' if self.workers > 1 else ''}{threads}"


@dataclass(frozen=True)
class Result:
    """Result of one setting in one round with one kind of people."""

    measured: lines.MeasuredLines
    resident_megabytes: float


Results = dict[tuple[Setting, str], list[Result]]


def models() -> list[Setting]:
    """Returns the settings to compare: our class (gthread with time limits), gthread, sync, and gevent if installed."""
    classes = ["", "gthread", "sync", *(["gevent"] if find_spec("gevent") else [])]
    return [Setting(MODEL_WORKERS, each) for each in classes]


def helper_requests(filled: Filled, people: str) -> list[ApiRequest]:
    """Returns helper requests with the token, about new or known people, spread over the campaigns."""
    loaded = filled.loaded
    paths = [f"/advocacy_campaigns/{campaign}/{HELPER}" for campaign in loaded.campaigns]
    if people == NEW_PEOPLE:
        return [ApiRequest(path, bodies.helper_body(identifiers=True)) for path in paths]
    step = max(1, loaded.people // KNOWN)
    numbers = (number for number in range(FIRST, FIRST + loaded.people, step) if shape_of(number).token)
    return [
        ApiRequest(paths[at % len(paths)], json.dumps(helper_body(number, loaded.question)))
        for at, number in enumerate(numbers)
    ]


def measure(
    filled: Filled, scratch: Path, settings: Sequence[Setting], kinds: Sequence[str], *, seconds: int, rounds: int
) -> Results:
    """Measures each setting with each kind of people in each round. Every second round runs in reverse order.

    Raises LoadFailed or ServerFailed.
    """
    results: Results = {(setting, people): [] for setting in settings for people in kinds}
    posts = {people: helper_requests(filled, people) for people in kinds}
    for number in range(rounds):
        for setting in settings[:: -1 if number % 2 else 1]:
            with filled.server(scratch, workers=setting.workers, worker_class=setting.worker_class) as server:
                for people in kinds:
                    for duration in (WARM_UP_SECONDS, seconds):
                        measured = lines.run(
                            server.base,
                            posts[people],
                            token=filled.loaded.token,
                            name=next_run(),
                            seconds=duration,
                            folder=scratch,
                        )
                    memory = max(proc.resident_megabytes(worker) for worker in server.workers)
                    results[setting, people].append(Result(measured, memory))
    return results


def table(results: Results) -> str:
    """Returns a row for each setting and kind: the medians of the rounds, and the ratios to the first setting."""
    titles = ("outreaches per second", "/ first row", "each round", "p50 ms", "p99 ms", "resident MB per worker")
    rows = [f"| | | {' | '.join(titles)} |", f"|---|---|{'---:|' * len(titles)}"]
    first = next(setting for setting, _ in results)
    for (setting, people), each in results.items():
        pairs = zip(each, results[first, people], strict=True)
        ratios = [one.measured.per_second / other.measured.per_second for one, other in pairs]
        figures = (
            f"{median(one.measured.per_second for one in each):.0f}",
            f"{median(ratios):.2f}",
            ", ".join(f"{ratio:.2f}" for ratio in ratios),
            f"{median(one.measured.p50_ms for one in each):.1f}",
            f"{median(one.measured.p99_ms for one in each):.1f}",
            f"{median(one.resident_megabytes for one in each):.0f}",
        )
        rows.append(f"| {setting.label} | {people} | {' | '.join(figures)} |")
    return "\n".join(rows)


def workers_section(results: Results, filled: Filled, *, seconds: int, rounds: int) -> str:
    return "\n\n".join(
        (
            "### By workers",
            f"This measures the helper with a token and {filled.loaded.people:,} people in the database, on "
            f"{os.cpu_count()} cores that workers, mongod and wrk ({CONNECTIONS} connections) share. Each row "
            f"is the median of {rounds} interleaved rounds of {seconds} s. Posts about known people contain "
            "nothing new about them.",
            table(results),
        )
    )


def models_section(results: Results, filled: Filled, *, seconds: int, rounds: int) -> str:
    """Returns the Markdown section: the table, and the reasons for our choice."""
    without = "" if find_spec("gevent") else " gevent is not installed here, so it has no row."
    return "\n\n".join(
        (
            "### By worker model",
            "This is the same load on gunicorn's own worker classes without our configuration: new people, "
            f"{filled.loaded.people:,} in the database, {rounds} interleaved rounds of {seconds} s.{without}",
            table(results),
            "The rates are similar. We chose by behaviour that they do not show:\n\n- A *sync* worker does one "
            "thing at a time and closes each connection. A client that announces a body and does not send it, "
            "or a database that takes seconds to respond, stops the whole worker. As many such clients as "
            "workers stop the service for all clients. Behind a platform's router, every request pays for a "
            "new connection.\n- A *gthread* worker continues with its other threads, so it tolerates as many "
            "slow clients as it has threads, and it keeps connections open. Ours also limits how long it waits "
            "for any client (`osdi/operations/serving/gunicorn_worker.py`).\n- A *gevent* worker would tolerate "
            "thousands of slow clients, but on one thread: checking a body or filling in a template delays all "
            "of them. It also patches the whole standard library under pymongo, whose time-outs and locks were "
            "tested with threads. A proxy that buffers requests keeps slow clients out at a lower cost.",
        )
    )
