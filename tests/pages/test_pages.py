"""The documentation pages in a real browser: they work with their Content-Security-Policy and without other servers.

The fixture `visit` checks after each test: no request to another server, and no error in the console.
"""

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from osdi.sample import CAMPAIGN_ID
from tests.pages.conftest import MINUTE_MS, Explored
from tests.pages.test_documentation import CSV_RELATIONS
from tests.support.browser import Visit

pytestmark = pytest.mark.browser

HELPER = "#operations-Record_Outreach_Helper-record_outreach_helper"


def test_redoc_shows_the_reference_on_a_public_name_and_finds_an_operation_by_a_search(
    visit: Visit, explored: Explored
) -> None:
    open_redoc(visit.page, explored.public_url)

    expect(visit.page.get_by_role("heading", name="Record Outreach Helper")).to_be_visible()
    visit.page.wait_for_load_state("networkidle")
    visit.page.get_by_text(re.compile("^Search")).click()
    visit.page.keyboard.type("record an outreach")
    visit.page.get_by_text("Record an outreach and the person who made it").first.click()

    expect(visit.page.get_by_text("The server matches the person by identifiers").first).to_be_visible()


def test_the_landing_page_links_to_all_pages(visit: Visit, explored: Explored) -> None:
    visit.page.goto(explored.live.url)

    links = visit.page.locator("dt a").evaluate_all("found => found.map(link => link.getAttribute('href'))")

    assert links == ["/staff", "/docs", "/redoc", "/openapi.json", "/explorer", "/api/v1/"]
    for link in links:
        assert visit.page.request.get(explored.live.url + link).ok


@pytest.mark.parametrize("path", ["/", "/docs/v1/outreach"])
def test_pages_fit_a_phone(visit: Visit, explored: Explored, path: str) -> None:
    visit.page.set_viewport_size({"width": 360, "height": 740})

    visit.page.goto(explored.live.url + path)

    assert visit.page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("relation", ["outreach", CSV_RELATIONS[0]], ids=["fields", "CSV"])
def test_a_relation_has_a_page(visit: Visit, explored: Explored, relation: str) -> None:
    visit.page.goto(f"{explored.live.url}/docs/v1/{relation}")

    expect(visit.page.locator("h1")).not_to_be_empty()
    assert visit.page.get_by_role("row").nth(1).is_visible() == (relation not in CSV_RELATIONS)


def test_swagger_ui_on_a_public_name_tries_out_an_operation_without_and_with_a_token(
    visit: Visit, explored: Explored
) -> None:
    visit.page.goto(explored.public_url + "/docs")
    expect(visit.page.locator(HELPER)).to_contain_text("Record an outreach and the person who made it")
    visit.page.wait_for_load_state("networkidle")
    open_example(visit.page)
    assert execute_example(visit.page) == ("200", {})
    visit.page.locator(HELPER).get_by_role("button", name="Clear").click()
    authorize(visit.page, explored.token)

    status, body = execute_example(visit.page)

    assert status == "200"
    assert body["identifiers"][1:] == ["foreign_system:1"]
    assert body["targets"][0]["family_name"] == "Smith"
    assert body["_links"]["osdi:advocacy_campaign"]["href"].endswith(CAMPAIGN_ID)


def open_redoc(page: Page, url: str) -> None:
    """Opens the reference and waits until ReDoc has prepared its search.

    ReDoc tests if the page may evaluate text as code, and works without a worker if not. Our policy forbids it, but the
    browser would allow it in a timer that Playwright fires at the end of a test. So the function waits for the test.
    """
    page.add_init_script("addEventListener('securitypolicyviolation', ({blockedURI}) => console.debug(blockedURI))")
    with page.expect_console_message(lambda message: message.text == "eval"):
        page.goto(url + "/redoc")


def authorize(page: Page, token: str) -> None:
    page.locator(".auth-wrapper .authorize").click()
    scheme = page.locator(".auth-container").filter(has_text="In: header")
    scheme.get_by_role("textbox").fill(token)
    scheme.get_by_role("button", name="Apply credentials").click()
    scheme.get_by_role("button", name="Close").click()


def open_example(page: Page) -> None:
    """Presses Try it out of the helper."""
    helper = page.locator(HELPER)
    # Swagger UI draws all properties of the helper's body, which takes long while other tests use the processors.
    helper.locator(".opblock-summary-control").click(timeout=MINUTE_MS)
    helper.get_by_role("button", name="Try it out").click(timeout=MINUTE_MS)
    expect(helper.get_by_placeholder("advocacy_campaign_id")).to_have_value(CAMPAIGN_ID)
    expect(helper.get_by_role("textbox").last).to_have_value(re.compile('"foreign_system:1"'))


def execute_example(page: Page) -> tuple[str, dict]:
    """Presses Execute without changing the example; returns the status and the body that are shown."""
    helper = page.locator(HELPER)
    helper.get_by_role("button", name="Execute").click()
    shown: Locator = helper.locator(".live-responses-table .response")
    status = shown.locator(".response-col_status").inner_text()
    return status.strip(), json.loads(shown.locator(".highlight-code code").inner_text())
