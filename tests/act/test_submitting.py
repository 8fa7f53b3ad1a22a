"""A supporter sends the form in Chromium: with and without script, twice, without a response, and in a frame.

The fixture `open_page` checks after each test: no request to another server, no message in the console, no cookie.
"""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, Route, expect

from tests.act.conftest import Published, Served
from tests.support.browser import Visit

pytestmark = pytest.mark.browser

Open = Callable[..., Visit]
SUBMIT = "Record and continue"
TIMEOUT_MS = 30_000
# Makes the browser's storage fail, as in a frame whose user has blocked it.
NO_STORAGE = """
for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"]) {
  Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });
}
Object.defineProperty(document, "cookie", { get() { throw new DOMException("denied", "SecurityError"); } });
"""

# Blocks cookies of other sites, as Chromium does for a user who has chosen so.
NO_COOKIES = {
    "enableThirdPartyCookieRestriction": True,
    "disableThirdPartyCookieMetadata": True,
    "disableThirdPartyCookieHeuristics": True,
}


def fill(form: Page | FrameLocator, **typed: str) -> None:
    """Types the contact details of Jane into a form."""
    form.get_by_label("First name").fill(typed.get("given_name", "Jane"))
    form.get_by_label("E-mail address").fill(typed.get("email_address", "jane@example.org"))


def submit(form: Page | FrameLocator) -> Locator:
    return form.get_by_role("button", name=SUBMIT)


def status(form: Page | FrameLocator) -> Locator:
    return form.locator("form").get_by_role("status")


def expect_recorded(form: Page | FrameLocator) -> None:
    """Waits for the step that follows the form."""
    expect(form.locator("h1[data-focus]")).to_contain_text("Recorded. ")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_supporter_records_an_outreach(served: Served, open_page: Open, script: bool) -> None:
    published = served.publish()
    page = open_page(published.url, java_script_enabled=script).page

    fill(page)
    submit(page).click()

    expect_recorded(page)
    (outreach,) = published.outreaches()
    assert outreach["type"] == "email"


@pytest.mark.parametrize(
    ("attributes", "script"),
    [
        ("", True),
        ('sandbox="allow-scripts allow-forms"', True),
        pytest.param('sandbox="allow-scripts allow-forms allow-same-origin"', True, marks=pytest.mark.slow),
        ("", False),
    ],
    ids=["script", "sandbox", "sandbox with origin", "no script"],
)
def test_a_supporter_records_an_outreach_in_a_frame(
    served: Served, open_page: Open, attributes: str, script: bool
) -> None:
    published = served.publish()
    snippet = published.frame(attributes) + published.script()
    page = open_page(served.site.put("/", snippet) + "?source=mail", java_script_enabled=script).page
    form = page.frame_locator("iframe")
    if script:  # the script of the page passes the source soon after the form appears
        expect(form.locator("input[name=source]")).to_have_value("mail")

    fill(form)
    submit(form).click()

    expect_recorded(form)
    (outreach,) = published.outreaches()
    assert outreach["referrer_data"]["website"] == served.site.url
    assert outreach["referrer_data"].get("source") == ("mail" if script else None)


def test_a_form_in_a_frame_needs_neither_cookies_nor_storage(served: Served, open_page: Open) -> None:
    published = served.publish()
    visit = open_page()
    visit.page.add_init_script(NO_STORAGE)
    visit.page.context.new_cdp_session(visit.page).send("Network.setCookieControls", NO_COOKIES)
    visit.page.goto(served.site.put("/", published.frame() + published.script()))
    form = visit.page.frame_locator("iframe")

    fill(form)
    submit(form).click()

    expect_recorded(form)
    assert len(published.outreaches()) == 1


