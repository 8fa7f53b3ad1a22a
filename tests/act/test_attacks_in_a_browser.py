"""Texts of campaigns and supporters in a real browser: no script runs, nothing of another site is loaded.

The fixture `open_page` checks after each test: no request to another server, no message in the console (a violation of
the Content-Security-Policy is one), no cookie.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.act.conftest import Served
from tests.act.test_attacks import HOSTILE, KINDS, SOME_KINDS, hostile_campaign
from tests.support.browser import Visit

pytestmark = pytest.mark.browser

Open = Callable[..., Visit]
WATCH = """
  window.violations = [];
  document.addEventListener("securitypolicyviolation", event => violations.push(event.violatedDirective));
"""


@SOME_KINDS
def test_scripts_in_texts_of_a_campaign_and_a_supporter_are_text(kind: str, served: Served, open_page: Open) -> None:
    settings, campaign = hostile_campaign(kind)
    published = served.publish(
        {**settings, "slug": f"hostile-{KINDS.index(kind)}"},
        **campaign,
        match_keys=[f"slug:hostile-{KINDS.index(kind)}"],
    )
    visit = open_page()
    page, dialogs = visit.page, list[str]()
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.add_init_script(WATCH)

    def check() -> None:
        assert page.evaluate("[typeof window.attacked, window.violations.length]") == ["undefined", 0]
        expect(page.locator("body")).to_contain_text("<script>window.attacked=1</script>")

    for address in (f"{published.url}/thanks", published.embed_url, published.url):
        page.goto(address)
        check()
    page.locator("[name='person.given_name']").fill(HOSTILE[:200])
    page.locator("[name='person.email_address']").fill("hostile@example.org")
    page.locator("[name='person.street_address']").fill(HOSTILE[:200])
    page.locator("[name='consent']").check()
    page.locator("form button[type=submit]").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Recorded")
    check()
    assert dialogs == []
    assert page.url.startswith(served.url)
