"""Each staff page: with nothing stored, with the least, and with sample data; on a phone, by keyboard, in all colours.

A page is opened once for the tests of its class. `make test` opens each page with sample data in light colours and on a
phone; the other checks run for some pages there, and for all in CI. A new route is tested
without a change here, unless its address has an argument for which data.py stores nothing.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.staff.screens import checks, data
from tests.staff.screens.conftest import Staff
from tests.staff.screens.pages import ARGUMENT, OTHER_PAGES, PAGES, QUERIES
from tests.support.barriers import barriers, barriers_in_dark
from tests.support.slow import slow_except

pytestmark = pytest.mark.browser

# Their addresses name no document, so they can be opened while nothing is stored.
LISTS = [rule for rule in PAGES if not ARGUMENT.search(rule) and "{" not in QUERIES.get(rule, "")]


SHOWN = [*PAGES, *OTHER_PAGES]
# Pages of each kind: figures, a list with a filter, a table that scrolls, a diagram, a form with many kinds of fields,
# one with a preview, a page of details, two columns side by side, a question before a change, and a page of few words.
OF_EACH_KIND = {
    "/staff",
    "/staff/people",
    "/staff/settings/tokens",
    "/staff/campaigns/<advocacy_campaign_id>/statistics",
    "/staff/imports/<import_id>/columns",
    "/staff/messages/<message_id>",
    "/staff/people/<person_id>",
    "/staff/people/<person_id>/merge/<other_id>",
    "/staff/people/<person_id>/erase",
    "/staff/sign-in",
}


@pytest.fixture(scope="class")
def page(request: pytest.FixtureRequest, staff: Staff) -> Page:
    """The page of a route, opened on a desktop."""
    staff.page.set_viewport_size(checks.DESKTOP)  # type: ignore[arg-type]
    return staff.show(request.param)


def each(rules: Iterable[str], kept: Collection[str] = SHOWN) -> Callable[[Any], Any]:
    """Runs the tests of a class, or one of them, for the pages of these routes; for those that are not kept, in CI."""
    found = list(rules)
    return pytest.mark.parametrize("page", slow_except(found, set(kept) & set(found)), indirect=True, scope="class")


@each(LISTS, OF_EACH_KIND)
class TestWithNothingStored:
    fill = staticmethod(data.no_data)

    def test_has_one_main_heading_and_no_barrier(self, page: Page) -> None:
        assert page.get_by_role("heading", level=1).count() == 1
        assert not barriers(page, within="main")

    def test_fits_a_phone(self, page: Page) -> None:
        assert checks.widths(page) == [320, 320]


@each([rule for rule in PAGES if rule not in LISTS], OF_EACH_KIND)
class TestWithTheLeast:
    fill = staticmethod(data.the_least)

    def test_has_one_main_heading_and_no_barrier(self, page: Page) -> None:
        assert page.get_by_role("heading", level=1).count() == 1
        assert not barriers(page, within="main")

    def test_fits_a_phone(self, page: Page) -> None:
        assert checks.widths(page) == [320, 320]


class TestWithSampleData:
    fill = staticmethod(data.sample)

    @each(SHOWN)
    def test_has_one_main_heading_and_no_barrier_that_axe_finds_in_light_colours(self, page: Page) -> None:
        assert page.get_by_role("heading", level=1).count() == 1
        assert not barriers(page)

    @each(SHOWN, OF_EACH_KIND)
    def test_has_no_barrier_that_axe_finds_in_dark_colours(self, page: Page) -> None:
        assert not barriers_in_dark(page)

    @each(SHOWN, OF_EACH_KIND)
    def test_shows_each_control_and_text_in_forced_colours(self, page: Page) -> None:
        assert checks.invisible_in_forced_colours(page) == []

    @each(SHOWN, OF_EACH_KIND)
    def test_is_used_by_keyboard_with_a_focus_that_is_visible_and_not_covered(self, page: Page) -> None:
        assert checks.keyboard_problems(page) == []

    @each(SHOWN)
    def test_fits_a_phone_also_at_two_hundred_per_cent(self, page: Page) -> None:
        assert checks.widths(page) == [320, 320]

    @each(SHOWN)
    def test_has_controls_on_a_phone_that_a_finger_hits(self, page: Page) -> None:
        assert checks.small_controls(page) == []
