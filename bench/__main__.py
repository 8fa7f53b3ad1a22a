"""Command `python -m bench`: runs the rounds and prints the report.

It starts its own database and servers, and stops them at the end.
"""

import argparse
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from bench import load, proc
from bench.campaign_pages import measure_campaign_pages
from bench.contenders import CONTENDERS, Contender, Counts, check_counts
from bench.deliveries import DISTURBED_PERCENT, measure_deliveries
from bench.delivery_report import delivery_report
from bench.instructions import measure_instructions
from bench.pages import measure_pages
from bench.profile import measure_profile
from bench.report import Result, Rounds, report
from bench.sections import SCALE, section, with_section
from bench.server import ROOT, Server, ServerFailed
from bench.start import measure_start
from bench.turns import measure_turns
from dev.mongod import Mongod, MongodUnavailable

WARM_UP_SECONDS = 2
# Names of the measurements besides the contenders.
TURNS, PROFILE, INSTRUCTIONS, PAGES, DELIVERIES = "turns", "profile", "instructions", "pages", "deliveries"
CAMPAIGN_PAGES, START = "campaign-pages", "start"
OTHERS = (START, TURNS, PROFILE, INSTRUCTIONS, PAGES, CAMPAIGN_PAGES, DELIVERIES)
# Names of the two runs. The load puts the name into the data of its people, so both runs create different people.
WARM_UP, MEASUREMENT = "run0", "run1"


@dataclass(frozen=True)
class Clocks:
    """Processor seconds used so far by the workers, by mongod, and by all other programs except wrk and this one."""

    workers: float
    mongod: float
    others: float

    @classmethod
    def read(cls, server: Server, mongod: Mongod) -> "Clocks":
        assert mongod.process is not None
        workers = sum(proc.cpu_seconds(worker) for worker in server.workers)
        database = proc.cpu_seconds(mongod.process.pid)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)  # wrk has ended when this is read
        load_and_self = ended.ru_utime + ended.ru_stime + time.process_time()
        return cls(workers, database, proc.machine_cpu_seconds() - workers - database - load_and_self)

    def since(self, before: "Clocks") -> "Clocks":
        return Clocks(self.workers - before.workers, self.mongod - before.mongod, self.others - before.others)


