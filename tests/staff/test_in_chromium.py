"""The staff pages in a real browser: signing in by mail and by keyboard, other browsers and sites, previews.

gunicorn, a worker and a mail server run beside it. After each test: no request to another server, and no error in the
console, so the browser has applied the Content-Security-Policy without a complaint.
"""

import csv
import datetime as dt
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pymongo import MongoClient

from blueprints.staff.stylesheet import FILE
from dev.mongod import Mongod
from osdi.access.token_changes import create_token
from osdi.ids import now
from osdi.sample import CAMPAIGN_ID, create_sample
from osdi.settings import Settings
from osdi.staff.links import VALID, new_link
from osdi.staff.members import add_member
from osdi.staff.sessions import begin_session
from osdi.store import Insert, Store
from osdi.store.indexes import WEBHOOKS
from osdi.webhooks import registry
from tests.staff.screens.checks import PHONE
from tests.support.barriers import barriers
from tests.support.browser import SITE_NAME, Visit, visiting
from tests.support.live import Live, Worker
from tests.support.slow import slow_except
from tests.support.smtp_sink import SmtpSink

pytestmark = pytest.mark.browser

MAIL_SECONDS = 15
COOKIE = "osdi_staff_loopback"  # the name over http on this machine
OTHER_SITE = f"http://{SITE_NAME}/"
# Another origin that belongs to the same site, so the browser sends the cookie with its forms.
SIBLING = "http://127.0.0.1:8999/"
Opened = Callable[..., AbstractContextManager[Visit]]
MOSTLY_WITH_SCRIPT = pytest.mark.parametrize(
    "script", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["with JavaScript", "without"]
)


@dataclass(frozen=True)
class Deployment:
    """A server with a worker and a mail server, sample data, and a member."""

    live: Live
    store: Store
    sink: SmtpSink
    member: dict[str, Any]

    def link(self, begun: dt.datetime | None = None) -> str:
        """The address of a new sign-in link."""
        return f"{self.live.url}/staff/link/{new_link(self.store, self.member, begun or now())}"


@pytest.fixture(scope="module")
def deployment(mongod: Mongod) -> Iterator[Deployment]:
    uri = mongod.uri.replace("/osdi?", "/staff_pages?")
    store = Store(uri)
    store.create_indexes()
    create_sample(store, Settings.namespace)
    member = add_member(store, "ada@example.org", name="Ada Lovelace")
    failed = {"_id": "f", "kind": "autoresponse", "state": "failed", "reason": "smtp_connect", "queued_date": now()}
    with ExitStack() as stack:
        client = stack.enter_context(MongoClient(uri))
        database = client.get_default_database()
        campaign = database.advocacy_campaigns.find_one()
        outreach = {"_id": "o", "match_keys": ["id:o"], "advocacy_campaign_id": campaign["_id"], "created_date": now()}
        database.outreaches.insert_one({**outreach, "action_date": now(), "followups": [failed]})
        page = {"published": True, "slug": "river", "goal": 40, "closes_at": now() + dt.timedelta(days=3)}
        database.advocacy_campaigns.update_one({}, {"$set": {"page": page}})
        _add_webhook(store)
        create_token(store, "newsletter of the river", ["read"], None, campaign["_id"])
        sink = stack.enter_context(SmtpSink())
        environment = {"MONGODB_URI": uri, "SMTP_URL": sink.url, "MAIL_FROM": "hello@river.example.org"}
        live = stack.enter_context(Live(environment))
        stack.enter_context(Worker({**environment, "PUBLIC_URL": live.url}))
        yield Deployment(live, store, sink, member)
        client.drop_database("staff_pages")
    store.close()


