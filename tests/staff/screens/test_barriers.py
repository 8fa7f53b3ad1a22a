"""The check for barriers finds what makes a page hard to read, in light and in dark colours."""

import pytest
from playwright.sync_api import Browser

from tests.support.barriers import barriers

pytestmark = pytest.mark.browser

GOOD = "<p>Save the river.</p>"
GREY = "<span style='color: #848484'>Save the river.</span>"
LINK = "<a href='/' style='color: #0000ee; text-decoration: none'>the river</a>"
BODY = "<body style='background: white; color: black'><main><h1>River</h1>"
START = f"<!DOCTYPE html><html lang='en'><title>River</title>{BODY}"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (GOOD, ""),
        ("<p style='color: #999'>Save the river.</p>", "color-contrast"),
        (f"<style>@media (prefers-color-scheme: dark) {{ p {{ color: #999 }} }}</style>{GOOD}", "color-contrast"),
        (f"{GOOD}<p style='font-size: 30px'>{GREY}</p>{GOOD}<p>{GREY}</p>{GOOD}", "color-contrast"),
        (f"{GOOD}<section style='background: #222'>{GOOD}</section>{GOOD}", "color-contrast"),
        (f"{GOOD}<section style='background: white; opacity: 0.4'>{GOOD}</section>{GOOD}", "color-contrast"),
        (f"{GOOD}<p style='color: #111'>We have to protect {LINK} this year.</p>{GOOD}", "link-in-text-block"),
        (
            f"{GOOD}<p><span style='color: #0000ee'>{LINK}</span></p><p>We have to protect {LINK} this year.</p>{GOOD}",
            "link-in-text-block",
        ),
        ("<p>Save the river.<input></p>", "label"),
        (f"<p style='color: #999'>Save the river.</p><p style='color: #999'>x</p>{GOOD}", "color-contrast"),
        ("", ""),
    ],
    ids=[
        *("none", "light", "dark", "a smaller text of a colour", "another ground", "a ground that shines through"),
        *("a link", "a link with other text around it", "another rule", "beside a letter", "no text"),
    ],
)
def test_a_barrier_is_found(browser: Browser, body: str, rule: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.set_content(START + body)
        found = barriers(page, dark=True)

    assert bool(found) == bool(rule)
    assert rule in found


def test_a_barrier_of_a_later_document_of_the_page_is_found(browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        found = []
        for body in (GOOD, "<input>", GOOD):
            page.goto(f"data:text/html,{START}{body}")
            found.append(barriers(page))

    assert ["label" in each for each in found] == [False, True, False], found
