"""A supporter without script in Chromium: mistakes, corrections, the browser's Back button, and a CMS's own form."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.act.conftest import Served
from tests.support.browser import Visit

pytestmark = pytest.mark.browser

Open = Callable[..., Visit]
SUBMIT = "Record and continue"


def correct(page: Page) -> None:
    page.get_by_label("E-mail address").fill("jane@example.org")
    page.get_by_role("button", name=SUBMIT).click()
    expect(page.locator("h1[data-focus]")).to_contain_text("Recorded. ")


def test_a_mistake_is_corrected_and_going_back_records_nothing_again(served: Served, open_page: Open) -> None:
    published = served.publish()
    visit = open_page(published.url, java_script_enabled=False)
    visit.expect_status(422)
    page = visit.page
    page.get_by_label("First name").fill("Jane <b>")

    page.get_by_role("button", name=SUBMIT).click()

    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("Please correct 1 entry")
    summary.get_by_role("link").click()
    expect(page.get_by_label("E-mail address")).to_be_focused()
    expect(page.get_by_label("First name")).to_have_value("Jane <b>")
    correct(page)
    page.reload()
    expect(page.locator("h1[data-focus]")).to_contain_text("Recorded. ")
    page.go_back()
    expect(page.get_by_label("E-mail address")).to_have_value("jane@example.org")
    page.get_by_role("button", name=SUBMIT).click()
    expect(page.locator("h1[data-focus]")).to_contain_text("Recorded. ")
    assert len(published.outreaches()) == 1


def test_a_form_that_a_password_manager_has_filled_is_confirmed_by_one_click(served: Served, open_page: Open) -> None:
    published = served.publish()
    visit = open_page(published.url, java_script_enabled=False)
    visit.expect_status(422)
    page = visit.page
    page.locator("[name=further_comment]").fill("Jane Doe", force=True)
    page.get_by_label("E-mail address").fill("jane@example.org")
    page.get_by_role("button", name=SUBMIT).click()
    expect(page.get_by_role("heading", name="Please confirm")).to_be_visible()
    assert published.outreaches() == []

    page.get_by_role("button", name="Confirm and continue").click()

    expect(page.locator("h1[data-focus]")).to_contain_text("Recorded. ")
    assert len(published.outreaches()) == 1


def test_a_form_of_a_cms_is_recorded_and_leads_back_to_its_site(served: Served, open_page: Open) -> None:
    published = served.publish()
    thanks = served.site.put("/thanks", "<h1>Many thanks</h1>")
    form = f"""
      <form action="{published.url}" method="post" enctype="multipart/form-data">
        <p><label>E-mail <input type="email" name="person.email_address"></label></p>
        <input type="hidden" name="redirect" value="{thanks}"><input type="hidden" name="form_build_id" value="form-x">
        <input type="submit" name="op" value="Send">
      </form>"""
    page = open_page(served.site.put("/act-now", form) + "?mail=jane@example.org&utm_source=letter").page
    page.get_by_label("E-mail").fill("jane@example.org")

    page.get_by_role("button", name="Send").click()

    expect(page.get_by_role("heading", name="Many thanks")).to_be_visible()
    (outreach,) = published.outreaches()
    assert outreach["referrer_data"]["website"] == served.site.url
    assert "jane" not in str(outreach["referrer_data"])