def test_two_forms_on_one_page_are_recorded_separately(served: Served, open_page: Open) -> None:
    published = [served.publish(title=title) for title in ("Save the river", "Save the lake")]
    snippet = "".join(each.frame() for each in published) + published[0].script()
    page = open_page(served.site.put("/", snippet)).page

    for number, name in enumerate(["Jane", "Joan"]):
        form = page.frame_locator("iframe").nth(number)
        fill(form, given_name=name, email_address=f"{name}@example.org")
    for number in (1, 0):
        form = page.frame_locator("iframe").nth(number)
        submit(form).press("Enter")
        expect_recorded(form)

    names = [served.database.people.find_one({"_id": each.outreaches()[0]["person_id"]}) for each in published]
    assert [each["given_name"] for each in names if each] == ["Jane", "Joan"]


@pytest.mark.parametrize(
    "press",
    [
        lambda page: submit(page).dblclick(),
        lambda page: page.get_by_label("E-mail address").press("Enter") or page.keyboard.press("Enter"),
        lambda page: page.evaluate("for (let i = 0; i < 5; i++) document.forms[0].requestSubmit()"),
    ],
    ids=["double click", "Enter twice", "five times"],
)
def test_a_form_that_is_sent_twice_at_once_is_recorded_once(
    served: Served, open_page: Open, press: Callable[[Page], Any]
) -> None:
    published = served.publish()
    visit = open_page(published.url)
    fill(visit.page)

    press(visit.page)

    expect_recorded(visit.page)
    assert len(published.outreaches()) == 1


def test_back_and_again_is_the_same_outreach_and_so_is_a_reload(served: Served, open_page: Open) -> None:
    published = served.publish()
    page = open_page(published.url, java_script_enabled=False).page
    fill(page)
    submit(page).click()
    expect_recorded(page)

    page.reload()
    expect_recorded(page)
    page.go_back()
    fill(page)
    submit(page).click()

    expect_recorded(page)
    assert len(published.outreaches()) == 1


class Slow:
    """Holds the posts of a page back until the test answers them."""

    def __init__(self, page: Page) -> None:
        self.routes: list[Route] = []
        self._page = page
        page.route("**/act/**", self._hold)

    def _hold(self, route: Route) -> None:
        if route.request.method == "POST":
            self.routes.append(route)
        else:
            route.continue_()

    def post(self, number: int) -> Route:
        """Waits for a post of the page, and returns it."""
        deadline = time.monotonic() + TIMEOUT_MS / 1000
        while len(self.routes) <= number and time.monotonic() < deadline:
            self._page.wait_for_timeout(10)
        return self.routes[number]


def test_a_form_that_is_being_sent_says_so_and_is_not_sent_again(served: Served, open_page: Open) -> None:
    published = served.publish()
    page = open_page(published.url).page
    slow = Slow(page)
    fill(page)

    submit(page).click()

    expect(status(page)).to_have_text("Sending…")
    expect(submit(page)).to_have_attribute("aria-disabled", "true")
    expect(submit(page)).to_be_focused()
    submit(page).press("Enter")
    submit(page).press("Space")
    slow.post(0).continue_()
    expect_recorded(page)
    assert len(slow.routes) == 1
    assert len(published.outreaches()) == 1


