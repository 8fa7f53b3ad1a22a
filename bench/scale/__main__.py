"""Command `python -m bench.scale`: fills databases, measures on them, and writes a section of docs/performance.md.

It starts its own database and servers, and stops them at the end. `--only sizes` runs one part.
"""

import argparse
import os
import platform
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from bench import load, proc
from bench.__main__ import scratch_folder
from bench.scale import throughput
from bench.scale.footprint import footprints_section, measure_footprints
from bench.scale.json_share import json_section, measure_json
from bench.scale.large_responses import large_responses_section, measure_large_responses
from bench.scale.memory import BOUND as MEMORY_BOUND
from bench.scale.memory import measure_memory, memory_section
from bench.scale.sizes import Filled, broken, measure_sizes, sizes_section
from bench.scale.staff_pages import measure_staff_pages, staff_pages_section
from bench.scale.walk import measure_walk, walk_section
from bench.sections import SCALE, with_section
from bench.server import ROOT, ServerFailed
from dev.mongod import Mongod, MongodUnavailable

PAGE = ROOT / "docs" / "performance.md"
PARTS = ("sizes", "footprint", "workers", "memory", "walk", "models", "json", "staff", "large")
SIZES = "10000,100000,1000000"
# Bytes on the disk for a person and an outreach: documents and indexes take 1.8 kB, and building the indexes some more.
PERSON_BYTES = 3_000
PACKAGES = ("Flask", "pymongo", "gunicorn", "orjson")


