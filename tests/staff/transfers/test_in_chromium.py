"""An import in a real browser, with and without JavaScript, from the upload to the rejected rows; and an export.

gunicorn and a worker run beside it. After each test: no request to another server, and no error in the console.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pymongo import MongoClient
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.ids import now
from osdi.sample import create_sample
from osdi.settings import Settings
from osdi.staff.members import add_member
from osdi.staff.sessions import begin_session
from osdi.store import Store
from tests.support.barriers import barriers
from tests.support.browser import Visit, visiting
from tests.support.live import Live, Worker
from tests.support.slow import slow_except

pytestmark = pytest.mark.browser

PHONE = {"width": 320, "height": 640}
COOKIE = "osdi_staff_loopback"
ROWS = "first_name,Email,Newsletter okay?,Favourite fish,\nAnn,ann@example.com,no,trout,\nBob,broken,yes,=1+1,\n"
# The worker takes a job within a second, on a machine that is busy with other tests a little later.
SECONDS = 30

Opened = Callable[..., AbstractContextManager[Visit]]


@dataclass(frozen=True)
class Deployment:
    """A server with a worker and a member, and its database."""

    live: Live
    store: Store
    member: dict[str, Any]
    database: Database[dict[str, Any]]


@pytest.fixture(scope="module")
def deployment(mongod: Mongod) -> Iterator[Deployment]:
    uri = mongod.uri.replace("/osdi?", "/staff_imports?")
    with ExitStack() as stack:
        store = stack.enter_context(closing(Store(uri)))
        store.create_indexes()
        create_sample(store, Settings.namespace)
        client = stack.enter_context(MongoClient[dict[str, Any]](uri))
        live = stack.enter_context(Live({"MONGODB_URI": uri}))
        stack.enter_context(Worker({"MONGODB_URI": uri, "PUBLIC_URL": live.url}))
        member = add_member(store, "ada@example.org", name="Ada Lovelace")
        yield Deployment(live, store, member, client.get_default_database())
        client.drop_database("staff_imports")


@pytest.fixture
def opened(browser: Browser, deployment: Deployment) -> Opened:
    """Opens a page in a new browser profile, in which the member has signed in."""

    @contextmanager
    def open_page(**options: Any) -> Iterator[Visit]:
        secret, _ = begin_session(deployment.store, deployment.member, "Chrome on Linux", now())
        with browser.new_context(**options) as context:
            context.add_cookies([{"name": COOKIE, "value": secret, "url": deployment.live.url}])
            with visiting(context, deployment.live.url) as visit:
                yield visit

    return open_page


def upload(page: Page, deployment: Deployment, rows: str = ROWS) -> None:
    page.goto(f"{deployment.live.url}/staff/imports")
    file = {"name": "river list.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    page.get_by_label("File", exact=True).set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="Upload the file").click()


def wait_for(page: Page, heading: str, *, script: bool) -> None:
    """Waits for a page with this heading; without JavaScript somebody follows the link to refresh."""
    found = page.get_by_role("heading", name=heading)
    refresh = page.get_by_role("link", name="Refresh")
    for _ in range(0 if script else SECONDS):
        expect(found.or_(refresh).first).to_be_visible(timeout=SECONDS * 1_000)
        if found.count():
            break
        page.wait_for_timeout(1_000)
        with page.expect_navigation():  # otherwise the next turn sees the link of the page that is being left
            refresh.click()
    expect(found).to_be_visible(timeout=SECONDS * 1_000)


@pytest.mark.parametrize(
    "script", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["with JavaScript", "without"]
)
def test_a_file_is_imported_and_its_rejected_rows_downloaded(
    opened: Opened, deployment: Deployment, script: bool
) -> None:
    deployment.database.people.delete_many({})
    with opened(java_script_enabled=script) as visit:
        page = visit.page
        upload(page, deployment)
        wait_for(page, "Columns of river list.csv", script=script)
        expect(page.get_by_role("alert")).to_contain_text("who wants no e-mails, calls or texts")
        page.get_by_role("alert").get_by_role("link", name="Newsletter okay?").click()
        page.get_by_label("Field of Newsletter okay?").select_option("opted_in")
        page.get_by_label("Field of Favourite fish").select_option("leave out")
        page.get_by_role("button", name="Check the file").click()
        wait_for(page, "What the import would do", script=script)
        expect(page.get_by_role("row", name="3 Bob, broken, yes, =1+1")).to_contain_text("Not a valid e-mail address")
        assert deployment.database.people.count_documents({}) == 0

        page.get_by_role("button", name="Start the import").dblclick()
        wait_for(page, "Result", script=script)
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the rejected rows").click()

        rejected = Path(download.value.path()).read_text(encoding="utf-8-sig")
        assert rejected.splitlines()[1] == "3,Email: Not a valid e-mail address.,Bob,broken,yes,'=1+1,"
        [person] = deployment.database.people.find()
        assert person["email_addresses"][0]["status"] == "unsubscribed"
        page.get_by_role("link", name="Delete this import").click()
        page.get_by_role("button", name="Delete the import").click()
        expect(page.get_by_role("status")).to_have_text("The import and its rejected rows are deleted.")


def test_people_are_exported_and_the_export_is_listed(opened: Opened, deployment: Deployment) -> None:
    with opened() as visit:
        page = visit.page
        page.goto(f"{deployment.live.url}/staff")
        page.get_by_role("link", name="Exports").click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download the file").click()

        assert Path(download.value.path()).read_text().startswith("id,identifiers,")
        page.reload()
        expect(page.get_by_role("row", name="Ada Lovelace")).to_contain_text("complete")


def of_state(deployment: Deployment, name: str) -> str:
    """The path of a page that shows an import in a state, as the worker and members leave it."""
    timestamp = now()
    reasons = [{"reason": f"email{n}: Not a valid e-mail address.", "count": 12, "lines": [2, 3]} for n in range(25)]
    report = {"rows": 412, "people": {"created": 400}, "matched_by": {}, "outreaches": {}}
    job: dict[str, Any] = {
        "_id": name.replace(" ", "-"),
        "kind": "people",
        "file_name": "a list of the river with a very long name.csv",
        "bytes": 36_090,
        "staff_id": deployment.member["_id"],
        "created_date": timestamp,
        "modified_date": timestamp,
        "expires_date": timestamp.replace(year=timestamp.year + 1),
        "attempts": 0,
        "file_parts": [],
        "rejected_parts": [],
        "rejected_bytes": 300,
        "options": {},
        "described": ["UTF-8, cells separated by comma, 3 columns"],
        "columns": [
            {"name": "email", "field": "email_addresses[0].address", "because": "known name"},
            {
                "name": "Newsletter okay?",
                "field": "custom_fields.Newsletter okay?",
                "because": "unknown: a custom field",
            },
            {"name": "", "field": "", "because": "without a name"},
        ],
        "problem": {"reason": "doubtful", "names": ["Newsletter okay?"], "text": "The file is empty."},
        "position": 20_000,
        "report": {**report, "rejections": reasons, "warnings": reasons},
        "sample": [{"line": 2, "text": "Ann, ann@example.com", "result": "created", "warnings": ["A warning."]}] * 20,
        "created_tags": ["river", "dam"],
        "state": name.partition(" ")[0],
    }
    if name == "importing":  # under the lease of a worker
        job |= {"due": job["expires_date"], "lease": "l", "queued_date": timestamp}
    if name == "reading away":
        job |= {"queued_date": timestamp.replace(year=timestamp.year - 1), "due": job["expires_date"]}
    deployment.database.import_jobs.replace_one({"_id": job["_id"]}, job, upsert=True)
    return f"/staff/imports/{job['_id']}"


STATES = ("reading away", "columns", "checked", "importing", "done", "canceled", "failed")
ASKING = ("cancel", "delete")
NAMES = ("list", "exports", *STATES, *ASKING)
# The pages with controls or tables of their own; the others have the parts of these.
SHOWN_TO_EACH = ("list", "exports", "columns", "checked", "done", "cancel")
SMALL = """() => [...document.querySelectorAll("button, input:not([type=hidden]), select, nav a")]
    .filter(each => each.checkVisibility() && each.getBoundingClientRect().height < 24).map(each => each.outerHTML)"""
SIZES = """() => [...document.querySelectorAll("input:not([type=hidden]), select")]
    .map(each => parseFloat(getComputedStyle(each).fontSize))"""


def show(page: Page, deployment: Deployment, name: str) -> None:
    path = {"list": "/staff/imports", "exports": "/staff/exports"}.get(name)
    if name in ASKING:
        path = f"{of_state(deployment, 'importing' if name == 'cancel' else 'done')}/{name}"
    page.goto(deployment.live.url + (path or of_state(deployment, name)))
    if name == "columns":
        page.locator("summary").click()


@pytest.mark.parametrize("name", slow_except(NAMES, SHOWN_TO_EACH))
def test_a_screen_has_no_barrier_and_fits_a_phone(opened: Opened, deployment: Deployment, name: str) -> None:
    with opened() as visit:
        show(visit.page, deployment, name)
        assert visit.page.get_by_role("heading", level=1).count() == 1
        assert not barriers(visit.page, dark=True)
        visit.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        assert visit.page.evaluate(SMALL) == []
        assert all(size >= 16 for size in visit.page.evaluate(SIZES))
        for size in ("100%", "200%"):
            visit.page.evaluate("size => { document.documentElement.style.fontSize = size }", size)
            assert visit.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_a_page_says_that_no_worker_runs(opened: Opened, deployment: Deployment) -> None:
    deployment.database.import_jobs.delete_many({})
    with opened() as visit:
        show(visit.page, deployment, "reading away")

        expect(visit.page.get_by_text("No worker has taken up this import.")).to_be_visible()
