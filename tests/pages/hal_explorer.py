"""Functions for tests of the HAL explorer: open it, find its parts, and create people."""

from typing import Any
from urllib.parse import urlsplit

import requests
from playwright.sync_api import Locator, Page, expect

from osdi.resources import API
from osdi.sample import CAMPAIGN_ID
from tests.pages.conftest import Explored
from tests.support import factories
from tests.support.browser import Visit

HELPER = f"{API}/advocacy_campaigns/{CAMPAIGN_ID}/record_outreach_helper"


def open_explorer(visit: Visit, explored: Explored, path: str = "", *, with_token: bool = False) -> None:
    """Opens the explorer at an address of the API; `with_token` enters a token before it opens the address."""
    visit.page.goto(explored.live.url + "/explorer" + (f"#{path}" if path and not with_token else ""))
    if with_token:
        expect(heading(visit.page)).to_have_text(f"{API}/")
        visit.page.get_by_label("Token").fill(explored.token)
        if path:
            open_address(visit.page, path)
            expect(heading(visit.page)).to_have_text(path)


def use_token(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Use").click()


def open_address(page: Page, address: str) -> None:
    page.get_by_label("Address").fill(address)
    page.get_by_role("button", name="Go").click()


def tab_to(page: Page, name: str) -> None:
    """Presses Tab until the element with this id or text has the focus."""
    focused = "[document.activeElement.id, document.activeElement.textContent]"
    for _ in range(60):
        if name in page.evaluate(focused):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"The keyboard does not reach {name}.")


def shown(page: Page) -> Locator:
    return page.locator("#resource[aria-busy=false]")


def heading(page: Page) -> Locator:
    return page.locator("#resource h2")


def editor(page: Page) -> Locator:
    return page.get_by_label("Body (JSON)")


def shown_response(page: Page) -> Locator:
    return page.locator("#response")


def link(page: Page, text: str) -> Locator:
    return page.get_by_label("Links", exact=True).get_by_role("link", name=text, exact=True)


def respond_with(page: Page, resource: dict[str, Any]) -> None:
    """Makes the API respond with this resource for the collection of tags."""
    page.route(f"**{API}/tags", lambda route: route.fulfill(json=resource))


def header(explored: Explored) -> dict[str, str]:
    return {"OSDI-API-Token": explored.token}


def create_person(explored: Explored, **fields: Any) -> dict[str, Any]:
    """Creates a person with unique contact details by the helper, and returns them."""
    body = factories.outreach(person=factories.person(**fields))
    recorded = requests.post(explored.live.url + HELPER, json=body, headers=header(explored), timeout=10).json()
    return read(explored, {"_links": {"self": recorded["_links"]["osdi:person"]}})


def read(explored: Explored, resource: dict[str, Any]) -> dict[str, Any]:
    found = requests.get(explored.live.url + path_of(resource), headers=header(explored), timeout=10)
    assert found.status_code == 200
    return dict(found.json())


def name_of(person: dict[str, Any]) -> str:
    return f"{person['given_name']} {person['family_name']}"


def path_of(resource: dict[str, Any]) -> str:
    return urlsplit(resource["_links"]["self"]["href"]).path
