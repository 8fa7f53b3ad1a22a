"""Command `python -m bench.round_trip`: measures and checks import, backup, export, erasure and restore.

It starts its own mongod and runs the operator's commands. It imports a file of people twice, with one broken row in
twenty, backs up the database and exports the people. It erases some people and checks that the next export has all
others. It restores the backup into an empty database and checks that the contents and the export are the same. It
prints seconds, memory and every failed check; a failed check makes the exit code 1.
"""

import argparse
import csv
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pymongo import MongoClient

from bench.broken_file import write_broken_file
from bench.imports import ROOT, digest, run_import
from dev.mongod import Mongod
from osdi.backup.dump_store import LEFT_OUT

THREADS: Final = 8
ERASED: Final = 10
POLL_SECONDS: Final = 0.05
# Limit for the growth of an import's memory from the first tenth of the file to its end.
FLAT_MEGABYTES: Final = 15

# Prints one line.
Report = Callable[[str], None]


@dataclass(frozen=True)
class Done:
    """A command that has ended: its seconds, its peak memory and its output."""

    seconds: float
    megabytes: float
    printed: str

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s, at most {self.megabytes:.0f} MB"


def command(uri: str, *words: str) -> Done:
    """Runs a flask command. Raises SystemExit with its output if it fails."""
    begun = time.monotonic()
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "wsgi", *words],
            cwd=ROOT,
            env={**os.environ, "MONGODB_URI": uri},
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
        # os.wait4 would report our memory if that is larger, since the command was forked from this process.
        megabytes = 0.0
        while process.poll() is None:
            megabytes = max(megabytes, peak_megabytes(process.pid))
            with suppress(subprocess.TimeoutExpired):
                process.wait(POLL_SECONDS)
        seconds = time.monotonic() - begun
        printed.seek(0)
        text = printed.read().decode()
    if process.returncode:
        raise SystemExit(f"{' '.join(words)}: {text}")
    return Done(seconds, megabytes, text)


def peak_megabytes(pid: int) -> float:
    """Returns the peak memory of a process so far, or 0 if it has just ended."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def round_trip(
    uri: str, restored_uri: str, folder: Path, people: int, report: Report, *, erased: int = ERASED
) -> list[str]:
    """Runs all steps on the empty databases `uri` and `restored_uri`. Returns a sentence for each failed check."""
    failures: list[str] = []
    source, backup = folder / "people.csv", folder / "backup.gz"
    reasons = write_broken_file(source, people)
    report(f"{people:,} rows, {source.stat().st_size:,} bytes, {reasons.total():,} of them broken")
    command(uri, "release")
    failures += import_twice(uri, source, people, reasons, report)

    report(f"Backup: {command(uri, 'backup', str(backup))}, {backup.stat().st_size:,} bytes")
    backed_up = contents(uri)
    before, after, restored = (folder / f"{name}.csv" for name in ("before", "after", "restored"))
    report(f"Export: {command(uri, 'export', 'people', '-o', str(before))}, {before.stat().st_size:,} bytes")

    addresses = list(addresses_of(before))
    gone = set(addresses[:: max(1, len(addresses) // erased)][:erased])
    seconds = sum(command(uri, "erase-person", each, "--yes").seconds for each in sorted(gone))
    report(f"{len(gone)} people erased: {seconds / max(1, len(gone)):.1f} s each")
    command(uri, "export", "people", "-o", str(after))
    if list(addresses_of(after)) != [each for each in addresses if each not in gone]:
        failures.append("After the erasure, the export lacks other people or contains erased people.")

    report(f"Restore: {command(restored_uri, 'restore', str(backup))}")
    restored_contents = contents(restored_uri)
    failures += [
        f"The restored collection {name} differs from the backup."
        for name in sorted({*backed_up, *restored_contents})
        if backed_up.get(name) != restored_contents.get(name)
    ]
    command(restored_uri, "export", "people", "-o", str(restored))
    if restored.read_bytes() != before.read_bytes():
        failures.append("The export after the restore differs from the export before.")
    return failures


def import_twice(uri: str, source: Path, people: int, reasons: Mapping[str, int], report: Report) -> list[str]:
    """Imports the file twice. Returns a sentence for each failed check of reports, memory and stored people."""
    failures: list[str] = []
    before = ""
    for number in (1, 2):
        run = run_import(uri, source, THREADS)
        seconds, memory, printed = run.seconds, run.memory, run.printed
        report(f"Import {number}: {seconds:.1f} s, {people / seconds:,.0f} rows per second")
        if memory:
            early, late = (memory[index][1] for index in (len(memory) // 10, -1))
            report(f"  {early:.0f} MB at {memory[len(memory) // 10][0]}; {late:.0f} MB at {memory[-1][0]}")
            if late - early > FLAT_MEGABYTES:
                failures.append(f"Import {number} needed {late - early:.0f} MB more memory at its end.")
        failures += [
            f"Import {number}: {each}" for each in missing_of_report(printed, people, reasons, again=number == 2)
        ]
        after = digest(uri)
        if number == 2 and after != before:
            failures.append("The second import changed people.")
        before = after
    return failures


def missing_of_report(printed: list[str], people: int, reasons: Mapping[str, int], *, again: bool) -> list[str]:
    """Returns a sentence for each line that the import's report lacks."""
    good, broken = people - sum(reasons.values()), sum(reasons.values())
    created, matched = (0, good) if again else (good, 0)
    lines = [line.strip() for line in printed]
    expected = [
        *(f"{people:,} rows", f"{created:,}  people created", f"{matched:,}  people matched"),
        *("0    of them changed", f"{matched:,}    of them unchanged", f"{broken:,}  rows rejected"),
        *(f"{count:,}  {reason}" for reason, count in reasons.items()),
    ]
    return [
        f"The report lacks the line: {each}" for each in expected if not any(line.startswith(each) for line in lines)
    ]


def addresses_of(file: Path) -> Iterator[str]:
    """Yields the e-mail addresses of an export of people, in its order."""
    with file.open(encoding="utf-8", newline="") as opened:
        for row in csv.DictReader(opened):
            yield row["email_address"]


def contents(uri: str) -> dict[str, str]:
    """Returns number and SHA-256 of the documents by collection.

    It skips empty collections and those that a backup leaves out.
    """
    found: dict[str, str] = {}
    with MongoClient(uri) as client:
        database = client.get_default_database()
        for name in set(database.list_collection_names()) - set(LEFT_OUT):
            summed, number = hashlib.sha256(), 0
            for document in database[name].find().sort("_id"):
                summed.update(repr(sorted(document.items())).encode())
                number += 1
            if number:
                found[name] = f"{number} {summed.hexdigest()}"
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.round_trip", description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="osdi-round-trip-") as name:
        folder = Path(name)
        with Mongod(folder / "mongod") as mongod:
            restored_uri = mongod.uri.replace("/osdi?", "/restored?")
            failures = round_trip(mongod.uri, restored_uri, folder, options.people, print)
    print("\n".join(failures) or "All checks passed.")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
