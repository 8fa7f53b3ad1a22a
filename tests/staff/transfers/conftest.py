"""A browser of a member who uploads files, and the work of a worker in this process."""

import io
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from osdi.importing.jobs.due_jobs import ImportJobs
from osdi.settings import Settings
from osdi.store import Store
from schemas.import_bodies import load_body
from tests.importing.jobs.conftest import run_due_jobs
from tests.staff.conftest import HTTPS, StaffBrowser

Upload = Callable[..., TestResponse]


def send_file(browser: StaffBrowser, content: bytes | str, name: str = "people.csv", **fields: str) -> TestResponse:
    """Sends the upload form of the imports page."""
    sent = content.encode() if isinstance(content, str) else content
    form = {"form_token": browser.form_token("/staff/devices"), "kind": "people", **fields}
    headers = {"Sec-Fetch-Site": "same-origin"}
    # Werkzeug's client leaves a temporary file of a long body open.
    boundary, body = encode_multipart({**form, "file": FileStorage(io.BytesIO(sent), name)})
    kind = f"multipart/form-data; boundary={boundary}"
    return browser.http.post("/staff/imports", data=body, content_type=kind, base_url=HTTPS, headers=headers)


@pytest.fixture
def jobs(app: Flask, store: Store, settings: Settings) -> Iterator[ImportJobs]:
    made = ImportJobs(store, settings, load_body)
    yield made
    made.close()


@pytest.fixture
def uploaded(ada: StaffBrowser, jobs: ImportJobs) -> Callable[..., str]:
    """Uploads a file that the worker then reads; returns the path of the import's page."""

    def upload(content: bytes | str, name: str = "people.csv", **fields: str) -> str:
        response = send_file(ada, content, name, **fields)
        assert response.status_code == 303, response.get_data(as_text=True)
        run_due_jobs(jobs)
        return str(response.location).partition("?")[0]

    return upload
