"""The form in a frame on another site's page: alone, with embed.js, in a sandbox, and where the frame stays empty.

The fixture `open_page` checks after each test: no request to another server, no message in the console, no cookie.
"""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.act.conftest import Published, Served
from tests.support.browser import Visit

pytestmark = pytest.mark.browser

Open = Callable[..., Visit]
ADDRESS = "jane@example.org"
STEP = 16
WAIT_MS = 8000


def heading(page: Page, number: int = 0) -> Locator:
    return page.frame_locator("iframe").nth(number).get_by_role("heading", name="Save the river")


def resized(page: Page, number: int = 0) -> tuple[float, float]:
    """Waits until embed.js has set a frame's height. Returns it and the height of the frame's content."""
    frame = page.locator("iframe").nth(number)
    expect(frame).to_have_attribute("style", re.compile("height"))
    content = page.frames[number + 1].evaluate("document.documentElement.getBoundingClientRect().height")
    return float(frame.evaluate("frame => parseFloat(frame.style.height)")), content


def post_from(page: Page, number: int, message: str) -> None:
    """Makes the document in a frame send a message to the page around it."""
    page.frames[number + 1].evaluate(f"parent.postMessage({message}, '*')")


def handled(page: Page) -> None:
    """Waits until the page has handled the messages that it has got so far."""
    page.evaluate("new Promise(resume => { addEventListener('message', resume, {once: true}); postMessage(0, '*'); })")


def frame_style(page: Page) -> str | None:
    return page.locator("iframe").first.get_attribute("style")


