"""Measures the cost of a trigger and of a webhook for the helper; the kinds of request take turns.

Rounds of many seconds are too far apart to show a difference of a few percent on a machine that also does other work.
Here the application runs in this process, without a server. Each kind sends one request before any kind sends its next,
so a slow moment of the machine affects all kinds. Two clocks are read: the processor time of the serving thread, and
the time until the response, which includes the database.
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
from bench.contenders import UNREACHABLE, Ours
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
    Ours("turns-webhook", "with token and a webhook", with_token=True, webhook=UNREACHABLE),
    Ours("turns-public", "without token", with_token=False),
    Ours("turns-public-trigger", "without token, with trigger", with_token=False, trigger=True),
)
# Each pair: the kind to compare with, and the compared kind.
PAIRS = tuple((KINDS[first], KINDS[second]) for first, second in ((0, 1), (0, 2), (0, 3), (4, 5)))

# Sends the request with this number. Returns seconds of processor time and seconds until the response.
Turn = Callable[[int], tuple[float, float]]


def measure_turns(mongod: Mongod, scratch: Path) -> str:
    """Returns the Markdown section with the times of each kind and their ratios. Raises ServerFailed."""
    # Each kind has its own database, so that all databases grow equally.
    uris = {kind.key: mongod.uri.replace("/osdi?", f"/osdi_{kind.key.replace('-', '_')}?") for kind in KINDS}
    with Path(os.devnull).open("w") as devnull, redirect_stdout(devnull):  # the application still writes its log
        turns = {kind.key: turn_of(*application(kind, uris[kind.key], scratch), kind.label) for kind in KINDS}
        samples: dict[str, list[tuple[float, float]]] = {kind.key: [] for kind in KINDS}
        for number in range(WARM_UP + TURNS):
            for key in random.sample(list(turns), len(turns)):
                measured = turns[key](number)
                if number >= WARM_UP:
                    samples[key].append(measured)
    with MongoClient[dict[str, Any]](mongod.uri) as client:
        for kind in KINDS:
            database = client.get_database(f"osdi_{kind.key.replace('-', '_')}")
            if (complete := database.outreaches.count_documents(kind.expected)) != WARM_UP + TURNS:
                raise ServerFailed(f"{kind.label}: only {complete} of {WARM_UP + TURNS} outreaches are complete")
            client.drop_database(database)
    return _section(samples)


def application(kind: Ours, uri: str, scratch: Path) -> tuple[Flask, Traffic]:
    """Prepares the kind's database through commands and routes. Returns the application and its load."""
    kind.prepare(uri)
    variables = kind.variables(uri)
    with Server(kind.app, folder=kind.folder(scratch), log=scratch / f"{kind.key}.log", variables=variables) as server:
        traffic = kind.traffic(server.port)
    settings = Settings(
        mongodb_uri=uri,
        log_format="json",
        rate_limit_anonymous=variables["RATE_LIMIT_ANONYMOUS"],
        rate_limit_anonymous_bytes=variables["RATE_LIMIT_ANONYMOUS_BYTES"],
        rate_limit_token=variables["RATE_LIMIT_TOKEN"],
        rate_limit_contact=variables["RATE_LIMIT_CONTACT"],
        repeat_seconds=float(variables["REPEAT_SECONDS"]),
    )
    return create_app(settings), traffic


def turn_of(app: Flask, traffic: Traffic, label: str) -> Turn:
    """Returns a function that sends the load's request to the application.

    The function raises ServerFailed unless the response is 200.
    """
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
        seconds = time.thread_time() - used, time.perf_counter() - began
        if not status.startswith("200"):
            raise ServerFailed(f"{label}: a request got {status}")
        return seconds

    return turn


def _section(samples: dict[str, list[tuple[float, float]]]) -> str:
    columns = ("CPU ms per outreach", "without / with", "each fifth", "ms until the response", "without / with")
    lines = [f"| | {' | '.join(columns)} |", "|---|---:|---:|---|---:|---:|"]
    without = set()
    for below, kind in PAIRS:
        if below.key not in without:
            cpu, wall = _milliseconds(samples[below.key])
            lines.append(f"| {below.label} | {cpu:.3f} | | | {wall:.2f} | |")
            without.add(below.key)
        cpu, wall = _milliseconds(samples[kind.key])
        cpu_below, wall_below = _milliseconds(samples[below.key])
        parts = zip(_parts(samples[below.key]), _parts(samples[kind.key]), strict=True)
        each = ", ".join(f"{_milliseconds(first)[0] / _milliseconds(second)[0]:.3f}" for first, second in parts)
        figures = (f"{cpu:.3f}", f"{cpu_below / cpu:.3f}", each, f"{wall:.2f}", f"{wall_below / wall:.3f}")
        lines.append(f"| {kind.label} | {' | '.join(figures)} |")
    return "\n\n".join(
        (
            "## What a trigger and a webhook cost the helper",
            f"This compares {TURNS:,} requests of each kind in one process without a server. The kinds take "
            "turns, so a disturbance of the machine affects all of them equally. Each figure is the mean "
            "without the fastest and the slowest tenth. CPU is the processor time of the serving thread.",
            "\n".join(lines),
        )
    )


def _parts(samples: list[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    size = len(samples) // PARTS
    return [samples[start : start + size] for start in range(0, size * PARTS, size)]


def _milliseconds(samples: list[tuple[float, float]]) -> tuple[float, float]:
    """Returns milliseconds of processor time and until the response, each the mean of the middle eight tenths."""
    aside = len(samples) // 10
    cpu, wall = (mean(sorted(column)[aside : len(samples) - aside]) * 1_000 for column in zip(*samples, strict=True))
    return cpu, wall