def _add_webhook(store: Store) -> None:
    """Stores a webhook that was disabled after failures."""
    at = {"date": now(), "milliseconds": 120}
    failed = {**at, "events": 7, "status": 500, "failure": "status_500", "response": "Internal Server Error" * 9}
    state = {
        "enabled": False,
        "disabled_reason": "gave_up",
        "last_failure": "status_500",
        "failing_since": now(),
        "deliveries": [{**at, "events": 3, "status": 204}, failed],
    }
    receiver = {"url": "https://crm.example.org/a/long/address/of/a/receiver", "events": ["unsubscribed"]}
    store.write(Insert(WEBHOOKS, {**registry.create(store, receiver), "_id": "w", **state}))


@pytest.fixture
def opened(browser: Browser, deployment: Deployment) -> Opened:
    """Opens a page in a new browser profile."""

    @contextmanager
    def open_page(**options: Any) -> Iterator[Visit]:
        with browser.new_context(**options) as context, visiting(context, deployment.live.url) as visited:
            yield visited

    return open_page


def sign_in(page: Page, deployment: Deployment) -> None:
    page.goto(deployment.link())
    page.get_by_role("button", name="Sign in as ada@example.org").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello, Ada Lovelace")


def next_mail(sink: SmtpSink, before: int) -> str:
    """The text of the first mail behind those that were there before."""
    deadline = time.monotonic() + MAIL_SECONDS
    while len(sink.envelopes) <= before:
        assert time.monotonic() < deadline, "the worker has sent no mail"
        time.sleep(0.05)
    return str(sink.mails[before].get_content())


def ask_for_mail(page: Page, deployment: Deployment) -> str:
    """Asks for a mail on the sign-in page, and returns its text."""
    before = len(deployment.sink.envelopes)
    page.goto(f"{deployment.live.url}/staff")
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_role("button", name="Send me a mail").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your mail")
    return next_mail(deployment.sink, before)


class TestSigningIn:
    def test_by_the_link_of_a_mail(self, opened: Opened, deployment: Deployment) -> None:
        with opened() as visit:
            link = re.search(r"http://\S+/staff/link/\S+", ask_for_mail(visit.page, deployment))
            assert link
            for _ in range(3):  # as a mail scanner does
                visit.page.goto(link[0])
            visit.page.get_by_role("button", name="Sign in as").click()

            expect(visit.page.get_by_role("heading", level=1)).to_have_text("Hello, Ada Lovelace")
            (cookie,) = visit.page.context.cookies()
            assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == (COOKIE, True, "Lax")
            assert visit.page.evaluate("document.cookie") == ""

    def test_by_the_code_of_a_mail_in_the_browser_that_asked(self, opened: Opened, deployment: Deployment) -> None:
        with opened() as visit, opened() as other:
            code = re.search(r"[A-Z2-9]{4}-[A-Z2-9]{4}", ask_for_mail(visit.page, deployment))
            assert code
            other.expect_status(400)
            other.page.goto(f"{deployment.live.url}/staff/sign-in/code")
            other.page.get_by_label("Code").fill(code[0])
            other.page.get_by_role("button", name="Sign in").click()
            expect(other.page.get_by_role("alert")).to_contain_text("not valid")

            field = visit.page.get_by_label("Code")
            assert field.get_attribute("autocomplete") == "one-time-code"
            field.fill(code[0].lower().replace("-", ""))
            field.press("Enter")
            expect(visit.page.get_by_role("heading", level=1)).to_have_text("Hello, Ada Lovelace")

    def test_without_javascript(self, opened: Opened, deployment: Deployment) -> None:
        with opened(java_script_enabled=False) as visit:
            code = re.search(r"[A-Z2-9]{4}-[A-Z2-9]{4}", ask_for_mail(visit.page, deployment))
            assert code
            visit.page.get_by_label("Code").fill(code[0])
            visit.page.get_by_role("button", name="Sign in").click()

            expect(visit.page.get_by_role("heading", level=1)).to_have_text("Hello, Ada Lovelace")

    @pytest.mark.parametrize("ended", slow_except(["expired", "used"], ["used"]))
    def test_an_ended_link_offers_another_mail_to_the_same_address(
        self, opened: Opened, deployment: Deployment, ended: str
    ) -> None:
        with opened() as visit, opened() as other:
            link = deployment.link(now() - VALID if ended == "expired" else None)
            if ended == "used":
                other.page.goto(link)
                other.page.get_by_role("button", name="Sign in as").click()
                expect(other.page.get_by_role("heading", level=1)).to_have_text("Hello, Ada Lovelace")
            visit.expect_status(410)
            visit.page.goto(link)

            expect(visit.page.get_by_role("heading", level=1)).to_have_text("This link has ended")
            expect(visit.page.get_by_label("E-mail address")).to_have_value("ada@example.org")
            before = len(deployment.sink.envelopes)
            visit.page.get_by_role("button", name="Send me a mail").click()
            expect(visit.page.get_by_role("heading", level=1)).to_have_text("Check your mail")
            assert "/staff/link/" in next_mail(deployment.sink, before)

    def test_with_the_keyboard_only(self, opened: Opened, deployment: Deployment) -> None:
        with opened() as visit:
            page = visit.page
            before = len(deployment.sink.envelopes)
            page.goto(f"{deployment.live.url}/staff")
            press_until(page, "E-mail address")
            page.keyboard.type("ada@example.org")
            page.keyboard.press("Enter")
            expect(page.get_by_role("heading", level=1)).to_have_text("Check your mail")
            code = re.search(r"[A-Z2-9]{4}-[A-Z2-9]{4}", next_mail(deployment.sink, before))
            assert code
            press_until(page, "Code")
            page.keyboard.type(code[0])
            page.keyboard.press("Tab")
            page.keyboard.press("Space")
            expect(page.get_by_role("heading", level=1)).to_have_text("Hello, Ada Lovelace")

            page.keyboard.press("Tab")
            page.keyboard.press("Enter")  # skips the navigation
            assert page.evaluate("document.activeElement.id") == "main"
            press_until(page, "Sign out", backwards=True)
            page.keyboard.press("Enter")
            expect(page.get_by_role("status")).to_have_text("You are signed out.")


