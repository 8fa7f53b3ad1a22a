"""Runs the test suite as two pytest runs side by side: `python -m dev.run_tests [--all] [pytest arguments]`.

Without `--all`, the tests that are marked `slow` are left out, and the output states their number. Tests that compute
get one worker for each processor. Tests that mostly wait (marked `waits`: for processes, for time-outs, for a browser)
get WAITING_WORKERS, 4 by default. Arguments go to both runs. Each run writes a log. Failures are printed as they come,
the details at the end. The last line is pytest's closing line for both runs together.
"""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
WAITING_WORKERS: Final = int(os.environ.get("WAITING_WORKERS", "4"))
NOTHING_COLLECTED: Final = 5
OPTIONS: Final = ("--all", "--coverage")
COVERED_PERCENT: Final = 95

# A line of pytest-xdist with -v: `[gw0] [ 12%] PASSED tests/x.py::test_y`.
RESULT: Final = re.compile(r"^\[gw\d+\] \[ *(\d+)%\] ([A-Z]+) (.+)$")
CLOSING: Final = re.compile(r"^=+ (?P<counts>.*\d+ \w+.*|no tests ran) in [\d.]+s.*=+$")
COUNT: Final = re.compile(r"(\d+) ([a-z]+)")
PROGRESS_PERCENT: Final = 10
# tests/conftest.py prints it at the end of a run that collects the whole suite.
LEFT_OUT: Final = re.compile(r"^(\d+) tests are marked slow and did not run$")


@dataclass
class Run:
    """One pytest run: the tests that `marker` selects, on `workers` workers. Its first result sets `collected`."""

    name: str
    marker: str
    workers: int
    arguments: list[str]
    log: Path
    lines: list[str] = field(default_factory=list)
    exit_code: int = 0
    closing: str = "did not end"
    collected: threading.Event = field(default_factory=threading.Event)

    def execute(self, say: Callable[[str], None]) -> None:
        """Runs pytest to its end. Passes failures, and progress in steps, to `say`."""
        try:
            self._execute(say)
        finally:
            self.collected.set()

    def _execute(self, say: Callable[[str], None]) -> None:
        command = [sys.executable, "-m", "pytest", "-v", "-m", self.marker, "-n", str(self.workers), *self.arguments]
        environment = os.environ | {"COVERAGE_FILE": str(self.log.with_suffix(".coverage"))}
        # Without bytecode each worker compiles all test modules, and each process of a test compiles the application.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        shown = 0
        with (
            self.log.open("w") as log,
            subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            ) as process,
        ):
            assert process.stdout is not None
            for line in process.stdout:
                log.write(line)
                self.lines.append(line.rstrip("\n"))
                result = RESULT.match(line)
                if result:
                    self.collected.set()
                if result and result[2] in ("FAILED", "ERROR"):
                    say(f"{self.name}: {result[2]} {result[3]}")
                elif result and int(result[1]) >= shown + PROGRESS_PERCENT:
                    shown = int(result[1]) // PROGRESS_PERCENT * PROGRESS_PERCENT
                    say(f"{self.name}: {shown} %")
                elif CLOSING.match(line.strip()):
                    self.closing = line.strip().strip("= ")
        self.exit_code = process.returncode
        say(f"{self.name}: {self.closing}")

    @property
    def failed(self) -> bool:
        return self.exit_code not in (0, NOTHING_COLLECTED)

    def details(self) -> list[str]:
        """Returns the lines of the log from pytest's first section about failures on; all lines if there is none."""
        heads = [number for number, line in enumerate(self.lines) if re.match(r"=+ (ERRORS|FAILURES) =+$", line)]
        return self.lines[heads[0] :] if heads else self.lines

    def skip_reasons(self) -> list[str]:
        """Returns the reasons of skipped tests, as pytest's short summary has them."""
        return [line for line in self.lines if line.startswith("SKIPPED ")]

    def left_out(self) -> int:
        """Returns the number of slow tests that the run has found and left out."""
        return sum(int(found[1]) for line in self.lines if (found := LEFT_OUT.match(line)))


