"""A browser on the screens of the tests' campaign, and its forms as a browser without script sends them."""

from dataclasses import dataclass
from typing import Any

import pytest
from bs4 import BeautifulSoup
from werkzeug.test import TestResponse

from tests.fixtures.campaign_pages import controls, soup
from tests.staff.conftest import StaffBrowser
from tests.support.client import Client


@dataclass
class Screens:
    """The screens of one campaign in a member's browser, and the API's client beside it."""

    browser: StaffBrowser
    api: Client

    @property
    def path(self) -> str:
        return f"/staff/campaigns/{self.api.campaign_id}"

    @property
    def address(self) -> str:
        """The address of the campaign in the API."""
        return f"/advocacy_campaigns/{self.api.campaign_id}"

    def open(self, suffix: str = "") -> BeautifulSoup:
        response = self.browser.get(self.path + suffix)
        assert response.status_code == 200, response.text
        return soup(response)

    def controls(self, suffix: str) -> dict[str, str]:
        """The values that the main form of a screen sends if nothing is typed."""
        form = self.open(suffix).select_one("main form")
        assert form is not None
        return dict(controls(form))

    def send(self, suffix: str, typed: dict[str, str] | None = None, **changed: str) -> TestResponse:
        """Sends the main form of a screen, with some values typed into it."""
        return self.browser.post(self.path + suffix, {**self.controls(suffix), **(typed or {}), **changed})

    def campaign(self) -> dict[str, Any]:
        return dict(self.api.get(self.address).json)

    def settings(self) -> dict[str, Any]:
        return dict(self.api.get(f"{self.address}/page").json)


@pytest.fixture
def screens(api: Client, ada: StaffBrowser) -> Screens:
    """The screens of the tests' campaign, for a member with every scope."""
    return Screens(ada, api)


@pytest.fixture
def messages(api: Client) -> dict[str, str]:
    """The identifier of a message for each kind of follow-up."""
    mail = {"identifiers": ["crm:mail"], "name": "Thanks", "type": "email", "subject": "Thank you", "body": "<p>Hi</p>"}
    text = {"identifiers": ["crm:text"], "type": "sms", "body": "Thank you"}
    for message in (mail, text):
        api.created("/messages", message)
    return {"autoresponse": "crm:mail", "sms_response": "crm:text", "call_response": "crm:text"}
