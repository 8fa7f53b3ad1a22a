"""The unsubscribe page in a real browser, which applies the page's Content-Security-Policy.

The fixture `visit` checks after each test: no request to another server, and no error in the console.
"""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from pymongo import MongoClient
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.followups.unsubscribe import link, signer
from osdi.ids import new_id, now
from osdi.match_keys import email_key
from osdi.store import Store
from osdi.suppression.suppression_list import suppression_list
from tests.pages.conftest import Explored
from tests.support.barriers import barriers
from tests.support.browser import Visit

pytestmark = pytest.mark.browser

ADDRESS = "a.rather.long.address.of.somebody.who.reads.on.a.telephone@subdomain.example.com"


@pytest.fixture
def explored_database(mongod: Mongod, explored: Explored) -> Iterator[Database]:
    """The database of `explored`, with a person who has ADDRESS."""
    with MongoClient(mongod.uri.replace("/osdi?", "/explored?")) as client:
        database = client.get_default_database()
        person_id, timestamp = new_id(), now()
        database.people.insert_one(
            {
                "_id": person_id,
                "version": 1,
                "created_date": timestamp,
                "modified_date": timestamp,
                "match_keys": [f"id:x:{person_id}"],
                "contact_keys": [f"email:{ADDRESS}"],
                "email_addresses": [{"address": ADDRESS}],
            }
        )
        yield database
        database.people.delete_one({"_id": person_id})


@pytest.fixture
def address(mongod: Mongod, explored: Explored, explored_database: Database) -> Iterator[str]:
    """The address of the link to unsubscribe ADDRESS."""
    store = Store(mongod.uri.replace("/osdi?", "/explored?"))
    yield link(signer(store), explored.live.url, ADDRESS)
    suppression_list(store).change(email_key(ADDRESS), lift={"mail": "link"})
    store.close()


def status(database: Database) -> str | None:
    (person,) = database.people.find({"email_addresses.address": ADDRESS})
    found: str | None = person["email_addresses"][0].get("status")
    return found


def test_the_button_unsubscribes_and_the_next_one_undoes_it(
    visit: Visit, address: str, explored_database: Database
) -> None:
    visit.page.set_viewport_size({"width": 320, "height": 640})
    visit.page.goto(address)
    expect(visit.page.get_by_text(ADDRESS)).to_be_visible()
    assert visit.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

    visit.page.get_by_role("button", name="Unsubscribe").click()

    expect(visit.page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    assert status(explored_database) == "unsubscribed"

    visit.page.get_by_role("button", name="Subscribe again").press("Enter")

    expect(visit.page.get_by_role("heading", name="You are subscribed again")).to_be_visible()
    assert status(explored_database) is None
    assert ADDRESS not in visit.page.url
    assert visit.page.context.cookies() == []


def test_the_undo_stays_after_a_double_click(visit: Visit, address: str, explored_database: Database) -> None:
    posts = []
    visit.page.on("request", lambda request: posts.append(request) if request.method == "POST" else None)
    visit.page.goto(address)
    slow = {"offline": False, "latency": 300, "downloadThroughput": -1, "uploadThroughput": -1}
    visit.page.context.new_cdp_session(visit.page).send("Network.emulateNetworkConditions", slow)
    first = visit.page.get_by_role("button", name="Unsubscribe")
    before = first.bounding_box()
    assert before is not None

    for _ in range(2):
        visit.page.mouse.click(before["x"] + 20, before["y"] + before["height"] - 2)
        time.sleep(0.1)  # the second click of a hand

    second = visit.page.get_by_role("button", name="Subscribe again")
    expect(second).to_be_visible()
    assert len(posts) == 1
    assert status(explored_database) == "unsubscribed"
    after = second.bounding_box()
    assert after is not None
    assert after["y"] > before["y"] + before["height"], "the second click may come after the response"


def test_the_undo_needs_no_script(browser: Browser, address: str, explored_database: Database) -> None:
    with browser.new_context(java_script_enabled=False, locale="de-AT") as context:
        page = context.new_page()
        page.goto(address)

        page.get_by_role("button", name="Abmelden").click()
        page.get_by_role("button", name="Wieder anmelden").click()

        expect(page.get_by_role("heading", name="Sie sind wieder angemeldet")).to_be_visible()
    assert status(explored_database) is None


def test_axe_finds_nothing_in_each_state_in_light_and_dark(
    visit: Visit, address: str, explored_database: Database
) -> None:
    page = visit.page
    page.goto(address)
    assert not barriers(page, dark=True)
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    assert not barriers(page, dark=True)
    page.get_by_role("button", name="Subscribe again").click()
    expect(page.get_by_role("heading", name="You are subscribed again")).to_be_visible()
    assert not barriers(page, dark=True)


def test_an_invalid_link_shows_an_error(visit: Visit, explored: Explored) -> None:
    visit.expect_status(404)

    visit.page.goto(f"{explored.live.url}/unsubscribe/x.y")

    expect(visit.page.get_by_role("heading", name="This link is not valid")).to_be_visible()
