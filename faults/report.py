"""Turns rows into a table, and into the page docs/reliability.md."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

from bench import proc
from faults.deployments import DEPLOYMENTS, TRANSACTION_SECONDS
from faults.faults import Fault
from faults.load import ANSWER_SECONDS, CUT, LATE_SECONDS, PATIENCE_SECONDS, REFUSED, TIMED_OUT, UNAVAILABLE
from faults.row import Row
from faults.server import THREADS, WORKERS
from osdi.operations.gunicorn_worker import BODY_SECONDS, HEAD_SECONDS
from osdi.store.driver import SERVER_SELECTION_TIMEOUT_MS, SOCKET_TIMEOUT_MS
from osdi.store.stale_transactions import INACTIVE_SECONDS

TOLD: Final = 500
"""So many characters are told of what went wrong; the rest is in the logs that it quotes."""
PACKAGES: Final = ("Flask", "pymongo", "gunicorn")


@dataclass(frozen=True)
class NoRow:
    """A fault and deployment of which there are no figures, and the sentence that says why.

    `skipped`: this machine cannot do it; else something did not come up again, which is a promise that was not kept.
    """

    fault: Fault
    deployment: str
    why: str
    skipped: bool

    @property
    def kept(self) -> bool:
        return self.skipped


Result = Row | NoRow

COLUMNS: Final = (
    "acknowledged",
    "lost",
    "doubled",
    "people doubled",
    "people without an outreach",
    "503",
    "refused",
    "cut",
    "timed out",
    "other 4xx or 5xx",
    f"later than {LATE_SECONDS:.0f} s",
    "longest answer, s",
    "longest pause, s",
    "kept",
)

LEGEND: Final = f"""*Acknowledged* are posts that were answered 200, each an outreach of its own. *Lost* are those of \
them whose outreach, whose person, or what it said of the person, is not in the database; *doubled* are outreaches \
beyond the first of a post, *people doubled* are people beyond the first with an e-mail address or match key. The \
database is read without the service, and compared by what the posts said, not by the identifiers that the service \
keeps its word by. *503*, *refused* (nobody listened), *cut* (the connection broke before the whole answer was there) \
and *timed out* count requests; clients send each again, unchanged, until it is acknowledged, and after a 503 when its \
`Retry-After` says. The *longest answer* is the longest time that a request took, whatever came of it, and the \
*longest pause* the longest time in which nothing at all was acknowledged. *Kept* is whether every promise was: \
nothing lost or doubled, no status but 200 and 503, no answer later than {LATE_SECONDS:.0f} s, each 503 with \
`Retry-After`, nobody cut by SIGTERM, nobody kept waiting by somebody else's connection, and every post acknowledged \
at most {PATIENCE_SECONDS:.0f} s after the end, by the same workers unless they were what was killed."""

PROMISES: Final = f"""- **An answer of 200 is kept.** Every write is acknowledged by a majority and journaled. On a \
replica set person and outreach are one transaction; on a standalone the person comes first, so that a crash in \
between leaves at most a person without an outreach, whom the client's retry finds again unless they have a name only.
- **What is here already** (a request sent again, a sign-up or PUT that changes nothing) is acknowledged no sooner \
than it is as durable as a write.
- **An answer comes** within {LATE_SECONDS:.0f} s, whatever is away: a platform's router gives up after 30.
- **A request may be sent again** as often as its client likes, if it has an outreach identifier or an \
`Idempotency-Key`: the unique index recognises it. Whoever cannot tell what came of a request sends it again.
- **A database that is away** is waited for up to {SERVER_SELECTION_TIMEOUT_MS / 1000:.0f} s from the moment when the \
driver sees it, which is longer than an election takes; one that hangs is noticed after {SOCKET_TIMEOUT_MS / 1000:g} \
s. From then on every answer is 503 with `Retry-After`, at once: no thread waits. When it is back the same workers go \
on, within seconds: nothing has to be restarted.
- **SIGTERM** cuts nobody: requests under way are finished, for up to 25 s, connections that are kept open are \
answered for 2 s more, and whoever comes later is refused at once and comes again.
- **A worker that dies** takes along the requests that it was answering; their clients see a cut connection. If it \
dies inside a transaction, posts about the same people wait until another process finds the transaction idle and ends \
it, after some {INACTIVE_SECONDS:.1f} s; MongoDB by itself would keep its locks for {TRANSACTION_SECONDS} s here.
- **A master that dies** takes its workers along: they answer whoever has connected, and leave the port to the next.
- **A mongod whose disk is full** ends by itself. It has to be started again once there is room; what it had \
acknowledged is there.
- **A client that drips** holds one thread for {HEAD_SECONDS:.0f} s in a head and {BODY_SECONDS:.0f} s in a body at \
most. So many as there are threads make the others wait that long; a proxy that buffers requests keeps them out.
- **Clients should look at an answer's length.** One that is cut among its headers looks whole to some HTTP \
libraries: no body means that it has to be sent again."""