@pytest.fixture(scope="module")
def framed_page(browser: Browser, served: Served, published: Published) -> Iterator[Page]:
    """A page with a frame that embed.js has resized, for several tests."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(served.site.put("/framed", published.frame() + published.script()))
        resized(page)
        yield page


def hidden_values(page: Page, number: int = 0) -> dict[str, str]:
    """Returns the values of a framed form that say where the visit comes from."""
    names = "['source', 'utm_source', 'utm_campaign', 'referrer', 'website', 'email']"
    read = f"{names}.flatMap(name => [...document.getElementsByName(name)].map(each => [name, each.value]))"
    return dict(page.frames[number + 1].evaluate(read))


def test_a_frame_alone_shows_the_form(served: Served, published: Published, open_page: Open) -> None:
    page = open_page(served.site.put("/", published.frame())).page

    expect(heading(page)).to_be_visible()
    assert page.locator("iframe").evaluate("frame => frame.offsetHeight") >= 720


def test_the_script_makes_a_frame_as_high_as_its_content(served: Served, published: Published, open_page: Open) -> None:
    page = open_page(served.site.put("/", published.frame() + published.script())).page

    height, content = resized(page)

    assert height % STEP == 0
    assert content <= height < content + STEP
    page.set_viewport_size({"width": 320, "height": 600})
    expect(page.locator("iframe")).not_to_have_css("height", f"{height:g}px")
    height, content = resized(page)
    assert content <= height < content + STEP


def test_a_script_that_arrives_after_the_form_gets_its_height_and_passes_the_source(
    served: Served, published: Published, open_page: Open
) -> None:
    page = open_page().page
    held: list[Route] = []
    page.route("**/embed.js", lambda route: held.append(route))
    page.add_init_script("addEventListener('message', () => { window.formHasReported = true; })")
    page.goto(served.site.put("/", published.frame() + published.script()) + "?source=mail", wait_until="commit")
    page.wait_for_function("window.formHasReported")

    held[0].continue_()

    height, content = resized(page)
    assert content <= height < content + STEP
    expect(page.frame_locator("iframe").locator("input[name=source]")).to_have_value("mail")


def test_the_documented_policy_of_a_site_suffices(served: Served, published: Published, open_page: Open) -> None:
    """docs/embedding.md names these directives; the script needs no style-src, though it sets a height."""
    policy = f"default-src 'none'; img-src 'self'; frame-src {served.url} mailto: tel:; script-src {served.url}"
    address = served.site.put("/", published.frame() + published.script(), content_security_policy=policy)
    page = open_page(address).page

    height, content = resized(page)

    assert content <= height < content + STEP


def test_two_frames_on_one_page_have_their_own_heights(served: Served, open_page: Open) -> None:
    short = served.publish(title="Save the river")
    long = served.publish({"consent": {"text": "Send me news of the river. " * 40}}, title="Save the river")
    page = open_page(served.site.put("/", short.frame() + long.frame() + long.script() * 2)).page

    expect(heading(page, 1)).to_be_visible()
    for number in (0, 1):
        height, content = resized(page, number)
        assert content <= height < content + STEP


@pytest.mark.parametrize(
    ("sent", "height"),
    [
        ("NaN", None),
        ("0", None),
        ("-5", None),
        ("'900'", None),
        ("null", None),
        ("[900]", None),
        ("Infinity", "4096px"),
        ("1e9", "4096px"),
        ("1", "320px"),
        ("901", "912px"),
    ],
)
def test_heights_that_a_frame_reports_are_bounded(framed_page: Page, sent: str, height: str | None) -> None:
    post_from(framed_page, 0, "{type: 'osdi:height', height: 640}")

    post_from(framed_page, 0, f"{{type: 'osdi:height', height: {sent}}}")
    handled(framed_page)

    assert frame_style(framed_page) == f"height: {height or '640px'};"


@pytest.mark.parametrize(
    "message", ["null", "'osdi:height'", "{}", "{type: 'osdi:height'}", "{type: 'other', height: 900}"]
)
def test_other_messages_of_a_frame_are_ignored(framed_page: Page, message: str) -> None:
    before = frame_style(framed_page)

    post_from(framed_page, 0, message)
    handled(framed_page)

    assert frame_style(framed_page) == before


def test_messages_of_other_frames_and_of_the_page_itself_are_ignored(
    served: Served, published: Published, open_page: Open
) -> None:
    forged = "{type: 'osdi:height', height: 2000}"
    served.site.put("/other", f"<script>parent.postMessage({forged}, '*')</script>Other")
    page = open_page(
        served.site.put("/", published.frame() + '<iframe src="/other"></iframe>' + published.script())
    ).page
    resized(page)
    before = frame_style(page)

    post_from(page, 1, forged)
    page.evaluate(f"postMessage({forged}, '*')")
    handled(page)

    assert frame_style(page) == before
    assert page.locator("iframe").nth(1).get_attribute("style") is None


def test_a_page_that_our_frame_was_led_to_cannot_resize_it(
    served: Served, published: Published, open_page: Open
) -> None:
    forged = "{type: 'osdi:height', height: 2000}"
    other = served.site.put("/other", "Other")
    page = open_page(served.site.put("/", published.frame() + published.script())).page
    resized(page)
    before = frame_style(page)

    page.frames[1].evaluate("address => location.assign(address)", other)
    expect(page.frame_locator("iframe").get_by_text("Other")).to_be_visible()
    post_from(page, 0, forged)
    handled(page)

    assert frame_style(page) == before


def test_the_script_passes_the_source_of_the_visit_and_no_other_part_of_the_address(
    served: Served, published: Published, open_page: Open
) -> None:
    address = served.site.put("/", published.frame() + published.script())
    query = "?source=mail&utm_source=march&utm_campaign=river&email=jane@example.org"
    page = open_page().page

    page.goto(address + query, referer="https://search.example.com/find?q=jane")
    resized(page)

    expect(page.frame_locator("iframe").locator("input[name=source]")).to_have_value("mail")
    assert hidden_values(page) == {
        "source": "mail",
        "utm_source": "march",
        "utm_campaign": "river",
        "referrer": "https://search.example.com",
        "website": served.site.url,
    }


def test_the_source_in_the_address_of_a_frame_comes_first(
    served: Served, published: Published, open_page: Open
) -> None:
    framed = published.frame(query="?source=sidebar")
    page = open_page(served.site.put("/", framed + published.script()) + "?source=mail").page
    resized(page)

    assert hidden_values(page)["source"] == "sidebar"


def test_a_frame_takes_a_source_from_the_page_around_it_only(
    served: Served, published: Published, open_page: Open
) -> None:
    sent = "{type: 'osdi:context', source: 'forged'}"
    page = open_page(
        served.site.put("/", published.frame() + '<iframe src="/other"></iframe>' + published.script())
    ).page
    served.site.put("/other", "Other")
    resized(page)

    page.frames[2].evaluate(f"parent.frames[0].postMessage({sent}, '*')")
    handled(page)

    assert "source" not in hidden_values(page)


@pytest.mark.parametrize("sandbox", ["allow-scripts allow-forms", "allow-scripts allow-forms allow-same-origin"])
def test_a_form_in_a_sandbox_is_resized(served: Served, published: Published, open_page: Open, sandbox: str) -> None:
    page = open_page(served.site.put("/", published.frame(f'sandbox="{sandbox}"') + published.script())).page

    expect(heading(page)).to_be_visible()
    height, content = resized(page)

    assert content <= height < content + STEP


@pytest.mark.parametrize(
    ("attributes", "headers"),
    [
        ('sandbox="allow-forms"', {}),
        ('sandbox="allow-scripts"', {}),
        ("", {"content_security_policy": "frame-src 'self'"}),
    ],
    ids=["sandbox without scripts", "sandbox without forms", "policy of the site"],
)
def test_a_link_is_shown_where_the_form_does_not_appear_or_cannot_be_sent(
    served: Served, published: Published, open_page: Open, attributes: str, headers: dict[str, str]
) -> None:
    visit = open_page()
    for reported in ("Blocked script execution in", "Framing"):  # the sandbox, or the frame
        visit.expect_message(reported)
    visit.page.clock.install()
    visit.page.goto(served.site.put("/", published.frame(attributes) + published.script(), **headers))
    link = visit.page.get_by_role("link", name="Save the river")
    expect(visit.page.locator("iframe")).to_have_attribute("data-osdi-watched", "visible")
    expect(link).to_have_count(0)

    visit.page.clock.fast_forward(WAIT_MS)

    expect(link).to_have_attribute("href", published.url)


def test_no_link_is_shown_for_a_frame_that_was_not_in_view(
    served: Served, published: Published, open_page: Open
) -> None:
    below = f'<div style="height: 9000px"></div>{published.frame("loading=lazy")}'
    visit = open_page()
    visit.page.clock.install()
    visit.page.goto(served.site.put("/", below + published.script()))
    expect(visit.page.locator("iframe")).to_have_attribute("data-osdi-watched", "")
    visit.page.clock.fast_forward(2 * WAIT_MS)
    expect(visit.page.get_by_role("link")).to_have_count(0)

    visit.page.locator("iframe").scroll_into_view_if_needed()

    expect(heading(visit.page)).to_be_visible()
    resized(visit.page)
    visit.page.clock.fast_forward(2 * WAIT_MS)
    expect(visit.page.get_by_role("link")).to_have_count(0)


def test_a_content_management_system_that_removes_scripts_leaves_frame_and_link(
    served: Served, published: Published, open_page: Open
) -> None:
    snippet = published.frame() + f'<p><a href="{published.url}">Save the river</a></p>' + published.script()
    kept = re.sub(r"<script.*?</script>", "", snippet)
    page = open_page(served.site.put("/", kept)).page

    expect(heading(page)).to_be_visible()
    page.get_by_role("link", name="Save the river").press("Enter")

    expect(page).to_have_url(published.url)
    expect(page.get_by_role("heading", name="Save the river")).to_be_visible()