@dataclass
class Found:
    """The sections of the parts, and a sentence for each broken bound."""

    sections: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def options() -> argparse.Namespace:
    """Parses the command line. Exits with a usage message if an option is invalid."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.scale", description="Measure times and memory as the database grows."
    )
    parser.add_argument("--sizes", default=SIZES, help=f"people in each database, the smallest first ({SIZES})")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts, separated by commas: {', '.join(PARTS)}")
    parser.add_argument("--turns", type=int, default=300, help="requests of each kind to each database (300)")
    parser.add_argument("--seconds", type=int, default=8, help="seconds of each run of wrk (8)")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds of runs of wrk (3)")
    parser.add_argument("--requests", type=int, default=200_000, help="requests of the part memory (200000)")
    parser.add_argument("--write", action="store_true", help=f"replace the section in {PAGE.relative_to(ROOT)}")
    parser.add_argument("--folder", type=Path, default=ROOT / "var", help="folder for the temporary database files")
    chosen = parser.parse_args()
    chosen.only = chosen.only.split(",")
    if unknown := set(chosen.only) - set(PARTS):
        parser.error(f"unknown part in --only: {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    try:
        chosen.sizes = sorted({int(each) for each in chosen.sizes.split(",")})
    except ValueError:
        parser.error("--sizes must be numbers, separated by commas")
    if chosen.sizes[0] < 1_000 or min(chosen.turns, chosen.seconds, chosen.rounds, chosen.requests) < 1:
        parser.error("--sizes must be at least 1000; --turns, --seconds, --rounds and --requests at least 1")
    return chosen


def sizes_that_fit(sizes: Sequence[int], free_bytes: int) -> list[int]:
    """Returns the sizes for whose databases together there is enough space on the disk, the smallest first."""
    return [size for at, size in enumerate(sizes) if sum(sizes[: at + 1]) * PERSON_BYTES <= free_bytes]


def measure(mongod: Mongod, filled: Sequence[Filled], scratch: Path, chosen: argparse.Namespace) -> Found:
    """Measures the chosen parts in order. The walk also reads what the earlier parts have written.

    Raises LoadFailed or ServerFailed.
    """
    found = Found()
    largest = filled[-1]
    runs = {"seconds": chosen.seconds, "rounds": chosen.rounds}
    if "sizes" in chosen.only:
        rows = measure_sizes(filled, scratch, chosen.turns)
        found.sections.append(sizes_section(rows, filled, chosen.turns))
        found.broken += broken(rows)
    if "footprint" in chosen.only:
        found.sections.append(footprints_section(measure_footprints(mongod, filled, scratch)))
    if "workers" in chosen.only:
        settings = [throughput.Setting(number) for number in throughput.WORKERS]
        kinds = (throughput.NEW_PEOPLE, throughput.KNOWN_PEOPLE)
        results = throughput.measure(largest, scratch, settings, kinds, **runs)
        found.sections.append(throughput.workers_section(results, largest, **runs))
    if "memory" in chosen.only:
        memory = measure_memory(largest, scratch, chosen.requests)
        found.sections.append(memory_section(memory))
        if not memory.kept:
            found.broken.append(f"memory of a worker: {memory.ratio:.2f} times, at most {MEMORY_BOUND}")
    if "walk" in chosen.only:
        walk = measure_walk(largest, scratch)
        found.sections.append(walk_section(walk))
        if not walk.kept:
            found.broken.append("reading all people: memory grew")
    if "models" in chosen.only:
        results = throughput.measure(largest, scratch, throughput.models(), (throughput.NEW_PEOPLE,), **runs)
        found.sections.append(throughput.models_section(results, largest, **runs))
    if "json" in chosen.only:
        found.sections.append(json_section(measure_json(largest, scratch)))
    if "staff" in chosen.only:
        pages = measure_staff_pages(largest, scratch, chosen.turns)
        found.sections.append(staff_pages_section(pages))
        found.broken += pages.broken
    if "large" in chosen.only:  # the last part, since it deletes a tag
        large = measure_large_responses(largest, scratch)
        found.sections.append(large_responses_section(large))
        found.broken += large.broken
    return found


def command(chosen: argparse.Namespace) -> str:
    """Returns the command line for the report, without options about files."""
    sizes = ",".join(map(str, chosen.sizes))
    words = ["python -m bench.scale", f"--turns {chosen.turns} --seconds {chosen.seconds} --rounds {chosen.rounds}"]
    words += [f"--sizes {sizes}"] if sizes != SIZES else []
    words += [f"--requests {chosen.requests}"] if "memory" in chosen.only else []
    words += [f"--only {','.join(chosen.only)}"] if set(chosen.only) != set(PARTS) else []
    return " ".join(words)


def report(found: Found, chosen: argparse.Namespace, mongod: Mongod, loading: str) -> str:
    """Returns the section with its heading."""
    with MongoClient[dict[str, Any]](mongod.uri) as client:
        mongodb = client.server_info()["version"]
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    verdict = "Every bound is kept." if not found.broken else f"Not kept: {'; '.join(found.broken)}."
    return "\n\n".join(
        (
            SCALE,
            f"{loading} All databases are on one server, a single-member replica set on a real disk with "
            f"{mongod.cache_gigabytes} GB of cache. {verdict}",
            *found.sections,
            f"Measured on {proc.processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, with "
            f"Python {platform.python_version()}, MongoDB {mongodb}, {packages}, on {datetime.now(UTC):%Y-%m-%d}, by "
            f"`{command(chosen)}`.",
        )
    )


def main() -> int:
    """Measures, prints and writes. Returns the exit code: 1 if a bound is broken or a measurement failed."""
    if sys.platform != "linux":
        print("bench.scale: this runs on Linux only, because it reads /proc", file=sys.stderr)
        return 1
    chosen = options()
    started = time.monotonic()
    try:
        load.require_wrk()
        with scratch_folder(chosen.folder) as scratch, Mongod(scratch / "mongod") as mongod:
            fitting = sizes_that_fit(chosen.sizes, shutil.disk_usage(scratch).free)
            for size in set(chosen.sizes) - set(fitting):
                print(f"bench.scale: {size:,} people are left out: the disk is too small", file=sys.stderr)
            if not fitting:
                raise ServerFailed("The disk is too small for the smallest database.")
            chosen.sizes = fitting
            sizes = chosen.sizes if {"sizes", "footprint"} & set(chosen.only) else chosen.sizes[-1:]
            filled = [Filled.of(mongod, size) for size in sizes]
            loading = f"The loader created {sizes[-1]:,} people and as many outreaches in {filled[-1].seconds:.0f} s."
            found = measure(mongod, filled, scratch, chosen)
            text = report(found, chosen, mongod, loading)
    except (load.LoadFailed, ServerFailed, MongodUnavailable) as error:
        print(f"bench.scale: {error}", file=sys.stderr)
        return 1
    print(text)
    print(f"took {time.monotonic() - started:.0f} s", file=sys.stderr)
    if chosen.write:
        page = PAGE.read_text() if PAGE.exists() else ""
        PAGE.write_text(with_section(page, SCALE, text))
    for each in found.broken:
        print(f"bench.scale: broken bound: {each}", file=sys.stderr)
    return 1 if found.broken else 0


if __name__ == "__main__":
    sys.exit(main())
