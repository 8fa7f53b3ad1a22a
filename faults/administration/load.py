"""Merges, erases, deletes and imports people, while clients post and parts are broken.

Two threads merge, erase and delete people that they have created. Another one imports files by the command, and erases
some people of the file meanwhile. A worker process runs beside them. Each acknowledged operation is noted for the check
in faults/administration/leftovers.py.
"""

import csv
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from faults.administration.commands import Command
from faults.administration.marks import address, mark
from faults.administration.requests import WAIT_SECONDS, NoResponse, Requests, Responses
from osdi.resources import ADVOCACY_CAMPAIGN, API, PERSON

ROWS: Final = 500
# People of the first rows are erased after they were imported. Of the last rows, as many are erased before the import,
# and as many when the import has come to the first row.
ERASED: Final = 5
IMPORT_THREADS: Final = 2
# The load of the administration stays small beside the one of the posts.
PAUSE_SECONDS: Final = 0.1
LOOK_SECONDS: Final = 0.05
# Longest time of an import after the stop: it waits for the database, with growing pauses.
IMPORT_SECONDS: Final = 60.0
JOIN_SECONDS: Final = IMPORT_SECONDS + WAIT_SECONDS + 30
SOURCE: Final = "administration"
PEOPLE: Final = f"{API}/{PERSON.collection}"
CAMPAIGNS: Final = f"{API}/{ADVOCACY_CAMPAIGN.collection}"


@dataclass(frozen=True)
class Created:
    """A person who was created with an outreach: mark and id of the person."""

    mark: str
    person_id: str


@dataclass(frozen=True)
class Merge:
    """An acknowledged merge of two people, each with an outreach."""

    survivor: Created
    other: Created


@dataclass(frozen=True)
class Imported:
    """An import that ended without error: the marks of its people, and of those whose erasure was requested."""

    rows: frozenset[str]
    erasing: frozenset[str]


@dataclass
class Done:
    """All acknowledged operations. `erased` has marks, the deletions have ids."""

    merges: list[Merge] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    deleted_people: list[str] = field(default_factory=list)
    deleted_campaigns: list[str] = field(default_factory=list)
    imports: list[Imported] = field(default_factory=list)
    responses: Responses = field(default_factory=Responses)

    @property
    def deletions(self) -> int:
        return len(self.deleted_people) + len(self.deleted_campaigns)

    @property
    def rows(self) -> int:
        """Number of rows of the imports that ended without error."""
        return sum(len(each.rows) for each in self.imports)


