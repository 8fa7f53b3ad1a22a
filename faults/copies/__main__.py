"""Command `python -m faults.copies`: kills processes during 10,000 changes, and compares a copy with the server.

Ctrl-C ends the changes early, and the comparison follows; a second one ends the run.
"""

import argparse
import signal
import sys
import tempfile
import threading
from pathlib import Path

from dev.mongod import MongodUnavailable
from faults.__main__ import stop
from faults.copies.run import Outcome, Plan, run
from faults.processes import ROOT
from faults.server import ServerFailed

SHOWN = 20
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def options() -> argparse.Namespace:
    """Parses the command line. Exits with a usage message if an option is invalid."""
    parser = argparse.ArgumentParser(prog="python -m faults.copies", description="Compare a copy after many changes.")
    parser.add_argument("--changes", type=int, default=10_000, help="successful changes (10000)")
    parser.add_argument("--seed", type=int, default=1, help="of the random changes and kills (1)")
    parser.add_argument("--folder", type=Path, default=ROOT / "var", help="folder for the temporary files")
    return parser.parse_args()


def report(outcome: Outcome) -> str:
    """Returns the figures of a run."""
    lines = [
        f"changes: {sum(outcome.done.values()):,} ({_counts(outcome.done)})",
        f"requests that were repeated: {outcome.repeated:,}",
        f"killed by SIGKILL: {sum(outcome.killed.values()):,} ({_counts(outcome.killed)})",
        f"completed runs of examples/sync.py: {outcome.synced:,}",
        f"compared: {_counts(outcome.compared)}",
        f"differences and failures: {len(outcome.problems):,}",
        *outcome.problems[:SHOWN],
        f"seconds: {outcome.seconds:.0f}",
    ]
    return "\n".join(lines)


def _counts(counts: "dict[str, int]") -> str:
    return ", ".join(f"{name}: {number:,}" for name, number in sorted(counts.items()))


def main() -> int:
    """Runs and prints. Returns the exit code: 1 if the copy differs or a process failed."""
    chosen = options()
    enough = threading.Event()

    def end(*_: object) -> None:
        enough.set()
        for number in SIGNALS:
            signal.signal(number, stop)

    for number in SIGNALS:
        signal.signal(number, end)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=chosen.folder, prefix="copies-") as folder:
            outcome = run(Plan(chosen.changes, seed=chosen.seed), Path(folder), enough)
    except (RuntimeError, ServerFailed, MongodUnavailable) as error:
        print(f"faults.copies: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("faults.copies: stopped; all started processes have ended", file=sys.stderr)
        return 130
    print(report(outcome))
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
