"""A supporter takes the steps after the form in Chromium: with and without script, in a frame, on a telephone, printed.

The fixture `open_page` checks after each test: no request to another server, no message in the console, no cookie.
"""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.act.conftest import Published, Served
from tests.support.browser import Visit
from tests.support.slow import slow_except

pytestmark = pytest.mark.browser

Open = Callable[..., Visit]
SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
MOSTLY_WITH_SCRIPT = pytest.mark.parametrize(
    "script", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["script", "no script"]
)
ADA = {
    "title": "Senator",
    "given_name": "Ada",
    "family_name": "Lovelace",
    "organization": "Committee on Water and Everything That Flows Into It",
    "ocdid": "a",
    "email_addresses": [{"address": "ada.lovelace.of.the.long.address@committee-on-water.senate.example.org"}],
    "phone_numbers": [{"number": "+1 202-224-3121", "description": "Office"}],
    "postal_addresses": [{"address_lines": ["Platz 1"], "postal_code": "11011", "locality": "Berlin"}],
}
BEN = {"given_name": "Ben", "family_name": "Ohm", "ocdid": "b", "email_addresses": [{"address": "ben@example.org"}]}
TEXT = "Dear {{ targets[0].family_name }},\n\nyours, {{ person.given_name }}"
TYPES = ("email", "phone", "postal mail", "in-person", "fax")


def publish(served: Served, page: dict[str, Any] | None = None, **fields: Any) -> Published:
    return served.publish(page, **{"target_list": [ADA], "templates": [TEXT], **fields})


def record(form: Page | FrameLocator) -> None:
    """Fills the form, sends it, and waits for the step."""
    form.get_by_label("First name").fill("Jane")
    form.get_by_label("E-mail address").fill("jane@example.org")
    form.get_by_label("Postal code").fill("20009")
    form.get_by_role("button", name="Record and continue").click()
    expect(form.get_by_role("heading", level=1, name="Recorded.")).to_be_visible()


def two_districts(served: Served) -> Published:
    """Publishes a campaign in which the code 20009 leads to two targets."""
    published = publish(served, {"targets": {"selection": "postal_code"}}, target_list=[ADA, BEN])
    campaign_id = published.campaign["_id"]
    of_table = {"advocacy_campaign_id": campaign_id, "table": "1"}
    served.database.postal_codes.insert_many(
        [
            {"_id": campaign_id, "version": 1, **of_table},
            {"_id": f"{campaign_id} 20009", "prefix": "20009", "targets": ["ocdid:a", "ocdid:b"], **of_table},
        ]
    )
    return published


@SCRIPT
def test_a_call_from_the_form_to_the_thank_you(served: Served, open_page: Open, script: bool) -> None:
    published = publish(served, type="phone")
    page = open_page(published.url, java_script_enabled=script).page

    record(page)
    expect(page.get_by_text("yours, Jane")).to_be_visible()
    expect(page.get_by_role("link", name="Call +1 202-224-3121")).to_have_attribute("href", "tel:+1-202-224-3121")
    page.get_by_label("I spoke with somebody").check()
    page.get_by_label("Minutes").fill("4")
    page.get_by_role("button", name="Continue").dblclick()

    expect(page.get_by_role("heading", level=1, name="Thank you!")).to_be_visible()
    assert page.url == f"{published.url}/thanks"
    (outreach,) = published.outreaches()
    assert (outreach["notes"], outreach["duration"]) == ("Senator Ada Lovelace: reached, 4 min", 240)


@MOSTLY_WITH_SCRIPT
def test_a_mistake_in_an_outcome_is_corrected(served: Served, open_page: Open, script: bool) -> None:
    published = publish(served, type="phone")
    visit = open_page(published.url, java_script_enabled=script)
    visit.expect_status(422)
    page = visit.page

    record(page)
    page.get_by_label("I left a voicemail").check()
    page.get_by_label("Minutes").fill("many")
    page.get_by_role("button", name="Continue").click()
    alert = page.get_by_role("alert")
    expect(alert).to_have_text("Please give the minutes as a number up to 600.")
    if script:
        expect(alert).to_be_focused()
    alert.get_by_role("link").click()
    expect(page.get_by_label("Minutes")).to_be_focused()
    page.get_by_label("Minutes").fill("")
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_role("heading", level=1, name="Thank you!")).to_be_visible()
    assert published.outreaches()[0]["notes"] == "Senator Ada Lovelace: left a voicemail"


@MOSTLY_WITH_SCRIPT
def test_a_supporter_of_two_districts_chooses(served: Served, open_page: Open, script: bool) -> None:
    published = two_districts(served)
    page = open_page(published.url, java_script_enabled=script).page

    record(page)
    expect(page.get_by_role("heading", level=1, name="Who represents you?")).to_be_visible()
    page.get_by_label("Ben Ohm").check()
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_label("Text")).to_have_value("Dear Ohm,\n\nyours, Jane")
    (outreach,) = published.outreaches()
    assert outreach["targets"] == [BEN]


