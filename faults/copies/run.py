"""Runs changes, copies and kills at the same time, and compares the copy with the server at the end."""

import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from faults import processes
from faults.administration.completion import complete
from faults.copies.changes import Changes
from faults.copies.comparison import differences, in_copy, on_server
from faults.deployments import SingleMember
from faults.row import prepare_ours
from faults.server import Gunicorn
from osdi.resources import API
from osdi.store.store import SETTLED

COMPLETED: Final = "sync completed"
WORKER: Final = "worker of bin/osdi"
# Runs of the sync script for each kill of another process.
SYNCS: Final = 5
SYNC_SECONDS: Final = 300.0
# For the merges and erasures of the whole run, which the worker completes a minute later, unless it was killed.
COMPLETE_SECONDS: Final = 900.0


@dataclass(frozen=True)
class Plan:
    """The changes to make, and how to make them. `settled` is the age at which the feed shows a deletion."""

    changes: int
    clients: int = 8
    seed: int = 1
    application: str = "wsgi:app"
    settled: float = SETTLED.total_seconds()
    kills: int = 40
    """Of the server and the worker, after equal numbers of changes; the sync script is killed besides."""
    sync_seconds: float = 4.0
    """The sync script is killed within this time, unless it has ended."""


@dataclass
class Outcome:
    """The figures of a run, and a sentence for each difference."""

    done: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    synced: int = 0
    compared: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Processes:
    """The server, the worker and the sync script of a run; each can be killed."""

    def __init__(self, server: Gunicorn, folder: Path, variables: dict[str, str], token: str) -> None:
        self.server, self.file = server, folder / "copy.sqlite"
        self._log, self._variables, self._token = folder / "worker.log", variables, token
        self._worker: processes.Process | None = None
        self._sync: processes.Process | None = None

    def __enter__(self) -> "Processes":
        self.start_worker()
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self._worker, self._sync):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()

    def start_worker(self) -> None:
        """Starts `bin/osdi worker`."""
        self._worker = self._start("app", "worker")

    def kill_worker(self) -> None:
        """Kills the worker and starts another one."""
        assert self._worker is not None
        self._worker.kill()
        self._worker.wait()
        self.start_worker()

    def sync(self, *, killed_after: float | None = None) -> bool:
        """Runs the sync script; True if it has completed. Raises RuntimeError if it fails by itself."""
        address = f"http://127.0.0.1:{self.server.port}{API}"
        self._sync = self._start("examples.sync", address, str(self.file))
        try:
            code = self._sync.wait(SYNC_SECONDS if killed_after is None else killed_after)
        except subprocess.TimeoutExpired:
            self._sync.kill()
            self._sync.wait()
            if killed_after is None:
                raise RuntimeError(f"the sync script did not end within {SYNC_SECONDS:.0f} s") from None
            return False
        if code != 0:
            raise RuntimeError(f"the sync script ended with {code}: {self._log.read_text()[-1_000:]}")
        return True

    def end_worker(self) -> None:
        """Ends the worker by SIGTERM, so that it finishes what it does."""
        assert self._worker is not None
        self._worker.send_signal(signal.SIGTERM)
        self._worker.wait(60)

    def _start(self, *words: str) -> processes.Process:
        variables = os.environ | self._variables | {"OSDI_TOKEN": self._token, "PUBLIC_URL": "http://127.0.0.1"}
        with self._log.open("ab") as log:
            return processes.start(*words, env=variables, stdout=log)


def run(plan: Plan, folder: Path, enough: threading.Event | None = None) -> Outcome:
    """Runs the plan in a new folder. Raises RuntimeError, ServerFailed or MongodUnavailable.

    Once `enough` is set, no further change is made, and what was done is compared.
    """
    began, outcome = time.monotonic(), Outcome()
    with ExitStack() as stack:
        database = stack.enter_context(SingleMember(folder / "mongod"))
        token = prepare_ours(database.uri)
        variables = {"MONGODB_URI": database.uri}
        server = stack.enter_context(Gunicorn(plan.application, log=folder / "gunicorn.log", variables=variables))
        running = stack.enter_context(Processes(server, folder, variables, token))
        changes = stack.enter_context(Changes(server.port, token, plan.changes, clients=plan.clients, seed=plan.seed))
        _disturb(plan, changes, running, outcome, enough or threading.Event())
        changes.__exit__()
        outcome.done, outcome.repeated, outcome.problems = changes.done, changes.repeated, changes.failures
        running.end_worker()
        complete(database.uri, COMPLETE_SECONDS)
        time.sleep(plan.settled + 1.5)
        running.sync()
        there, here = on_server(server.port, token), in_copy(running.file)
        outcome.compared = Counter({table: len(found) for table, found in there.items()})
        outcome.problems += differences(there, here) + [f"gunicorn's log: {each}" for each in server.failures()[:3]]
    outcome.seconds = time.monotonic() - began
    return outcome


def _disturb(plan: Plan, changes: Changes, running: Processes, outcome: Outcome, enough: threading.Event) -> None:
    """Runs the sync script again and again and kills processes, while the changes are made."""
    choose = random.Random(plan.seed)
    kills, synced_at = 0, 0.0
    while changes.are_under_way and not enough.is_set():
        done = sum(changes.done.values())
        if done >= plan.changes * (kills + choose.random()) / plan.kills:
            outcome.killed[_kill(choose, running)] += 1
            kills += 1
        if done < synced_at + plan.changes / (plan.kills * SYNCS):
            time.sleep(0.05)
            continue
        synced_at = done
        if running.sync(killed_after=choose.uniform(0.1, plan.sync_seconds)):
            outcome.synced += 1
        else:
            outcome.killed["sync script"] += 1


def _kill(choose: random.Random, running: Processes) -> str:
    """Kills one process by SIGKILL, and lets another one take its place. Returns what it was."""
    server = running.server
    kind = choose.choice(("gunicorn worker", "gunicorn worker", "gunicorn master", "all of gunicorn", WORKER))
    if kind == "gunicorn worker":
        server.kill_worker(choose.choice(server.workers))
    elif kind == "gunicorn master":
        server.kill_master()
        server.start()
    elif kind == "all of gunicorn":
        server.kill_all()
        server.start()
    else:
        running.kill_worker()
    return kind