class Administration:
    """Runs all this: `with Administration(...) as administration: ...; administration.finish()`.

    `variables` is the environment of the processes besides the one of this process.
    """

    def __init__(self, port: int, campaign_id: str, token: str, *, folder: Path, variables: dict[str, str]) -> None:
        self.done = Done()
        self._port, self._campaign_id, self._token = port, campaign_id, token
        self._folder = folder
        self._variables = {**variables, "PUBLIC_URL": f"http://127.0.0.1:{port}"}
        self._numbers = itertools.count()
        self._stop = threading.Event()
        self._commands: list[Command] = []
        self._threads = [
            threading.Thread(target=self._repeat, args=(each,), daemon=True)
            for each in (self._change, self._change, self._import)
        ]

    def __enter__(self) -> "Administration":
        self._run("worker", log="worker.log")
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the processes, also if a row fails."""
        self._stop.set()
        for each in self._commands:
            each.kill()

    def finish(self) -> Done:
        """Stops new operations, waits for the unfinished ones, ends the worker, and returns what was done.

        Raises RuntimeError if a thread or the worker does not end, or if the worker has ended before.
        """
        self._stop.set()
        ends = time.monotonic() + JOIN_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            raise RuntimeError(f"the administration did not end within {JOIN_SECONDS:.0f} s")
        worker = self._commands[0]
        if worker.result is not None:
            raise RuntimeError(f"the worker ended with exit code {worker.result}\n{worker.log_tail()}")
        worker.terminate()
        return self.done

    def _run(self, *arguments: str, log: str) -> Command:
        command = Command(*arguments, log=self._folder / log, variables=self._variables)
        self._commands.append(command)
        return command

    def _repeat(self, work: Callable[[Requests, int], None]) -> None:
        """Does the work again and again, each time with another number, until the stop."""
        requests = Requests(self._port, self._token, self._stop, self.done.responses)
        try:
            while not self._stop.is_set():
                try:
                    work(requests, next(self._numbers))
                except NoResponse:
                    continue  # noted with the responses
                self._stop.wait(PAUSE_SECONDS)
        except Exception as error:  # a thread that ends silently would prove nothing
            self.done.responses.remarks.append(f"the administration failed: {error!r}")
        finally:
            requests.close()

    def _change(self, requests: Requests, number: int) -> None:
        """Merges two people, erases one, and deletes one together with a campaign."""
        survivor, other = (self._created(requests, mark("merged", number, each)) for each in (1, 2))
        link = {"_links": {"osdi:person": {"href": f"{PEOPLE}/{other.person_id}"}}}
        requests.send("POST", f"{PEOPLE}/{survivor.person_id}/merge", link)
        self.done.merges.append(Merge(survivor, other))

        self._erase(requests, self._created(requests, mark("erased", number)))

        campaign = {"title": "Protect the river", "identifiers": [f"{SOURCE}:{number}"]}
        campaign_id = _id_of(requests.send("POST", CAMPAIGNS, campaign))
        deleted = self._created(requests, mark("deleted", number), campaign_id)
        requests.send("DELETE", f"{PEOPLE}/{deleted.person_id}")
        self.done.deleted_people.append(deleted.person_id)
        requests.send("DELETE", f"{CAMPAIGNS}/{campaign_id}?force=true")
        self.done.deleted_campaigns.append(campaign_id)

    def _import(self, requests: Requests, number: int) -> None:
        """Imports a file, and erases people of the file before it and while it runs."""
        rows = [mark("row", number, each) for each in range(ROWS)]
        file = self._folder / f"people-{number}.csv"
        _write(file, rows)
        known = [self._created(requests, each) for each in rows[-2 * ERASED :]]
        erasing: set[str] = set()
        self._erase_each(requests, known[:ERASED], erasing)
        options = ("--yes", "--threads", str(IMPORT_THREADS))
        command = self._run("import", "people", str(file), *options, log=f"import-{number}.log")
        try:
            self._imported(requests, rows[0], command)
            self._erase_each(requests, known[ERASED:], erasing)
            found = (self._imported(requests, each, command) for each in rows[:ERASED])
            self._erase_each(requests, filter(None, found), erasing)
        finally:
            self._wait_for(command)
        if command.result:
            self.done.responses.remarks.append(f"an import ended with {command.result}: {command.log_tail()[-500:]!r}")
        else:
            self.done.imports.append(Imported(frozenset(rows), frozenset(erasing)))

    def _erase_each(self, requests: Requests, people: Iterable[Created], erasing: set[str]) -> None:
        """Erases people; adds the mark of each to `erasing` before the first attempt."""
        for person in people:
            erasing.add(person.mark)
            self._erase(requests, person)

    def _wait_for(self, command: Command) -> None:
        """Waits for the end of an import. Raises RuntimeError if it has not ended IMPORT_SECONDS after the stop."""
        ends = float("inf")
        while command.result is None:
            time.sleep(LOOK_SECONDS)
            if self._stop.is_set():
                ends = min(ends, time.monotonic() + IMPORT_SECONDS)
            if time.monotonic() > ends:
                raise RuntimeError(f"an import did not end: {command.log_tail()}")

    def _created(self, requests: Requests, of: str, campaign_id: str | None = None) -> Created:
        """Creates a person and an outreach of theirs, with the mark in each text."""
        body = {
            "identifiers": [f"{SOURCE}:outreach-{of}"],
            "person": {
                "identifiers": [f"{SOURCE}:{of}"],
                "given_name": of,
                "email_addresses": [{"address": address(of)}],
            },
            "type": "email",
            "message": f"I am {of}.",
            "referrer_data": {"source": SOURCE},
        }
        path = f"{CAMPAIGNS}/{campaign_id or self._campaign_id}/record_outreach_helper"
        response = requests.send("POST", path, body)
        return Created(of, response["_links"]["osdi:person"]["href"].rsplit("/", 1)[1])

    def _erase(self, requests: Requests, person: Created) -> None:
        requests.send("DELETE", f"{PEOPLE}/{person.person_id}?erase=true")
        self.done.erased.append(person.mark)

    def _imported(self, requests: Requests, of: str, command: Command) -> Created | None:
        """Waits until the import has created the person; returns them, or None if it ends without."""
        query = urlencode({"filter": f"email_address eq '{address(of)}'"})
        while True:
            ended = command.result is not None
            found: list[dict[str, Any]] = requests.send("GET", f"{PEOPLE}?{query}")["_embedded"]["osdi:people"]
            if found:
                return Created(of, _id_of(found[0]))
            if ended:
                return None
            time.sleep(LOOK_SECONDS)


def _id_of(response: dict[str, Any]) -> str:
    return str(response["_links"]["self"]["href"]).rsplit("/", 1)[1]


def _write(file: Path, rows: Sequence[str]) -> None:
    """Writes a CSV file with a person in each row."""
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(("First Name", "Email"))
        writer.writerows((each, address(each)) for each in rows)
