"""Security of the HAL explorer in a real browser: it sends the token only to the API, and shows answers as text.

The fixture `visit` checks after each test: no request to another server, and no error in the console except those for
statuses that the test expects.
"""

import json
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from osdi.resources import API
from tests.pages.conftest import Explored
from tests.pages.hal_explorer import create_person, open_explorer, path_of, respond_with, shown, shown_response
from tests.support.browser import Visit

pytestmark = pytest.mark.browser

# Sets a variable if the browser executes it.
SCRIPT = "window.attacked = true"
HOSTILE = f"<img src=x onerror='{SCRIPT}'><script>{SCRIPT}</script>"


def test_the_token_stays_in_memory_and_is_sent_only_to_the_api(visit: Visit, explored: Explored) -> None:
    page = visit.page
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))
    open_explorer(visit, explored, f"{API}/people", with_token=True)
    expect(shown(page)).to_contain_text("total_records")

    with_token = [request.url for request in sent if explored.token in request.headers.values()]
    assert with_token == [f"{explored.live.url}{API}/people"]
    assert not any(explored.token in request.url for request in sent)
    assert page.get_by_label("Token").get_attribute("type") == "password"
    assert explored.token not in page.url
    assert explored.token not in page.content()
    kept = page.evaluate("[document.cookie, history.state, history.length, {...localStorage}, {...sessionStorage}]")
    assert [kept[0], *kept[3:]] == ["", {}, {}]
    assert explored.token not in json.dumps(kept)

    visit.expect_status(401)
    page.reload()
    expect(shown(page)).to_contain_text("401")
    assert page.get_by_label("Token").input_value() == ""


def test_a_token_in_an_address_is_removed(visit: Visit, explored: Explored) -> None:
    sent: list[str] = []
    visit.page.on("request", lambda request: sent.append(request.url))
    visit.expect_status(401)

    open_explorer(visit, explored, f"{API}/people?OSDI-api-Token={explored.token}&page=1")

    expect(shown(visit.page)).to_contain_text("401")
    assert urlsplit(visit.page.url).fragment == f"{API}/people?page=1"
    assert visit.page.get_by_label("Address").input_value() == f"{API}/people?page=1"
    assert not any(explored.token in url for url in sent)


def test_hostile_values_are_shown_as_text(visit: Visit, explored: Explored) -> None:
    person = create_person(
        explored, given_name=HOSTILE, browser_url=f"javascript:{SCRIPT}", custom_fields={"a": HOSTILE}
    )
    open_explorer(visit, explored, path_of(person), with_token=True)

    properties = visit.page.get_by_label("Properties", exact=True)
    expect(properties).to_contain_text(HOSTILE)
    expect(properties.get_by_text(f"javascript:{SCRIPT}", exact=True)).to_be_visible()
    properties.get_by_text(f"javascript:{SCRIPT}", exact=True).click()
    visit.page.get_by_role("button", name="Send").click()
    expect(shown_response(visit.page)).to_contain_text(HOSTILE)

    nothing_ran(visit.page)


def test_hostile_links_are_not_followed(visit: Visit, explored: Explored) -> None:
    """Our server sends no such links, but the page must not rely on that."""
    javascript = f"javascript:{SCRIPT}//"
    elsewhere = ("https://elsewhere.example/api/v1/people", "//elsewhere.example/api/v1/", "/docs", f"{API}/../../docs")
    respond_with(
        visit.page,
        {
            "title": HOSTILE,
            "_links": {
                "self": {"href": f"{API}/tags"},
                "bad:scripts": [{"href": javascript, "title": HOSTILE}, {"href": f"data:text/html,{HOSTILE}"}],
                "bad:elsewhere": [{"href": href} for href in elsewhere],
                "bad:template": {"href": "https://elsewhere.example/{a}", "templated": True},
                "bad:unknown": {"href": "{+a}", "templated": True},
                "curies": [{"name": "bad", "href": f"{javascript}{{rel}}", "templated": True}],
            },
            "_embedded": {HOSTILE: [{"name": HOSTILE, "_links": {"self": {"href": javascript}}}]},
        },
    )
    open_explorer(visit, explored, f"{API}/tags", with_token=True)
    links = visit.page.get_by_label("Links", exact=True)
    expect(links).to_contain_text(javascript)

    links.get_by_text(javascript, exact=True).first.click()
    visit.page.get_by_label(f"Embedded: {HOSTILE}").get_by_text(HOSTILE, exact=True).first.click()
    links.get_by_label("a", exact=True).fill("x")
    links.get_by_role("button", name="Follow").click()
    expect(links).to_contain_text("This address is outside the API.")

    found = shown(visit.page).locator("a").evaluate_all("all => all.map(each => [each.href, each.target, each.rel])")
    inside = [href for href, *_ in found if "#" in href]
    assert inside == [f"{explored.live.url}/explorer#{API}/tags"]
    outside = [each for each in found if "#" not in each[0]]
    assert [urlsplit(href).path for href, *_ in outside] == ["/api/v1/people", "/api/v1/", "/docs", "/docs"]
    assert {tuple(rest) for _, *rest in outside} == {("_blank", "noreferrer")}
    assert shown(visit.page).locator("code").filter(has_text="{+a}").count() == 1
    nothing_ran(visit.page)


def nothing_ran(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.attacked") is None
    assert page.locator("main img, main script, main style, main [onerror]").count() == 0
