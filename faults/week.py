"""Plays the week of an operator with the commands of docs/deploying.md only (`python -m faults.week`, `make week`).

On a Debian machine in namespaces (dev/debian/machine.py) it installs the release, serves, imports, lets the timer make
a backup, loses the disk, restores, upgrades, goes back and upgrades again, mostly while clients post. After each step
it compares the database with every acknowledged post by the ids of outreach and person. The newer version has a
migration.
"""

import argparse
import csv
import datetime as dt
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from pymongo import MongoClient

from dev import dist
from dev.debian.documented import NotAsDocumented, follow, section
from dev.debian.machine import CannotStart, Machine
from dev.debian.wheels import wheels_of_installed
from faults.administration.marks import DOMAIN
from faults.check import Found, check
from faults.load import OK, TIMED_OUT, Acknowledged, Client, Ledger, Load
from faults.row import PATH
from osdi.store.schema_version import SCHEMA_VERSION

PAGE: Final = "deploying.md"
PORT: Final = 5000
URI: Final = "mongodb://127.0.0.1:27017/osdi?replicaSet=rs0"
# The build of the release that the page names; that of this machine replaces it.
BUILD: Final = "cp311-linux_x86_64"
DATE: Final = 1_700_000_000
IMPORTED: Final = 200
CLIENTS: Final = 8
LOAD_SECONDS: Final = 5.0
WAIT_SECONDS: Final = 120.0
# Clients post much more than a person: these settings are empty, which means without a limit.
UNLIMITED: Final = ("RATE_LIMIT_ANONYMOUS", "RATE_LIMIT_ANONYMOUS_BYTES", "RATE_LIMIT_TOKEN", "RATE_LIMIT_CONTACT")
EVERY_TWO_SECONDS: Final = "OnCalendar=*:*:0/2\nRandomizedDelaySec=0\nAccuracySec=100ms"
MIGRATION: Final = '''

def mark_outreaches(context: MigrationContext) -> Iterator[int]:
    """Marks the outreaches that lack the mark."""
    with context.store.operation():
        found = context.store.collection("outreaches")
        yield found.update_many({{"marked": {{"$exists": False}}}}, {{"$set": {{"marked": True}}}}).modified_count


MIGRATIONS = (*MIGRATIONS, Migration({number}, "marked outreaches", mark_outreaches))
'''


class PostsMissing(Exception):
    """A step lost, changed or doubled an acknowledged post, or rejected one; the message has examples."""


@dataclass
class Step:
    """Result of a step: its name, how many posts were acknowledged by then, and the responses of clients meanwhile."""

    name: str
    acknowledged: int
    seconds: float
    outcomes: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0

    def __str__(self) -> str:
        responses = ", ".join(f"{number} x {outcome}" for outcome, number in self.outcomes.items())
        meanwhile = f"; meanwhile {responses}, the longest {self.longest:.1f} s" if responses else ""
        return f"{self.name}: {self.seconds:.0f} s, {self.acknowledged} acknowledged posts, none missing{meanwhile}"


