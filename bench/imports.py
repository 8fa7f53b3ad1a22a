"""Command `python -m bench.imports`: measures the import of a file of people.

It starts its own mongod and runs the import command twice, each time anew: new people, then known ones. One row in
twenty of the file is broken. It prints the rate, the processor time for each row, the memory, and if the second run
changed any person. Processor time and memory are those of the process that imports and of the second process, which
loads the rows of a large file. Rates depend on the load of the machine; processor time does so less.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from pymongo import MongoClient

from bench.broken_file import write_broken_file
from bench.proc import children, cpu_seconds, resident_megabytes
from dev.mongod import Mongod

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Memory:
    """The resident megabytes of the importing process and of its second process, at a line of progress."""

    line: str
    importing: float
    loading: float


@dataclass(frozen=True)
class Run:
    """One import: its seconds, the CPU seconds of its two processes, their memory, and all lines."""

    seconds: float
    importing_seconds: float
    loading_seconds: float
    memory: list[Memory]
    printed: list[str]


def run_import(uri: str, file: Path, threads: int) -> Run:
    """Runs an import. Raises SystemExit with the output if the command fails."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "import", "people", str(file), "--create-tags"]
    environment = {**os.environ, "MONGODB_URI": uri, "PYTHONUNBUFFERED": "1"}
    begun = time.monotonic()
    memory, printed = [], []
    with subprocess.Popen(
        [*command, "--threads", str(threads)], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            printed.append(line.rstrip())
            if "% of the file" in line:
                loading = sum(map(resident_megabytes, children(process.pid)))
                memory.append(Memory(line.rstrip(), resident_megabytes(process.pid), loading))
        # The process has ended, but its figures are there until somebody waits for it.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        importing = cpu_seconds(process.pid)
        loading = cpu_seconds(process.pid, with_ended_children=True) - importing
    if process.returncode:
        raise SystemExit("\n".join(printed))
    return Run(time.monotonic() - begun, importing, loading, memory, printed)


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
    seconds = (run.importing_seconds, run.loading_seconds, database_seconds)
    importing, loading, database = (1_000 * each / rows for each in seconds)
    print(f"  CPU ms per row: importing {importing:.3f}, loading {loading:.3f}, mongod {database:.3f}")
    print(f"  rows per CPU second: {rows / sum(seconds):,.0f}; of the busiest process: {rows / max(seconds):,.0f}")
    most = max(run.memory, key=lambda each: each.importing + each.loading)
    for about, each in (("first", run.memory[0]), ("most", most), ("last", run.memory[-1])):
        print(f"  {about}: {each.importing:.0f} + {each.loading:.0f} MB at {each.line}")
    print("\n".join(f"  {line}" for line in run.printed[run.printed.index(f"{rows:,} rows") :]))


if __name__ == "__main__":
    main()
