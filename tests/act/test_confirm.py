"""The page of a confirmation mail's link, and the consent of a form."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from blueprints.http.context import EXTENSION
from osdi.access.tokens import ANONYMOUS
from osdi.campaign_pages.form.consent_checkbox import CHANGED, NO_TEXT, UNREADABLE, consent_of
from osdi.campaign_pages.page_settings import Consent
from osdi.consent.confirmation import PATH, confirmation_link, confirmation_signer
from osdi.followups.unsubscribe import unsubscribe
from osdi.outreaches.consent_receipt import GivenConsent, sha256_of
from osdi.outreaches.helper_request import HelperRequest
from osdi.outreaches.record_outreach import record_outreach
from osdi.settings import Settings
from osdi.store import Store
from tests.support.client import Client

JANE = "jane@example.com"
TEXT = "Schreibt mir <b>über</b> den Fluss."


@pytest.fixture
def link(app: Flask, api: Client, store: Store, settings: Settings) -> Callable[..., str]:
    """Records an outreach with a consent to double opt-in, and returns the path of its link."""

    def record(language: str = "en") -> str:
        find = app.extensions[EXTENSION].reference.find
        consent = GivenConsent(TEXT, language, "https://osdi.example.org/act/river", by_mail=True)
        body = {"person": {"given_name": "Mallory", "email_addresses": [{"address": JANE}]}}
        campaign = store.get("advocacy_campaigns", api.campaign_id) or {}
        request = HelperRequest(body=body, campaign=campaign, caller=ANONYMOUS, consent=consent)
        recorded = record_outreach(store, find, request, settings)
        return confirmation_link(confirmation_signer(store), "", recorded.outreach["_id"], JANE)

    return record


def statuses(database: Database) -> list[str | None]:
    return [each.get("status") for person in database.people.find() for each in person["email_addresses"]]


class TestThePage:
    def test_shows_a_button_and_the_words_and_nothing_of_the_person(
        self, api: Client, link: Callable[..., str], database: Database
    ) -> None:
        response = api.http.get(link())

        assert response.status_code == 200
        assert '<form method="post">' in response.text
        assert "Schreibt mir &lt;b&gt;über&lt;/b&gt; den Fluss." in response.text
        assert JANE in response.text
        assert "Mallory" not in response.text
        assert statuses(database) == [None]

    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
    def test_changes_nothing_by_a_safe_method(
        self, method: str, api: Client, link: Callable[..., str], database: Database
    ) -> None:
        path = link()
        for _ in range(3):
            api.http.open(path, method=method)

        assert statuses(database) == [None]
        assert "confirmed_date" not in database.outreaches.find_one()["consents"][0]

    def test_confirms_by_its_button_once_and_again(
        self, api: Client, link: Callable[..., str], database: Database
    ) -> None:
        path = link()

        responses = [api.http.post(path), api.http.post(path), api.http.get(path)]

        assert [each.status_code for each in responses] == [200, 200, 200]
        assert all("You have confirmed it" in each.text for each in responses)
        assert statuses(database) == ["subscribed"]

    def test_says_that_the_address_has_unsubscribed_since(
        self, api: Client, link: Callable[..., str], store: Store, database: Database
    ) -> None:
        path = link()
        unsubscribe(store, JANE)

        for response in (api.http.get(path), api.http.post(path)):
            assert response.status_code == 409
            assert "<form" not in response.text
        assert statuses(database) == ["unsubscribed"]

    def test_says_that_nothing_is_stored_any_more(
        self, api: Client, link: Callable[..., str], database: Database
    ) -> None:
        path = link()
        database.people.delete_many({})

        for response in (api.http.get(path), api.http.post(path)):
            assert response.status_code == 410
            assert "<form" not in response.text
            assert JANE not in response.text

    @pytest.mark.parametrize("token", ["x", "a.b.c", "x" * 2_000, "%F0%9F%98%80.x.y", "%00", "x%0d%0ay"])
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_of_a_forged_link_is_not_found(self, method: str, token: str, api: Client) -> None:
        assert api.http.open(f"{PATH}/{token}", method=method).status_code == 404

    def test_has_the_language_of_the_page_on_which_the_box_was_ticked(
        self, api: Client, link: Callable[..., str]
    ) -> None:
        response = api.http.get(link("de"), headers={"Accept-Language": "fr"})

        assert '<html lang="de"' in response.text

    def test_does_not_leak_its_address_and_is_not_framed_stored_or_indexed(
        self, api: Client, link: Callable[..., str]
    ) -> None:
        headers = api.http.get(link()).headers

        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Robots-Tag"] == "noindex"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "Set-Cookie" not in headers


class TestTheFormsConsent:
    ASKED = Consent(text=TEXT, list="supporters", tag="newsletter", confirm_by_mail=True)

    @pytest.mark.parametrize(
        "form",
        [
            {"consent": "yes"},
            {"consent": " YES "},
            {"consent": "on"},
            {"consent": "yes", "consent_text": ""},
            {"consent": "yes", "consent_text": sha256_of(TEXT)},
            {"consent": "yes", "text": "Something else", "list": "others"},
        ],
        ids=str,
    )
    def test_has_the_servers_own_words(self, form: dict[str, str]) -> None:
        expected = GivenConsent(TEXT, "de", "https://x.example/act/a", "supporters", "newsletter", by_mail=True)

        assert consent_of(form, self.ASKED, language="de", page_url="https://x.example/act/a") == (expected, ())

    @pytest.mark.parametrize("form", [{}, {"consent": ""}, {"consent": " "}], ids=str)
    def test_is_none_without_a_tick(self, form: dict[str, str]) -> None:
        assert consent_of(form, self.ASKED, language="de", page_url="") == (None, ())

    @pytest.mark.parametrize(
        ("form", "asked", "warning"),
        [
            ({"consent": "no"}, ASKED, UNREADABLE),
            ({"consent": "<script>"}, ASKED, UNREADABLE),
            ({"consent": "yes"}, Consent(), NO_TEXT),
            ({"consent": "yes", "consent_text": sha256_of("Former words")}, ASKED, CHANGED),
            ({"consent": "yes", "consent_text": TEXT}, ASKED, CHANGED),
        ],
        ids=str,
    )
    def test_that_cannot_count_is_reported(self, form: dict[str, str], asked: Consent, warning: Any) -> None:
        assert consent_of(form, asked, language="de", page_url="") == (None, (warning,))