def test_a_form_that_is_sent_again_after_a_reload_is_the_same_outreach(served: Served, open_page: Open) -> None:
    published = publish(served)
    page = open_page(published.url).page
    record(page)

    page.reload()
    record(page)

    expect(page.get_by_label("Text")).to_have_value("Dear Lovelace,\n\nyours, Jane")
    assert len(published.outreaches()) == 1


def test_the_heading_of_a_step_gets_the_focus(served: Served, open_page: Open) -> None:
    page = open_page(publish(served).url).page
    record(page)
    expect(page.get_by_role("heading", level=1, name="Recorded.")).to_be_focused()


def test_a_button_copies_a_number(served: Served, open_page: Open) -> None:
    page = open_page(publish(served, type="phone").url).page
    record(page)
    button = page.get_by_role("button", name="Copy")
    button.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    page.get_by_label("Minutes").focus()
    page.keyboard.press("Control+V")
    expect(page.get_by_label("Minutes")).to_have_value("+1 202-224-3121")


def test_a_button_of_the_mail_copies_a_text_that_is_too_long_for_it(served: Served, open_page: Open) -> None:
    text = "Save the river. " * 120
    visit = open_page(publish(served, templates=[text]).url)
    page = visit.page
    record(page)
    page.get_by_role("link", name="Open my mail program").click()
    page.evaluate("document.querySelector('#act-text').readOnly = false")
    page.get_by_label("Text").fill("")
    page.get_by_label("Text").focus()
    page.keyboard.press("Control+V")
    expect(page.get_by_label("Text")).to_have_value(text.strip())
    assert visit.foreign_requests.pop().startswith("mailto:")


@pytest.mark.parametrize(
    ("letter", "status", "words"),
    [("x", 422, "It may have 10,000 characters."), ("\U0001f30a", 413, "Your text is too long")],
    ids=["too many characters", "too many bytes"],
)
def test_a_text_that_is_too_long_is_counted_and_kept(
    served: Served, open_page: Open, letter: str, status: int, words: str
) -> None:
    visit = open_page(publish(served, templates=[]).url)
    visit.expect_status(status)
    page = visit.page
    length, message = page.locator("[data-length-of]"), page.get_by_label("Your message")
    expect(length).to_have_text("0 / 10,000")

    message.focus()
    page.keyboard.insert_text(letter * 10_001)
    expect(length).to_have_text("10,001 / 10,000")
    page.get_by_label("E-mail address").fill("jane@example.org")
    page.get_by_role("button", name="Record and continue").click()

    expect(page.get_by_role("alert" if status == 422 else "status")).to_contain_text(words)
    expect(message).to_have_value(letter * 10_001)


def test_without_script_no_button_is_shown_that_needs_one(served: Served, open_page: Open) -> None:
    for kind in ("phone", "postal mail"):
        page = open_page(publish(served, type=kind).url, java_script_enabled=False).page
        record(page)
        assert page.locator("[data-copy]:visible, [data-print]:visible, [data-share]:visible").count() == 0


def test_the_steps_stay_in_their_frame(served: Served, open_page: Open) -> None:
    published = publish(served, {"thank_you": {"redirect_url": "https://river.example.net/more"}}, type="phone")
    page = open_page(served.site.put("/", published.frame() + published.script())).page
    form = page.frame_locator("iframe")

    record(form)
    form.get_by_label("Nobody answered").check()
    form.get_by_role("button", name="Continue").click()

    expect(form.get_by_role("heading", level=1, name="Thank you!")).to_be_visible()
    expect(form.get_by_role("link", name="Continue", exact=True)).to_have_attribute("target", "_top")
    assert page.url.startswith(served.site.url)


def test_a_letter_is_printed_without_the_page_around_it(served: Served, open_page: Open) -> None:
    page = open_page(publish(served, type="postal mail").url).page
    record(page)
    page.emulate_media(media="print")
    expect(page.locator(".letter .body")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_hidden()
    expect(page.get_by_label("Text")).to_be_hidden()
    expect(page.get_by_role("link")).to_have_count(0)


@pytest.mark.parametrize("kind", slow_except(TYPES, ("email", "phone")))
def test_a_step_fits_a_telephone(served: Served, open_page: Open, kind: str) -> None:
    page = open_page(publish(served, type=kind).url, viewport={"width": 320, "height": 640}).page
    record(page)
    for address in ("", f"{page.url}/thanks"):
        if address:
            page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        sizes = page.locator("a:visible, button:visible").evaluate_all(
            "all => all.map(each => each.getBoundingClientRect().height)"
        )
        assert min(sizes) >= 24


def test_a_mastodon_server_is_asked_for_without_script(served: Served, open_page: Open) -> None:
    page = open_page(f"{publish(served).url}/thanks", java_script_enabled=False).page
    page.get_by_role("link", name="Mastodon").click()
    page.get_by_label("Your Mastodon server").fill("mastodon.example")
    page.get_by_role("button", name="Continue").click()
    link = page.get_by_role("link", name="Continue on mastodon.example")
    assert (link.get_attribute("href") or "").startswith("https://mastodon.example/share?text=")
