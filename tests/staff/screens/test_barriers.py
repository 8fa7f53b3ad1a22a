"""The check for barriers finds a contrast that is too low, also where it saw the same text with a good one before."""

import pytest
from playwright.sync_api import Browser

from tests.support.barriers import barriers

pytestmark = pytest.mark.browser

GOOD = "<p>Save the river.</p>"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("<p style='color: #999'>Save the river.</p>", "color-contrast"),
        (f"<div style='background: #333'>{GOOD}</div>", "color-contrast"),
        (f"<div style='opacity: 0.3'>{GOOD}</div>", "color-contrast"),
        (f"<style>@media (prefers-color-scheme: dark) {{ p {{ color: #999 }} }}</style>{GOOD}", "color-contrast"),
        ("<p>Save the river.<input></p>", "label"),
    ],
    ids=["text", "ground", "opacity", "dark", "another rule"],
)
def test_a_barrier_is_found_behind_a_page_without_one(browser: Browser, body: str, rule: str) -> None:
    html = "<!DOCTYPE html><html lang='en'><title>River</title><body style='background: #fff; color: #000'>"
    html += "<main><h1>River</h1>"
    with browser.new_context() as context:
        page = context.new_page()
        for _ in range(2):
            page.set_content(html + GOOD)
            assert barriers(page, dark=True) == ""

        for _ in range(2):
            page.set_content(html + body)
            assert rule in barriers(page, dark=True)
