"""Command `python -m faults`: runs the rows and prints the table.

It starts its own databases and servers, and ends them on Ctrl-C too.
"""

import argparse
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from dev.mongod import MongodUnavailable, binary
from faults.deployments import DEPLOYMENTS, SINGLE, STANDALONE
from faults.faults import FAULTS, Fault
from faults.processes import ROOT
from faults.report import NoRow, Result, page, reasons, table
from faults.row import NAIVE, OURS, Application, Row, run_row
from faults.server import ServerFailed
from faults.small_disk import CannotMount

SECONDS = 15
# Twice the number of threads, so that requests that wait for a blocked thread are tested too.
CLIENTS = 16
PAGE = ROOT / "docs" / "reliability.md"
# The naive variant must lose something in the first row and double something in the second.
NAIVE_ROWS = (("mongod-killed", STANDALONE), ("responses-cut", SINGLE))


def options() -> argparse.Namespace:
    """Parses the command line. Exits with a usage message if an option is invalid."""
    faults, deployments = [fault.key for fault in FAULTS], list(DEPLOYMENTS)
    parser = argparse.ArgumentParser(prog="python -m faults", description="Break things while outreaches are posted.")
    parser.add_argument("--only", help=f"faults, separated by commas: {', '.join((*faults, NAIVE.key))}")
    parser.add_argument("--deployment", help=f"deployments, separated by commas: {', '.join(deployments)}")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"seconds of load in each row ({SECONDS})")
    parser.add_argument("--clients", type=int, default=CLIENTS, help=f"clients that post at the same time ({CLIENTS})")
    parser.add_argument("--folder", type=Path, default=ROOT / "var", help="folder for the temporary database files")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}, besides printing")
    chosen = parser.parse_args()
    chosen.only = chosen.only.split(",") if chosen.only else [*faults, NAIVE.key]
    chosen.deployment = chosen.deployment.split(",") if chosen.deployment else deployments
    if unknown := {*chosen.only} - {*faults, NAIVE.key} | {*chosen.deployment} - {*deployments}:
        parser.error(f"unknown fault or deployment: {', '.join(sorted(unknown))}; see --help")
    if chosen.seconds < 4 or chosen.clients < 1:
        parser.error("--seconds must be at least 4 and --clients at least 1")
    return chosen


def run(fault: Fault, deployment: str, application: Application, chosen: argparse.Namespace) -> Result:
    """Runs one row. Returns a NoRow with the reason if it could not be measured."""
    print(f"{application.key}: {fault.key}, {deployment}", file=sys.stderr, flush=True)
    try:
        return run_row(
            fault,
            deployment,
            application,
            seconds=chosen.seconds,
            clients=chosen.clients,
            parent=chosen.folder,
        )
    except CannotMount as error:
        return NoRow(fault, deployment, str(error), skipped=True)
    except (MongodUnavailable, ServerFailed, RuntimeError) as error:
        return NoRow(fault, deployment, str(error), skipped=False)


def show(result: Result) -> None:
    """Prints a result immediately, since the table appears only at the end."""
    if isinstance(result, Row):
        lines = [f"{len(result.ledger.acknowledged):,} acknowledged, {result.seconds:.0f} s", *result.problems]
    else:
        lines = [result.reason]
    for line in lines:
        print(f"    {line}", file=sys.stderr, flush=True)


def naive_variant_failed(results: Sequence[Result]) -> bool:
    """True if every row of the naive variant lost or doubled something."""
    return all(
        isinstance(result, Row) and result.found.lost_outreaches + result.found.doubled > 0 for result in results
    )


def main() -> int:
    """Runs, prints and writes. Returns the exit code: 1 if a promise was broken or the naive variant passed."""
    if sys.platform != "linux":
        print("faults: this runs on Linux only, because it reads /proc", file=sys.stderr)
        return 1
    chosen = options()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    ours: list[Result] = []
    naive: list[Result] = []
    try:
        for fault in FAULTS:
            for deployment in fault.deployments:
                if fault.key in chosen.only and deployment in chosen.deployment:
                    ours.append(run(fault, deployment, OURS, chosen))
                    show(ours[-1])
        if NAIVE.key in chosen.only:
            faults = {fault.key: fault for fault in FAULTS}
            for key, deployment in NAIVE_ROWS:
                naive.append(run(faults[key], deployment, NAIVE, chosen))
                show(naive[-1])
    except KeyboardInterrupt:
        print("faults: stopped; all started processes have ended", file=sys.stderr)
        return 130
    text = page(ours, naive, clients=chosen.clients, command=_command(), mongodb=_mongodb_version())
    print("\n\n".join(filter(None, (table(ours), reasons(ours), table(naive) if naive else ""))))
    if chosen.write:
        PAGE.write_text(text + "\n", encoding="utf-8")
    if not naive_variant_failed(naive):
        print("faults: the naive variant passed, so this run proves nothing", file=sys.stderr)
        return 1
    return 0 if all(each.kept for each in ours) else 1


def stop(*_: object) -> None:
    """Interrupts the run. Ignores further signals, so that the clean-up is not interrupted."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _command() -> str:
    return " ".join(["python -m faults", *sys.argv[1:]])


def _mongodb_version() -> str:
    """Returns the version of the packaged mongod, such as 6.0.5."""
    printed = subprocess.run([str(binary()), "--version"], capture_output=True, text=True, timeout=30, check=True)
    return printed.stdout.splitlines()[0].removeprefix("db version v")


if __name__ == "__main__":
    sys.exit(main())
