"""A server whose database a class of tests fills, and a browser in which a member has signed in.

One server and one browser serve all tests of this folder: to start them takes longer than to look at a page.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from app import create_app
from blueprints.http.context import EXTENSION
from dev.mongod import Mongod
from osdi.ids import now
from osdi.settings import Settings
from osdi.staff.members import add_member
from osdi.staff.sessions import begin_session
from tests.staff.screens.data import Arguments, Place
from tests.staff.screens.pages import OTHER_PAGES, SIGNED_OUT, address_of
from tests.support import factories
from tests.support.browser import Visit, visiting
from tests.support.client import Client
from tests.support.databases import empty, own_database
from tests.support.live import Live

COOKIE = "osdi_staff_loopback"  # the name over http on this machine
PREVIEW = "/staff/messages/preview"


@dataclass
class Staff:
    """The staff pages of a running server, as a member sees them in one page of a browser."""

    url: str
    place: Place
    visit: Visit
    arguments: Arguments = field(default_factory=dict)
    about_mails: list[str] = field(default_factory=list)
    signed_in: bool = False

    @property
    def page(self) -> Page:
        return self.visit.page

    def record(self, message: ConsoleMessage) -> None:
        """Notes what the browser says about the preview of a mail, whose policy forbids what its text tries."""
        if PREVIEW in message.text or message.location["url"].endswith(PREVIEW):
            self.about_mails.append(message.text)

    def complaints(self) -> list[str]:
        """Returns the errors and warnings in the console, except for those of the preview of a mail."""
        return [each for each in self.visit.unexpected_messages() if each not in self.about_mails]

    def show(self, rule: str) -> Page:
        """Opens the page of a route, in a browser that has a session if the page needs one."""
        if self.signed_in == (rule in SIGNED_OUT):
            self.change_sign_in()
        response = self.page.goto(self.url + address_of(rule, self.arguments))
        assert response is not None
        assert response.status == OTHER_PAGES.get(rule, 200)
        return self.page

    def change_sign_in(self) -> None:
        """Gives the browser a session, or takes it away."""
        context = self.page.context
        self.page.goto("about:blank")  # the scripts of the page before send nothing without the cookie
        context.clear_cookies()
        self.signed_in = not self.signed_in
        if self.signed_in:
            secret, _ = begin_session(self.place.store, self.place.member, "Chrome on Linux", now())
            context.add_cookies([{"name": COOKIE, "value": secret, "url": self.url}])


@pytest.fixture(scope="package")
def server(mongod: Mongod) -> Iterator[tuple[str, Place]]:
    """The address of a server, and its database, in which nothing is stored."""
    with ExitStack() as stack:
        store, database = stack.enter_context(own_database(mongod.uri, "staff_screens"))
        uri = mongod.uri.replace("/osdi?", "/staff_screens?")
        settings = Settings(mongodb_uri=uri, cache_seconds=0, **factories.UNLIMITED)
        app = create_app(settings)
        stack.callback(app.extensions[EXTENSION].store.close)
        mails = {"SMTP_URL": "smtp://127.0.0.1:9", "MAIL_FROM": "hello@river.example.org"}
        live = stack.enter_context(Live({"MONGODB_URI": uri, "CACHE_SECONDS": "0", **mails}))
        yield live.url, Place(store, database, Client(app.test_client(), ""), {})


@pytest.fixture(scope="class")
def staff(request: pytest.FixtureRequest, server: tuple[str, Place], browser: Browser) -> Iterator[Staff]:
    """The staff pages with what the function `fill` of the test's class stores."""
    url, place = server
    empty(place.database)
    place = replace(place, member=add_member(place.store, "ada@example.org", name="Ada Lovelace"))
    place.api.token = factories.token(place.store)
    arguments = request.cls.fill(place)
    with browser.new_context() as context, visiting(context, url) as visit:
        for status in (400, 404, 410, 422):
            visit.expect_status(status)
        shown = Staff(url, place, visit, arguments)
        context.on("console", shown.record)
        yield shown
        visit.messages[:] = shown.complaints()
