"""An uploaded file is read, checked and imported by the worker; a member chooses the fields and starts the import."""

import datetime as dt
import io
from typing import Any

import pytest
from pymongo.database import Database

from osdi.errors import OsdiError, unavailable
from osdi.fields.webhook import EVENTS
from osdi.ids import now
from osdi.importing.csv_files.column_mapping import known_field
from osdi.importing.jobs import due_jobs, execution, job_actions, jobs_store
from osdi.importing.jobs.due_jobs import ImportJobs
from osdi.importing.jobs.field_choices import field_groups
from osdi.importing.jobs.job import safe_name
from osdi.privacy.tombstones import note_erasure
from osdi.settings import Settings
from osdi.staff.members import add_member
from osdi.store import Store
from osdi.webhooks import registry
from schemas.import_bodies import load_body
from tests.importing.conftest import is_gone
from tests.importing.jobs.conftest import Uploaded, checked, imported, job_of, run_due_jobs

FILE = "first_name,email,Fish\nAnn,ann@example.com,trout\nBob,not an address,\nCy,cy@example.com,=1+1\n"

Stored = Database[dict[str, Any]]


class TestAFileOfPeople:
    def test_is_read_by_the_worker_which_proposes_fields(
        self, uploaded: Uploaded, jobs: ImportJobs, database: Stored
    ) -> None:
        job_id = uploaded(FILE)
        assert job_of(database, job_id)["state"] == "reading"

        run_due_jobs(jobs)

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
        job_actions.delete(store, job_id)
        assert database.import_jobs.count_documents({}) == database.import_parts.count_documents({}) == 0


