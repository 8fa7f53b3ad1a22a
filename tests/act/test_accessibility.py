"""Each state of the public pages is accessible (WCAG 2.2): axe, keyboard, narrow windows, large text, few colours."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.act.conftest import IMAGES, Published, Served
from tests.act.test_submitting import expect_recorded, fill, submit
from tests.support.barriers import barriers
from tests.support.browser import Visit
from tests.support.slow import slow_except

pytestmark = pytest.mark.browser

Open = Callable[..., Visit]
KILOBYTE = 1000
TARGETS = [
    {
        "title": "Senator",
        "given_name": "John",
        "family_name": "Smith",
        "email_addresses": [{"address": "smith@example.org"}],
        "phone_numbers": [{"number": "12025550123"}],
        "postal_addresses": [{"address_lines": ["1 Main Street"], "locality": "Washington"}],
    }
]
FULL: dict[str, Any] = {
    "summary": "The council votes in May.",
    "description": "<h2>Why</h2><p>The river gives us <a href='https://example.org'>water</a>.</p>",
    "target_list": TARGETS,
    "templates": ["Dear {{ target.title }}, please save the river."],
}
PAGE: dict[str, Any] = {
    "fields": [{"name": "given_name"}, {"name": "email_address", "required": True}, {"name": "street_address"}],
    "consent": {"text": "Send me news of the river."},
    "goal": 100,
    "show_count_from": 1,
    "privacy_url": "https://river.example.net/privacy",
}
SEEN = """() => {
  const shown = document.querySelectorAll('a.button, button, input:not([type=hidden]), select, textarea, summary');
  return [...shown].filter(each => each.checkVisibility() && !each.closest('.extra')).map(each => {
    const box = (each.closest('label.choice') ?? each).getBoundingClientRect();
    return [each.outerHTML.slice(0, 80), Math.round(box.height), parseFloat(getComputedStyle(each).fontSize)];
  });
}"""
# The focused element, and whether a supporter sees it: in the window, not covered, and with an outline.
FOCUS = """() => {
  const each = document.activeElement, box = each.getBoundingClientRect(), style = getComputedStyle(each);
  const top = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height / 2, 10));
  return {
    name: each.name || each.textContent.trim(),
    visible: each === document.body || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2
      && box.top >= 0 && box.bottom <= innerHeight && each.contains(top)),
  };
}"""


def recorded(page: Page) -> None:
    fill(page)
    submit(page).click()
    expect_recorded(page)


def mistaken(page: Page) -> None:
    submit(page).click()
    expect(page.get_by_role("alert")).to_be_visible()


def doubted(page: Page) -> None:
    page.locator(".extra input").evaluate("field => { field.value = 'x'; }")
    fill(page)
    submit(page).click()
    expect(page.get_by_role("button", name="Confirm and continue")).to_be_visible()


def failed(page: Page) -> None:
    page.route("**/act/**", lambda route: route.abort())
    fill(page)
    submit(page).click()
    expect(page.locator("[data-failed]")).to_be_visible()


def untouched(page: Page) -> None:
    expect(page.locator("h1")).to_be_visible()


STATES: dict[str, tuple[str, Callable[[Page], None], dict[str, Any], dict[str, Any]]] = {
    "page": ("", untouched, {}, {}),
    "frame": ("/embed", untouched, {}, {}),
    "mistakes": ("", mistaken, {}, {}),
    "no response": ("", failed, {}, {}),
    "doubt": ("", doubted, {}, {}),
    "prompts": ("", untouched, {"message": {"rule": "prompts", "prompts": ["Why?"]}}, {}),
    "choice of targets": ("", untouched, {"targets": {"selection": "choose"}}, {}),
    "e-mail": ("", recorded, {}, {"type": "email"}),
    "call": ("", recorded, {}, {"type": "phone"}),
    "letter": ("", recorded, {}, {"type": "postal mail"}),
    "visit": ("", recorded, {}, {"type": "in-person"}),
    "other": ("", recorded, {}, {"type": "petition"}),
    "thanks": ("/thanks", untouched, {}, {}),
    "closed": ("", untouched, {"closed_message": "We have won."}, {"anonymous_posts": {"enabled": False}}),
    "not found": ("x", untouched, {}, {}),
}


# The other states have the parts of these.
OF_EACH_KIND = ("page", "mistakes", "choice of targets", "e-mail", "call", "thanks", "closed", "not found")


@pytest.mark.parametrize("state", slow_except(STATES, OF_EACH_KIND))
def test_axe_finds_nothing_in_light_and_dark(served: Served, open_page: Open, state: str) -> None:
    suffix, tab_to, page, fields = STATES[state]
    published = served.publish({**PAGE, **page}, **{**FULL, **fields})
    visit = open_page(published.url + suffix)
    tab_to(visit.page)

    assert not barriers(visit.page, dark=True)

    assert visit.page.evaluate("document.getAnimations().length") == 0
    visit.messages.clear()  # the browser reports answers that are errors


@pytest.mark.parametrize("colour", slow_except(["#ffff66", "#111111", "#ff4f8b"], ["#ffff66"]))
def test_axe_finds_nothing_in_the_organisations_colour(served: Served, open_page: Open, colour: str) -> None:
    published = served.publish({**PAGE, "colour": colour}, **FULL)
    page = open_page(published.url).page

    assert not barriers(page, dark=True)


@pytest.mark.parametrize(
    "state", slow_except(["page", "frame", "mistakes", "call", "e-mail", "thanks"], ["frame", "mistakes", "e-mail"])
)
def test_a_state_fits_a_narrow_window_and_large_text(served: Served, open_page: Open, state: str) -> None:
    suffix, tab_to, page, fields = STATES[state]
    long_title = "Donaudampfschifffahrtsgesellschaftskapitänskajütenschlüssel"
    published = served.publish({**PAGE, **page}, **{**FULL, "title": long_title, **fields})
    visit = open_page(published.url + suffix)
    tab_to(visit.page)

    for width, size in ((320, "100%"), (1280, "200%"), (320, "200%")):
        visit.page.set_viewport_size({"width": width, "height": 700})
        visit.page.evaluate("size => { document.documentElement.style.fontSize = size; }", size)
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width, (width, size)
    visit.page.evaluate("document.documentElement.style.fontSize = ''")
    small = [each for each in visit.page.evaluate(SEEN) if each[1] < 44 or each[2] < 16]

    assert small == []
    visit.messages.clear()  # the browser reports answers that are errors


def test_a_supporter_records_by_keyboard_and_sees_the_focus_at_each_stop(served: Served, open_page: Open) -> None:
    published = served.publish(PAGE, **{**FULL, "type": "phone"})
    page = open_page(published.url, viewport={"width": 390, "height": 500}).page
    stops = []

    def tab_to(name: str) -> None:
        for _ in range(30):
            page.keyboard.press("Tab")
            focus = page.evaluate(FOCUS)
            stops.append(focus)
            if focus["name"] == name:
                return
        raise AssertionError(f"The keyboard does not reach {name}: {stops}")

    tab_to("person.given_name")
    page.keyboard.type("Jane")
    tab_to("person.email_address")
    page.keyboard.type("jane@example.org")
    tab_to("Record and continue")
    page.keyboard.press("Enter")
    expect_recorded(page)
    expect(page.locator("h1")).to_be_focused()
    tab_to("outcome.0")
    page.keyboard.press("Space")
    tab_to("Continue")
    page.keyboard.press("Enter")

    expect(page.locator("h1")).to_have_text("Thank you!")
    assert [stop for stop in stops if not stop["visible"]] == []
    (outreach,) = published.outreaches()
    assert outreach["notes"]


def test_forced_colours_show_the_edges_of_buttons_and_of_the_counter(served: Served, open_page: Open) -> None:
    published = served.publish({**PAGE, "goal": 2}, **FULL)
    page = open_page(published.url, forced_colors="active").page
    recorded(page)
    page.goto(published.url)

    for element in (submit(page), page.locator("progress"), page.get_by_label("First name")):
        assert element.evaluate("each => parseFloat(getComputedStyle(each).borderTopWidth)") >= 1


def test_a_page_has_at_most_five_files_and_14_kilobytes_of_text(served: Served, open_page: Open) -> None:
    images = {"featured_image_url": f"{IMAGES}/river.svg"}
    published = served.publish({**PAGE, "logo_url": f"{IMAGES}/logo.svg", "colour": "#7a1f5c"}, **FULL, **images)
    visit = open_page()
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 9"/>'
    visit.page.route(f"{IMAGES}/*", lambda route: route.fulfill(body=svg, content_type="image/svg+xml"))
    response = visit.page.goto(published.url, wait_until="networkidle")

    assert response
    assert len(gzip.compress(response.body())) <= 14 * KILOBYTE
    assert len(set(visit.requests)) == 5, visit.requests


def test_the_page_does_not_jump_while_it_loads(served: Served, published: Published, open_page: Open) -> None:
    visit = open_page()
    visit.page.add_init_script(
        "window.shift = 0; new PerformanceObserver(list => list.getEntries().forEach(each => { shift += each.value; }))"
        ".observe({ type: 'layout-shift', buffered: true });"
    )
    visit.page.goto(published.url, wait_until="networkidle")

    assert visit.page.evaluate("shift") <= 0.05
