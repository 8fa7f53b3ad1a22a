"""Command `python -m bench.imports`: measures the import of a file of people.

It starts its own mongod and runs the import command twice, each time in a new process: new people, then known ones. One
row in twenty of the file is broken. It prints the rate, the processor time of the command and of mongod for each row,
the memory of the command, and if the second run changed any person. Rates depend on the load of the machine; processor
time does so less.
"""

import argparse
import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from pymongo import MongoClient

from bench.broken_file import write_broken_file
from bench.proc import cpu_seconds, resident_megabytes
from dev.mongod import Mongod

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Run:
    """One import: its seconds, the CPU seconds of the command, its memory at each line of progress, and all lines."""

    seconds: float
    cpu_seconds: float
    memory: list[tuple[str, float]]
    printed: list[str]


def run_import(uri: str, file: Path, threads: int) -> Run:
    """Runs an import. Raises SystemExit with the output if the command fails."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "import", "people", str(file), "--create-tags"]
    environment = {**os.environ, "MONGODB_URI": uri, "PYTHONUNBUFFERED": "1"}
    begun, cpu_begun = time.monotonic(), children_cpu_seconds()
    memory, printed = [], []
    with subprocess.Popen(
        [*command, "--threads", str(threads)], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            printed.append(line.rstrip())
            if "% of the file" in line:
                memory.append((line.rstrip(), resident_megabytes(process.pid)))
    if process.returncode:
        raise SystemExit("\n".join(printed))
    return Run(time.monotonic() - begun, children_cpu_seconds() - cpu_begun, memory, printed)


def children_cpu_seconds() -> float:
    """Returns the processor time of the processes that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def digest(uri: str) -> str:
    """Returns the SHA-256 of all stored people, with their versions and dates."""
    found = hashlib.sha256()
    with MongoClient(uri) as client:
        for person in client.get_default_database().people.find().sort("_id"):
            found.update(repr(person).encode())
    return found.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.imports", description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="osdi-imports-") as folder:
        file = Path(folder) / "people.csv"
        reasons = write_broken_file(file, options.people)
        print(f"{options.people:,} rows, {file.stat().st_size:,} bytes; broken: {dict(reasons)}")
        with Mongod(Path(folder) / "mongod") as mongod:
            environment = {**os.environ, "MONGODB_URI": mongod.uri}
            subprocess.run(
                [sys.executable, "-m", "flask", "--app", "wsgi", "indexes"], cwd=ROOT, env=environment, check=True,
                stdout=subprocess.DEVNULL,
            )  # fmt: skip
            before = ""
            for number, kind in ((1, "new people"), (2, "known people")):
                assert mongod.process is not None
                database_begun = cpu_seconds(mongod.process.pid)
                run = run_import(mongod.uri, file, options.threads)
                show(kind, run, cpu_seconds(mongod.process.pid) - database_begun, options.people)
                after = digest(mongod.uri)
                if number == 2:
                    print(
                        "The second run changed nothing."
                        if after == before
                        else "ERROR: the second run changed people."
                    )
                before = after


def show(kind: str, run: Run, database_seconds: float, rows: int) -> None:
    """Prints the figures and the report of one run."""
    print(f"{kind}: {run.seconds:.0f} s, {rows / run.seconds:,.0f} rows per second")
    command, database = (1_000 * each / rows for each in (run.cpu_seconds, database_seconds))
    together = rows / (run.cpu_seconds + database_seconds)
    print(f"  CPU ms per row: command {command:.2f}, mongod {database:.2f}; {together:,.0f} rows per CPU second")
    first, *_, last = run.memory
    most = max(megabytes for _, megabytes in run.memory)
    print(f"  {first[1]:.0f} MB at {first[0]}, {last[1]:.0f} MB at {last[0]}, at most {most:.0f} MB")
    print("\n".join(f"  {line}" for line in run.printed[run.printed.index(f"{rows:,} rows") :]))


if __name__ == "__main__":
    main()
