"""One row: everything is started, loaded, broken, mended, ended, and then checked."""

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
from faults.check import Found, check
from faults.deployments import DEPLOYMENTS
from faults.faults import Fault, Scene
from faults.load import CUT, LATE_SECONDS, NOT_TOLD_WHEN, Ledger, Load
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
# The share of the load's time that passes before anything breaks.
BEFORE: Final = 0.2
# A mongod that finds its disk full shall do so in its journal and data files, and soon.
SMALL_DISK_OPTIONS: Final = ("--syncdelay", "2", "--setParameter", "diagnosticDataCollectionEnabled=false")


@dataclass(frozen=True)
class Application:
    """What gunicorn loads, and what is done to a fresh database before; that returns a token."""

    key: str
    module: str
    prepare: Callable[[str], str]


@dataclass(frozen=True)
class Row:
    """What one fault on one deployment came to. `problems` are sentences; none where every promise was kept."""

    fault: Fault
    deployment: str
    ledger: Ledger
    found: Found
    seconds: float
    problems: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        return not self.problems


def prepare_ours(uri: str) -> str:
    """Indexes, a campaign and a token, as a release step and an operator make them."""
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
    """Its index; it asks for no token."""
    naive.prepare(uri)
    return "none"


OURS: Final = Application("ours", "wsgi:app", prepare_ours)
NAIVE: Final = Application("naive", "faults.naive:app_from_environment()", prepare_naive)


def run_row(
    fault: Fault, deployment: str, application: Application, *, seconds: float, clients: int, parent: Path
) -> Row:
    """Run it in a new folder under `parent`.

    Raises CannotMount where this machine cannot do it, MongodUnavailable or ServerFailed where something did not come
    up again, which is a finding too.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        folder = stack.enter_context(_folder(parent))
        # Where Mongod keeps the data of the first one, see dev/mongod.py.
        disk = stack.enter_context(SmallDisk(folder / "0" / "data")) if fault.on_small_disk else None
        options = SMALL_DISK_OPTIONS if disk else ()
        running = stack.enter_context(DEPLOYMENTS[deployment](folder, options))
        token = application.prepare(running.uri)
        variables = {"MONGODB_URI": running.uri}
        server = stack.enter_context(Gunicorn(application.module, log=folder / "gunicorn.log", variables=variables))
        proxy = stack.enter_context(CuttingProxy(server.port)) if fault.through_proxy else None
        load = stack.enter_context(Load(proxy.port if proxy else server.port, PATH, token, clients))
        scene = Scene(running, server, load, PATH, seconds, proxy, disk)
        workers = set(server.workers)
        ends = time.monotonic() + seconds
        load.run(seconds * BEFORE)
        fault.strike(scene)
        load.run(max(seconds * BEFORE, ends - time.monotonic()))
        ledger = load.finish()
        problems = [f"gunicorn's log: {line[:2000]}" for line in server.failures()[:3]]
        if fault.recovers and set(server.workers) != workers:
            problems.append("a worker did not survive it")
        # Whatever a client no longer waited for is finished now, or never.
        server.terminate()
        running.primary()
        with MongoClient[dict[str, Any]](running.uri) as client:
            found = check(client.get_default_database(), ledger.acknowledged)
        problems += _problems(fault, ledger, found, may_leave_people_alone=not running.supports_transactions)
        return Row(fault, deployment, ledger, found, time.monotonic() - began, problems)


def _problems(fault: Fault, ledger: Ledger, found: Found, *, may_leave_people_alone: bool) -> list[str]:
    """Each promise that was not kept."""
    broken = {
        "acknowledged outreaches are lost": found.lost_outreaches,
        "people of acknowledged outreaches are lost, or lack what was said": found.lost_people,
        "outreaches are doubled": found.doubled,
        "people are doubled": found.people_doubled,
        "people have no outreach": 0 if may_leave_people_alone else found.people_alone,
        "posts were never acknowledged, though all was mended": len(ledger.given_up),
        f"requests were answered after {LATE_SECONDS:.0f} s, or never": ledger.late(),
        "answers were neither 200 nor 503": ledger.unforeseen(),
        "requests were cut that should have been answered": ledger.outcomes()[CUT] if fault.cuts_nobody else 0,
        "answers of 503 had no Retry-After": ledger.remarks.count(NOT_TOLD_WHEN),
        "times nothing was acknowledged": not ledger.acknowledged,
    }
    problems = [f"{count} {what}" for what, count in broken.items() if count]
    noticed = max(ledger.longest_pause(), ledger.longest_answer())
    if fault.unnoticed is not None and noticed > fault.unnoticed:
        problems.append(f"others waited {noticed:.1f} s for an answer or acknowledgement")
    return [*problems, *found.examples, *ledger.remarks[:5]] if problems else []


@contextmanager
def _folder(parent: Path) -> Iterator[Path]:
    """A folder of this row's own, gone afterwards."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="faults-", dir=parent)).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
