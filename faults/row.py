"""Runs one row: starts database, server and load, breaks and repairs a part, ends all and checks the database.

With our application, the administration runs too: merges, erasures, deletions and imports.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient

from faults import naive
from faults.administration.completion import complete
from faults.administration.leftovers import Leftovers, check_administration
from faults.administration.load import Administration, Done
from faults.check import Found, check
from faults.deployments import DEPLOYMENTS
from faults.faults import Fault, Scene
from faults.load import CUT, LATE_SECONDS, WITHOUT_RETRY_AFTER, Ledger, Load
from faults.proxy import CuttingProxy
from faults.server import Gunicorn
from faults.small_disk import SmallDisk
from osdi.access.tokens import new_token
from osdi.resources import ADVOCACY_CAMPAIGN, API
from osdi.sample import CAMPAIGN_ID, create_sample
from osdi.settings import Settings
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS

PATH: Final = f"{API}/{ADVOCACY_CAMPAIGN.collection}/{CAMPAIGN_ID}/record_outreach_helper"
# Share of the load's time that passes before the fault.
BEFORE: Final = 0.2
# With these options mongod soon notices the full disk, in its journal and data files.
SMALL_DISK_OPTIONS: Final = ("--syncdelay", "2", "--setParameter", "diagnosticDataCollectionEnabled=false")


@dataclass(frozen=True)
class Application:
    """An application for gunicorn. `prepare` prepares the empty database at a connection string and returns a token.

    `is_administered`: people are merged, erased, deleted and imported meanwhile.
    """

    key: str
    module: str
    prepare: Callable[[str], str]
    is_administered: bool = False


@dataclass(frozen=True)
class Row:
    """Result of one fault on one deployment. `problems` has a sentence for each broken promise.

    `done` is what the administration did, or None if the application is not administered.
    """

    fault: Fault
    deployment: str
    ledger: Ledger
    found: Found
    seconds: float
    problems: list[str] = field(default_factory=list)
    done: Done | None = None
    leftovers: Leftovers = field(default_factory=Leftovers)

    @property
    def kept(self) -> bool:
        return not self.problems


def prepare_ours(uri: str) -> str:
    """Creates indexes, a campaign and a token, as a release step and an operator do. Returns the token."""
    store = Store(uri)
    try:
        store.create_indexes()
        create_sample(store, Settings.namespace)
        secret, document = new_token("faults")
        store.write(Insert(TOKENS, document))
    finally:
        store.close()
    return secret


def prepare_naive(uri: str) -> str:
    """Creates the index of the naive variant. Returns a placeholder, because it needs no token."""
    naive.prepare(uri)
    return "none"


OURS: Final = Application("ours", "wsgi:app", prepare_ours, is_administered=True)
NAIVE: Final = Application("naive", "faults.naive:app_from_environment()", prepare_naive)


def run_row(
    fault: Fault, deployment: str, application: Application, *, seconds: float, clients: int, parent: Path
) -> Row:
    """Runs the fault in a new folder under `parent`.

    Raises CannotMount if this machine cannot run it. Raises MongodUnavailable, ServerFailed or RuntimeError if a
    process did not start again or a client failed, which is a finding too.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        folder = stack.enter_context(_folder(parent))
        # The data folder of the first mongod (see dev/mongod.py).
        disk = stack.enter_context(SmallDisk(folder / "0" / "data")) if fault.on_small_disk else None
        options = SMALL_DISK_OPTIONS if disk else ()
        running = stack.enter_context(DEPLOYMENTS[deployment](folder, options))
        token = application.prepare(running.uri)
        variables = {"MONGODB_URI": running.uri}
        server = stack.enter_context(Gunicorn(application.module, log=folder / "gunicorn.log", variables=variables))
        proxy = stack.enter_context(CuttingProxy(server.port)) if fault.through_proxy else None
        port = proxy.port if proxy else server.port
        load = stack.enter_context(Load(port, PATH, token, clients))
        administration = None
        if application.is_administered:
            administration = Administration(port, CAMPAIGN_ID, token, folder=folder, variables=variables)
            stack.enter_context(administration)
        scene = Scene(running, server, load, PATH, seconds, proxy, disk)
        workers = set(server.workers)
        ends = time.monotonic() + seconds
        load.run(seconds * BEFORE)
        fault.strike(scene)
        load.run(max(seconds * BEFORE, ends - time.monotonic()))
        ledger = load.finish()
        done = administration.finish() if administration else None
        problems = [f"gunicorn's log: {line[:2000]}" for line in server.failures()[:3]]
        if fault.workers_survive and set(server.workers) != workers:
            problems.append("a worker ended during the fault")
        # After this, no request of a client that timed out can still write.
        server.terminate()
        running.primary()
        found, leftovers = _compare(running.uri, ledger, done)
        problems += _problems(fault, ledger, found, may_leave_people_alone=not running.supports_transactions)
        problems += problems_of_administration(fault, done, leftovers) if done else []
        return Row(fault, deployment, ledger, found, time.monotonic() - began, problems, done, leftovers)