@pytest.mark.parametrize("failure", ["no connection", "no response in time", "503", "502 of a proxy", "429"])
@pytest.mark.parametrize("framed", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["page", "frame"])
def test_without_a_response_the_text_stays_and_one_click_tries_again(
    served: Served, open_page: Open, failure: str, framed: bool
) -> None:
    published = served.publish()
    visit = open_page()
    visit.page.clock.install()
    visit.page.goto(served.site.put("/", published.frame() + published.script()) if framed else published.url)
    form = visit.page.frame_locator("iframe") if framed else visit.page
    slow = Slow(visit.page)
    fill(form, given_name="Jane", email_address="jane@example.org")
    submit(form).press("Enter")
    expect(status(form)).to_have_text("Sending…")

    match failure:
        case "no connection":
            slow.post(0).abort("connectionreset")
        case "no response in time":
            visit.page.clock.fast_forward(TIMEOUT_MS)
        case "503":
            slow.post(0).fulfill(status=503, content_type="text/html", body="<main>Busy</main>")
        case "502 of a proxy":
            slow.post(0).fulfill(status=502, content_type="text/html", body="<h1>Bad Gateway</h1>")
        case "429":
            slow.post(0).fulfill(status=429, headers={"Retry-After": "120"}, body="{}")
    expect(status(form)).to_contain_text("Your text is kept here")
    assert published.outreaches() == []
    expect(form.get_by_label("First name")).to_have_value("Jane")
    first = slow.post(0).request.post_data

    submit(form).press("Enter")
    expect(status(form)).to_have_text("Sending…")
    assert slow.post(1).request.post_data == first
    slow.post(1).continue_()

    expect_recorded(form)
    assert len(published.outreaches()) == 1
    visit.messages.clear()  # the browser reports the request without a response


def test_a_mistake_is_shown_with_the_text_and_gets_the_focus(served: Served, open_page: Open) -> None:
    published = served.publish()
    visit = open_page(published.url)
    visit.expect_status(422)
    fill(visit.page, email_address="jane@")
    submit(visit.page).click()

    summary = visit.page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(visit.page.get_by_label("First name")).to_have_value("Jane")
    expect(visit.page.get_by_label("E-mail address")).to_have_attribute("aria-invalid", "true")
    summary.get_by_role("link").click()
    expect(visit.page.get_by_label("E-mail address")).to_be_focused()
    assert published.outreaches() == []

    visit.page.get_by_label("E-mail address").fill("jane@example.org")
    submit(visit.page).click()
    expect_recorded(visit.page)
    assert len(published.outreaches()) == 1


def test_a_field_that_a_password_manager_filled_asks_and_then_records(served: Served, open_page: Open) -> None:
    published = served.publish()
    visit = open_page(published.url)
    visit.expect_status(422)
    fill(visit.page)
    visit.page.locator(".extra input").evaluate("field => { field.value = 'jane@example.org'; }")
    submit(visit.page).click()

    visit.page.get_by_role("button", name="Confirm and continue").click()

    expect_recorded(visit.page)
    assert len(published.outreaches()) == 1


def test_the_next_step_gets_the_focus_and_the_page_around_a_frame_shows_it(served: Served, open_page: Open) -> None:
    published = served.publish({"consent": {"text": "Send me news. " * 150}})
    page = open_page(served.site.put("/", f"{published.frame()}{published.script()}<p>End</p>")).page
    form = page.frame_locator("iframe")
    expect(page.locator("iframe")).to_have_attribute("style", re.compile("height"))
    fill(form)

    submit(form).press("Enter")

    expect(form.locator("[data-focus]")).to_be_focused()
    expect(form.locator("[data-focus]")).to_be_in_viewport()


def test_the_fragment_fills_the_form_and_is_sent_nowhere(served: Served, open_page: Open) -> None:
    published = served.publish()
    address = "#given_name=Jane&email=jane%40example.org&postal_code=20009&unknown=1"
    visit = open_page(published.url + address)

    expect(visit.page.get_by_label("First name")).to_have_value("Jane")
    expect(visit.page.get_by_label("E-mail address")).to_have_value("jane@example.org")
    expect(visit.page.get_by_label("Postal code")).to_have_value("20009")
    expect(visit.page).to_have_url(published.url)
    submit(visit.page).click()
    expect_recorded(visit.page)

    (outreach,) = published.outreaches()
    assert "%40" not in str(outreach.get("referrer_data"))
    assert "%40" not in served.live.output


def test_a_fragment_without_contact_details_stays(served: Served, published: Published, open_page: Open) -> None:
    page = open_page(f"{published.url}#act-heading").page

    expect(submit(page)).to_be_visible()
    expect(page).to_have_url(f"{published.url}#act-heading")
