"""Command `python -m bench.imports`: measures the import of a file of people.

It starts its own mongod and runs the import command twice, each time in a new process. One row in twenty of the file is
broken. It prints the seconds, the memory of the process over time, and if the second run changed any person.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pymongo import MongoClient

from bench.broken_file import write_broken_file
from dev.mongod import Mongod

ROOT = Path(__file__).parent.parent


def memory_kb(pid: int) -> int:
    """Returns the resident memory of a process in kB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def run_import(uri: str, file: Path, threads: int) -> tuple[float, list[tuple[str, int]], list[str]]:
    """Runs an import. Returns its seconds, the memory (kB) at each line of progress, and the printed lines.

    Raises SystemExit with the output if the command fails.
    """
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
                memory.append((line.rstrip(), memory_kb(process.pid)))
    if process.returncode:
        raise SystemExit("\n".join(printed))
    return time.monotonic() - begun, memory, printed


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
            for number in (1, 2):
                seconds, memory, printed = run_import(mongod.uri, file, options.threads)
                print(f"Run {number}: {seconds:.0f} s, {options.people / seconds:,.0f} rows per second")
                for line, kilobytes in (memory[len(memory) // 10], memory[-1]):
                    print(f"  {kilobytes / 1024:.0f} MB at {line}")
                print("\n".join(f"  {line}" for line in printed[printed.index(f"{options.people:,} rows") :]))
                after = digest(mongod.uri)
                if number == 2:
                    print(
                        "The second run changed nothing."
                        if after == before
                        else "ERROR: the second run changed people."
                    )
                before = after


if __name__ == "__main__":
    main()
