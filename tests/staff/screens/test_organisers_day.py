"""A day of an organiser in a real browser: gunicorn, a worker and a mail server run beside it, and no test data."""

import csv
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email.message import EmailMessage

import pytest
from playwright.sync_api import Browser, Page, expect

from dev.mongod import Mongod
from osdi.staff.members import add_member
from tests.support.browser import Visit, visiting
from tests.support.databases import own_database
from tests.support.live import Live, Worker
from tests.support.smtp_sink import SmtpSink

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MAIL_SECONDS = 20
LINK = re.compile(r"http://\S+/staff/link/\S+")


@dataclass(frozen=True)
class Deployment:
    """A server with a worker and a mail server, and browsers that visit it."""

    url: str
    sink: SmtpSink
    browser: Browser

    @contextmanager
    def opened(self) -> Iterator[Visit]:
        """Opens a page in a browser profile of its own."""
        with self.browser.new_context(locale="en-US") as context, visiting(context, self.url) as visit:
            yield visit

    def mail_to(self, address: str) -> EmailMessage:
        """Waits for the first mail to an address that no test has read, and returns it."""
        deadline = time.monotonic() + MAIL_SECONDS
        while True:
            for position, mail in enumerate(self.sink.mails):
                if mail["To"] == address:
                    del self.sink.envelopes[position]
                    return mail
            assert time.monotonic() < deadline, f"no mail to {address}"
            time.sleep(0.05)


@pytest.fixture
def deployment(mongod: Mongod, browser: Browser) -> Iterator[Deployment]:
    with ExitStack() as stack:
        store, _ = stack.enter_context(own_database(mongod.uri, "organisers_day"))
        add_member(store, "ada@example.org", name="Ada Lovelace")
        sink = stack.enter_context(SmtpSink())
        environment = {
            "MONGODB_URI": mongod.uri.replace("/osdi?", "/organisers_day?"),
            "SMTP_URL": sink.url,
            "MAIL_FROM": "The Wood <hello@wood.example.org>",
            "CACHE_SECONDS": "0",
        }
        live = stack.enter_context(Live(environment))
        stack.enter_context(Worker({**environment, "PUBLIC_URL": live.url}))
        yield Deployment(live.url, sink, browser)


def test_an_organiser_runs_a_campaign_from_the_first_sign_in_to_the_last_sign_out(deployment: Deployment) -> None:
    with deployment.opened() as visit, deployment.opened() as telephone, deployment.opened() as supporter:
        page = visit.page
        for each in (page, telephone.page):
            sign_in_by_mail(each, deployment)
        write_the_mail_of_thanks(page)
        create_and_publish_a_campaign(page)
        for count, (name, address) in enumerate([("Jhane", "jane@example.org"), ("Jane", "jane@work.example.org")]):
            see_the_count(page, count)
            take_part(supporter.page, f"{deployment.url}/act/save-the-wood", name, address)
            see_the_count(page, count + 1)
            assert deployment.mail_to(address)["Subject"] == "Thank you for the wood"

        find_and_correct_the_person(page)
        merge_the_duplicate(page)
        expect(page.get_by_text("Mail sent").first).to_be_visible()
        unsubscribe(page, "jane@example.org")
        download_the_outreaches(page, 2)
        erase(page, "Jane Doe")

        sign_out_everywhere(page)
        telephone.page.goto(f"{deployment.url}/staff/people")
        expect(telephone.page.get_by_role("heading", level=1)).to_have_text("Sign in")


def follow(page: Page, *names: str) -> None:
    """Clicks on these links, one after the other."""
    for name in names:
        with page.expect_navigation():  # the next link may be on the page that is being left, too
            page.get_by_role("link", name=name, exact=True).first.click()


def press(page: Page, name: str, notice: str) -> None:
    """Presses a button, after which the page says that it is done."""
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text(notice)


def sign_in_by_mail(page: Page, deployment: Deployment) -> None:
    page.goto(f"{deployment.url}/staff")
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_role("button", name="Send me a mail").click()
    link = LINK.search(str(deployment.mail_to("ada@example.org").get_content()))
    assert link
    page.goto(link[0])
    page.get_by_role("button", name="Sign in as ada@example.org").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello, Ada Lovelace")


def write_the_mail_of_thanks(page: Page) -> None:
    follow(page, "Messages", "Write a message")
    page.get_by_label("Name").fill("Thanks")
    page.get_by_label("Subject").fill("Thank you for the wood")
    page.get_by_label("Text", exact=True).fill("Dear {{ person.given_name | default('friend') }}, thank you!")
    expect(page.frame_locator("#preview").get_by_text("Dear Jane, thank you!")).to_be_visible()
    press(page, "Save", "The message is saved.")


def create_and_publish_a_campaign(page: Page) -> None:
    follow(page, "Campaigns", "New campaign")
    page.get_by_label("Title").fill("Save the wood")
    page.get_by_label("Type").fill("email")
    press(page, "Create the campaign", "The campaign is created.")
    follow(page, "Edit")
    page.get_by_label("Title or office").first.fill("Mayor")
    page.get_by_label("Last name").first.fill("Lopez")
    page.get_by_label("Words beside the checkbox").fill("Yes, send me news.")
    page.get_by_label("Mail to those who take part").select_option(label="Thanks")
    page.get_by_label("Goal").fill("100")
    press(page, "Save", "The campaign is saved.")
    follow(page, "Publish the page")
    press(page, "Publish the page", "The page is published.")


def take_part(page: Page, address: str, given_name: str, email: str) -> None:
    page.goto(address)
    page.get_by_label("First name").fill(given_name)
    page.get_by_label("Last name").fill("Doe")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Postal code").fill("12345")
    page.get_by_label("Yes, send me news.").check()
    page.get_by_role("button", name="Record and continue").click()
    expect(page.locator("h1[data-focus]")).to_be_visible()


def see_the_count(page: Page, outreaches: int) -> None:
    follow(page, "Campaigns", "Save the wood")
    expect(page.get_by_role("definition").first.get_by_role("link").first).to_have_text(f"{outreaches}")


def find(page: Page, name: str) -> None:
    follow(page, "People")
    page.get_by_label("Name or contact detail").fill(name.lower())
    page.keyboard.press("Enter")
    follow(page, name)
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def find_and_correct_the_person(page: Page) -> None:
    find(page, "Jhane Doe")
    follow(page, "Edit names and contact details")
    page.get_by_label("Given name").fill("Jane")
    press(page, "Store the changes", "The changes are stored.")


def merge_the_duplicate(page: Page) -> None:
    page.get_by_role("link", name="Compare and merge").click()
    press(page, "Merge these two people", "Both people are one now.")
    for address in ("jane@example.org", "jane@work.example.org"):
        expect(page.get_by_text(address).first).to_be_visible()


def unsubscribe(page: Page, address: str) -> None:
    follow(page, "Unsubscribe")
    page.get_by_label("Address").select_option(address)
    press(page, "Unsubscribe", "The address is unsubscribed.")


def download_the_outreaches(page: Page, outreaches: int) -> None:
    follow(page, "Campaigns", "Save the wood", "All outreaches")
    with page.expect_download() as download:
        page.get_by_role("link", name="These outreaches as CSV", exact=True).click()
    rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
    assert len(rows) == outreaches


def erase(page: Page, name: str) -> None:
    find(page, name)
    follow(page, "Erase")
    page.get_by_label("Type the name of the person").fill(name)
    press(page, "Erase for good", "The person is erased.")


def sign_out_everywhere(page: Page) -> None:
    follow(page, "Ada Lovelace")
    press(page, "Sign out everywhere", "You are signed out of all browsers.")
