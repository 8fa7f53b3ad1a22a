"""Writes the Markdown report: medians and ratios of the rounds."""

import os
import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from statistics import median

from bench import proc
from bench.contenders import Contender
from bench.load import CONNECTIONS, Measured
from bench.load import THREADS as WRK_THREADS
from bench.server import THREADS, WORKERS

PACKAGES = ("Flask", "pymongo", "gunicorn", "Eve")
# Summary of the profile of 2026-11-25. Check it when the ratios change.
IN_BETWEEN = (
    "The section *Where the time goes* measures each part of the difference between the floor and our server. "
    "About half of our processor time is the driver's: four round trips, each of which takes about the same "
    "time with any content. The floor needs three when it writes in order, and four when it commits person and "
    "outreach together, as we do. No part of our own code takes much more than a tenth: matching and merging; "
    "checking the body; then the caller, the log line, the headers and the response. The rates of single rounds "
    "vary by a third with the disk; processor time does not."
)

FLOORS = ("floor-ordered", "floor-transaction")


@dataclass(frozen=True)
class Result:
    """Result of one contender in one round.

    Rates and processor times are per outreach; Eve needs two requests for one.
    """

    measured: Measured
    per_second: float
    resident_megabytes: float
    worker_cpu_ms: float
    mongod_cpu_ms: float
    others_percent: float

    @property
    def cpu_ms(self) -> float:
        return self.worker_cpu_ms + self.mongod_cpu_ms


# By a contender's key its results, one per round.
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
    """Returns a row for each contender: the median over the rounds of every figure."""
    lines = [
        f"| contender | {' | '.join(title for title, _, _ in COLUMNS)} | each round per second |",
        f"|---|{'---:|' * len(COLUMNS)}---|",
    ]
    for contender in contenders:
        results = rounds[contender.key]
        figures = (format(median_of(results, figure), form) for _, form, figure in COLUMNS)
        each = ", ".join(f"{result.per_second:.0f}" for result in results)
        lines.append(f"| {contender.label} | {' | '.join(figures)} | {each} |")
    return "\n".join(lines)


def median_of(results: list[Result], figure: Callable[[Result], float]) -> float:
    """Returns the median of one figure over the rounds."""
    return median(figure(result) for result in results)


def ratios(contenders: list[Contender], rounds: Rounds) -> str:
    """Returns a row for each comparison: the ratio within every round, and the median of these ratios.

    The ratios by processor time compare the processor time per outreach: 1 / 2 if a contender needs twice as much. The
    first of them includes mongod's time, the second does not.
    """
    labels = {contender.key: contender.label for contender in contenders}
    new_people = ("ours-token", "ours-public", "ours-phone")
    pairs = [(ours, floor_key(rounds)) for ours in new_people]
    pairs += [("ours-known", "floor-known"), ("ours-public-known", "floor-known")]
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
    """Returns the ratios of all rounds as text."""
    return ", ".join(f"{figure:.2f}" for figure in figures)


def disturbance(rounds: Rounds) -> float:
    """Returns the largest percentage of the processors that other programs took in any round."""
    return max(result.others_percent for results in rounds.values() for result in results)


def floor_key(rounds: Rounds) -> str:
    """Returns the key of the faster floor, or "" if none ran."""
    present = [key for key in FLOORS if key in rounds]
    return max(present, key=lambda key: median_of(rounds[key], lambda result: result.per_second), default="")


def recording(contenders: list[Contender], rounds: Rounds, seconds: int) -> list[str]:
    """Returns the paragraphs about recording an outreach; none if no contender ran."""
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
        "nothing new about the person, so only the outreach is written; without a transaction, also by the floor.\n- "
        "*One phone number*: all posts name the same number, and each is of another person.\n\nAfter each run, the "
        "benchmark compares the numbers of people, outreaches, follow-ups and events in the database with the "
        "responses.",
        IN_BETWEEN,
        "Other programs on the machine distort processor time per outreach less than the other figures. In the "
        f"most disturbed round, other programs took {disturbance(rounds):.0f} % of the processors.",
    ]


def version_of(package: str) -> str:
    """Returns the version of a package; empty if it is not installed, as Eve may be."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def report(
    contenders: list[Contender], rounds: Rounds, *, seconds: int, command: str, mongodb: str, more: Iterable[str]
) -> str:
    """Returns the whole report, with machine, versions and command."""
    packages = ", ".join(f"{name} {found}" for name in PACKAGES if (found := version_of(name)))
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
