"""A member uploads a file, decides about its columns, sees what an import would do, starts it, and gets the rest."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from pymongo.database import Database
from werkzeug.test import TestResponse

from osdi.access.tokens import READ, WRITE
from osdi.importing.jobs.due_jobs import ImportJobs
from osdi.staff.members import add_member
from osdi.store import Store
from tests.importing.jobs.conftest import run_due_jobs
from tests.staff.conftest import SignedIn, StaffBrowser
from tests.staff.transfers.conftest import send_file

FILE = "first_name,email,Fish\nAnn,ann@example.com,trout\nBob,not an address,\nCy,cy@example.com,=1+1\n"
KEPT = {"column-0": "", "column-1": "", "column-2": ""}

Uploaded = Callable[..., str]
Stored = Database[dict[str, Any]]


def text(browser: StaffBrowser, path: str) -> str:
    response = browser.get(path, follow_redirects=True)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.get_data(as_text=True)))


def start(browser: StaffBrowser, path: str) -> TestResponse:
    """Presses the button on the page of an import, if it has one."""
    check = re.search(r'name="check_id" value="([^"]+)"', browser.get(path).get_data(as_text=True))
    return browser.post(f"{path}/start", {"check_id": check[1]} if check else {})


def test_a_file_is_imported_from_upload_to_rejected_rows(
    ada: StaffBrowser, uploaded: Uploaded, jobs: ImportJobs, database: Stored
) -> None:
    path = uploaded(FILE)
    assert "custom field “Fish”".casefold() in text(ada, path).casefold()

    assert ada.post(f"{path}/columns", {**KEPT, "column-2": "leave out"}).location.endswith("done=import_checking")
    run_due_jobs(jobs)
    shown = text(ada, path)
    assert "Nothing is stored yet" in shown
    assert "email: Not a valid e-mail address." in shown
    assert database.people.count_documents({}) == 0

    assert start(ada, path).status_code == 303
    run_due_jobs(jobs)
    assert "New people 2" in text(ada, path)
    rejected = ada.get(f"{path}/rejected.csv").get_data(as_text=True)
    assert rejected.splitlines()[1] == "3,email: Not a valid e-mail address.,Bob,not an address,"
    assert ada.post(f"{path}/delete").status_code == 303
    assert ada.get(path).status_code == 404


def test_the_corrected_file_of_rejected_rows_is_imported(
    ada: StaffBrowser, uploaded: Uploaded, jobs: ImportJobs, database: Stored
) -> None:
    path = uploaded(FILE)
    ada.post(f"{path}/columns", KEPT)
    run_due_jobs(jobs)
    start(ada, path)
    run_due_jobs(jobs)
    rejected = ada.get(f"{path}/rejected.csv").get_data()

    again = uploaded(rejected.replace(b"not an address", b"bob@example.com"), "rejected.csv")
    ada.post(f"{again}/columns", {f"column-{index}": "" for index in range(5)})
    run_due_jobs(jobs)
    start(ada, again)
    run_due_jobs(jobs)

    assert database.people.count_documents({}) == 3


class TestAColumnThatLooksLikeConsent:
    FILE = "email,Newsletter okay?\nann@example.com,nope never\nbob@example.com,refused\n"

    def test_waits_for_a_decision(self, ada: StaffBrowser, uploaded: Uploaded, jobs: ImportJobs) -> None:
        path = uploaded(self.FILE)
        assert "It is unknown if these columns say who wants no e-mails" in text(ada, path)

        ada.post(f"{path}/columns", {"column-0": "", "column-1": ""})
        run_due_jobs(jobs)

        assert "It is unknown if these columns say who wants no e-mails" in text(ada, path)

    def test_is_imported_as_the_member_decides(
        self, ada: StaffBrowser, uploaded: Uploaded, jobs: ImportJobs, database: Stored
    ) -> None:
        path = uploaded("email,Newsletter okay?\nann@example.com,no\n")
        ada.post(f"{path}/columns", {"column-0": "", "column-1": "opted_in"})
        run_due_jobs(jobs)
        start(ada, path)
        run_due_jobs(jobs)

        person = database.people.find_one()
        assert person is not None
        assert person["email_addresses"][0]["status"] == "unsubscribed"


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"PK\x05\x06" + b"\0" * 18, "people.zip", "a zip archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "people.xls", "an old Excel workbook"),
        (b"%PDF-1.7", "people.csv", "a PDF"),
        (b"first_name,em\0ail\nAnn,a@example.com\n", "people.csv", "Contains a NUL character."),
        (b'"first_name,email\nAnn,a@example.com\n', "people.csv", "A quotation mark is not closed."),
        (b"\n\n\n", "people.csv", "The file is empty."),
        (",".join(f"c{n}" for n in range(10_000)).encode(), "people.csv", "The file has 10,000 columns."),
        (
            ",".join(f"c{n}" for n in range(300)).encode(),
            "people.csv",
            "The file has 300 columns. A page can show",
        ),
        (b"x" * 10_000_000, "people.csv", "A field or the whole row is too long"),
    ],
    ids=["zip", "xls", "pdf", "NUL", "quotation mark", "blank", "10,000 columns", "300 columns", "line of 10 MB"],
)
def test_a_file_that_cannot_be_read_is_deleted_and_the_page_says_why(
    ada: StaffBrowser,
    uploaded: Uploaded,
    database: Stored,
    content: bytes,
    name: str,
    reason: str,
) -> None:
    path = uploaded(content, name)

    assert reason in text(ada, path)
    assert database.import_parts.count_documents({}) == 0


@pytest.mark.parametrize(
    ("content", "fields", "sentence"),
    [
        (b"", {}, "Choose a file. This one is empty, or none was chosen."),
        (FILE.encode(), {"kind": "cats"}, "Choose what the file contains."),
        (FILE.encode(), {"kind": ""}, "Choose what the file contains."),
        (FILE.encode(), {"kind": "outreaches", "campaign": "nowhere"}, "Choose one of the campaigns"),
        (FILE.encode(), {"kind": "people", "campaign": "nowhere"}, "Choose one of the campaigns"),
    ],
    ids=["0 bytes", "unknown kind", "no kind", "unknown campaign", "campaign of people"],
)
def test_a_wrong_form_shows_the_mistake_and_stores_nothing(
    ada: StaffBrowser, database: Stored, content: bytes, fields: dict[str, str], sentence: str
) -> None:
    response = send_file(ada, content, **fields)

    assert response.status_code == 422
    assert sentence in response.get_data(as_text=True)
    assert database.import_jobs.count_documents({}) == database.import_parts.count_documents({}) == 0


@pytest.mark.parametrize(
    "fields",
    [
        {**KEPT, "column-0": "no_such_field"},
        {**KEPT, "column-0": "email_addresses[0].address", "column-1": "email_addresses[0].address"},
        {"column-0": ""},
        {**KEPT, "encoding": "no-such-encoding"},
        {**KEPT, "system": "a b:c"},
        {**KEPT, "action_date": "tomorrow or so"},
        {**KEPT, "dates": "ymd"},
    ],
)
def test_a_wrong_choice_of_columns_is_an_error_of_the_form(
    ada: StaffBrowser, uploaded: Uploaded, fields: dict[str, str]
) -> None:
    path = uploaded(FILE)

    response = ada.post(f"{path}/columns", fields)

    assert response.status_code == 422
    assert "Please correct this" in response.get_data(as_text=True)


class TestStart:
    def test_a_double_click_starts_one_import(
        self, ada: StaffBrowser, uploaded: Uploaded, jobs: ImportJobs, database: Stored
    ) -> None:
        path = uploaded(FILE)
        ada.post(f"{path}/columns", KEPT)
        run_due_jobs(jobs)

        first, second = start(ada, path), start(ada, path)
        run_due_jobs(jobs)

        assert (first.status_code, second.status_code) == (303, 303)
        assert database.people.count_documents({}) == 2

    def test_is_of_the_check_that_the_member_has_seen(
        self, ada: StaffBrowser, uploaded: Uploaded, jobs: ImportJobs, database: Stored
    ) -> None:
        path = uploaded(FILE)
        ada.post(f"{path}/columns", KEPT)
        run_due_jobs(jobs)
        seen = re.search(r'name="check_id" value="([^"]+)"', ada.get(path).get_data(as_text=True))
        assert seen
        # Meanwhile another member leaves a column out, and has the file checked again.
        ada.post(f"{path}/columns", {**KEPT, "column-0": "leave out"})
        run_due_jobs(jobs)

        for check_id in (seen[1], "", "x"):
            response = ada.post(f"{path}/start", {"check_id": check_id})
            assert response.status_code == 409
            assert "checked again meanwhile" in response.get_data(as_text=True)
        run_due_jobs(jobs)
        assert database.people.count_documents({}) == 0

    def test_needs_a_check(self, ada: StaffBrowser, uploaded: Uploaded, jobs: ImportJobs, database: Stored) -> None:
        path = uploaded(FILE)

        assert start(ada, path).status_code == 409
        run_due_jobs(jobs)

        assert database.people.count_documents({}) == 0


class TestCancel:
    def test_deletes_the_file(self, ada: StaffBrowser, uploaded: Uploaded, database: Stored) -> None:
        path = uploaded(FILE)

        ada.post(f"{path}/cancel")

        assert "The import was cancelled" in text(ada, path)
        assert database.import_parts.count_documents({}) == 0

    def test_of_a_check_speaks_of_nothing_imported(
        self, ada: StaffBrowser, uploaded: Uploaded, jobs: ImportJobs
    ) -> None:
        path = uploaded(FILE)
        ada.post(f"{path}/columns", KEPT)
        run_due_jobs(jobs)

        ada.post(f"{path}/cancel")

        assert "stays" not in text(ada, path)

    def test_is_not_possible_after_the_end(self, ada: StaffBrowser, uploaded: Uploaded) -> None:
        path = uploaded(b"%PDF")

        assert ada.post(f"{path}/cancel").status_code == 409


@pytest.mark.parametrize("scopes", [[READ], [WRITE]], ids=["read", "write"])
@pytest.mark.parametrize("end", ["", "/columns", "/progress.json", "/rejected.csv", "/cancel", "/delete"])
def test_a_member_who_may_not_import_sees_no_import(
    store: Store, signed_in: SignedIn, uploaded: Uploaded, scopes: list[str], end: str
) -> None:
    path = uploaded(FILE)
    other = signed_in(add_member(store, "other@example.org", scopes=scopes))

    assert other.get(path + end).status_code == 403


def test_a_campaign_scoped_member_sees_no_import_not_even_of_that_campaign(
    store: Store, signed_in: SignedIn, uploaded: Uploaded, database: Stored
) -> None:
    database.advocacy_campaigns.insert_one({"_id": "c1", "title": "River", "match_keys": ["id:c1"]})
    path = uploaded("date,email\n2024-01-01,a@example.com\n", kind="outreaches", campaign="c1")
    other = signed_in(add_member(store, "other@example.org", advocacy_campaign_id="c1"))

    assert other.get(path).status_code == 403
    assert other.get("/staff/imports").status_code == 403


@pytest.mark.parametrize("end", ["", "/columns", "/progress.json", "/rejected.csv", "/cancel", "/delete"])
def test_an_unknown_import_does_not_exist(ada: StaffBrowser, end: str) -> None:
    assert ada.get(f"/staff/imports/nowhere{end}").status_code == 404


def test_the_audit_log_names_the_import_and_no_content(ada: StaffBrowser, uploaded: Uploaded, database: Stored) -> None:
    path = uploaded(FILE)
    ada.post(f"{path}/columns", KEPT)

    events = list(database.staff_events.find())
    job_id = path.rpartition("/")[2]
    assert [event["action"] for event in events[-2:]] == ["upload_import", "choose_import_columns"]
    assert all(event["ids"] == [f"import_jobs/{job_id}"] for event in events[-2:])
    assert "ann@example.com" not in str(events)


def test_the_audit_log_says_who_downloaded_rejected_rows(
    ada: StaffBrowser, uploaded: Uploaded, jobs: ImportJobs, database: Stored
) -> None:
    path = uploaded(FILE)
    assert ada.get(f"{path}/rejected.csv").status_code == 404  # there are none yet
    ada.post(f"{path}/columns", KEPT)
    run_due_jobs(jobs)
    start(ada, path)
    run_due_jobs(jobs)
    downloads = {"action": "rejected_rows"}
    assert database.staff_events.count_documents(downloads) == 0

    ada.get(f"{path}/rejected.csv")

    (event,) = database.staff_events.find(downloads)
    assert event["ids"] == [f"import_jobs/{path.rpartition('/')[2]}"]