def press_until(page: Page, name: str, *, backwards: bool = False) -> None:
    """Presses Tab until the focus is on the control with this name; each control on the way is in view and outlined."""
    for _ in range(30):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        focused = page.evaluate(
            """() => {
                const each = document.activeElement, box = each.getBoundingClientRect(), style = getComputedStyle(each);
                const name = each.labels?.length ? each.labels[0].innerText : each.innerText;
                const seen = box.width > 0 && box.top >= 0 && box.bottom <= innerHeight;
                return {name, seen, outline: style.outlineStyle !== "none"};
            }"""
        )
        assert focused["seen"], focused
        assert focused["outline"], focused
        if focused["name"].strip() == name:
            return
    raise AssertionError(f"The keyboard does not reach {name}.")


class TestOtherBrowsers:
    def test_one_is_signed_out_from_another(self, opened: Opened, deployment: Deployment) -> None:
        with opened() as visit, opened(user_agent="Mozilla/5.0 (iPhone) AppleWebKit Safari/604.1") as telephone:
            sign_in(telephone.page, deployment)
            sign_in(visit.page, deployment)

            visit.page.get_by_role("link", name="Ada Lovelace").click()
            visit.page.get_by_role("button", name="Sign out Safari on iPhone").first.click()
            expect(visit.page.get_by_role("status")).to_have_text("That browser is signed out.")

            telephone.page.goto(f"{deployment.live.url}/staff")
            expect(telephone.page.get_by_role("heading", level=1)).to_have_text("Sign in")

    def test_all_are_signed_out_at_once(self, opened: Opened, deployment: Deployment) -> None:
        with opened() as visit, opened() as other:
            sign_in(visit.page, deployment)
            sign_in(other.page, deployment)

            visit.page.goto(f"{deployment.live.url}/staff/devices")
            visit.page.get_by_role("button", name="Sign out everywhere").click()
            expect(visit.page.get_by_role("status")).to_have_text("You are signed out of all browsers.")

            other.page.goto(f"{deployment.live.url}/staff/campaigns")
            expect(other.page.get_by_role("heading", level=1)).to_have_text("Sign in")


