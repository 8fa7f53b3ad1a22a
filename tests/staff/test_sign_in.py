"""Signing in by a mail: the same response for each address, one use, and the way back to the page that was wanted."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION
from osdi.ids import now
from osdi.settings import Settings
from osdi.staff.links import new_link
from osdi.staff.members import add_member, set_disabled
from osdi.staff.sign_in_mails import SignInMails
from osdi.store import Store
from tests.staff.conftest import HTTPS, StaffBrowser
from tests.support import factories
from tests.support.smtp_sink import SmtpSink

LINK = re.compile(r"https://osdi\.example\.org/staff/link/([\w-]+)")
CODE = re.compile(r"^([A-Z2-9]{4}-[A-Z2-9]{4})\r?$", flags=re.MULTILINE)
FORM = "/staff/sign-in"


@pytest.fixture
def mailing(settings: Settings, sink: SmtpSink) -> Iterator[Flask]:
    """An application that can send mails."""
    others = {**factories.UNLIMITED, "cache_seconds": 0, "mongodb_uri": settings.mongodb_uri}
    mails = {"smtp_url": sink.url, "mail_from": "The River <hello@river.example.org>", "vendor_name": "River"}
    app = create_app(Settings(**others, **mails, public_url=HTTPS))
    yield app
    app.extensions[EXTENSION].store.close()


@pytest.fixture
def send_due_mails(mailing: Flask, store: Store) -> Iterator[Callable[[], int]]:
    """Does what the worker does, until nothing is due; returns the number of requests that it has handled."""
    mails = SignInMails(store, mailing.extensions[EXTENSION].settings)

    def run() -> int:
        count = 0
        while mails.do_next():
            count += 1
        return count

    yield run
    mails.close()


@pytest.fixture
def browser(mailing: Flask) -> StaffBrowser:
    return StaffBrowser(mailing)


def request_mail(browser: StaffBrowser, email: str, **fields: str) -> str:
    """Asks for a mail to an address; returns the address of the page that follows."""
    response = browser.post(FORM, {"email": email, **fields}, form=FORM)
    assert response.status_code == 303, response.text
    return str(response.headers["Location"])


class TestTheMail:
    def test_has_a_link_that_signs_in_once_in_any_browser(
        self,
        mailing: Flask,
        browser: StaffBrowser,
        member: dict[str, Any],
        send_due_mails: Callable[[], int],
        sink: SmtpSink,
    ) -> None:
        request_mail(browser, "ADA@example.org")
        assert send_due_mails() == 1
        secret = LINK.search(sink.mails[0].get_content())[1]
        elsewhere = StaffBrowser(mailing)

        assert elsewhere.open_link(secret).status_code == 303
        assert "Ada Lovelace" in elsewhere.get("/staff").text
        assert browser.get(f"/staff/link/{secret}").status_code == 410
        assert "This link has ended" in elsewhere.post(f"/staff/link/{secret}").text

    def test_has_a_code_for_the_browser_that_asked(
        self,
        mailing: Flask,
        browser: StaffBrowser,
        member: dict[str, Any],
        send_due_mails: Callable[[], int],
        sink: SmtpSink,
    ) -> None:
        page = request_mail(browser, "ada@example.org")
        send_due_mails()
        code = CODE.search(sink.mails[0].get_content())[1]
        other = StaffBrowser(mailing)

        assert other.post("/staff/sign-in/code", {"code": code}, form=page).status_code == 400
        assert browser.post("/staff/sign-in/code", {"code": code}, form=page).status_code == 303
        assert "Ada Lovelace" in browser.get("/staff").text

    def test_goes_to_the_member_and_names_the_organisation(
        self, browser: StaffBrowser, member: dict[str, Any], send_due_mails: Callable[[], int], sink: SmtpSink
    ) -> None:
        request_mail(browser, "ada@example.org")
        send_due_mails()

        (mail,) = sink.mails
        assert (mail["To"], mail["Subject"]) == ("ada@example.org", "Sign in to River")
        assert mail["From"] == "The River <hello@river.example.org>"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert "Hello Ada Lovelace," in mail.get_content()
        assert mail.get_content_type() == "text/plain"

    @pytest.mark.parametrize("email", ["eve@example.org", "disabled@example.org"])
    def test_goes_to_enabled_members_only(
        self,
        browser: StaffBrowser,
        store: Store,
        database: Database,
        send_due_mails: Callable[[], int],
        sink: SmtpSink,
        email: str,
    ) -> None:
        set_disabled(store, add_member(store, "disabled@example.org")["_id"], disabled=True)

        request_mail(browser, email)

        assert send_due_mails() == 1
        assert sink.mails == []
        assert database.staff_links.count_documents({}) == 0  # the address is not kept

    def test_is_sent_again_after_a_temporary_failure(
        self,
        browser: StaffBrowser,
        database: Database,
        member: dict[str, Any],
        send_due_mails: Callable[[], int],
        sink: SmtpSink,
    ) -> None:
        sink.recipient_replies["ada@example.org"] = "451 try again later"
        request_mail(browser, "ada@example.org")
        assert send_due_mails() == 1
        assert send_due_mails() == 0  # not before a pause

        sink.recipient_replies.clear()
        database.staff_links.update_one({}, {"$set": {"not_before": now()}})

        assert send_due_mails() == 1
        secret = LINK.search(sink.mails[0].get_content())[1]
        assert browser.open_link(secret).status_code == 303

    def test_is_not_sent_again_after_a_permanent_failure(
        self,
        browser: StaffBrowser,
        database: Database,
        member: dict[str, Any],
        send_due_mails: Callable[[], int],
        sink: SmtpSink,
    ) -> None:
        sink.recipient_replies["ada@example.org"] = "550 5.1.1 no such mailbox"
        request_mail(browser, "ada@example.org")
        send_due_mails()

        assert "not_before" not in database.staff_links.find_one()

    def test_is_not_in_the_database(
        self,
        browser: StaffBrowser,
        database: Database,
        member: dict[str, Any],
        send_due_mails: Callable[[], int],
        sink: SmtpSink,
    ) -> None:
        request_mail(browser, "ada@example.org")
        send_due_mails()

        text = sink.mails[0].get_content()
        stored = str(list(database.staff_links.find()))
        assert LINK.search(text)[1] not in stored
        assert CODE.search(text)[1] not in stored
        assert "ada@example.org" not in stored
        assert browser.cookie not in stored


class TestTheResponse:
    def test_is_the_same_for_a_member_and_for_anybody_else(
        self, browser: StaffBrowser, member: dict[str, Any], database: Database
    ) -> None:
        known = browser.post(FORM, {"email": "ada@example.org"}, form=FORM)
        unknown = browser.post(FORM, {"email": "eve@example.org"}, form=FORM)

        def shown(response: Any) -> tuple[int, bytes, list[tuple[str, str]]]:
            headers = [(name, value) for name, value in response.headers if name != "OSDI-Request-ID"]
            return response.status_code, response.data, headers

        assert shown(known) == shown(unknown)
        fields = [sorted(each) for each in database.staff_links.find()]
        assert fields[0] == fields[1]  # both do the same work

    @pytest.mark.parametrize("email", ["", "ada", "ada@", "a b@c.de", "x" * 300 + "@example.org", "ada@example.org\n"])
    def test_explains_a_text_that_is_no_address_and_keeps_it(self, browser: StaffBrowser, email: str) -> None:
        response = browser.post(FORM, {"email": email}, form=FORM)

        if email.strip() == "ada@example.org":
            assert response.status_code == 303
            return
        assert response.status_code == 400
        assert 'aria-invalid="true"' in response.text
        assert 'aria-describedby="email-error"' in response.text
        assert 'href="#email"' in response.text

    def test_says_which_command_makes_a_link_if_no_mail_can_be_sent(self, app: Flask, stranger: StaffBrowser) -> None:
        for page in (FORM, "/staff/sign-in/code"):
            assert "bin/osdi staff link" in stranger.get(page).text

    @pytest.mark.parametrize("same", ["address", "mailbox"])
    def test_is_429_for_too_many_requests_of_an_address_or_about_a_mailbox(
        self, settings: Settings, sink: SmtpSink, store: Store, same: str
    ) -> None:
        others = {**factories.UNLIMITED, "mongodb_uri": settings.mongodb_uri, "trusted_proxies": 1}
        mails = {"smtp_url": sink.url, "mail_from": "hello@river.example.org", "public_url": HTTPS}
        limited = create_app(Settings(**{**others, "rate_limit_sign_in": "3/hour"}, **mails))
        browser = StaffBrowser(limited)
        token = browser.form_token(FORM)

        statuses = []
        for number in range(4):
            email = "ada@example.org" if same == "mailbox" else f"{number}@example.org"
            address = "192.0.2.1" if same == "address" else f"192.0.2.{number}"
            headers = {"Sec-Fetch-Site": "same-origin", "X-Forwarded-For": address, "X-Forwarded-Proto": "https"}
            response = browser.post(FORM, {"email": email}, token=token, headers=headers)
            statuses.append(response.status_code)
        limited.extensions[EXTENSION].store.close()

        assert statuses == [303, 303, 303, 429]
        assert "Please wait" in response.text
        assert "3@example.org" in response.text or same == "mailbox"


class TestTheWayBack:
    def test_leads_to_the_page_that_was_wanted(
        self, browser: StaffBrowser, member: dict[str, Any], send_due_mails: Callable[[], int], sink: SmtpSink
    ) -> None:
        wanted = "/staff/campaigns?page=2"
        page = browser.get(browser.get(wanted).headers["Location"]).text
        assert f'name="next" value="{wanted}"' in page

        request_mail(browser, "ada@example.org", next=wanted)
        send_due_mails()
        secret = LINK.search(sink.mails[0].get_content())[1]

        assert browser.open_link(secret).headers["Location"] == wanted

    @pytest.mark.parametrize(
        "foreign",
        [
            *("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/api/v1/people"),
            *(
                "/staffing",
                "/staff\\@evil.example",
                "/staff/\r\nSet-Cookie: a=b",
                "/staff/ü",
                "",
                "/staff/" + "x" * 600,
            ),
        ],
    )
    def test_leads_nowhere_else(self, browser: StaffBrowser, foreign: str, member: dict[str, Any]) -> None:
        assert request_mail(browser, "ada@example.org", next=foreign) == "/staff/sign-in/code?next=/staff"


def test_a_get_of_a_link_changes_nothing_however_often_a_mail_scanner_follows_it(
    stranger: StaffBrowser, store: Store, database: Database, member: dict[str, Any]
) -> None:
    secret = new_link(store, member, now())
    before = list(database.staff_links.find())

    pages = {stranger.get(f"/staff/link/{secret}").status_code for _ in range(10)}

    assert pages == {200}
    assert list(database.staff_links.find()) == before
    assert database.staff_sessions.count_documents({}) == 0
    assert stranger.open_link(secret).status_code == 303


def test_the_log_contains_no_secret_and_no_address(
    stranger: StaffBrowser, store: Store, member: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    secret = new_link(store, member, now())
    stranger.open_link(secret)
    stranger.get("/staff")

    output = capfd.readouterr().out
    assert f'"caller":"staff {member["_id"]}"' in output
    assert secret not in output
    assert stranger.cookie not in output
    assert "Ada" not in output  # ids have the letters a and d too, but no capitals
    assert "ada@" not in output


def test_an_ended_link_offers_another_mail_to_the_same_address(
    browser: StaffBrowser, store: Store, member: dict[str, Any]
) -> None:
    secret = new_link(store, member, now())
    browser.open_link(secret)

    response = browser.get(f"/staff/link/{secret}")

    assert response.status_code == 410
    assert 'value="ada@example.org"' in response.text


@pytest.mark.parametrize("secret", ["x", "x" * 2_000, "%00", "..%2F..", "ü"])
def test_an_unknown_link_has_a_page(stranger: StaffBrowser, secret: str) -> None:
    assert stranger.get(f"/staff/link/{secret}").status_code == 404


def test_a_member_who_is_signed_in_needs_no_form(ada: StaffBrowser) -> None:
    response = ada.get("/staff/sign-in?next=/staff/campaigns")

    assert (response.status_code, response.headers["Location"]) == (303, "/staff/campaigns")
