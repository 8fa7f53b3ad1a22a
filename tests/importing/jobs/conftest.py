"""Import jobs with a worker's part of them in this process."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from osdi.importing.jobs import job_actions
from osdi.importing.jobs.due_jobs import ImportJobs
from osdi.settings import Settings
from osdi.staff.members import add_member
from osdi.store import Store
from schemas.import_bodies import load_body

Uploaded = Callable[..., str]


@pytest.fixture
def jobs(app: Flask, store: Store, settings: Settings) -> Iterator[ImportJobs]:
    """The work of a worker."""
    made = ImportJobs(store, settings, load_body)
    yield made
    made.close()


@pytest.fixture
def uploaded(store: Store, settings: Settings) -> Uploaded:
    """Uploads a file, and returns the id of the job."""
    member = add_member(store, "importer@example.org")

    def upload(content: bytes | str, name: str = "people.csv", **named: str) -> str:
        sent = content.encode() if isinstance(content, str) else content
        return str(
            job_actions.upload(store, settings, member, {"kind": "people", **named}, name, io.BytesIO(sent))["_id"]
        )

    return upload


def run_due_jobs(jobs: ImportJobs) -> None:
    """Lets the worker do everything that is due."""
    for _ in range(1_000):
        if not jobs.do_next():
            return
    raise AssertionError("The worker does not end.")


def job_of(database: Database[dict[str, Any]], job_id: str) -> dict[str, Any]:
    found = database.import_jobs.find_one({"_id": job_id})
    assert found is not None
    return found


def checked(store: Store, jobs: ImportJobs, job_id: str, texts: dict[str, str] | None = None, **fields: str) -> None:
    """Chooses `fields` for the columns with these names, underscores for spaces, and lets the worker check the file."""
    run_due_jobs(jobs)
    job = job_actions.get_job(store, job_id)
    chosen = [fields.get(each["name"].replace(" ", "_"), "") for each in job["columns"]]
    job_actions.choose(store, job, texts or {}, chosen, read_again=False)
    run_due_jobs(jobs)


def imported(store: Store, settings: Settings, jobs: ImportJobs, job_id: str) -> None:
    """Checks and imports a file with the proposed fields."""
    checked(store, jobs, job_id)
    job_actions.start(store, settings, job_id, job_actions.get_job(store, job_id)["check_id"])
    run_due_jobs(jobs)