def make_runs(arguments: list[str], folder: Path, *, everything: bool) -> list[Run]:
    """Returns the two runs. Each test belongs to exactly one of them, or to none if it is left out."""
    # The tests of a file stay together and in order, since they share servers and databases.
    passed_on = ["--dist", "loadfile", "--no-loadscope-reorder", *arguments]
    kept = "" if everything else " and not slow"
    return [
        Run("computing", f"not waits{kept}", os.cpu_count() or 1, passed_on, folder / "computing.log"),
        Run("waiting", f"waits{kept}", WAITING_WORKERS, passed_on, folder / "waiting.log"),
    ]


def left_out_line(runs: list[Run]) -> str:
    """Returns the sentence about the tests that were left out; empty if there are none."""
    # The first run collects all files, and the second one those with waiting tests.
    number = runs[0].left_out()
    return f"{number} tests marked slow were left out. CI runs them, and so does: make test-all" if number else ""


def coverage(arguments: list[str]) -> list[str]:
    """pytest's arguments that measure coverage and leave the report to `report_coverage`."""
    return [*arguments, "--cov", "--cov-report="]


def report_coverage(runs: list[Run]) -> int:
    """Prints the coverage of both runs together; returns 1 if it is below the bound."""
    files = [str(run.log.with_suffix(".coverage")) for run in runs]
    environment = os.environ | {"COVERAGE_FILE": str(runs[0].log.with_name("all.coverage"))}
    tool = [sys.executable, "-m", "coverage"]
    combined = subprocess.run([*tool, "combine", "--quiet", *files], cwd=ROOT, env=environment, check=False)
    report = subprocess.run(
        [*tool, "report", f"--fail-under={COVERED_PERCENT}"], cwd=ROOT, env=environment, check=False
    )
    return int(combined.returncode != 0 or report.returncode != 0)


def closing_line(runs: list[Run], seconds: float) -> str:
    """pytest's closing line for all runs together, such as `==== 8295 passed, 3 skipped in 230.12s (0:03:50) ====`."""
    counts: Counter[str] = Counter()
    for run in runs:
        found = CLOSING.match(f"= {run.closing} =")
        for number, outcome in COUNT.findall(found["counts"] if found else ""):
            counts[outcome] += int(number)
    counts.pop("deselected", None)
    summary = ", ".join(f"{number} {outcome}" for outcome, number in counts.items()) or "no tests ran"
    minutes, rest = divmod(int(seconds), 60)
    return f" {summary} in {seconds:.2f}s (0:{minutes:02}:{rest:02}) ".center(80, "=")


def main(arguments: list[str]) -> int:
    """Runs both groups of tests and prints their results; returns the exit code."""
    measure = "--coverage" in arguments
    passed_on = [each for each in arguments if each not in OPTIONS]
    if measure:
        passed_on = coverage(passed_on)
    runs = make_runs(passed_on, Path(tempfile.mkdtemp(prefix="osdi-tests-")), everything="--all" in arguments)
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {line}", flush=True)

    threads = [threading.Thread(target=run.execute, args=(say,)) for run in runs]
    for run, thread in zip(runs, threads, strict=True):
        thread.start()
        run.collected.wait()  # the workers of the next run find the bytecode of the test modules
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - began

    for run in runs:
        if run.failed:
            print(f"\n{run.name} ({run.log}):\n" + "\n".join(run.details()))
        else:
            print("\n".join([f"\n{run.name} ({run.log}): {run.closing}", *run.skip_reasons()]))
    code = next((run.exit_code for run in runs if run.failed), 0)
    if all(run.exit_code == NOTHING_COLLECTED for run in runs):
        code = NOTHING_COLLECTED
    if measure:
        code = code or report_coverage(runs)
    print("\n".join(filter(None, (left_out_line(runs), closing_line(runs, seconds)))), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
