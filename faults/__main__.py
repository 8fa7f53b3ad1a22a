"""Runs the rows: `python -m faults`. Starts its own databases and servers, and ends what it started, on Ctrl-C too."""

import argparse
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from dev.mongod import MongodUnavailable, binary
from faults.deployments import DEPLOYMENTS, SINGLE, STANDALONE
from faults.faults import FAULTS, Fault
from faults.report import NoRow, Result, page, table, told
from faults.row import NAIVE, OURS, Application, Row, run_row
from faults.server import ROOT, ServerFailed
from faults.small_disk import CannotMount

SECONDS = 15
# Twice as many as there are threads: what waits behind a thread that waits has to be answered in time too.
CLIENTS = 16
PAGE = ROOT / "docs" / "reliability.md"
# Where the naive variant has to lose something, and where it has to double something.
NAIVE_ROWS = (("mongod-killed", STANDALONE), ("answers-cut", SINGLE))


def options() -> argparse.Namespace:
    """What the command line says."""
    faults, deployments = [fault.key for fault in FAULTS], list(DEPLOYMENTS)
    parser = argparse.ArgumentParser(prog="python -m faults", description="Break things while outreaches are posted.")
    parser.add_argument("--only", help=f"faults, separated by commas: {', '.join((*faults, NAIVE.key))}")
    parser.add_argument("--deployment", help=f"deployments, separated by commas: {', '.join(deployments)}")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"how long each load lasts ({SECONDS})")
    parser.add_argument("--clients", type=int, default=CLIENTS, help=f"clients that post side by side ({CLIENTS})")
    parser.add_argument("--folder", type=Path, default=ROOT / "var", help="where the databases' files go for the time")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}, as well as printing")
    chosen = parser.parse_args()
    chosen.only = chosen.only.split(",") if chosen.only else [*faults, NAIVE.key]
    chosen.deployment = chosen.deployment.split(",") if chosen.deployment else deployments
    if unknown := {*chosen.only} - {*faults, NAIVE.key} | {*chosen.deployment} - {*deployments}:
        parser.error(f"there is no such fault or deployment: {', '.join(sorted(unknown))}")
    if chosen.seconds < 4 or chosen.clients < 1:
        parser.error("--seconds starts at 4 and --clients at 1")
    return chosen


def run(fault: Fault, deployment: str, application: Application, chosen: argparse.Namespace) -> Result:
    """One row, or the sentence that says why there is none."""
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
    """Tell the operator at once what would otherwise be told minutes later."""
    if isinstance(result, Row):
        lines = [f"{len(result.ledger.acknowledged):,} acknowledged, {result.seconds:.0f} s", *result.problems]
    else:
        lines = [result.why]
    for line in lines:
        print(f"    {line}", file=sys.stderr, flush=True)


def has_teeth(results: Sequence[Result]) -> bool:
    """Whether the naive variant was caught in each row."""
    return all(
        isinstance(result, Row) and result.found.lost_outreaches + result.found.doubled > 0 for result in results
    )


def main() -> int:
    """Run, print, write. Returns the exit code: 1 where a promise was not kept, or the naive variant passed."""
    if sys.platform != "linux":
        print("faults: this runs on Linux only, it reads /proc", file=sys.stderr)
        return 1
    chosen = options()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
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
        print("faults: stopped, and everything that was started is ended", file=sys.stderr)
        return 130
    text = page(ours, naive, clients=chosen.clients, command=_command(), mongodb=_mongodb_version())
    print("\n\n".join(filter(None, (table(ours), told(ours), table(naive) if naive else ""))))
    if chosen.write:
        PAGE.write_text(text + "\n", encoding="utf-8")
    if not has_teeth(naive):
        print("faults: the naive variant passed, so this proves nothing", file=sys.stderr)
        return 1
    return 0 if all(each.kept for each in ours) else 1


def _stop(*_: object) -> None:
    """End everything, and take no second signal for a reason to leave that half done."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _command() -> str:
    return " ".join(["python -m faults", *sys.argv[1:]])


def _mongodb_version() -> str:
    """As the packaged mongod names it, such as 6.0.5."""
    printed = subprocess.run([str(binary()), "--version"], capture_output=True, text=True, timeout=30, check=True)
    return printed.stdout.splitlines()[0].removeprefix("db version v")


if __name__ == "__main__":
    sys.exit(main())