def options() -> argparse.Namespace:
    """Parses the command line. Exits with a usage message if an option is invalid."""
    keys = [*(contender.key for contender in CONTENDERS), *OTHERS]
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure recording an outreach.")
    parser.add_argument("--seconds", type=int, default=10, help="measured time of each contender in each round (10)")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds; the report has their median (3)")
    parser.add_argument("--only", default=",".join(keys), help=f"measurements, separated by commas: {', '.join(keys)}")
    parser.add_argument(
        "--retries", type=int, default=0, help="repetitions of a measurement that other programs disturbed (0)"
    )
    parser.add_argument(
        "--patience", type=int, default=0, help="seconds to wait for an idle machine before each measurement (0)"
    )
    parser.add_argument("--write", type=Path, help="file to write the report to, besides printing it")
    parser.add_argument("--folder", type=Path, default=ROOT / "var", help="folder for the temporary database files")
    chosen = parser.parse_args()
    if unknown := set(chosen.only.split(",")) - set(keys):
        parser.error(f"unknown measurement in --only: {', '.join(sorted(unknown))}; choose from {', '.join(keys)}")
    if chosen.seconds < 1 or chosen.rounds < 1:
        parser.error("--seconds and --rounds must be at least 1")
    return chosen


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Creates a folder for this run and deletes it at the end. Raises ServerFailed if `parent` is on a tmpfs."""
    parent.mkdir(parents=True, exist_ok=True)
    if proc.file_system(parent) == "tmpfs":
        raise ServerFailed(f"{parent} is in memory: a journal costs nothing there; choose a folder on disk by --folder")
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=parent)).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(contender: Contender, mongod: Mongod, seconds: int, scratch: Path) -> Result:
    """Measures one contender in one round, from an empty database to an empty database.

    Raises ServerFailed if the server fails or if the database does not match the responses.
    """
    name = f"osdi_{contender.key.replace('-', '_')}"
    uri = mongod.uri.replace("/osdi?", f"/{name}?")
    log = scratch / f"{contender.key}.log"
    with MongoClient[dict[str, Any]](mongod.uri) as client:
        client.drop_database(name)
        contender.prepare(uri)
        # Force a checkpoint now, so that this contender does not pay for the writes of the previous one.
        client.admin.command("fsync")
        folder = contender.folder(scratch)
        with Server(contender.app, folder=folder, log=log, variables=contender.variables(uri)) as server:
            traffic = contender.traffic(server.port)
            try:
                warm = load.run(server.base, traffic, name=WARM_UP, seconds=WARM_UP_SECONDS, folder=scratch)
                before = Clocks.read(server, mongod)
                measured = load.run(server.base, traffic, name=MEASUREMENT, seconds=seconds, folder=scratch)
                used = Clocks.read(server, mongod).since(before)
            except load.LoadFailed as error:
                raise server.failure(str(error)) from error
            memory = max(proc.resident_megabytes(worker) for worker in server.workers)
        people, outreaches = client[name].people, client[name].outreaches
        complete = outreaches.count_documents(contender.expected)
        counts = Counts(people.count_documents({}), outreaches.count_documents({}), complete)
        check_counts(contender, traffic, counts, warm.requests + measured.requests, runs=2)
        client.drop_database(name)
    recorded = measured.requests / contender.requests_per_outreach
    return Result(
        measured=measured,
        per_second=measured.per_second / contender.requests_per_outreach,
        resident_megabytes=memory,
        worker_cpu_ms=used.workers * 1000 / recorded,
        mongod_cpu_ms=used.mongod * 1000 / recorded,
        others_percent=used.others * 100 / (seconds * (os.cpu_count() or 1)),
    )


def measure_undisturbed(contender: Contender, mongod: Mongod, chosen: argparse.Namespace, scratch: Path) -> Result:
    """Measures a contender, again up to --retries times while other programs disturb it.

    Returns the least disturbed result.
    """
    results: list[Result] = []
    for _ in range(1 + chosen.retries):
        proc.wait_until_quiet(DISTURBED_PERCENT, chosen.patience)
        result = measure(contender, mongod, chosen.seconds, scratch)
        results.append(result)
        print(f"{contender.label}: {result.per_second:.0f} per second", file=sys.stderr)
        if result.others_percent <= DISTURBED_PERCENT:
            break
        print(f"    disturbed: other programs took {result.others_percent:.0f} % of the processors", file=sys.stderr)
    return min(results, key=lambda result: result.others_percent)


def run_rounds(contenders: list[Contender], chosen: argparse.Namespace, mongod: Mongod, scratch: Path) -> Rounds:
    """Measures all contenders once per round, so that a slow minute of the machine affects all of them.

    Every second round runs in reverse order. So no contender is always first, or always after the same other one.
    """
    rounds: Rounds = {contender.key: [] for contender in contenders}
    for number in range(chosen.rounds if contenders else 0):
        print(f"round {number + 1} of {chosen.rounds}", file=sys.stderr)
        for contender in contenders[:: -1 if number % 2 else 1]:
            rounds[contender.key].append(measure_undisturbed(contender, mongod, chosen, scratch))
    return rounds


def main() -> int:
    """Measures, prints the report and writes it. Returns the exit code."""
    if sys.platform != "linux":
        print("bench: this runs on Linux only, because it reads /proc", file=sys.stderr)
        return 1
    chosen = options()
    only = chosen.only.split(",")
    contenders = [contender for contender in CONTENDERS if contender.key in only]
    command = f"python -m bench --seconds {chosen.seconds} --rounds {chosen.rounds} --retries {chosen.retries}"
    command += f" --patience {chosen.patience}" if chosen.patience else ""
    if not {*OTHERS, *(contender.key for contender in CONTENDERS)} <= set(only):
        command += f" --only {chosen.only}"
    started = time.monotonic()
    try:
        load.require_wrk()
        with scratch_folder(chosen.folder) as scratch, Mongod(scratch / "mongod") as mongod:
            rounds = run_rounds(contenders, chosen, mongod, scratch)
            more = [measure_start(mongod, scratch)] if START in only else []
            if TURNS in only:
                more.append(measure_turns(mongod, scratch))
            if PROFILE in only:
                more.append(measure_profile(mongod, scratch))
            if INSTRUCTIONS in only:
                more.append(measure_instructions(mongod, scratch))
            if PAGES in only:
                more.append(measure_pages(mongod, scratch))
            if CAMPAIGN_PAGES in only:
                more.append(measure_campaign_pages(mongod, scratch))
            if DELIVERIES in only:
                delivered = measure_deliveries(mongod, scratch, chosen)
                more.append(delivery_report(delivered))
            with MongoClient[dict[str, Any]](mongod.uri) as client:
                mongodb = str(client.server_info()["version"])
    except (load.LoadFailed, ServerFailed, MongodUnavailable) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    text = report(contenders, rounds, seconds=chosen.seconds, command=command, mongodb=mongodb, more=more)
    print(text)
    print(f"took {time.monotonic() - started:.0f} s", file=sys.stderr)
    if chosen.write:
        # Keep the section that `python -m bench.scale` wrote.
        scale = section(chosen.write.read_text(), SCALE) if chosen.write.exists() else ""
        chosen.write.write_text(with_section(text, SCALE, scale))
    return 0


if __name__ == "__main__":
    sys.exit(main())
