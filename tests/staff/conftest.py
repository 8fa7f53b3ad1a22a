"""Members, and browsers of theirs, for the application that all tests share."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from blueprints.http.context import EXTENSION
from osdi.access.signing_keys import STAFF_FORMS, keyed_hash, signing_key
from osdi.ids import now
from osdi.staff.members import add_member
from osdi.staff.sessions import UNKNOWN_DEVICE, begin_session
from osdi.store import Store
from osdi.store.indexes import STAFF_EVENTS

HTTPS = "https://osdi.example.org"
COOKIE = "__Host-osdi_staff"
TOKEN = re.compile(r'name="form_token" value="([0-9a-f]+)"')


class StaffBrowser:
    """A browser without JavaScript: it keeps its cookie, and sends a form with the fields that a page gave it."""

    def __init__(self, app: Flask, base_url: str = HTTPS) -> None:
        self.store: Store = app.extensions[EXTENSION].store
        self.http: FlaskClient = app.test_client()
        self.base_url = base_url

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.http.get(path, base_url=self.base_url, **options)

    def post(
        self,
        path: str,
        fields: dict[str, str] | None = None,
        *,
        form: str | None = None,
        headers: dict[str, str] | None = None,
        token: str | None = None,
    ) -> TestResponse:
        """Sends a form with the token of the page `form`, or else with `token`, from a page of this server.

        Without both it sends the token that each page of this browser has: to render one takes most of a test's time.
        """
        sent = dict(fields or {})
        if token is None and form is None and self.cookie:
            token = keyed_hash(signing_key(self.store, STAFF_FORMS).encode(), self.cookie)
        elif token is None:
            token = self.form_token(form or "/staff/devices")
        if token:
            sent["form_token"] = token
        sent_headers = {"Sec-Fetch-Site": "same-origin"} if headers is None else headers
        return self.http.post(path, data=sent, base_url=self.base_url, headers=sent_headers)

    def form_token(self, page: str) -> str:
        found = TOKEN.search(self.get(page).get_data(as_text=True))
        assert found, page
        return found[1]

    def sign_in(self, store: Store, member: dict[str, Any]) -> None:
        """Gives the browser the cookie of a new session, as if it had just opened the link of a mail."""
        secret, _ = begin_session(store, member, UNKNOWN_DEVICE, now())
        self.http.set_cookie(COOKIE, secret, domain="osdi.example.org", secure=True, httponly=True, samesite="Lax")

    def open_link(self, secret: str) -> TestResponse:
        return self.post(f"/staff/link/{secret}", form=f"/staff/link/{secret}")

    @property
    def cookie(self) -> str:
        found = self.http.get_cookie(COOKIE, domain="osdi.example.org")
        return found.value if found else ""


SignedIn = Callable[..., StaffBrowser]


@pytest.fixture
def member(store: Store) -> dict[str, Any]:
    """Ada, who has every scope."""
    return add_member(store, "ada@example.org", name="Ada Lovelace")


@pytest.fixture
def stranger(app: Flask, store: Store) -> StaffBrowser:
    """A browser that has not signed in."""
    return StaffBrowser(app)


@pytest.fixture
def signed_in(app: Flask, store: Store) -> SignedIn:
    """Signs a member in, in a new browser."""

    def sign_in(member: dict[str, Any], using: Flask = app) -> StaffBrowser:
        browser = StaffBrowser(using)
        browser.sign_in(store, member)
        return browser

    return sign_in


@pytest.fixture
def ada(member: dict[str, Any], signed_in: SignedIn) -> StaffBrowser:
    """A browser in which Ada has signed in."""
    return signed_in(member)


def latest_events(store: Store, limit: int) -> list[dict[str, Any]]:
    """Returns the latest events of the audit log, the newest first."""
    return store.find(STAFF_EVENTS, {}, sort=("-_id",), limit=limit)