class TestOtherSites:
    """Another site cannot act as a member: by a form, from a frame, or by a request to the API."""

    @pytest.fixture
    def attacked(self, browser: Browser, deployment: Deployment) -> Iterator[Page]:
        """A page of a member who has signed in, on another site. Its console is full of complaints, as it has to be."""
        with browser.new_context() as context:
            page = context.new_page()
            show(page, deployment, "/staff")
            for site in (OTHER_SITE, SIBLING):
                context.route(f"{site}**", lambda route: route.fulfill(content_type="text/html", body="<h1>Evil</h1>"))
            page.goto(OTHER_SITE)
            yield page

    @pytest.mark.parametrize(
        "origin",
        [OTHER_SITE, SIBLING, "data:text/html,<h1>Evil</h1>"],
        ids=["another site", "another port of this host", "no origin"],
    )
    def test_a_form_is_rejected(self, attacked: Page, deployment: Deployment, origin: str) -> None:
        attacked.goto(origin)
        address = f"{deployment.live.url}/staff/devices/sign-out"
        attacked.evaluate(
            """address => {
                document.body.innerHTML =
                    `<form method="post" action="${address}"><textarea name="text">kept</textarea></form>`;
                document.forms[0].submit();
            }""",
            address,
        )

        expect(attacked.get_by_role("heading", level=1)).to_have_text("Nothing was done")
        expect(attacked.get_by_label("text")).to_have_value("kept")
        assert attacked.get_by_role("main").get_by_role("button").count() == 0
        attacked.goto(f"{deployment.live.url}/staff")
        expect(attacked.get_by_role("heading", level=1)).to_have_text("Hello, Ada Lovelace")

    @pytest.mark.parametrize("path", slow_except(["/staff", "/staff/sign-in", "/staff/devices"], ["/staff"]))
    def test_a_frame_stays_empty(self, attacked: Page, deployment: Deployment, path: str) -> None:
        with attacked.expect_event("framenavigated", lambda frame: frame.parent_frame is not None):
            attacked.evaluate(
                "address => { document.body.innerHTML = `<iframe src='${address}'></iframe>` }",
                f"{deployment.live.url}{path}",
            )

        frame = attacked.frames[1]
        assert frame.url.startswith("chrome-error://")

    def test_the_api_does_not_read_the_cookie(self, attacked: Page, deployment: Deployment) -> None:
        attacked.goto(f"{deployment.live.url}/staff")

        status = attacked.evaluate("async () => (await fetch('/api/v1/people', {credentials: 'include'})).status")

        assert status == 401


def test_an_administrator_creates_a_token_sees_its_secret_once_and_revokes_it(
    opened: Opened, deployment: Deployment
) -> None:
    with opened() as visit:
        page = visit.page
        visit.expect_status(422)
        show(page, deployment, "/staff")
        page.get_by_role("link", name="Settings").click()
        page.get_by_role("link", name="Tokens").click()
        page.get_by_role("link", name="Create a token").click()
        page.get_by_label("Name").fill("sync of the CRM")
        page.get_by_role("button", name="Create the token").click()
        expect(page.get_by_role("alert")).to_be_focused()
        expect(page.get_by_label("Name")).to_have_value("sync of the CRM")
        page.get_by_label("read: see all data").check()
        page.get_by_role("button", name="Create the token").click()
        expect(page.get_by_role("status")).to_contain_text("Nobody can see it again")
        secret = page.locator("pre").inner_text()
        headers = {"OSDI-API-Token": secret}
        people = f"{deployment.live.url}/api/v1/people"
        assert page.request.get(people, headers=headers).status == 200

        page.get_by_role("link", name="Back to the tokens").click()
        assert secret not in page.content()
        page.get_by_role("link", name="Revoke sync of the CRM").click()
        page.get_by_role("button", name="Revoke the token").click()

        expect(page.get_by_role("status")).to_have_text("The token is revoked.")
        expect(page.get_by_role("rowheader", name="sync of the CRM")).to_have_count(0)


