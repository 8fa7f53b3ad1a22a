"""Turns the rounds' figures into medians, ratios and a Markdown report."""

import os
import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median

from bench import proc
from bench.contenders import Contender
from bench.load import CONNECTIONS, Measured
from bench.load import THREADS as WRK_THREADS
from bench.server import THREADS, WORKERS

PACKAGES = ("Flask", "pymongo", "gunicorn", "Eve")
# What the profile said on 2026-11-25; to be read again where the ratios move.
IN_BETWEEN = (
    "The section *Where the time goes* measures each part of the difference between the floor and our server. "
    "About half of our processor time is the driver's: four round trips, each of which takes about the same "
    "time with any content. The floor needs three when it writes in order, and four when it commits person and "
    "outreach together, as we do. No part of our own code takes much more than a tenth: matching and merging; "
    "checking the body; then the caller, the log line, the headers and the answer. The rates of single rounds "
    "vary by a third with the disk; processor time does not."
)

FLOORS = ("floor-ordered", "floor-transaction")


@dataclass(frozen=True)
class Result:
    """One contender in one round. Rates and processor times are per outreach: of Eve's requests, two make one."""

    measured: Measured
    per_second: float
    resident_megabytes: float
    worker_cpu_ms: float
    mongod_cpu_ms: float
    others_percent: float

    @property
    def cpu_ms(self) -> float:
        return self.worker_cpu_ms + self.mongod_cpu_ms


# For every contender's key its result in each round, in order.
Rounds = dict[str, list[Result]]


COLUMNS: tuple[tuple[str, str, Callable[[Result], float]], ...] = (
    ("outreaches per second", ".0f", lambda result: result.per_second),
    ("p50 ms", ".1f", lambda result: result.measured.p50_ms),
    ("p99 ms", ".1f", lambda result: result.measured.p99_ms),
    ("resident MB per worker", ".0f", lambda result: result.resident_megabytes),
    ("workers' CPU ms per outreach", ".2f", lambda result: result.worker_cpu_ms),
    ("mongod's CPU ms per outreach", ".2f", lambda result: result.mongod_cpu_ms),
)


def table(contenders: list[Contender], rounds: Rounds) -> str:
    """One row for each contender: of every figure the median of its rounds."""
    lines = [
        f"| contender | {' | '.join(title for title, _, _ in COLUMNS)} | each round per second |",
        f"|---|{'---:|' * len(COLUMNS)}---|",
    ]
    for contender in contenders:
        results = rounds[contender.key]
        figures = (format(middle(results, figure), form) for _, form, figure in COLUMNS)
        each = ", ".join(f"{result.per_second:.0f}" for result in results)
        lines.append(f"| {contender.label} | {' | '.join(figures)} | {each} |")
    return "\n".join(lines)


def middle(results: list[Result], figure: Callable[[Result], float]) -> float:
    """Median of one figure over the rounds."""
    return median(figure(result) for result in results)


def ratios(contenders: list[Contender], rounds: Rounds) -> str:
    """One row for each comparison: the ratio within every round, and the median of these.

    By processor time what each needs of the processors is compared instead of what it reached: 1 / 2 where one needs
    twice as much; first with mongod's, then without.
    """
    labels = {contender.key: contender.label for contender in contenders}
    pairs = [("ours-token", floor_key(rounds)), ("ours-public", floor_key(rounds))]
    pairs += [("ours-trigger", "ours-token"), ("ours-public-trigger", "ours-public"), ("ours-webhook", "ours-token")]
    pairs += [("ours-token", "eve"), ("ours-public", "eve"), ("floor-transaction", "floor-ordered")]
    lines = [
        "| ratio | outreaches per second | each round | by processor time | by workers' processor time | each round |",
        "|---|---:|---|---:|---:|---|",
    ]
    for above, below in pairs:
        if above not in rounds or below not in rounds:
            continue
        both = list(zip(rounds[above], rounds[below], strict=True))
        each = [one.per_second / other.per_second for one, other in both]
        by_time = median(other.cpu_ms / one.cpu_ms for one, other in both)
        by_workers = [other.worker_cpu_ms / one.worker_cpu_ms for one, other in both]
        figures = (
            f"{median(each):.2f}",
            listed(each),
            f"{by_time:.2f}",
            f"{median(by_workers):.2f}",
            listed(by_workers),
        )
        lines.append(f"| ({labels[above]}) / ({labels[below]}) | {' | '.join(figures)} |")
    return "\n".join(lines) if len(lines) > 2 else ""


def listed(figures: list[float]) -> str:
    """A ratio of each round, in order."""
    return ", ".join(f"{figure:.2f}" for figure in figures)


def disturbance(rounds: Rounds) -> float:
    """Largest share of the processors that went to other programs in any round."""
    return max(result.others_percent for results in rounds.values() for result in results)


def floor_key(rounds: Rounds) -> str:
    """The better of the two floors is the floor."""
    present = [key for key in FLOORS if key in rounds]
    return max(present, key=lambda key: middle(rounds[key], lambda result: result.per_second), default="")


def recording(contenders: list[Contender], rounds: Rounds, seconds: int) -> list[str]:
    """The parts about recording an outreach; none where no contender ran."""
    if not contenders:
        return []
    return [
        "The first tables show how fast the server records an outreach of a person over HTTP. Each row is the "
        f"median of {len(rounds[contenders[0].key])} interleaved rounds of {seconds} s.",
        table(contenders, rounds),
        ratios(contenders, rounds),
        "**The floor** is a bare Flask view: it parses the JSON, looks for the person, writes person and "
        "outreach, and does nothing else. The ratios use the faster of its two forms. **Eve** needs two "
        "requests for an outreach, so two of its requests count as one; each of its latencies is of one "
        "request.\n\nAll contenders write with the same durability (acknowledged by the majority, journaled) "
        "to the same server, a single-member replica set on a real disk.\n\n- *With trigger*: an autoresponse, "
        "whose message exists, is queued in the insert of the outreach.\n- *With a webhook*: an event is "
        "stored in the same insert. No worker runs in either case.\n- *Known people*: the posts contain "
        "nothing new about the person, so only the outreach is written.\n\nAfter each run, the benchmark "
        "compares the numbers of people, outreaches, follow-ups and events in the database with the answers.",
        IN_BETWEEN,
        "Other programs on the machine distort processor time per outreach less than the other figures. In the "
        f"most disturbed round, other programs took {disturbance(rounds):.0f} % of the processors.",
    ]


def report(
    contenders: list[Contender], rounds: Rounds, *, seconds: int, command: str, mongodb: str, more: Iterable[str]
) -> str:
    """The whole report: what was measured, on what, with which command."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return "\n\n".join(
        part
        for part in (
            "# Performance",
            "To measure on your own machine, run `make bench`, and `make bench-scale` for a million people. Compare "
            "the ratios, not the rates: rates depend on the machine.",
            *recording(contenders, rounds, seconds),
            *more,
            "## Measured on",
            f"- Load: wrk, {WRK_THREADS} threads, {CONNECTIONS} connections, on the same machine as servers and "
            f"database\n- Servers: gunicorn, {WORKERS} workers with {THREADS} threads each\n"
            f"- Machine: {proc.processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}\n"
            f"- Versions: Python {platform.python_version()}, MongoDB {mongodb}, {packages}\n"
            f"- Date: {datetime.now(UTC):%Y-%m-%d}\n- Command: `{command}`",
        )
        if part
    )