class Week:
    """The machine of the operator, and what the clients know."""

    def __init__(self, machine: Machine, values: dict[str, str]) -> None:
        self._machine = machine
        self._values = values
        self._token = ""
        self._first = 0
        self._began = time.monotonic()
        self.acknowledged: list[Acknowledged] = []
        self.steps: list[Step] = []

    def follow(self, heading: str) -> str:
        return follow(self._machine, PAGE, heading, self._values)

    def install(self) -> None:
        """Installs the release, and serves."""
        for heading in ("### 1. MongoDB", "### 2. The program", "### 3. Settings"):
            self.follow(heading)
        settings = "".join(f"{each}=\\n" for each in UNLIMITED)
        self._machine.run(f"printf '{settings}' | sudo tee --append /etc/osdi/osdi.env")
        self._token = re.findall(r"^osdi_\S+$", self.follow("### 4. Start"), flags=re.MULTILINE)[0]
        self._machine.run("sudo osdi sample")
        self.end_step("install, release, serve")

    def import_people(self) -> None:
        """Imports the people of a file."""
        with tempfile.TemporaryDirectory(prefix="osdi-week-") as folder:
            file = Path(folder, "people.csv")
            with file.open("w", newline="") as opened:
                rows = [(f"imported-{number}@{DOMAIN}", f"Jo {number}") for number in range(IMPORTED)]
                csv.writer(opened).writerows([("email", "first_name"), *rows])
            self._machine.put(file)
        self.follow("#### Commands and files")
        self.end_step("import")

    def post(self) -> None:
        """Lets the clients post for some seconds."""
        with self.load() as load:
            load.run(LOAD_SECONDS)
        self.end_step("posts", load.ledger)

    def back_up(self) -> float:
        """Lets the timer make backups while clients post, and returns the time when it was started."""
        self.follow("### 6. Backups")
        began = time.monotonic()
        folder = "/etc/systemd/system/osdi-backup.timer.d"
        self._machine.run(f"printf '[Timer]\\nOnCalendar=\\n{EVERY_TWO_SECONDS}\\n' > {folder}/time.conf")
        count = "ls /var/backups/osdi | wc -l"
        before = int(self._machine.run(count).output)
        with self.load() as load:
            load.run(LOAD_SECONDS)
            began = time.monotonic()
            self._machine.run("systemctl daemon-reload && systemctl restart osdi-backup.timer")
            ends = time.monotonic() + WAIT_SECONDS
            while int(self._machine.run(count).output) == before:
                if time.monotonic() > ends:
                    raise RuntimeError("the timer made no backup")
                time.sleep(0.5)
            self._machine.run("systemctl stop osdi-backup.timer")
            while self._machine.run("systemctl is-active osdi-backup", check=False).output == "activating":
                time.sleep(0.5)
            load.run(LOAD_SECONDS)
        self.end_step("backup by the timer", load.ledger)
        return began

    def lose_the_disk(self, backed_up: float) -> None:
        """Loses the disk of the database, restores the backup, and lets clients repeat their posts since then."""
        kept = [each for each in self.acknowledged if each.timestamp < backed_up]
        later = [each for each in self.acknowledged if each.timestamp >= backed_up]
        self._machine.run("systemctl kill --signal KILL --kill-whom all mongod; rm -r /var/lib/mongodb/*")
        self.follow("### 9. If the disk of the database is lost")
        self.compare(kept)
        client = Client(PORT)
        with self._machine.network():
            for each in later:
                response = client.request("POST", PATH, each.post.body, each.post.headers)
                if response.outcome != OK:
                    raise PostsMissing(f"a repeated post got {response.outcome}: {response.body!r}")
            client.close()
        # The restored database gives new ids to what it had lost.
        self.acknowledged = [*kept, *(replace(each, outreach_id=None, person_id=None) for each in later)]
        self.end_step(f"lost disk, restore, {len(later)} posts since the backup repeated")

    def change_version(self, name: str, heading: str, version: str) -> None:
        """Follows the page to another version while clients post."""
        with self.load() as load:
            load.run(1)
            self.follow(heading)
            load.run(LOAD_SECONDS)
        # On a slow machine a restart can take longer than a client waits. It posts again.
        rejected = set(load.ledger.outcomes()) - {OK, TIMED_OUT}
        if rejected:
            raise PostsMissing(f"{name}: posts got {rejected}: {load.ledger.remarks[:3]}")
        health = self._machine.run(f"curl http://127.0.0.1:{PORT}/healthz").output
        if f'"version":"{version}"' not in health:
            raise RuntimeError(f"{name}: {health}")
        self.end_step(name, load.ledger)

    def unmarked(self, before: dt.datetime) -> int:
        """Returns the number of outreaches until a time that the migration of the newer version has not changed."""
        selected = {"marked": {"$exists": False}, "created_date": {"$lt": before}}
        with self._machine.network(), MongoClient(URI) as client:
            return client.osdi.outreaches.count_documents(selected)

    @contextmanager
    def load(self) -> Iterator[Load]:
        """Posts in the network of the machine, and keeps what is acknowledged."""
        with self._machine.network(), Load(PORT, PATH, self._token, CLIENTS, first=self._first) as load:
            yield load
            ledger = load.finish()
            self._first = 1 + max(attempt.number for attempt in ledger.attempts)
            self.acknowledged += ledger.acknowledged

    def end_step(self, name: str, ledger: Ledger | None = None) -> None:
        """Compares the database with all that is acknowledged, and prints the step. Raises PostsMissing."""
        seconds = time.monotonic() - self._began
        self.compare(self.acknowledged)
        step = Step(name, len(self.acknowledged), seconds)
        if ledger:
            step.outcomes, step.longest = ledger.outcomes(), ledger.longest_answer()
        self.steps.append(step)
        print(step, flush=True)
        self._began = time.monotonic()

    def compare(self, acknowledged: list[Acknowledged]) -> None:
        with self._machine.network(), MongoClient(URI) as client:
            found: Found = check(client.osdi, acknowledged)
            imported = client.osdi.people.count_documents(
                {"email_addresses.address": re.compile(rf"^imported-.*@{DOMAIN}$")}
            )
        wrong = (found.lost_outreaches, found.lost_people, found.doubled, found.people_doubled, found.people_alone)
        if any(wrong):
            raise PostsMissing(f"lost, wrong person, doubled, people doubled, people alone: {wrong}\n{found.examples}")
        if imported != IMPORTED and len(self.steps) > 1:
            raise PostsMissing(f"{imported} of {IMPORTED} imported people are there")


