"""Each staff page: with nothing stored, with the least, and with sample data; on a phone, by keyboard, in all colours.

A page is opened once for the tests of its class. A new route is tested without a change here, unless its address has
an argument for which data.py stores nothing.
"""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.staff.screens import checks, data
from tests.staff.screens.conftest import Staff
from tests.staff.screens.pages import ARGUMENT, OTHER_PAGES, PAGES, QUERIES
from tests.support.barriers import barriers

pytestmark = pytest.mark.browser

# Their addresses name no document, so they can be opened while nothing is stored.
LISTS = [rule for rule in PAGES if not ARGUMENT.search(rule) and "{" not in QUERIES.get(rule, "")]


@pytest.fixture(scope="class")
def page(request: pytest.FixtureRequest, staff: Staff) -> Page:
    """The page of a route, opened on a desktop."""
    staff.page.set_viewport_size(checks.DESKTOP)  # type: ignore[arg-type]
    return staff.show(request.param)


def each(rules: Any) -> Callable[[Any], Any]:
    return pytest.mark.parametrize("page", rules, indirect=True, scope="class")


@each(LISTS)
class TestWithNothingStored:
    fill = staticmethod(data.no_data)

    def test_has_one_main_heading_and_no_barrier(self, page: Page) -> None:
        assert page.get_by_role("heading", level=1).count() == 1
        assert not barriers(page, within="main")

    def test_fits_a_phone(self, page: Page) -> None:
        assert checks.widths(page) == [320, 320]


@each([rule for rule in PAGES if rule not in LISTS])
class TestWithTheLeast:
    fill = staticmethod(data.the_least)

    def test_has_one_main_heading_and_no_barrier(self, page: Page) -> None:
        assert page.get_by_role("heading", level=1).count() == 1
        assert not barriers(page, within="main")

    def test_fits_a_phone(self, page: Page) -> None:
        assert checks.widths(page) == [320, 320]


@each([*PAGES, *OTHER_PAGES])
class TestWithSampleData:
    fill = staticmethod(data.sample)

    def test_has_one_main_heading_and_no_barrier_that_axe_finds_in_light_and_dark(self, page: Page) -> None:
        assert page.get_by_role("heading", level=1).count() == 1
        assert not barriers(page, dark=True)

    def test_shows_each_control_and_text_in_forced_colours(self, page: Page) -> None:
        assert checks.invisible_in_forced_colours(page) == []

    def test_is_used_by_keyboard_with_a_focus_that_is_visible_and_not_covered(self, page: Page) -> None:
        assert checks.keyboard_problems(page) == []

    def test_fits_a_phone_also_at_two_hundred_per_cent(self, page: Page) -> None:
        assert checks.widths(page) == [320, 320]

    def test_has_controls_on_a_phone_that_a_finger_hits(self, page: Page) -> None:
        assert checks.small_controls(page) == []
