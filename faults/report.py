"""Writes the table of rows and the page docs/reliability.md; its promises are in faults/promises.py."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

from bench import proc
from faults.administration.load import ROWS
from faults.deployments import DEPLOYMENTS
from faults.faults import Fault
from faults.load import CUT, LATE_SECONDS, REFUSED, RESPONSE_SECONDS, TIMED_OUT, UNAVAILABLE, WAIT_SECONDS
from faults.promises import ADVICE, PROMISES
from faults.row import Row
from faults.server import THREADS, WORKERS

# Maximum characters of a reason.
MAX_REASON_LENGTH: Final = 500
PACKAGES: Final = ("Flask", "pymongo", "gunicorn")


@dataclass(frozen=True)
class NoRow:
    """A fault and deployment without figures, and the reason.

    `skipped` is true if this machine cannot run it. Otherwise a process did not start again, which breaks a promise.
    """

    fault: Fault
    deployment: str
    reason: str
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
    "merges",
    "erasures",
    "deletions",
    "imported rows",
    "leftovers",
    "503",
    "refused",
    "cut",
    "timed out",
    "other 4xx or 5xx",
    f"later than {LATE_SECONDS:.0f} s",
    "longest response, s",
    "longest pause, s",
    "kept",
)

LEGEND: Final = f"""| column | meaning |
|---|---|
| acknowledged | Posts that got 200. Each post is an outreach of its own |
| lost | Acknowledged posts whose outreach, whose person, or whose data about the person is not in the database |
| doubled | Outreaches beyond the first of a post |
| people doubled | People beyond the first with an e-mail address or match key |
| people without an outreach | People who were written while their outreach was not. On a standalone this can happen \
|
| merges, erasures, deletions, imported rows | What the administration did meanwhile: acknowledged merges, erasures, \
deletions of people and campaigns, and rows of files whose import ended without error |
| leftovers | Erased people whose name, address or message any collection still has; deleted people and campaigns; \
outreaches of a missing person or campaign; merges whose survivor lacks an outreach or e-mail address, or whose other \
person is there; imported people who are missing or there twice |
| 503, refused, cut, timed out | Requests that got 503, found no listening server, lost the connection before the \
whole response arrived, or got no response in time. Clients send each again, unchanged, until it is acknowledged; \
after a 503 they wait for its `Retry-After` |
| longest response | The longest time that a request took, with any result |
| longest pause | The longest time without any acknowledgement |
| kept | Whether every promise was kept |

The check reads the database without the service. It compares by what the posts contained, not by the identifiers \
that the service itself relies on. Before that, all processes have ended, and what was interrupted is completed as a \
worker does it some minutes later. `tests/faults/test_harness.py` and `tests/faults/test_leftovers.py` plant each kind \
of error in a database and see that the check finds it.

The administration has other people than the clients that post. Two clients merge, erase and delete people that they \
have created. `bin/osdi import people` imports files of {ROWS} people, and some of these are erased meanwhile. \
A worker runs, too.

The promises are:

- Nothing is lost or doubled.
- Nothing of an erased person is left, also if an import of a file with that person is running.
- No merge or deletion is left half done, and each person of a file is imported exactly once.
- No response has another status than 200 and 503, and each 503 has `Retry-After`.
- No response comes later than {LATE_SECONDS:.0f} s.
- SIGTERM cuts no connection.
- A client does not wait because of another client's connection.
- Every post is acknowledged at most {WAIT_SECONDS:.0f} s after the end of the load, by the same workers, unless \
the workers were what was killed."""


def table(results: Sequence[Result]) -> str:
    """Returns the Markdown table with a row for each result, in order."""
    lines = [f"| fault | deployment | {' | '.join(COLUMNS)} |", f"|---|---|{'---:|' * (len(COLUMNS) - 1)}---|"]
    for result in results:
        names = f"{result.fault.title} | {DEPLOYMENTS[result.deployment].title}"
        if isinstance(result, NoRow):
            verdict = "skipped" if result.skipped else "**failed**"
            lines.append(f"| {names} |{' |' * (len(COLUMNS) - 1)} {verdict} |")
        else:
            lines.append(f"| {names} | {' | '.join(figures(result))} |")
    return "\n".join(lines)


def figures(row: Row) -> list[str]:
    """Returns the row's cells in the order of COLUMNS."""
    ledger, found, outcomes = row.ledger, row.found, row.ledger.outcomes()
    numbers: tuple[int | str, ...] = (
        len(ledger.acknowledged),
        found.lost_outreaches + found.lost_people,
        found.doubled,
        found.people_doubled,
        found.people_alone,
        *_administration(row),
        *(outcomes[name] for name in (UNAVAILABLE, REFUSED, CUT, TIMED_OUT)),
        ledger.unexpected(),
        ledger.late(),
    )
    seconds = (f"{ledger.longest_answer():.1f}", f"{ledger.longest_pause():.1f}")
    cells = (each if isinstance(each, str) else f"{each:,}" for each in numbers)
    return [*cells, *seconds, "yes" if row.kept else "**no**"]


def _administration(row: Row) -> tuple[int | str, ...]:
    """Returns the cells about merges, erasures, deletions and imports; dashes if there were none to make."""
    done = row.done
    if done is None:
        return ("-",) * 5
    return len(done.merges), len(done.erased), done.deletions, done.rows, row.leftovers.total


def reasons(results: Sequence[Result]) -> str:
    """Returns a Markdown list of the reasons for missing rows and of the broken promises; "" if there are none."""
    lines = []
    for result in results:
        sentences = [result.reason] if isinstance(result, NoRow) else result.problems
        name = f"`{result.fault.key}`, {DEPLOYMENTS[result.deployment].title}"
        lines += [f"- {name}: {each.splitlines()[0][:MAX_REASON_LENGTH]}" for each in sentences]
    return "\n".join(lines)


def page(ours: Sequence[Result], naive: Sequence[Result], *, clients: int, command: str, mongodb: str) -> str:
    """Returns the whole page."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    kept = all(each.kept for each in ours)
    verdict = "Every promise was kept." if kept else "**Not every promise was kept**; see below the table."
    parts = [
        "# Reliability",
        "This page shows what happens to outreaches while something fails. `make faults` starts real gunicorn "
        f"and MongoDB processes and posts to them from {clients} clients. Meanwhile people are merged, erased, deleted "
        "and imported. In the middle it breaks something and lets it recover. Then it compares everything that was "
        f"acknowledged with the database. {verdict}",
        table(ours),
        reasons(ours),
        LEGEND,
        "## What the service does in each case",
        "Each promise names its tests. A row is one of the table above: `python -m faults --only mongod-killed` runs "
        "the row `mongod-killed` alone.",
        "\n".join(f"- {each}" for each in PROMISES),
        ADVICE,
    ]
    if naive:
        parts += [
            "## The comparison that must fail",
            "The same test with a simple view (`faults/naive.py`): find the person, insert the person, insert "
            "the outreach, with the driver's defaults. It must lose or double something. Otherwise the test "
            "could not have found failures above.",
            table(naive),
        ]
    parts += [
        "## Measured on",
        f"- Load: {clients} clients in one process, on the same machine as servers and database; each waits up to "
        f"{RESPONSE_SECONDS:.0f} s\n"
        f"- Servers: gunicorn, {WORKERS} workers with {THREADS} threads each\n"
        f"- Machine: {proc.processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}\n"
        f"- Versions: Python {platform.python_version()}, MongoDB {mongodb}, {packages}\n"
        f"- Date: {datetime.now(UTC):%Y-%m-%d}\n- Command: `{command}`",
    ]
    return "\n\n".join(part for part in parts if part)