class TestAWorker:
    """It does a part of a job at each call."""

    ROWS = "email\n" + "".join(f"ann{number}@example.com\n" for number in range(300))

    @pytest.fixture
    def begun(
        self,
        uploaded: Uploaded,
        jobs: ImportJobs,
        store: Store,
        settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
    ) -> str:
        """An import of which one group of rows is done."""
        job_id = uploaded(self.ROWS)
        checked(store, jobs, job_id)
        job_actions.start(store, settings, job_id, job_actions.get_job(store, job_id)["check_id"])
        monkeypatch.setattr(due_jobs, "SLICE_SECONDS", 0)
        monkeypatch.setattr(execution, "KEEP_SECONDS", 0)
        assert jobs.do_next()
        return job_id

    def test_leaves_the_others_their_turn_after_some_rows(self, begun: str, database: Stored) -> None:
        assert 0 < database.people.count_documents({}) < 300

    def test_has_the_job_for_itself(self, begun: str, store: Store, settings: Settings, database: Stored) -> None:
        other = ImportJobs(store, settings, load_body)

        assert not other.do_next()

        other.close()

    def test_stops_after_a_cancellation_and_what_is_imported_stays(
        self, begun: str, jobs: ImportJobs, store: Store, database: Stored
    ) -> None:
        job_actions.cancel(store, begun)
        run_due_jobs(jobs)

        assert job_of(database, begun)["state"] == "canceled"
        assert 0 < database.people.count_documents({}) < 300
        assert database.import_parts.count_documents({}) == 0

    def test_stops_if_another_worker_has_the_job(
        self, begun: str, jobs: ImportJobs, store: Store, database: Stored
    ) -> None:
        database.import_jobs.update_one({}, {"$set": {"lease": "of another worker"}})
        before = job_of(database, begun)
        jobs.do_next()

        assert job_of(database, begun)["report"] == before["report"]

    def test_gives_a_job_up_that_has_stopped_it_five_times(
        self, uploaded: Uploaded, jobs: ImportJobs, database: Stored
    ) -> None:
        job_id = uploaded(self.ROWS)
        database.import_jobs.update_one({"_id": job_id}, {"$set": {"attempts": 5}})

        run_due_jobs(jobs)

        job = job_of(database, job_id)
        assert job["state"] == "failed"
        assert "has stopped 5 times" in job["problem"]["text"]
        assert database.import_parts.count_documents({"job_id": job_id}) == 0

    def test_tries_again_after_an_outage_of_the_database(
        self, begun: str, jobs: ImportJobs, database: Stored, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> bool:
            raise unavailable("away")

        with monkeypatch.context() as patch:
            patch.setattr(jobs_store, "keep_lease", fail)
            with pytest.raises(OsdiError):
                jobs.do_next()
        run_due_jobs(jobs)

        assert job_of(database, begun)["state"] == "done"
        assert database.people.count_documents({}) == 300


@pytest.mark.usefixtures("second_process")
class TestASecondProcess:
    """It loads the rows of a large file."""

    ROWS = FILE + "".join(f"Ann{number},ann{number}@example.com\n" for number in range(1_500))

    def test_of_a_check_and_of_an_import_ends_with_it(
        self,
        uploaded: Uploaded,
        jobs: ImportJobs,
        store: Store,
        settings: Settings,
        database: Stored,
        started: list[int],
    ) -> None:
        job_id = uploaded(self.ROWS)

        checked(store, jobs, job_id)
        assert len(started) == 1
        assert is_gone(started[0])
        check = job_of(database, job_id)
        job_actions.start(store, settings, job_id, job_actions.get_job(store, job_id)["check_id"])
        run_due_jobs(jobs)

        done = job_of(database, job_id)
        assert done["state"] == "done"
        assert done["report"] == check["report"]
        assert done["position"] == check["position"] == done["bytes"]
        assert database.people.count_documents({}) == 1_502
        assert len(started) == 2
        assert is_gone(started[1])

    def test_ends_when_its_worker_stops_and_another_worker_starts_one_for_the_rest(
        self,
        uploaded: Uploaded,
        store: Store,
        settings: Settings,
        database: Stored,
        started: list[int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        job_id = uploaded(self.ROWS)
        first, second = (ImportJobs(store, settings, load_body) for _ in range(2))
        checked(store, first, job_id)
        job_actions.start(store, settings, job_id, job_actions.get_job(store, job_id)["check_id"])
        with monkeypatch.context() as patch:
            patch.setattr(due_jobs, "SLICE_SECONDS", 0)
            patch.setattr(execution, "KEEP_SECONDS", 0)
            assert first.do_next()
        assert not is_gone(started[1])
        assert 0 < database.people.count_documents({}) < 1_502

        first.close()
        assert is_gone(started[1])
        run_due_jobs(second)
        second.close()

        assert job_of(database, job_id)["report"]["people"] == {"created": 1_502}
        assert len(started) == 3


def test_an_import_whose_campaign_was_deleted_says_so(
    uploaded: Uploaded, jobs: ImportJobs, store: Store, database: Stored
) -> None:
    database.advocacy_campaigns.insert_one({"_id": "c1", "title": "River", "match_keys": ["id:c1"]})
    job_id = uploaded("date,email\n2024-01-01,a@example.com\n", kind="outreaches", campaign="c1")
    run_due_jobs(jobs)
    database.advocacy_campaigns.delete_one({"_id": "c1"})

    job_actions.choose(store, job_of(database, job_id), {}, ["", ""], read_again=False)
    run_due_jobs(jobs)

    assert job_of(database, job_id)["state"] == "failed"


def test_an_expired_file_is_an_error_of_the_import(uploaded: Uploaded, jobs: ImportJobs, database: Stored) -> None:
    job_id = uploaded(FILE)
    database.import_parts.delete_many({})

    run_due_jobs(jobs)

    assert job_of(database, job_id)["problem"]["text"] == "The uploaded file is no longer stored. Upload it again."


@pytest.mark.parametrize("named", ["ascii", "latin-1", "utf-16", "utf-8-sig"])
def test_an_encoding_is_recognised(
    uploaded: Uploaded, jobs: ImportJobs, store: Store, settings: Settings, database: Stored, named: str
) -> None:
    name = "Ann" if named == "ascii" else "Zoë"
    job_id = uploaded(f"first_name,email\n{name},zoe@example.com\n".encode(named))

    imported(store, settings, jobs, job_id)

    assert [each["given_name"] for each in database.people.find()] == [name]


def test_documents_are_imported_with_their_tags(
    uploaded: Uploaded, jobs: ImportJobs, store: Store, settings: Settings, database: Stored
) -> None:
    line = '{"given_name": "Ann", "email_addresses": [{"address": "ann@example.com"}], "add_tags": ["river"]}\n'
    job_id = uploaded(line + "[]\n{", "people.ndjson")

    checked(store, jobs, job_id, {"create_tags": "1"})
    job_actions.start(store, settings, job_id, job_actions.get_job(store, job_id)["check_id"])
    run_due_jobs(jobs)

    job = job_of(database, job_id)
    assert (job["report"]["people"], job["created_tags"]) == ({"created": 1}, ["river"])
    assert len(database.import_parts.find_one({"role": "rejected"})["data"].splitlines()) == 2


def test_outreaches_without_a_date_wait_for_one(
    uploaded: Uploaded, jobs: ImportJobs, store: Store, settings: Settings, database: Stored
) -> None:
    database.advocacy_campaigns.insert_one({"_id": "c1", "title": "River", "match_keys": ["id:c1"]})
    job_id = uploaded("email,type\na@example.com,phone\n", kind="outreaches", campaign="c1")
    run_due_jobs(jobs)
    assert job_of(database, job_id)["problem"]["reason"] == "no_date"

    checked(store, jobs, job_id, {"action_date": "2024-12-31"})
    job_actions.start(store, settings, job_id, job_actions.get_job(store, job_id)["check_id"])
    run_due_jobs(jobs)

    outreach = database.outreaches.find_one()
    assert outreach is not None
    assert outreach["action_date"] == dt.datetime(2024, 12, 31)


def test_a_formula_is_no_formula_in_the_file_of_rejected_rows(
    uploaded: Uploaded, jobs: ImportJobs, store: Store, settings: Settings, database: Stored
) -> None:
    job_id = uploaded('first_name,email\n"=HYPERLINK(1)",broken\n')

    imported(store, settings, jobs, job_id)

    part = database.import_parts.find_one({"role": "rejected"})
    assert part is not None
    assert b",'=HYPERLINK(1),broken" in part["data"]


def test_an_erased_person_is_not_imported(
    uploaded: Uploaded, jobs: ImportJobs, store: Store, settings: Settings, database: Stored
) -> None:
    note_erasure(store, ["email:ann@example.com"], now())
    job_id = uploaded(FILE)

    imported(store, settings, jobs, job_id)

    assert [each["given_name"] for each in database.people.find()] == ["Cy"]


def test_an_import_notifies_nobody_and_names_the_member_as_editor(
    jobs: ImportJobs, store: Store, settings: Settings, database: Stored
) -> None:
    registry.create(store, {"url": "https://crm.example.org/", "events": list(EVENTS)})
    member = add_member(store, "eve@example.org", person_id="eve")
    triggers = '"triggers": {"autoresponse": {"enabled": true, "identifiers": ["crm:thanks"]}}'
    line = f'{{"email_addresses": [{{"address": "ann@example.com"}}], {triggers}}}'
    file = io.BytesIO(line.encode())
    job_id = str(job_actions.upload(store, settings, member, {"kind": "people"}, "people.ndjson", file)["_id"])

    imported(store, settings, jobs, job_id)

    person = database.people.find_one()
    assert person is not None
    assert "webhook_events" not in person
    assert person["modified_by_id"] == "eve"


def test_a_second_import_of_a_file_changes_nothing(
    uploaded: Uploaded, jobs: ImportJobs, store: Store, settings: Settings, database: Stored
) -> None:
    imported(store, settings, jobs, uploaded(FILE))
    before = list(database.people.find())

    job_id = uploaded(FILE)
    imported(store, settings, jobs, job_id)

    assert list(database.people.find()) == before
    assert job_of(database, job_id)["report"]["people"] == {"unchanged": 2}


def test_everything_of_a_job_expires(uploaded: Uploaded, jobs: ImportJobs, store: Store, database: Stored) -> None:
    checked(store, jobs, uploaded(FILE))

    for name in ("import_jobs", "import_parts"):
        indexes = database[name].index_information().values()
        assert any(index.get("expireAfterSeconds") == 0 and index["key"] == [("expires_date", 1)] for index in indexes)
        ends = [each["expires_date"] for each in database[name].find()]
        assert all(dt.timedelta(days=6) < end - now() <= dt.timedelta(days=7) for end in ends)


def test_no_more_than_twenty_files_wait(uploaded: Uploaded, database: Stored) -> None:
    for _ in range(20):
        uploaded(FILE)

    with pytest.raises(OsdiError, match="20 imports have not ended"):
        uploaded(FILE)

    assert database.import_parts.count_documents({}) == 20


@pytest.mark.parametrize("kind", ["people", "outreaches"])
def test_each_field_that_a_page_offers_is_known(kind: str) -> None:
    paths = [path for fields in field_groups(kind).values() for path in fields]

    assert [path for path in paths if known_field(path, kind) is None] == []
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("people.csv", "people.csv"),
        ("C:\\fakepath\\people.CSV", "people.CSV"),
        ("../../etc/passwd", "passwd.csv"),
        ("", "file.csv"),
        ("..", "file.csv"),
        ("a\x00b\n\u202ec.csv", "abc.csv"),
        ("ü" * 300 + ".csv", "ü" * 50 + ".csv"),
    ],
)
def test_the_name_of_a_file_is_safe_on_a_disk(name: str, stored: str) -> None:
    assert safe_name(name) == stored