def _compare(uri: str, ledger: Ledger, done: Done | None) -> tuple[Found, Leftovers]:
    """Completes what was interrupted, and compares the database with the acknowledged posts and operations."""
    if done:
        complete(uri)
    with MongoClient[dict[str, Any]](uri) as client:
        database = client.get_default_database()
        return check(database, ledger.acknowledged), check_administration(database, done) if done else Leftovers()


def _problems(fault: Fault, ledger: Ledger, found: Found, *, may_leave_people_alone: bool) -> list[str]:
    """Returns a sentence for each broken promise, with examples."""
    broken = {
        "acknowledged outreaches are lost": found.lost_outreaches,
        "people of acknowledged outreaches are lost or lack posted data": found.lost_people,
        "outreaches are doubled": found.doubled,
        "people are doubled": found.people_doubled,
        "people have no outreach": 0 if may_leave_people_alone else found.people_alone,
        "posts were never acknowledged, although everything worked again": len(ledger.given_up),
        f"requests took longer than {LATE_SECONDS:.0f} s or got no response": ledger.late(),
        "answers were neither 200 nor 503": ledger.unexpected(),
        "connections were cut before the response": ledger.outcomes()[CUT] if fault.cuts_no_connection else 0,
        "answers of 503 had no Retry-After": ledger.remarks.count(WITHOUT_RETRY_AFTER),
    }
    problems = [f"{count} {what}" for what, count in broken.items() if count]
    if not ledger.acknowledged:
        problems.append("no post was acknowledged")
    longest = max(ledger.longest_pause(), ledger.longest_answer())
    if fault.longest_wait is not None and longest > fault.longest_wait:
        problems.append(f"other clients waited {longest:.1f} s for a response or acknowledgement")
    return [*problems, *found.examples, *ledger.remarks[:5]] if problems else []


def problems_of_administration(fault: Fault, done: Done, leftovers: Leftovers) -> list[str]:
    """Returns a sentence for each broken promise about merges, erasures, deletions and imports, with examples."""
    broken = {
        "erased people are still in a collection": leftovers.erased,
        "deleted documents are there, or outreaches without their person or campaign": leftovers.deleted,
        "merges are not complete": leftovers.merged,
        "imported people are missing or doubled": leftovers.imported,
        "requests of the administration were given up": done.responses.given_up,
        "requests of the administration were cut": done.responses.cut if fault.cuts_no_connection else 0,
    }
    problems = [f"{count} {what}" for what, count in broken.items() if count]
    counts = {"merge": done.merges, "erasure": done.erased, "deletion": done.deleted_campaigns, "import": done.imports}
    # A row without them would keep these promises whatever the server does.
    problems += [f"no {name} was acknowledged" for name, acknowledged in counts.items() if not acknowledged]
    return [*problems, *leftovers.examples, *done.responses.remarks[:5]]


@contextmanager
def _folder(parent: Path) -> Iterator[Path]:
    """Creates a folder for this row and deletes it at the end."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="faults-", dir=parent)).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