def newer_version(folder: Path, version: str) -> Path:
    """Copies this program to a folder, as a version that has one migration more."""
    for name, path in dist.shipped(dist.ROOT).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / name)
    number = SCHEMA_VERSION + 1
    steps = folder / "osdi/operations/migration_steps.py"
    steps.write_text(steps.read_text() + MIGRATION.format(number=number))
    _replace(folder / "osdi/store/schema_version.py", rf"^SCHEMA_VERSION: Final = {SCHEMA_VERSION}$", number)
    _replace(folder / "osdi/version.py", '^VERSION: Final = ".*"$', f'"{version}"')
    return folder


def _replace(file: Path, line: str, value: object) -> None:
    """Gives a constant another value. Raises RuntimeError if it is not in the file."""
    text, count = re.subn(line, lambda found: f"{found[0].partition('=')[0]}= {value}", file.read_text(), flags=re.M)
    if count != 1:
        raise RuntimeError(f"{file} has no line {line}")
    file.write_text(text)


def play(given: Path | None) -> list[Step]:
    """Plays the week and returns its steps."""
    newer = re.findall(r"RELEASE=\S+-([\d.]+)", "\n".join(each.text for each in section(PAGE, "### 7. Upgrade")))[0]
    build = dist.tag(dist.this_python())
    with tempfile.TemporaryDirectory(prefix="osdi-week-") as scratch, Machine() as machine:
        wheels, tree, out = (Path(scratch, name) for name in ("wheels", "newer", "out"))
        for each in (wheels, tree, out):
            each.mkdir()
        wheels_of_installed(dist.ROOT / "requirements.txt", wheels)
        tarball = given or dist.write_tarball(dist.ROOT, wheels, out, build, DATE, level=1)
        upgrade = dist.write_tarball(newer_version(tree, newer), wheels, out, build, DATE, level=1)
        week = Week(machine, {BUILD: build})
        _copy(machine, tarball, out)
        week.install()
        week.import_people()
        week.post()
        week.lose_the_disk(week.back_up())
        _copy(machine, upgrade, out)
        week.change_version("upgrade under load", "### 7. Upgrade", newer)
        week.change_version("going back under load", "### 8. Go back", dist.version(dist.ROOT))
        went_back = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        if not week.unmarked(went_back):
            raise RuntimeError("the former version wrote nothing, so the next upgrade proves nothing")
        week.change_version("second upgrade under load", "### 7. Upgrade", newer)
        if left := week.unmarked(went_back):
            raise RuntimeError(f"{left} outreaches of the former version were not migrated")
    return week.steps


def _copy(machine: Machine, tarball: Path, folder: Path) -> None:
    """Copies a release to the operator's home folder, with its hashes."""
    machine.put(tarball)
    (folder / dist.SUMS).write_text(dist.sums([tarball]))
    machine.put(folder / dist.SUMS)


def main() -> int:
    """Plays the week and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m faults.week", description="Play the week of an operator.")
    parser.add_argument("--release", type=Path, help="a tarball of `make dist`, instead of one of this folder")
    try:
        steps = play(parser.parse_args().release)
    except CannotStart as error:
        print(f"week: {error}", file=sys.stderr)
        return 1
    except (NotAsDocumented, PostsMissing, RuntimeError) as error:
        print(f"week: FAILED\n{error}", file=sys.stderr)
        return 1
    print(f"week: {len(steps)} steps, {steps[-1].acknowledged} acknowledged posts, none missing or doubled")
    return 0


if __name__ == "__main__":
    sys.exit(main())