def table(results: Sequence[Result]) -> str:
    """A row for each result, in order."""
    lines = [f"| fault | deployment | {' | '.join(COLUMNS)} |", f"|---|---|{'---:|' * (len(COLUMNS) - 1)}---|"]
    for result in results:
        names = f"{result.fault.title} | {DEPLOYMENTS[result.deployment].title}"
        if isinstance(result, NoRow):
            told = "skipped" if result.skipped else "**failed**"
            lines.append(f"| {names} |{' |' * (len(COLUMNS) - 1)} {told} |")
        else:
            lines.append(f"| {names} | {' | '.join(figures(result))} |")
    return "\n".join(lines)


def figures(row: Row) -> list[str]:
    """The row's cells under COLUMNS."""
    ledger, found, outcomes = row.ledger, row.found, row.ledger.outcomes()
    numbers = (
        len(ledger.acknowledged),
        found.lost_outreaches + found.lost_people,
        found.doubled,
        found.people_doubled,
        found.people_alone,
        *(outcomes[name] for name in (UNAVAILABLE, REFUSED, CUT, TIMED_OUT)),
        ledger.unforeseen(),
        ledger.late(),
    )
    seconds = (f"{ledger.longest_answer():.1f}", f"{ledger.longest_pause():.1f}")
    return [*(f"{number:,}" for number in numbers), *seconds, "yes" if row.kept else "**no**"]


def told(results: Sequence[Result]) -> str:
    """Why rows are missing, and what was promised and not kept, in words; empty where there is nothing to tell."""
    lines = []
    for result in results:
        reasons = [result.why] if isinstance(result, NoRow) else result.problems
        name = f"`{result.fault.key}`, {DEPLOYMENTS[result.deployment].title}"
        lines += [f"- {name}: {reason.splitlines()[0][:TOLD]}" for reason in reasons]
    return "\n".join(lines)


def page(ours: Sequence[Result], naive: Sequence[Result], *, clients: int, command: str, mongodb: str) -> str:
    """The whole page."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    kept = all(each.kept for each in ours)
    verdict = "Every promise was kept." if kept else "**Not every promise was kept**; see below the table."
    parts = [
        "# Reliability",
        "What becomes of outreaches while things break: `make faults` starts real gunicorn and MongoDB processes, "
        f"posts to them from {clients} clients, breaks something in the middle, lets it recover, and holds every "
        f"acknowledged post against the database. {verdict}",
        table(ours),
        told(ours),
        LEGEND,
        "## What the service does meanwhile",
        PROMISES,
    ]
    if naive:
        parts += [
            "## What must fail",
            "The same with the view that one writes first (`faults/naive.py`): find the person, insert, insert, with "
            "the driver's defaults. Were nothing found here, nothing would be proven above.",
            table(naive),
        ]
    parts += [
        "## Measured on",
        f"- Load: {clients} clients in one process, on the same machine as servers and database; each waits up to "
        f"{ANSWER_SECONDS:.0f} s\n"
        f"- Servers: gunicorn, {WORKERS} workers with {THREADS} threads each\n"
        f"- Machine: {proc.processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}\n"
        f"- Versions: Python {platform.python_version()}, MongoDB {mongodb}, {packages}\n"
        f"- Date: {datetime.now(UTC):%Y-%m-%d}\n- Command: `{command}`",
    ]
    return "\n\n".join(part for part in parts if part)
