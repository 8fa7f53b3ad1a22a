"""The check for barriers finds what makes a page hard to read, in light and in dark colours."""

import pytest
from playwright.sync_api import Browser

from tests.support.barriers import barriers

pytestmark = pytest.mark.browser

GOOD = "<p>Save the river.</p>"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (GOOD, ""),
        ("<p style='color: #999'>Save the river.</p>", "color-contrast"),
        (f"<style>@media (prefers-color-scheme: dark) {{ p {{ color: #999 }} }}</style>{GOOD}", "color-contrast"),
        ("<p>Save the river.<input></p>", "label"),
    ],
    ids=["none", "light", "dark", "another rule"],
)
def test_a_barrier_is_found(browser: Browser, body: str, rule: str) -> None:
    html = "<!DOCTYPE html><html lang='en'><title>River</title><body style='background: #fff; color: #000'>"
    with browser.new_context() as context:
        page = context.new_page()
        page.set_content(f"{html}<main><h1>River</h1>{body}")
        found = barriers(page, dark=True)

    assert bool(found) == bool(rule)
    assert rule in found
