"""The database dies while a supporter sends the form: the page says the truth, and a retry records once."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pymongo import MongoClient

from dev.mongod import Mongod
from osdi.store import Store
from tests.act.conftest import Served
from tests.act.test_submitting import expect_recorded, fill, status, submit
from tests.support.browser import Visit
from tests.support.databases import SMALL_JOURNAL
from tests.support.live import Live
from tests.support.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Open = Callable[..., Visit]


@pytest.fixture
def fragile(mongod_folder: Path) -> Iterator[tuple[Served, Mongod]]:
    """A server with a mongod of its own, which the test may kill."""
    with Mongod(mongod_folder / "fragile", options=SMALL_JOURNAL) as database:
        store = Store(database.uri)
        store.create_indexes()
        store.close()
        with (
            MongoClient(database.uri) as client,
            Site() as site,
            Live({"MONGODB_URI": database.uri, "FORM_SECONDS": "0"}) as live,
        ):
            yield Served(live, client.get_default_database(), site), database


def test_a_form_is_kept_while_the_database_is_away_and_is_recorded_once(
    fragile: tuple[Served, Mongod], open_page: Open
) -> None:
    served, database = fragile
    published = served.publish()
    visit = open_page()
    visit.origins = (*visit.origins, f"{served.url}/")
    visit.expect_status(503)
    visit.page.goto(published.url)
    fill(visit.page)
    assert database.process
    database.process.kill()
    database.process.wait()

    submit(visit.page).click()
    expect(status(visit.page)).to_contain_text("Your text is kept here", timeout=25_000)
    expect(visit.page.get_by_label("First name")).to_have_value("Jane")

    database.start()
    press_until_recorded(visit.page)
    expect_recorded(visit.page)
    assert len(published.outreaches()) == 1


def press_until_recorded(page: Page) -> None:
    """Presses the button each half second: the server notices within seconds that its database is back."""
    for _ in range(40):
        submit(page).click()
        expect(page.locator("h1[data-focus], [data-failed]")).to_be_visible()
        if page.locator("[data-failed]").count() == 0:
            return
        page.wait_for_timeout(500)
