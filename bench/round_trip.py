"""Takes people in, out, away and back: `python -m bench.round_trip --people 100000`. Starts a mongod of its own.

The process, all by the commands that an operator runs: a file of people with one broken line in twenty is imported
twice; the database is backed up, and its people are exported; some are erased, and exported are all but those; the
backup is restored into an empty database, which then is what was backed up, and whose export is the same to the byte.
Told are seconds and memory; whatever is not as it has to be is told too, and ends the command with status 1.
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
LOOK_SECONDS: Final = 0.05
# What an import may need more at its end than at its tenth part.
FLAT_MEGABYTES: Final = 15

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Done:
    """A command that has ended: how long it took, the most memory that it had, and what it printed."""

    seconds: float
    megabytes: float
    printed: str

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s, at most {self.megabytes:.0f} MB"


def command(uri: str, *words: str) -> Done:
    """Run a flask command. Raises SystemExit with what it printed where it fails."""
    begun = time.monotonic()
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "wsgi", *words],
            cwd=ROOT,
            env={**os.environ, "MONGODB_URI": uri},
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
        # Not by os.wait4, whose figure is ours where we have more than the command, since it was forked from us.
        megabytes = 0.0
        while process.poll() is None:
            megabytes = max(megabytes, peak_megabytes(process.pid))
            with suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_SECONDS)
        seconds = time.monotonic() - begun
        printed.seek(0)
        text = printed.read().decode()
    if process.returncode:
        raise SystemExit(f"{' '.join(words)}: {text}")
    return Done(seconds, megabytes, text)


def peak_megabytes(pid: int) -> float:
    """The most memory that a process has had so far; 0 where it has just ended."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def round_trip(uri: str, elsewhere: str, folder: Path, people: int, tell: Tell, *, erased: int = ERASED) -> list[str]:
    """Do it all on the empty databases `uri` and `elsewhere`; returns a sentence for what is not as it has to be."""
    wrong: list[str] = []
    source, backup = folder / "people.csv", folder / "backup.gz"
    reasons = write_broken_file(source, people)
    tell(f"{people:,} lines, {source.stat().st_size:,} bytes, {reasons.total():,} of them broken")
    command(uri, "release")
    wrong += import_twice(uri, source, people, reasons, tell)

    tell(f"Backup: {command(uri, 'backup', str(backup))}, {backup.stat().st_size:,} bytes")
    backed_up = contents(uri)
    before, after, restored = (folder / f"{name}.csv" for name in ("before", "after", "restored"))
    tell(f"Export: {command(uri, 'export', 'people', '-o', str(before))}, {before.stat().st_size:,} bytes")

    addresses = list(addresses_of(before))
    gone = set(addresses[:: max(1, len(addresses) // erased)][:erased])
    seconds = sum(command(uri, "erase-person", each, "--yes").seconds for each in sorted(gone))
    tell(f"{len(gone)} people erased: {seconds / max(1, len(gone)):.1f} s each")
    command(uri, "export", "people", "-o", str(after))
    if list(addresses_of(after)) != [each for each in addresses if each not in gone]:
        wrong.append("Of those who are left some are not exported, or some who were erased are.")

    tell(f"Restore: {command(elsewhere, 'restore', str(backup))}")
    there = contents(elsewhere)
    wrong += [
        f"{name} is not what was backed up."
        for name in sorted({*backed_up, *there})
        if backed_up.get(name) != there.get(name)
    ]
    command(elsewhere, "export", "people", "-o", str(restored))
    if restored.read_bytes() != before.read_bytes():
        wrong.append("What is exported after the restore is not what was exported before.")
    return wrong


def import_twice(uri: str, source: Path, people: int, reasons: Mapping[str, int], tell: Tell) -> list[str]:
    """Import the file twice; what is wrong with the reports, the memory, and what the second run left."""
    wrong: list[str] = []
    before = ""
    for number in (1, 2):
        seconds, memory, printed = run_import(uri, source, THREADS)
        tell(f"Import {number}: {seconds:.1f} s, {people / seconds:,.0f} rows a second")
        if memory:
            early, late = (memory[index][1] / 1024 for index in (len(memory) // 10, -1))
            tell(f"  {early:.0f} MB at {memory[len(memory) // 10][0]}; {late:.0f} MB at {memory[-1][0]}")
            if late - early > FLAT_MEGABYTES:
                wrong.append(f"Import {number} needed {late - early:.0f} MB more at its end.")
        wrong += [f"Import {number}: {each}" for each in missing_of_report(printed, people, reasons, again=number == 2)]
        after = digest(uri)
        if number == 2 and after != before:
            wrong.append("The second import changed something.")
        before = after
    return wrong


def missing_of_report(printed: list[str], people: int, reasons: Mapping[str, int], *, again: bool) -> list[str]:
    """What the report does not say that it has to say."""
    good, broken = people - sum(reasons.values()), sum(reasons.values())
    created, matched = (0, good) if again else (good, 0)
    said = [line.strip() for line in printed]
    has_to = [
        *(f"{people:,} rows", f"{created:,}  people created", f"{matched:,}  people matched"),
        *("0    of them changed", f"{matched:,}    of them unchanged", f"{broken:,}  rows rejected"),
        *(f"{count:,}  {reason}" for reason, count in reasons.items()),
    ]
    return [f"It does not say: {each}" for each in has_to if not any(line.startswith(each) for line in said)]


def addresses_of(file: Path) -> Iterator[str]:
    """The e-mail addresses of an export of people, in its order."""
    with file.open(encoding="utf-8", newline="") as opened:
        for row in csv.DictReader(opened):
            yield row["email_address"]


def contents(uri: str) -> dict[str, str]:
    """The SHA-256 of all documents, by collection, but of what is no part of a backup; an empty one is none."""
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
            elsewhere = mongod.uri.replace("/osdi?", "/restored?")
            wrong = round_trip(mongod.uri, elsewhere, folder, options.people, print)
    print("\n".join(wrong) or "All is as it has to be.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
