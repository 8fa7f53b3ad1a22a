"""The unsubscribe page in a real browser, which applies the page's Content-Security-Policy.

The fixture `visit` checks after each test: no request to another server, and no error in the console.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from pymongo import MongoClient
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.followups.unsubscribe import link, signer
from osdi.ids import new_id, now
from osdi.store import Store
from tests.pages.conftest import Explored
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


def test_the_button_unsubscribes(visit: Visit, explored: Explored, mongod: Mongod, explored_database: Database) -> None:
    store = Store(mongod.uri.replace("/osdi?", "/explored?"))
    visit.page.set_viewport_size({"width": 360, "height": 740})
    visit.page.goto(link(signer(store), explored.live.url, ADDRESS))
    store.close()
    expect(visit.page.get_by_text(ADDRESS)).to_be_visible()
    assert visit.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

    visit.page.get_by_role("button", name="Unsubscribe").click()

    expect(visit.page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    (person,) = explored_database.people.find({"email_addresses.address": ADDRESS})
    assert person["email_addresses"][0]["status"] == "unsubscribed"


def test_an_invalid_link_shows_an_error(visit: Visit, explored: Explored) -> None:
    visit.expect_status(404)

    visit.page.goto(f"{explored.live.url}/unsubscribe/x.y")

    expect(visit.page.get_by_role("heading", name="This link is not valid")).to_be_visible()