class TestACampaign:
    def test_is_created_edited_and_published_and_its_page_opens(self, opened: Opened, deployment: Deployment) -> None:
        with opened() as visit, opened() as supporter:
            page = visit.page
            show(page, deployment, "/staff")
            page.get_by_role("link", name="Campaigns").first.click()
            page.get_by_role("link", name="New campaign").click()
            page.get_by_label("Title").fill("Save the wood")
            page.get_by_role("button", name="Create the campaign").click()
            expect(page.get_by_role("status")).to_have_text("The campaign is created. It has no public page yet.")

            page.get_by_role("link", name="Edit").click()
            page.get_by_label("Words beside the checkbox").fill("Yes, send me news.")
            page.get_by_label("Colour").fill("green")
            visit.expect_status(422)
            page.get_by_role("button", name="Save").click()
            alert = page.get_by_role("alert")
            expect(alert).to_be_focused()
            alert.get_by_role("link").click()
            expect(page.get_by_label("Colour")).to_be_focused()
            page.get_by_label("Colour").fill("#00695c")
            page.get_by_role("button", name="Save").click()
            expect(page.get_by_role("status")).to_have_text("The campaign is saved.")

            page.get_by_role("link", name="Publish the page").click()
            expect(page.get_by_text("The campaign has no targets")).to_be_visible()
            page.get_by_role("button", name="Publish the page").click()
            expect(page.get_by_role("status").first).to_have_text("The page is published.")
            page.context.grant_permissions(["clipboard-read", "clipboard-write"])
            page.get_by_role("button", name="Copy Link").click()
            expect(page.get_by_text("Copied.")).to_be_visible()
            assert (
                page.evaluate("navigator.clipboard.readText()") == page.get_by_label("Link", exact=True).input_value()
            )

            supporter.page.goto(f"{deployment.live.url}/act/save-the-wood")
            expect(supporter.page.get_by_role("heading", level=1)).to_have_text("Save the wood")
            expect(supporter.page.get_by_label("Yes, send me news.")).not_to_be_checked()


class TestAFigure:
    def test_leads_to_as_many_outreaches_as_it_says_also_in_the_file(
        self, opened: Opened, deployment: Deployment
    ) -> None:
        with opened() as visit:
            page = visit.page
            show(page, deployment, f"/staff/campaigns/{CAMPAIGN_ID}/statistics?range=7")
            figure = page.locator(".figures a").first
            number = int(figure.inner_text())
            assert number > 0

            figure.click()
            expect(page.get_by_role("heading", level=1)).to_contain_text("Outreaches of")
            expect(page.get_by_role("rowheader")).to_have_count(number)
            expect(page.get_by_text(f"{number} outreach")).to_be_visible()
            with page.expect_download() as download:
                page.get_by_role("link", name="These outreaches as CSV").click()
            lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
            assert len(list(csv.DictReader(lines))) == number

            page.get_by_label("Type").fill("no such type")
            page.get_by_role("button", name="Filter").click()
            expect(page.get_by_text("There is no such outreach.")).to_be_visible()

    def test_column_headings_sort_the_campaigns(self, opened: Opened, deployment: Deployment) -> None:
        with opened() as visit:
            page = visit.page
            show(page, deployment, "/staff/campaigns")

            page.get_by_role("columnheader").get_by_role("link", name="Outreaches", exact=True).press("Enter")
            expect(page.locator("th[aria-sort=descending]")).to_contain_text("Outreaches")
            page.get_by_role("columnheader").get_by_role("link", name="Outreaches", exact=True).press("Enter")
            expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Outreaches")


