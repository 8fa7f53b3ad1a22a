"""What a trigger and a webhook cost the helper, request by request in turn.

Rounds of many seconds lie too far apart to tell some percent on a machine that does other things too. Here the
application is in this process, without a server, and each kind of request has its turn before any has its next: what
slows the machine down meets all of them. The clock is the answering thread's processor time, beside the time that
passed until the answer, with the database.
"""

import os
import random
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from statistics import mean
from typing import Any

from flask import Flask
from pymongo import MongoClient
from werkzeug.test import EnvironBuilder, run_wsgi_app

from app import create_app
from bench import bodies
from bench.contenders import NOBODY, Ours
from bench.load import Traffic
from bench.server import Server, ServerFailed
from dev.mongod import Mongod
from osdi.settings import Settings

TURNS = 1_500
WARM_UP = 100
PARTS = 5

KINDS = (
    Ours("turns-token", "with token", with_token=True),
    Ours("turns-again", "the same once more", with_token=True),
    Ours("turns-trigger", "with token and trigger", with_token=True, trigger=True),
    Ours("turns-webhook", "with token and a webhook", with_token=True, webhook=NOBODY),
    Ours("turns-public", "without token", with_token=False),
    Ours("turns-public-trigger", "without token, with trigger", with_token=False, trigger=True),
)
# Of each pair the first is what the second has to be compared with.
PAIRS = tuple((KINDS[first], KINDS[second]) for first, second in ((0, 1), (0, 2), (0, 3), (4, 5)))

# Send the request of that number: seconds of processor time, and seconds until the answer.
Turn = Callable[[int], tuple[float, float]]


def measure_turns(mongod: Mongod, scratch: Path) -> str:
    """The section: what each kind takes, and what that is of the kind without. Raises ServerFailed."""
    # One database each, so that none grows faster than another.
    uris = {kind.key: mongod.uri.replace("/osdi?", f"/osdi_{kind.key.replace('-', '_')}?") for kind in KINDS}
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):  # the request's line is written, as it is
        turns = {kind.key: turn_of(*application(kind, uris[kind.key], scratch), kind.label) for kind in KINDS}
        taken: dict[str, list[tuple[float, float]]] = {kind.key: [] for kind in KINDS}
        for number in range(WARM_UP + TURNS):
            for key in random.sample(list(turns), len(turns)):
                measured = turns[key](number)
                if number >= WARM_UP:
                    taken[key].append(measured)
    with MongoClient[dict[str, Any]](mongod.uri) as client:
        for kind in KINDS:
            database = client.get_database(f"osdi_{kind.key.replace('-', '_')}")
            if (noted := database.outreaches.count_documents(kind.noted)) != WARM_UP + TURNS:
                raise ServerFailed(f"{kind.label}: of {WARM_UP + TURNS} outreaches {noted} say what they should")
            client.drop_database(database)
    return _section(taken)


def application(kind: Ours, uri: str, scratch: Path) -> tuple[Flask, Traffic]:
    """Prepare the kind's database by the commands and routes: the application in this process on it, and its load."""
    kind.prepare(uri)
    variables = kind.variables(uri)
    with Server(kind.app, folder=kind.folder(scratch), log=scratch / f"{kind.key}.log", variables=variables) as server:
        traffic = kind.traffic(server.port)
    settings = Settings(
        mongodb_uri=uri,
        log_format="json",
        rate_limit_anonymous=variables["RATE_LIMIT_ANONYMOUS"],
        rate_limit_token=variables["RATE_LIMIT_TOKEN"],
        rate_limit_contact=variables["RATE_LIMIT_CONTACT"],
    )
    return create_app(settings), traffic


def turn_of(app: Flask, traffic: Traffic, label: str) -> Turn:
    """What sends the application the one request of its load. A turn raises ServerFailed unless it is answered 200."""
    (request,) = traffic.requests

    def turn(number: int) -> tuple[float, float]:
        body = bodies.filled(request.body, number)
        environ = EnvironBuilder(
            request.path,
            method="POST",
            data=body,
            content_type="application/json",
            headers=list(traffic.headers.items()),
        ).get_environ()
        began, used = time.perf_counter(), time.thread_time()
        _, status, _ = run_wsgi_app(app, environ, buffered=True)
        taken = time.thread_time() - used, time.perf_counter() - began
        if not status.startswith("200"):
            raise ServerFailed(f"{label}: a request was answered {status}")
        return taken

    return turn


def _section(taken: dict[str, list[tuple[float, float]]]) -> str:
    columns = ("CPU ms per outreach", "without / with", "each fifth", "ms until the answer", "without / with")
    lines = [f"| | {' | '.join(columns)} |", "|---|---:|---:|---|---:|---:|"]
    without = set()
    for below, kind in PAIRS:
        if below.key not in without:
            cpu, wall = _milliseconds(taken[below.key])
            lines.append(f"| {below.label} | {cpu:.3f} | | | {wall:.2f} | |")
            without.add(below.key)
        cpu, wall = _milliseconds(taken[kind.key])
        cpu_below, wall_below = _milliseconds(taken[below.key])
        parts = zip(_parts(taken[below.key]), _parts(taken[kind.key]), strict=True)
        each = ", ".join(f"{_milliseconds(first)[0] / _milliseconds(second)[0]:.3f}" for first, second in parts)
        figures = (f"{cpu:.3f}", f"{cpu_below / cpu:.3f}", each, f"{wall:.2f}", f"{wall_below / wall:.3f}")
        lines.append(f"| {kind.label} | {' | '.join(figures)} |")
    return "\n\n".join(
        (
            "## What a trigger and a webhook cost the helper",
            f"This compares {TURNS:,} requests of each kind in one process without a server. The kinds take "
            "turns, so a disturbance of the machine affects all of them equally. Each figure is the mean "
            "without the fastest and the slowest tenth. CPU is the processor time of the thread that answers.",
            "\n".join(lines),
        )
    )


def _parts(taken: list[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    size = len(taken) // PARTS
    return [taken[start : start + size] for start in range(0, size * PARTS, size)]


def _milliseconds(taken: list[tuple[float, float]]) -> tuple[float, float]:
    """Processor time and time until the answer, each the mean of the middle eight tenths."""
    aside = len(taken) // 10
    cpu, wall = (mean(sorted(column)[aside : len(taken) - aside]) * 1_000 for column in zip(*taken, strict=True))
    return cpu, wall
