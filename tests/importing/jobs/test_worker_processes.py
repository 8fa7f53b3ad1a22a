"""Real workers execute an import: one is killed in the middle, two run at once, one is stopped. No row is doubled."""

import csv
import io
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.ids import now
from osdi.importing.jobs import job_actions
from osdi.settings import Settings
from osdi.staff.members import add_member
from osdi.store import Store
from tests.support.live import Worker
from tests.support.waiting import eventually

ROWS = 300
EVERY = 50
SLOW_MS = 20

Stored = Database[dict[str, Any]]


@pytest.fixture
def uri(mongod: Mongod) -> str:
    return mongod.uri.replace("/osdi?", "/import_jobs?")


@pytest.fixture
def stored(uri: str) -> Iterator[Stored]:
    with MongoClient[dict[str, Any]](uri) as client:
        client.drop_database("import_jobs")
        yield client.get_default_database()
        client.drop_database("import_jobs")


@pytest.fixture
def shared(uri: str, stored: Stored) -> Iterator[Store]:
    store = Store(uri)
    store.create_indexes()
    yield store
    store.close()


@pytest.fixture
def new_worker(uri: str) -> Iterator[Callable[[], Worker]]:
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Worker({"MONGODB_URI": uri}, module="tests.importing.jobs.eager_worker"))


@pytest.fixture
def slow_inserts(fail: Callable[..., None]) -> None:
    """Each insert takes some milliseconds without computing, so that a worker is met in the middle of a short file."""
    fail("alwaysOn", ["insert"], blockConnection=True, blockTimeMS=SLOW_MS)


def job(stored: Stored) -> dict[str, Any]:
    found = stored.import_jobs.find_one()
    assert found is not None
    return found


def rows_done(stored: Stored) -> int:
    found = job(stored)
    return int(found["report"]["rows"]) if found["state"] == "importing" and "report" in found else 0


def start(store: Store, settings: Settings, stored: Stored) -> str:
    """Starts the import of ROWS rows, of which each with a number that EVERY divides is rejected."""
    lines = [f"Ann{n},{'broken' if n % EVERY == 0 else f'ann{n}@example.com'}\n" for n in range(ROWS)]
    file = io.BytesIO(("first_name,email\n" + "".join(lines)).encode())
    member = add_member(store, "ada@example.org")
    job_id = str(job_actions.upload(store, settings, member, {"kind": "people"}, "people.csv", file)["_id"])
    assert eventually(lambda: job(stored)["state"] == "columns")
    job_actions.choose(store, job(stored), {}, ["", ""], read_again=False)
    assert eventually(lambda: job(stored)["state"] == "checked")
    job_actions.start(store, settings, job_id, job_actions.get_job(store, job_id)["check_id"])
    return job_id


def end_lease(stored: Stored) -> None:
    """Lets the time of the lease pass, which a killed worker leaves behind."""
    stored.import_jobs.update_one({}, {"$set": {"due": now()}})


def assert_each_row_once(stored: Stored) -> None:
    done, good = job(stored), ROWS - ROWS // EVERY
    rejected = b"".join(each["data"] for each in (stored.import_parts.find_one(one) for one in done["rejected_parts"]))
    rows = list(csv.DictReader(io.StringIO(rejected.decode("utf-8-sig"))))
    names = [person["given_name"] for person in stored.people.find()]
    assert len(names) == len(set(names)) == good
    assert done["report"]["rows"] == ROWS
    assert [int(row["rejected_line"]) for row in rows] == [n + 2 for n in range(0, ROWS, EVERY)]


@pytest.mark.slow
@pytest.mark.usefixtures("slow_inserts")
def test_another_worker_continues_for_a_killed_one(
    shared: Store, settings: Settings, stored: Stored, new_worker: Callable[[], Worker]
) -> None:
    first = new_worker()
    start(shared, settings, stored)
    assert eventually(lambda: rows_done(stored) > 0)
    first.kill()
    before = rows_done(stored)
    assert 0 < before < ROWS

    end_lease(stored)
    new_worker()
    assert eventually(lambda: job(stored)["state"] == "done")

    assert_each_row_once(stored)


def test_two_workers_execute_a_job_once(
    shared: Store, settings: Settings, stored: Stored, new_worker: Callable[[], Worker]
) -> None:
    workers = [new_worker(), new_worker()]
    start(shared, settings, stored)

    assert eventually(lambda: job(stored)["state"] == "done")

    assert_each_row_once(stored)
    time.sleep(0.2)
    assert sum(worker.output.count('"state":"done"') for worker in workers) == 1


@pytest.mark.usefixtures("slow_inserts")
def test_a_stopped_worker_gives_the_job_back_at_once(
    shared: Store, settings: Settings, stored: Stored, new_worker: Callable[[], Worker]
) -> None:
    first = new_worker()
    start(shared, settings, stored)
    assert eventually(lambda: rows_done(stored) > 0)

    assert first.stop() == 0
    assert "lease" not in job(stored)
    new_worker()
    assert eventually(lambda: job(stored)["state"] == "done")

    assert_each_row_once(stored)