def show(page: Page, deployment: Deployment, path: str) -> None:
    """Opens a page in a browser in which Ada has signed in."""
    secret, _ = begin_session(deployment.store, deployment.member, "Chrome on Linux", now())
    page.context.add_cookies([{"name": COOKIE, "value": secret, "url": deployment.live.url}])
    page.goto(deployment.live.url + path)


def test_the_home_page_is_small_and_loads_little(opened: Opened, deployment: Deployment) -> None:
    with opened() as visit:
        show(visit.page, deployment, "/staff")
        visit.requests.clear()
        sizes = []
        visit.page.on("response", lambda response: sizes.append(len(response.body())))
        visit.page.goto(f"{deployment.live.url}/staff", wait_until="networkidle")

        assert len(visit.requests) <= 6
        assert sum(sizes) <= 60_000
        assert FILE.stat().st_size <= 16_384


class TestThePreviewOfAMessage:
    """The mail appears in a frame with an origin of its own."""

    SCRIPT = "<p>Dear {{ person.given_name }}</p><script>parent.document.title = 'taken'</script>"

    @MOSTLY_WITH_SCRIPT
    def test_shows_the_typed_text_and_runs_nothing_of_it(
        self, opened: Opened, deployment: Deployment, script: bool
    ) -> None:
        with opened(java_script_enabled=script) as visit:
            page = visit.page
            show(page, deployment, "/staff/messages/new")
            title = page.title()

            page.get_by_label("Text", exact=True).fill(self.SCRIPT)
            if not script:
                page.get_by_role("button", name="Preview", exact=True).click()

            expect(page.frame_locator("#preview").get_by_text("Dear Jane")).to_be_visible()
            assert page.title() == title
            blocked = [each for each in visit.messages if "Blocked script execution" in each]
            assert blocked
            visit.messages[:] = [each for each in visit.messages if each not in blocked]

    def test_appears_when_the_page_opens(self, opened: Opened, deployment: Deployment) -> None:
        with opened() as visit:
            message = deployment.store.find_one("messages", {"type": "email"})
            assert message is not None
            show(visit.page, deployment, f"/staff/messages/{message['_id']}")

            expect(visit.page.frame_locator("#preview").get_by_text("Jane").first).to_be_visible()

    def test_leaves_the_cursor_and_the_button_back_alone(self, opened: Opened, deployment: Deployment) -> None:
        with opened() as visit:
            page = visit.page
            show(page, deployment, "/staff/messages")
            page.get_by_role("link", name="Write a message").click()
            text = page.get_by_label("Text", exact=True)
            for words in ("one", "two"):
                text.fill(words)
                expect(page.frame_locator("#preview").get_by_text(words)).to_be_visible()

            expect(text).to_be_focused()
            page.go_back()
            expect(page.get_by_role("heading", level=1)).to_have_text("Messages")


