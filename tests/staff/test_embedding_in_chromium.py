"""A frame that a browser blocks: the frame stays empty, the screen lists the site, Allow, reload, and it works."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from dev.mongod import Mongod
from osdi.ids import now
from osdi.sample import CAMPAIGN_ID, create_sample
from osdi.settings import Settings
from osdi.staff.links import new_link
from osdi.staff.members import add_member
from osdi.store import Store, Update
from tests.support.browser import visiting
from tests.support.live import Live
from tests.support.site import Site

pytestmark = pytest.mark.browser

BLOCKED = "Framing "


@dataclass(frozen=True)
class Embedded:
    """A server with a published campaign, an organisation's site with its form in a frame, and a member's link."""

    live: Live
    site: Site
    link: str

    @property
    def screen(self) -> str:
        return f"{self.live.url}/staff/campaigns/{CAMPAIGN_ID}/embedding"

    def put(self, **headers: str) -> str:
        """Serves a page with the form in a frame, and returns its address."""
        return self.site.put("/", f'<iframe src="{self.live.url}/act/river/embed" title="Form"></iframe>', **headers)


@pytest.fixture
def embedded(mongod: Mongod) -> Iterator[Embedded]:
    uri = mongod.uri.replace("/osdi?", "/embedding_sites?")
    store = Store(uri)
    store.connect().drop_database("embedding_sites")
    store.create_indexes()
    create_sample(store, Settings.namespace)
    campaign = store.get("advocacy_campaigns", CAMPAIGN_ID)
    assert campaign is not None
    fields = {
        "page": {"published": True, "slug": "river"},
        "match_keys": [*campaign["match_keys"], "slug:river"],
        "anonymous_posts": {"origins": ["https://www.example.org"]},
    }
    store.write(Update("advocacy_campaigns", CAMPAIGN_ID, campaign["version"], fields))
    secret = new_link(store, add_member(store, "ada@example.org", name="Ada"), now())
    with ExitStack() as stack:
        site = stack.enter_context(Site())
        live = stack.enter_context(Live({"MONGODB_URI": uri, "CACHE_SECONDS": "0"}))
        yield Embedded(live, site, f"{live.url}/staff/link/{secret}")
    store.connect().drop_database("embedding_sites")
    store.close()


@pytest.fixture
def page(browser: Browser, embedded: Embedded) -> Iterator[Page]:
    """A page whose console complains of nothing but the frame that was blocked, and that calls no other server."""
    with browser.new_context() as context, visiting(context, embedded.live.url, embedded.site.url) as visit:
        yield visit.page
        visit.messages[:] = [each for each in visit.messages if BLOCKED not in each]


def sign_in(page: Page, embedded: Embedded) -> None:
    page.goto(embedded.link)
    page.get_by_role("button", name="Sign in as").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Hello")


def test_a_blocked_site_is_listed_and_one_click_allows_it(page: Page, embedded: Embedded) -> None:
    own_page = embedded.put()
    with page.expect_event("framenavigated", lambda frame: frame.parent_frame is not None):
        page.goto(own_page)
    assert page.frames[1].url.startswith("chrome-error://")

    sign_in(page, embedded)
    page.get_by_role("link", name="Show the sites").click()
    row = page.get_by_role("row", name=embedded.site.url)
    expect(row.get_by_text("blocked", exact=True)).to_be_visible()
    row.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("status")).to_have_text("The site may show the form now.")
    expect(row.get_by_text("allowed", exact=True)).to_be_visible()
    assert row.get_by_role("button").count() == 0

    page.goto(own_page)
    expect(page.frame_locator("iframe").get_by_role("heading").first).to_be_visible()
    # A process writes its counts once in a second.
    for _ in range(20):
        page.goto(embedded.screen)
        if row.locator("[data-label=Shown]").inner_text() == "1":
            break
        page.wait_for_timeout(200)
    expect(row.locator("[data-label=Shown]")).to_have_text("1")
    expect(row.locator("[data-label=Blocked]")).to_have_text("1")
    page.goto(f"{embedded.live.url}/staff")
    expect(page.get_by_text("blocked from showing a form")).to_have_count(0)


def test_a_page_that_names_no_address_is_listed_as_such(page: Page, embedded: Embedded) -> None:
    with page.expect_event("framenavigated", lambda frame: frame.parent_frame is not None):
        page.goto(embedded.put(referrer_policy="no-referrer"))

    sign_in(page, embedded)
    page.goto(embedded.screen)

    row = page.get_by_role("row", name="Pages that name no address")
    expect(row.get_by_text("unknown")).to_be_visible()
    assert page.get_by_role("row", name=embedded.site.url).count() == 0


def test_a_page_whose_own_policy_forbids_the_frame_is_not_listed(page: Page, embedded: Embedded) -> None:
    """The browser does not ask for the form then, as the screen says."""
    with page.expect_event("console", lambda message: "frame-src" in message.text):
        page.goto(embedded.put(content_security_policy="frame-src 'self'"))

    sign_in(page, embedded)
    page.goto(embedded.screen)

    expect(page.get_by_text("No site has asked for the form yet.")).to_be_visible()
