"""Runs the test suite: `python -m dev.run_tests [pytest arguments]`.

One pytest process collects the tests; forks of it run them (dev/forked_workers.py). Tests that compute get one worker
for each processor. Tests that mostly wait (marked `waits`: for processes, for time-outs, for a browser) get
WAITING_WORKERS, 4 by default. The run writes a log. Failures are printed as they come, the details at the end. The last
line is pytest's closing line.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
WAITING_WORKERS: Final = int(os.environ.get("WAITING_WORKERS", "4"))
NOTHING_COLLECTED: Final = 5
COVERED_PERCENT: Final = 95

# A line of pytest with -v: `tests/x.py::test_y PASSED [ 12%]`.
RESULT: Final = re.compile(r"^(\S.*?) ([A-Z]+)(?: \(.*\))? +\[ *(\d+)%\]$")
CLOSING: Final = re.compile(r"^=+ (.*\d+ \w+.*|no tests ran) in [\d.]+s.*=+$")
PROGRESS_PERCENT: Final = 10


@dataclass
class Run:
    """A pytest run with these arguments."""

    arguments: list[str]
    log: Path
    lines: list[str] = field(default_factory=list)
    exit_code: int = 0
    closing: str = "did not end"

    def execute(self, say: Callable[[str], None]) -> None:
        """Runs pytest to its end. Passes failures, and progress in steps, to `say`."""
        workers = f"{os.cpu_count() or 1},{WAITING_WORKERS}"
        command = [sys.executable, "-m", "pytest", "-v", "-p", "dev.forked_workers", "--workers", workers]
        environment = os.environ | {"COVERAGE_FILE": str(self.log.with_suffix(".coverage"))}
        # Without bytecode each process of a test compiles the application.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        shown = 0
        with (
            self.log.open("w") as log,
            subprocess.Popen(
                [*command, *self.arguments],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as process,
        ):
            assert process.stdout is not None
            for line in process.stdout:
                log.write(line)
                self.lines.append(line.rstrip("\n"))
                result = RESULT.match(line)
                if result and result[2] in ("FAILED", "ERROR"):
                    say(f"{result[2]} {result[1]}")
                elif result and int(result[3]) >= shown + PROGRESS_PERCENT:
                    shown = int(result[3]) // PROGRESS_PERCENT * PROGRESS_PERCENT
                    say(f"{shown} %")
                elif CLOSING.match(line.strip()):
                    self.closing = line.strip().strip("= ")
        self.exit_code = process.returncode

    @property
    def failed(self) -> bool:
        return self.exit_code not in (0, NOTHING_COLLECTED)

    def details(self) -> list[str]:
        """The lines of the log from pytest's first section about failures on; all lines if there is no such section."""
        heads = [number for number, line in enumerate(self.lines) if re.match(r"=+ (ERRORS|FAILURES) =+$", line)]
        return self.lines[heads[0] :] if heads else self.lines

    def skip_reasons(self) -> list[str]:
        """Why tests were skipped, as pytest's short summary says it."""
        return [line for line in self.lines if line.startswith("SKIPPED ")]


def report_coverage(run: Run) -> int:
    """Prints the coverage; returns 1 if it is below the bound."""
    environment = os.environ | {"COVERAGE_FILE": str(run.log.with_suffix(".coverage"))}
    command = [sys.executable, "-m", "coverage", "report", f"--fail-under={COVERED_PERCENT}"]
    return int(subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode != 0)


def main(arguments: list[str]) -> int:
    """Runs the tests and prints the results; returns the exit code. `--coverage` measures the coverage too."""
    measure = "--coverage" in arguments
    passed_on = [each for each in arguments if each != "--coverage"]
    if measure:
        passed_on += ["--cov", "--cov-report="]
    run = Run(passed_on, Path(tempfile.mkdtemp(prefix="osdi-tests-")) / "tests.log")
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {line}", flush=True)

    run.execute(say)
    print(f"\n{run.log}:\n" + "\n".join(run.details() if run.failed else run.skip_reasons()))
    code = run.exit_code
    if measure:
        code = code or report_coverage(run)
    print(f" {run.closing} ".center(80, "="), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
