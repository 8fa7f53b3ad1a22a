"""A day's work with one person in a real browser without JavaScript.

gunicorn runs beside it. After each test: no request to another server, and no error in the console.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect
from pymongo import MongoClient

from dev.mongod import Mongod
from osdi.access.tokens import new_token
from osdi.followups.unsubscribe import unsubscribe
from osdi.ids import now
from osdi.resources import API
from osdi.sample import CAMPAIGN_ID, create_sample
from osdi.settings import Settings
from osdi.staff.members import add_member
from osdi.staff.sessions import begin_session
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS
from tests.support.browser import Visit, visiting
from tests.support.live import Live

pytestmark = pytest.mark.browser

COOKIE = "osdi_staff_loopback"
Opened = Callable[..., AbstractContextManager[Visit]]


@dataclass(frozen=True)
class Deployment:
    """A server with a member, Jane Doe, and J. Doe with the same phone number."""

    live: Live
    store: Store
    member: dict[str, Any]
    people: tuple[str, str]
    question: str

    def session(self) -> dict[str, str]:
        """The cookie of a new session."""
        secret, _ = begin_session(self.store, self.member, "Chrome on Linux", now())
        return {"name": COOKIE, "value": secret, "url": self.live.url}


@pytest.fixture(scope="module")
def deployment(mongod: Mongod) -> Iterator[Deployment]:
    uri = mongod.uri.replace("/osdi?", "/staff_people?")
    store = Store(uri)
    store.create_indexes()
    create_sample(store, Settings.namespace)
    secret, token = new_token("test")
    store.write(Insert(TOKENS, token))
    with ExitStack() as stack:
        client = stack.enter_context(MongoClient(uri))
        live = stack.enter_context(Live({"MONGODB_URI": uri}))
        people = sample_people(live.url, secret), sample_duplicate(live.url, secret)
        rivers = [{"key": "aare", "title": "The Aare"}, {"key": "rhine", "title": "The Rhine"}]
        question = {"title": "Which rivers?", "question_type": "MultiChoice", "responses": rivers}
        question_id = id_of(post(live.url, "/questions", secret, question))
        database = client.get_default_database()
        failed = {"_id": "f", "kind": "autoresponse", "state": "failed", "reason": "smtp_connect", "queued_date": now()}
        receipt = {"text": "Yes, send me news about the river.", "language": "en", "given_date": now()}
        database.outreaches.update_one({}, {"$set": {"followups": [failed], "consents": [receipt]}})
        unsubscribe(store, "old@example.org")
        yield Deployment(live, store, add_member(store, "ada@example.org", name="Ada Lovelace"), people, question_id)
        client.drop_database("staff_people")
    store.close()


def sample_people(url: str, secret: str) -> str:
    emails = [{"address": "jane@example.com", "status": "subscribed"}, {"address": "old@example.org"}]
    phones = [{"number": "+12025550123", "number_type": "Mobile"}]
    postal = [{"address_lines": ["1 River Road"], "postal_code": "12345", "locality": "Springfield"}]
    contacts = {"email_addresses": emails, "phone_numbers": phones, "postal_addresses": postal}
    person = {"given_name": "Jane", "family_name": "Doe", **contacts}
    targets = [{"title": "Senator", "given_name": "Maria", "family_name": "Lopez"}]
    body = {"person": person, "type": "phone", "targets": targets, "add_tags": ["caller"], "add_lists": ["newsletter"]}
    post(url, f"/advocacy_campaigns/{CAMPAIGN_ID}/record_outreach_helper", secret, body)
    found = requests.get(f"{url}{API}/people", headers={"OSDI-API-Token": secret}, timeout=10).json()
    return id_of(found["_embedded"]["osdi:people"][0])


def sample_duplicate(url: str, secret: str) -> str:
    person = {"given_name": "J.", "family_name": "Doe", "phone_numbers": [{"number": "+12025550123"}]}
    return id_of(
        post(url, "/people", secret, {"person": {**person, "email_addresses": [{"address": "jd@example.org"}]}})
    )


def post(url: str, path: str, secret: str, body: dict[str, Any]) -> dict[str, Any]:
    response = requests.post(f"{url}{API}{path}", json=body, headers={"OSDI-API-Token": secret}, timeout=10)
    assert response.status_code == 200, response.text
    return dict(response.json())


def id_of(resource: dict[str, Any]) -> str:
    return str(resource["_links"]["self"]["href"].rpartition("/")[2])


@pytest.fixture
def opened(browser: Browser, deployment: Deployment) -> Opened:
    """Opens a page in a new browser profile in which Ada has signed in."""

    @contextmanager
    def open_page(**options: Any) -> Iterator[Visit]:
        with browser.new_context(**options) as context, visiting(context, deployment.live.url) as visited:
            context.add_cookies([deployment.session()])  # type: ignore[list-item]
            yield visited

    return open_page


class TestByKeyboard:
    """Each step with Tab and Enter, and the focus is visible."""

    def press(self, page: Page, name: str, role: str) -> None:
        """Moves the focus to the link or button of this name by Tab, and presses Enter."""
        wanted = page.get_by_role(role, name=name).first  # type: ignore[arg-type]
        element = wanted.element_handle()  # to look for the role and the name after each key takes long
        for _ in range(60):
            if element.evaluate("element => element === document.activeElement"):
                break
            page.keyboard.press("Tab")
        expect(wanted).to_be_focused()
        assert wanted.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
        with page.expect_navigation():  # the next control may be on the page that is being left, too
            page.keyboard.press("Enter")

    def test_a_pair_is_kept_apart_listed_again_and_merged(self, opened: Opened, deployment: Deployment) -> None:
        live, store = deployment.live, deployment.store
        ids = [f"keyboard-{number}" for number in range(2)]
        for person_id in ids:
            store.write(Insert("people", kim(person_id, is_owner=person_id == ids[0])))
        with opened() as visit:
            page, status = visit.page, visit.page.get_by_role("status")
            page.goto(f"{live.url}/staff/people/duplicates")
            self.press(page, "Not the same person: Kim Poe and Kim Poe", "button")
            expect(status).to_have_text("It is stored that these two people are not the same.")
            expect(page.get_by_role("link", name="Kim Poe")).to_have_count(0)

            self.press(page, "Pairs that are not the same", "link")
            self.press(page, "Take back Kim Poe", "button")
            expect(status).to_contain_text("count as possible duplicates again")

            page.goto(f"{live.url}/staff/people/duplicates")
            self.press(page, "Compare and merge Kim Poe", "link")
            self.press(page, "Let the other person stay instead", "button")
            self.press(page, "Merge these two people", "button")
            expect(status).to_have_text("Both people are one now.")
        left = store.by_ids("people", ids)
        assert [each["merged_ids"] for each in left] in ([[ids[1]]], [[ids[0]]])
        store.delete_many("people", {"_id": {"$in": ids}})


def kim(person_id: str, *, is_owner: bool) -> dict[str, Any]:
    """A person with an address, which the other one has too."""
    key = "email:kim@example.net"
    shared = {"unclaimed_keys": [key], "maybe_duplicate": True} if not is_owner else {}
    dates = {"created_date": now(), "modified_date": now()}
    return {
        "_id": person_id,
        "version": 1,
        "given_name": "Kim",
        "family_name": "Poe",
        "email_addresses": [{"address": "kim@example.net"}],
        "match_keys": [f"id:{person_id}", *([key] if is_owner else [])],
        "contact_keys": [key],
        **dates,
        **shared,
    }


class TestADaysWork:
    def test_from_the_search_to_the_erasure(self, opened: Opened, deployment: Deployment) -> None:
        with opened(java_script_enabled=False) as visit:
            visit.expect_status(410)
            page, status = visit.page, visit.page.get_by_role("status")
            page.goto(f"{deployment.live.url}/staff")
            page.get_by_role("link", name="People", exact=True).click()
            page.get_by_label("Name or contact detail").fill("jane d")
            page.keyboard.press("Enter")
            page.get_by_role("link", name="Jane Doe").click()

            page.get_by_role("link", name="Edit names").click()
            page.get_by_label("Given name").fill("Janet")
            page.get_by_role("button", name="Store the changes").click()
            expect(status).to_have_text("The changes are stored.")

            page.get_by_role("link", name="Compare and merge").click()
            page.get_by_role("button", name="Merge these two people").click()
            expect(status).to_have_text("Both people are one now.")
            expect(page.get_by_text("jd@example.org")).to_be_visible()

            page.get_by_role("link", name="Unsubscribe").click()
            page.get_by_label("Address").select_option("jane@example.com")
            page.get_by_role("button", name="Unsubscribe").click()
            expect(status).to_contain_text("unsubscribed")

            page.get_by_role("link", name="Remove caller").click()
            page.get_by_role("button", name="Remove").click()
            page.get_by_role("link", name="Add a tag or list").click()
            page.get_by_label("Tag").select_option("volunteer")
            page.get_by_role("button", name="Add").click()
            expect(page.get_by_role("link", name="Remove volunteer")).to_be_visible()

            page.get_by_role("link", name="Download all data").click()
            with page.expect_download() as download:
                page.get_by_role("button", name="Download").click()
            assert "Janet" in download.value.path().read_text()

            address = f"{deployment.live.url}/staff/people/{deployment.people[0]}"
            page.goto(address)
            page.get_by_role("link", name="Erase").click()
            page.get_by_label("Type the name of the person").fill("Janet Doe")
            page.get_by_role("button", name="Erase for good").click()
            expect(status).to_have_text("The person is erased.")
            page.goto(address)
            expect(page.get_by_role("heading", level=1)).to_have_text("This person was erased")
