"""The page to unsubscribe in a real browser, where its policy lets the button do what it says.

The fixture `visit` judges every test here at its end: no request to another server, no error in the console.
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
from tests.browser.conftest import Explored, Visit

pytestmark = pytest.mark.browser

ADDRESS = "a.rather.long.address.of.somebody.who.reads.on.a.telephone@subdomain.example.com"


@pytest.fixture
def explored_database(mongod: Mongod, explored: Explored) -> Iterator[Database]:
    """The database behind `explored`, with a person who has ADDRESS."""
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


def test_a_reader_unsubscribes_by_the_button(
    visit: Visit, explored: Explored, mongod: Mongod, explored_database: Database
) -> None:
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


def test_a_broken_link_says_so(visit: Visit, explored: Explored) -> None:
    visit.expect_refusal(404)

    visit.page.goto(f"{explored.live.url}/unsubscribe/x.y")

    expect(visit.page.get_by_role("heading", name="This link is not one of ours")).to_be_visible()
