"""Measures the time of each kind of request in databases of several sizes, which take turns.

All databases are on one server. Each has its own gunicorn with one worker, and one client on a kept-alive connection.
The sizes take turns in random order: each has one turn before any has its next, so a slow moment of the machine affects
all of them.
"""

import math
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import click

from bench.contenders import Ours
from bench.loading import Loaded, load
from bench.scale.client import Client, Unavailable
from bench.scale.kinds import KINDS, PER_PAGE, Kind, RequestFactory
from bench.server import Server, ServerFailed
from dev.mongod import Mongod

WARM_UP = 20


@dataclass(frozen=True)
class Filled:
    """A filled database, which can start servers and clients."""

    contender: Ours
    loaded: Loaded
    seconds: float = 0
    """Duration of the filling."""

    @classmethod
    def of(cls, mongod: Mongod, people: int) -> "Filled":
        """Creates and fills a new database. Raises ServerFailed."""
        contender = Ours(f"scale-{people}", f"{people:,}", with_token=True)
        uri = mongod.uri.replace("/osdi?", f"/osdi_scale_{people}?")
        contender.prepare(uri)
        began = time.monotonic()
        loaded = load(uri, contender.token, people)
        return cls(contender, loaded, time.monotonic() - began)

    def server(self, scratch: Path, *, workers: int = 1, worker_class: str = "", **variables: str) -> Server:
        """Returns the application on this database. `variables` are settings in addition to those of the benchmarks.

        With a `worker_class` gunicorn uses its defaults, without our configuration.
        """
        return Server(
            self.contender.app,
            folder=scratch if worker_class else self.contender.folder(scratch),
            log=scratch / f"{self.contender.key}-{worker_class or 'ours'}-{workers}.log",
            variables=self.contender.variables(self.loaded.uri) | variables,
            workers=workers,
            worker_class=worker_class,
        )

    @contextmanager
    def client(self, server: Server) -> Iterator[Client]:
        client = Client(server.port, self.loaded.token)
        try:
            yield client
        finally:
            client.close()


@dataclass(frozen=True)
class Row:
    """Median milliseconds of a kind of request in each database, the smallest first."""

    kind: Kind
    milliseconds: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """Ratios of the larger databases to the smallest."""
        return tuple(each / self.milliseconds[0] for each in self.milliseconds[1:])

    @property
    def kept(self) -> bool:
        """True if the largest database keeps the bound, or there is none."""
        return self.kind.bound is None or not self.ratios or round(self.ratios[-1], 2) <= self.kind.bound


def measure_sizes(filled: Sequence[Filled], scratch: Path, turns: int) -> list[Row]:
    """Sends `turns` requests of each kind to each database and returns the medians. Raises ServerFailed."""
    rng = random.Random(1)
    samples: dict[tuple[str, int], list[float]] = {(kind.label, at): [] for kind in KINDS for at in range(len(filled))}
    with ExitStack() as stack:
        clients = []
        for seed, each in enumerate(filled):
            client = stack.enter_context(each.client(stack.enter_context(each.server(scratch))))
            clients.append((client, RequestFactory(each.loaded, client, seed)))
        rounds = range(WARM_UP + turns)
        with click.progressbar(rounds, label="turns of all requests", file=sys.stderr) as bar:
            for number in bar:
                for kind in rng.sample(KINDS, len(KINDS)):
                    for at in rng.sample(range(len(clients)), len(clients)):
                        seconds = _seconds(kind, *clients[at])
                        if number >= WARM_UP:
                            samples[kind.label, at].append(seconds * 1_000)
    return [Row(kind, tuple(median(samples[kind.label, at]) for at in range(len(filled)))) for kind in KINDS]


def _seconds(kind: Kind, client: Client, factory: RequestFactory) -> float:
    """Returns the seconds of a response; infinity for 503: the database is too large for this request."""
    try:
        response = client.send(kind.make(factory))
    except Unavailable:
        return math.inf
    if kind.total is not None and (found := response.json["total_records"]) != kind.total:
        raise ServerFailed(f"{kind.label}: found {found} records instead of {kind.total}")
    return response.seconds


def sizes_section(rows: Sequence[Row], filled: Sequence[Filled], turns: int) -> str:
    """Returns the Markdown section with the table of all kinds."""
    sizes = [f"{each.loaded.people:,}" for each in filled]
    titles = [*(f"{size}, ms" for size in sizes), *(f"{size} / {sizes[0]}" for size in sizes[1:]), "at most", ""]
    lines = [f"| people and outreaches | {' | '.join(titles)} |", f"|---|{'---:|' * (len(titles) - 1)}---|"]
    for row in rows:
        figures = [*(_shown(each) for each in row.milliseconds), *(_shown(each) for each in row.ratios)]
        bound = f"{row.kind.bound}" if row.kind.bound else ""
        verdict = "" if row.kind.bound is None else "kept" if row.kept else "**not kept**"
        lines.append(f"| {row.kind.label} | {' | '.join(figures)} | {bound} | {verdict} |")
    return "\n\n".join(
        (
            "### From database to database",
            f"The table shows median milliseconds until the whole response arrived: {turns:,} requests of each "
            "kind over HTTP to one worker, by one client on a kept-alive connection. The sizes take turns in "
            "random order: each has one turn before any has its next. The new, known or read people are chosen "
            f"again for each request. Pages hold {PER_PAGE}.",
            "\n".join(lines),
        )
    )


def _shown(figure: float) -> str:
    return f"{figure:.2f}" if math.isfinite(figure) else "503"


def broken(rows: Sequence[Row]) -> list[str]:
    """Returns a sentence for each row that breaks its bound."""
    return [
        f"{row.kind.label}: {_shown(row.ratios[-1])} times, at most {row.kind.bound}" for row in rows if not row.kept
    ]
