"""What each request takes in databases of several sizes, request by request in turn.

All databases lie on one server, each behind a gunicorn of its own with one worker, and one client asks on a connection
that stays open. Each size has its turn before any has its next, in random order: what slows the machine down meets all
of them.
"""

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
from bench.scale.client import Client
from bench.scale.kinds import KINDS, PER_PAGE, Asker, Kind
from bench.server import Server, ServerFailed
from dev.mongod import Mongod

WARM_UP = 20


@dataclass(frozen=True)
class Filled:
    """A filled database, and how an application is started on it."""

    contender: Ours
    loaded: Loaded
    seconds: float = 0
    """How long filling took."""

    @classmethod
    def of(cls, mongod: Mongod, people: int) -> "Filled":
        """Fill a database of its own. Raises ServerFailed."""
        contender = Ours(f"scale-{people}", f"{people:,}", with_token=True)
        uri = mongod.uri.replace("/osdi?", f"/osdi_scale_{people}?")
        contender.prepare(uri)
        began = time.monotonic()
        loaded = load(uri, contender.token, people)
        return cls(contender, loaded, time.monotonic() - began)

    def server(self, scratch: Path, *, workers: int = 1, worker_class: str = "", **variables: str) -> Server:
        """The application on this database; `variables` are settings besides those of the benchmarks.

        With a `worker_class` it runs on gunicorn's defaults, without our configuration.
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
    """A kind of request, and its median milliseconds in each database, the smallest first."""

    kind: Kind
    milliseconds: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """What the larger ones take of the smallest."""
        return tuple(each / self.milliseconds[0] for each in self.milliseconds[1:])

    @property
    def kept(self) -> bool:
        """Whether the largest keeps the bound."""
        return self.kind.bound is None or not self.ratios or round(self.ratios[-1], 2) <= self.kind.bound


def measure_sizes(filled: Sequence[Filled], scratch: Path, turns: int) -> list[Row]:
    """The medians of so many requests of each kind to each database. Raises ServerFailed."""
    chance = random.Random(1)
    taken: dict[tuple[str, int], list[float]] = {(kind.label, at): [] for kind in KINDS for at in range(len(filled))}
    with ExitStack() as stack:
        askers = []
        for seed, each in enumerate(filled):
            client = stack.enter_context(each.client(stack.enter_context(each.server(scratch))))
            askers.append((client, Asker(each.loaded, client, seed)))
        rounds = range(WARM_UP + turns)
        with click.progressbar(rounds, label="turns of all requests", file=sys.stderr) as bar:
            for number in bar:
                for kind in chance.sample(KINDS, len(KINDS)):
                    for at in chance.sample(range(len(askers)), len(askers)):
                        seconds = _asked(kind, *askers[at])
                        if number >= WARM_UP:
                            taken[kind.label, at].append(seconds * 1_000)
    return [Row(kind, tuple(median(taken[kind.label, at]) for at in range(len(filled)))) for kind in KINDS]


def _asked(kind: Kind, client: Client, asker: Asker) -> float:
    answer = client.ask(kind.ask(asker))
    if kind.total is not None and (found := answer.json["total_records"]) != kind.total:
        raise ServerFailed(f"{kind.label}: {found} were found, not {kind.total}")
    return answer.seconds


def sizes_section(rows: Sequence[Row], filled: Sequence[Filled], turns: int) -> str:
    """The table of all requests."""
    sizes = [f"{each.loaded.people:,}" for each in filled]
    titles = [*(f"{size}, ms" for size in sizes), *(f"{size} / {sizes[0]}" for size in sizes[1:]), "at most", ""]
    lines = [f"| people and outreaches | {' | '.join(titles)} |", f"|---|{'---:|' * (len(titles) - 1)}---|"]
    for row in rows:
        figures = [*(f"{each:.2f}" for each in row.milliseconds), *(f"{each:.2f}" for each in row.ratios)]
        bound = f"{row.kind.bound}" if row.kind.bound else ""
        verdict = "" if row.kind.bound is None else "kept" if row.kept else "**not kept**"
        lines.append(f"| {row.kind.label} | {' | '.join(figures)} | {bound} | {verdict} |")
    return "\n\n".join(
        (
            "### From database to database",
            f"The table shows median milliseconds until the whole answer arrived: {turns:,} requests of each "
            "kind over HTTP to one worker, by one client on a kept-alive connection. The sizes take turns in "
            "random order: each has one turn before any has its next. The new, known or read people are chosen "
            f"again for each request. Pages hold {PER_PAGE}.",
            "\n".join(lines),
        )
    )


def broken(rows: Sequence[Row]) -> list[str]:
    """A sentence for each row whose bound is not kept."""
    return [f"{row.kind.label}: {row.ratios[-1]:.2f} times, at most {row.kind.bound}" for row in rows if not row.kept]
