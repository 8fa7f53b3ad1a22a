"""A supporter takes part in Chromium in each language, and on pages from right to left.

The fixture `open_page` checks after each test: no request to another server, no message in the console, no cookie.
"""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from osdi.languages import LANGUAGES, translations
from tests.act.conftest import Served
from tests.support.browser import Visit
from tests.support.slow import slow_except

pytestmark = pytest.mark.browser

ADA: dict[str, Any] = {"given_name": "Ada", "family_name": "Lovelace", "phone_numbers": [{"number": "+1 202-224-3121"}]}
PHONE = {"width": 320, "height": 640}


@pytest.mark.parametrize("language", slow_except(LANGUAGES[1:], LANGUAGES[1:2]))
def test_a_supporter_takes_part_in_the_language_of_the_page(
    served: Served, open_page: Callable[..., Visit], language: str
) -> None:
    words = translations(language).gettext
    page = open_page(viewport=PHONE).page
    page.goto(served.publish({"language": language}, type="phone", target_list=[ADA]).url)
    page.get_by_label(words("First name")).fill("Jane")
    page.get_by_label(words("E-mail address")).fill(f"jane-{language}@example.org")
    page.get_by_role("button", name=words("Record and continue")).click()
    expect(page.get_by_role("heading", level=1, name=words("Recorded. Now make your call."))).to_be_visible()
    assert fits(page)

    page.get_by_label(words("Nobody answered")).check()
    page.get_by_role("button", name=words("Continue")).click()

    expect(page.get_by_role("heading", level=1, name=words("Thank you!"))).to_be_visible()
    assert page.locator("html").get_attribute("lang") == language
    assert fits(page)


@pytest.mark.parametrize("path", slow_except(["", "/embed", "/thanks", "/share"], ["", "/thanks"]))
def test_a_page_from_right_to_left_is_mirrored_and_fits_a_phone(
    served: Served, open_page: Callable[..., Visit], path: str
) -> None:
    page = open_page(viewport=PHONE).page
    page.goto(served.publish(target_list=[ADA]).url + path)

    page.evaluate("document.documentElement.dir = 'rtl'")

    assert fits(page)
    # In a heading that is narrower than its place, the text stands at the right.
    sides = page.locator("h1, h2").first.evaluate(
        """heading => {
          const words = document.createRange();
          words.selectNodeContents(heading);
          const [text, box] = [words.getBoundingClientRect(), heading.getBoundingClientRect()];
          return [text.left - box.left, box.right - text.right];
        }"""
    )
    assert sides[0] > sides[1] - 1
    assert abs(sides[1]) < 2


def fits(page: Page) -> bool:
    """True if the page has no horizontal scroll bar."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
