"""Writes the table of rows and the page docs/reliability.md."""

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
from osdi.settings.table import ServerSettings
from osdi.store.driver import SERVER_SELECTION_TIMEOUT_MS, SOCKET_TIMEOUT_MS
from osdi.store.stale_transactions import INACTIVE_SECONDS

HEAD_SECONDS, BODY_SECONDS = ServerSettings.head_seconds, ServerSettings.body_seconds
# Maximum characters of a reason.
REASON_LENGTH: Final = 500
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

LEGEND: Final = f"""| column | meaning |
|---|---|
| acknowledged | Posts that were answered 200. Each post is an outreach of its own |
| lost | Acknowledged posts whose outreach, whose person, or whose data about the person is not in the database |
| doubled | Outreaches beyond the first of a post |
| people doubled | People beyond the first with an e-mail address or match key |
| people without an outreach | People who were written while their outreach was not. On a standalone this can happen \
|
| 503, refused, cut, timed out | Requests that got 503, found no listening server, lost the connection before the \
whole answer arrived, or got no answer in time. Clients send each again, unchanged, until it is acknowledged; after \
a 503 they wait for its `Retry-After` |
| longest answer | The longest time that a request took, with any result |
| longest pause | The longest time without any acknowledgement |
| kept | Whether every promise was kept |

The check reads the database without the service. It compares by what the posts contained, not by the identifiers \
that the service itself relies on.

The promises are:

- Nothing is lost or doubled.
- No answer has another status than 200 and 503, and each 503 has `Retry-After`.
- No answer comes later than {LATE_SECONDS:.0f} s.
- SIGTERM cuts no connection.
- A client does not wait because of another client's connection.
- Every post is acknowledged at most {PATIENCE_SECONDS:.0f} s after the end of the load, by the same workers, unless \
the workers were what was killed."""

PROMISES: Final = f"""- **An answer of 200 is durable.** A majority acknowledges and journals every write. On a \
replica set, person and outreach are one transaction. On a standalone the person is written first. A crash in \
between leaves at most a person without an outreach. The client's retry finds that person again, unless they have \
only a name.
- **A request that changes nothing** (a repeated request, a sign-up or PUT without changes) is acknowledged only \
when the stored data is as durable as a write.
- **Answers arrive** within {LATE_SECONDS:.0f} s in any failure; a platform's router gives up after 30.
- **A client may repeat a request** as often as it likes, if the request has an outreach identifier or an \
`Idempotency-Key`: the unique index detects the repeat. A client that does not know the result of a request should \
send it again.
- **If the database is down**, requests wait up to {SERVER_SELECTION_TIMEOUT_MS / 1000:.0f} s from the moment when \
the driver notices it, which is longer than an election takes. The driver notices a database that hangs after \
{SOCKET_TIMEOUT_MS / 1000:g} s. After that, every answer is 503 with `Retry-After`, immediately, and no thread \
waits. When the database is back, the same workers continue within seconds; nothing has to be restarted.
- **SIGTERM** cuts no connection. gunicorn finishes the requests in progress, for up to 25 s, and answers kept-alive \
connections for 2 s more. A later connection is refused immediately, and its client tries again.
- **If a worker dies**, the requests that it was answering fail; their clients see a cut connection. If it dies \
inside a transaction, posts about the same people wait until another process finds the transaction idle and ends it, \
after about {INACTIVE_SECONDS:.1f} s. MongoDB alone would keep the locks for {TRANSACTION_SECONDS} s here.
- **If the master dies**, its workers stop too. They answer the clients that have connected, and free the port for \
the next master.
- **If mongod's disk is full**, mongod exits. Start it again once there is space; everything that it acknowledged is \
there.
- **A client that sends very slowly** holds one thread for at most {HEAD_SECONDS:.0f} s while it sends its headers, \
and at most {BODY_SECONDS:.0f} s for its body. As many such clients as threads make the others wait that long. A \
proxy that buffers requests keeps them out.
- **Clients should check the length of an answer.** Some HTTP libraries accept an answer that was cut within its \
headers as complete. If an answer has no body, send the request again."""


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
    numbers = (
        len(ledger.acknowledged),
        found.lost_outreaches + found.lost_people,
        found.doubled,
        found.people_doubled,
        found.people_alone,
        *(outcomes[name] for name in (UNAVAILABLE, REFUSED, CUT, TIMED_OUT)),
        ledger.unexpected(),
        ledger.late(),
    )
    seconds = (f"{ledger.longest_answer():.1f}", f"{ledger.longest_pause():.1f}")
    return [*(f"{number:,}" for number in numbers), *seconds, "yes" if row.kept else "**no**"]


def reasons(results: Sequence[Result]) -> str:
    """Returns a Markdown list of the reasons for missing rows and of the broken promises; "" if there are none."""
    lines = []
    for result in results:
        sentences = [result.reason] if isinstance(result, NoRow) else result.problems
        name = f"`{result.fault.key}`, {DEPLOYMENTS[result.deployment].title}"
        lines += [f"- {name}: {each.splitlines()[0][:REASON_LENGTH]}" for each in sentences]
    return "\n".join(lines)


def page(ours: Sequence[Result], naive: Sequence[Result], *, clients: int, command: str, mongodb: str) -> str:
    """Returns the whole page."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    kept = all(each.kept for each in ours)
    verdict = "Every promise was kept." if kept else "**Not every promise was kept**; see below the table."
    parts = [
        "# Reliability",
        "This page shows what happens to outreaches while something fails. `make faults` starts real gunicorn "
        f"and MongoDB processes and posts to them from {clients} clients. In the middle it breaks something and "
        f"lets it recover. Then it compares every acknowledged post with the database. {verdict}",
        table(ours),
        reasons(ours),
        LEGEND,
        "## What the service does in each case",
        PROMISES,
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
        f"{ANSWER_SECONDS:.0f} s\n"
        f"- Servers: gunicorn, {WORKERS} workers with {THREADS} threads each\n"
        f"- Machine: {proc.processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}\n"
        f"- Versions: Python {platform.python_version()}, MongoDB {mongodb}, {packages}\n"
        f"- Date: {datetime.now(UTC):%Y-%m-%d}\n- Command: `{command}`",
    ]
    return "\n\n".join(part for part in parts if part)