class TestThePreviewOfACampaign:
    """The form of the public page appears beside the editor, in a frame with an origin of its own."""

    @MOSTLY_WITH_SCRIPT
    def test_shows_the_typed_text_as_the_form_and_as_the_page(
        self, opened: Opened, deployment: Deployment, script: bool
    ) -> None:
        with opened(java_script_enabled=script) as visit:
            page, frame = visit.page, visit.page.frame_locator("#preview")
            show(page, deployment, f"/staff/campaigns/{CAMPAIGN_ID}/edit")
            page.get_by_label("Title", exact=True).fill("Save <b>the owl</b>")
            if not script:
                page.get_by_role("button", name="Preview the form").click()

            expect(frame.get_by_role("heading", level=1)).to_have_text("Save <b>the owl</b>")
            expect(frame.get_by_text("Preview: nothing is recorded.")).to_be_visible()
            expect(frame.get_by_text("Open this form on its own page")).to_be_visible()
            page.get_by_role("button", name="Preview the page").click()
            expect(frame.get_by_role("heading", name="Take part")).to_be_visible()
            assert deployment.store.get("advocacy_campaigns", CAMPAIGN_ID)["title"] != "Save <b>the owl</b>"  # type: ignore[index]

    def test_keeps_the_last_one_without_mistakes_and_says_so(self, opened: Opened, deployment: Deployment) -> None:
        with opened() as visit:
            page, frame = visit.page, visit.page.frame_locator("#preview")
            show(page, deployment, f"/staff/campaigns/{CAMPAIGN_ID}/edit")
            page.get_by_label("Title", exact=True).fill("Save the owl")
            expect(frame.get_by_role("heading", level=1)).to_have_text("Save the owl")

            visit.expect_status(422)
            page.get_by_label("Colour").fill("red")

            expect(page.locator("#preview-status")).to_contain_text("the last one without mistakes. Colour: ")
            expect(frame.get_by_role("heading", level=1)).to_have_text("Save the owl")
            page.get_by_label("Colour").fill("#00695c")
            expect(page.locator("#preview-status")).to_be_empty()

    def test_leaves_the_cursor_and_the_button_back_alone(self, opened: Opened, deployment: Deployment) -> None:
        with opened() as visit:
            page, frame = visit.page, visit.page.frame_locator("#preview")
            show(page, deployment, f"/staff/campaigns/{CAMPAIGN_ID}")
            page.get_by_role("link", name="Edit", exact=True).click()
            words = page.get_by_label("Words beside the checkbox")
            words.fill("Yes,")
            expect(frame.get_by_label("Yes,")).to_be_visible()
            place = page.evaluate("scrollY")
            page.keyboard.type(" please")

            expect(frame.get_by_label("Yes, please")).to_be_in_viewport()
            expect(words).to_be_focused()
            assert page.evaluate("scrollY") == place
            page.go_back()
            expect(page.get_by_role("heading", name="Last outreaches")).to_be_visible()

    def test_can_send_nothing(self, opened: Opened, deployment: Deployment) -> None:
        with opened() as visit:
            frame = visit.page.frame_locator("#preview")
            show(visit.page, deployment, f"/staff/campaigns/{CAMPAIGN_ID}/edit")
            frame.get_by_label("E-mail address").fill("jane@example.com")
            before = len(visit.requests)

            with visit.page.expect_console_message(lambda message: "Blocked form submission" in message.text):
                frame.get_by_role("button", name="Record and continue").click()

            blocked = [each for each in visit.messages if "Blocked form submission" in each]
            assert len(visit.requests) == before
            visit.messages[:] = [each for each in visit.messages if each not in blocked]


def test_a_table_of_postal_codes_is_replaced_and_deleted_after_a_page_that_asks(
    opened: Opened, deployment: Deployment
) -> None:
    with opened(viewport=PHONE) as visit:
        page = visit.page
        show(page, deployment, f"/staff/campaigns/{CAMPAIGN_ID}/postal-codes")
        page.get_by_label("Or the text of the table").fill("postal_code,target\n10,1\n20,2\n")
        page.get_by_role("button", name="Store the table").click()
        expect(page.get_by_role("status").first).to_have_text("The table of postal codes is stored.")
        page.get_by_role("link", name="Postal codes").click()
        page.get_by_label("Or the text of the table").fill("postal_code,target\n10,2\n")
        page.get_by_role("button", name="Replace the present table").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Replace the postal codes")
        check_in_both_schemes(page)
        page.get_by_role("button", name="Replace the table").click()
        expect(page.get_by_role("status").first).to_have_text("The table of postal codes is stored.")

        page.get_by_role("link", name="Postal codes").click()
        page.get_by_role("link", name="Delete the table").click()
        expect(page.get_by_text("The table with 1 row is lost.")).to_be_visible()
        check_in_both_schemes(page)
        page.get_by_role("button", name="Delete the table").click()
        expect(page.get_by_role("status")).to_have_text("The table of postal codes is deleted.")


def check_in_both_schemes(page: Page) -> None:
    """Fails for a barrier that axe finds, and for a page that is wider than a phone."""
    assert not barriers(page, dark=True)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
