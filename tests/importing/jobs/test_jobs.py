"""An uploaded file is read, checked and imported by the worker; a member chooses the fields and starts the import."""

from typing import Any

from pymongo.database import Database

from osdi.importing.jobs import acts
from osdi.importing.jobs.work import ImportJobs
from osdi.settings import Settings
from osdi.store import Store
from tests.importing.jobs.conftest import Uploaded, checked, imported, job_of, work

FILE = "first_name,email,Fish\nAnn,ann@example.com,trout\nBob,not an address,\nCy,cy@example.com,=1+1\n"

Stored = Database[dict[str, Any]]


class TestAFileOfPeople:
    def test_is_read_by_the_worker_which_proposes_fields(
        self, uploaded: Uploaded, jobs: ImportJobs, database: Stored
    ) -> None:
        job_id = uploaded(FILE)
        assert job_of(database, job_id)["state"] == "reading"

        work(jobs)

        job = job_of(database, job_id)
        assert job["state"] == "columns"
        assert [each["field"] for each in job["columns"]] == [
            "given_name",
            "email_addresses[0].address",
            "custom_fields.Fish",
        ]

    def test_is_checked_without_a_trace(
        self, uploaded: Uploaded, jobs: ImportJobs, store: Store, database: Stored
    ) -> None:
        job_id = uploaded(FILE)

        checked(store, jobs, job_id, Fish="leave out")

        job = job_of(database, job_id)
        assert job["state"] == "checked"
        assert job["report"]["people"] == {"created": 2}
        assert [(row["line"], row["result"]) for row in job["sample"]] == [
            (2, "created"),
            (3, "rejected"),
            (4, "created"),
        ]
        assert job["sample"][1]["reason"] == "email: Not a valid e-mail address."
        assert database.people.count_documents({}) == 0

    def test_is_imported_with_the_rejected_rows_as_a_file_and_then_deleted(
        self, uploaded: Uploaded, jobs: ImportJobs, store: Store, settings: Settings, database: Stored
    ) -> None:
        job_id = uploaded(FILE)

        imported(store, settings, jobs, job_id)

        job = job_of(database, job_id)
        assert job["state"] == "done"
        assert (job["report"]["rows"], job["report"]["people"]) == (3, {"created": 2})
        assert sorted(each["given_name"] for each in database.people.find()) == ["Ann", "Cy"]
        parts = list(database.import_parts.find())
        assert [part["role"] for part in parts] == ["rejected"]
        assert b"3,email: Not a valid e-mail address.,Bob,not an address" in parts[0]["data"]
        acts.delete(store, job_id)
        assert database.import_jobs.count_documents({}) == database.import_parts.count_documents({}) == 0
