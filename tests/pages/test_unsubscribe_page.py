"""The unsubscribe page as it is rendered: its states, its languages, the organisation on it, and the undo."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from bs4 import BeautifulSoup
from bs4.element import Tag
from flask import Flask
from flask.testing import FlaskClient
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION
from osdi.followups.unsubscribe import link, signer, unsubscribe, unwanted
from osdi.languages import LANGUAGES, PSEUDO_LANGUAGES, text_direction
from osdi.settings import Settings
from osdi.store import Store
from tests.support import factories
from tests.support.client import Client
from tests.support.factories import RULES
from tests.support.pseudo import untranslated

JANE = "jane@example.com"
SENDER = "Friends of the River"
LOGO, PRIVACY = "https://cdn.example.org/logo.svg", "https://river.example.org/privacy?a=1&b=2"
HEADINGS = {
    "en": ("Unsubscribe", "You are unsubscribed", "You are subscribed again"),
    "es": ("Cancelar la suscripción", "Su suscripción está cancelada", "Su suscripción está activa de nuevo"),
    "de": ("Abmelden", "Sie sind abgemeldet", "Sie sind wieder angemeldet"),
    "fr": ("Se désabonner", "Votre désabonnement est enregistré", "Votre abonnement est rétabli"),
}


@pytest.fixture(scope="module")
def organisation(settings: Settings) -> Settings:
    return replace(settings, vendor_name=SENDER, logo_url=LOGO, privacy_url=PRIVACY)


@pytest.fixture(scope="module")
def applications(organisation: Settings) -> Iterator[Callable[[str], Flask]]:
    """Returns the application of the organisation with this setting LANGUAGE."""
    made: dict[str, Flask] = {}

    def application(language: str) -> Flask:
        if language not in made:
            made[language] = create_app(replace(organisation, language=language))
        return made[language]

    yield application
    for each in made.values():
        each.extensions[EXTENSION].store.close()


@pytest.fixture
def client(applications: Callable[[str], Flask]) -> FlaskClient:
    return applications("en").test_client()


@pytest.fixture
def path(store: Store) -> str:
    """The path of a mail's link to unsubscribe JANE."""
    return link(signer(store), "", JANE)


def page_of(response: Any) -> BeautifulSoup:
    return BeautifulSoup(response.text, "html.parser")


def heading(response: Any) -> str:
    return page_of(response).h1.get_text()


def undo_form(response: Any) -> tuple[str, dict[str, str]]:
    """Returns the address and the fields of the form that undoes; the test fails if the page has none."""
    form = page_of(response).find("form", action=True)
    assert isinstance(form, Tag)
    assert form["method"] == "post"
    return str(form["action"]), {str(each["name"]): str(each["value"]) for each in form.find_all("input")}


def states(client: FlaskClient, path: str) -> dict[str, Any]:
    """Returns the response of each state of the page, by its name."""
    asked = client.get(path)
    done = client.post(path)
    again, fields = undo_form(done)
    undone = client.post(again, data=fields)
    client.post(path)
    done_without_undo = client.post(path)
    too_late = client.post(again, data=fields)
    invalid = client.get(f"/unsubscribe/x.y?{urlsplit(path).query}")
    return {
        "asked": asked,
        "done": done,
        "undone": undone,
        "done without undo": done_without_undo,
        "too late": too_late,
        "invalid": invalid,
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_is_in_the_language_of_the_link(client: FlaskClient, store: Store, language: str) -> None:
    found = states(client, link(signer(store), "", JANE, language))

    assert tuple(heading(found[name]) for name in ("asked", "done", "undone")) == HEADINGS[language]
    for response in (found["asked"], found["done"], found["undone"], found["done without undo"]):
        page = page_of(response)
        assert page.html["lang"] == language
        assert page.html["dir"] == "ltr"
        assert page.title.get_text() == f"{page.h1.get_text()} · {SENDER}"
        assert page.strong.get_text() == JANE


def test_a_page_has_no_word_of_another_language(client: FlaskClient, store: Store) -> None:
    texts = {}
    for language in LANGUAGES:
        address = f"{language}@example.com"
        responses = states(client, link(signer(store), "", address, language)).values()
        texts[language] = {text for each in responses for text in page_of(each).main.stripped_strings} - {address}

    for language in LANGUAGES[1:]:
        assert texts[language] & texts["en"] <= {SENDER, ".", "?"}


@pytest.mark.parametrize("language", PSEUDO_LANGUAGES)
def test_no_state_has_text_that_is_not_translated(
    applications: Callable[[str], Flask], path: str, database: Database, language: str
) -> None:
    for name, response in states(applications(language).test_client(), path).items():
        page = page_of(response)
        assert (page.html["lang"], page.html["dir"]) == (language, text_direction(language))
        if language == "en-XA":
            assert untranslated(response.text, [SENDER, JANE]) == [], name


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("", "de-AT,de;q=0.9,en;q=0.8", "de"),
        ("", "nl, fr;q=0.5", "fr"),
        ("?lang=es", "de", "es"),
        ("?lang=xx", "de", "de"),
        ("?lang=", "", "en"),
        ("?lang=en-XA", "", "en"),
        ("?lang=%00%F0%9F%98%80&lang=de", "x" * 500, "en"),
        ("", "de;q=x, ;;, *;q=0", "en"),
    ],
)
def test_the_language_is_that_of_the_link_or_else_of_the_browser(
    client: FlaskClient, path: str, query: str, accepted: str, language: str
) -> None:
    response = client.get(path + query, headers={"Accept-Language": accepted})

    assert response.status_code == 200
    assert page_of(response).html["lang"] == language


def test_a_browser_without_a_known_language_gets_that_of_the_deployment(
    applications: Callable[[str], Flask], path: str
) -> None:
    response = applications("fr").test_client().get(path, headers={"Accept-Language": "nl"})

    assert page_of(response).html["lang"] == "fr"


def test_the_page_shows_the_organisation_with_logo_and_privacy_policy(client: FlaskClient, path: str) -> None:
    for response in states(client, path).values():
        page = page_of(response)
        assert SENDER in page.header.get_text()
        assert page.img["src"] == LOGO
        assert page.img["alt"] == ""
        assert page.footer.a["href"] == PRIVACY
        policy = response.headers["Content-Security-Policy"]
        assert "img-src 'self' https://cdn.example.org;" in policy
        assert "'unsafe-inline'" not in policy
        assert "frame-ancestors 'none'" in policy
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["X-Robots-Tag"] == "noindex"


def test_an_organisation_without_a_logo_has_no_image(api: Client, path: str) -> None:
    response = api.http.get(path)

    assert page_of(response).img is None
    assert page_of(response).footer is None
    assert "img-src 'self';" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:8080/a.svg", "http://127.0.0.1:8080"),
        ("https://user:secret@example.org/a?b", "https://example.org"),
        ("https://example.org", "https://example.org"),
    ],
)
def test_the_policy_allows_the_origin_of_the_logo_only(url: str, allowed: str) -> None:
    from blueprints.browser.unsubscribe import _policy

    assert f"img-src 'self' {allowed};" in _policy(url)


class TestTheUndo:
    @pytest.fixture(autouse=True)
    def _jane(self, api: Client) -> None:
        api.recorded(factories.outreach(person={"email_addresses": [{"address": JANE, "status": "subscribed"}]}))

    def status(self, database: Database) -> str:
        (person,) = database.people.find()
        return str(person["email_addresses"][0]["status"])

    def test_subscribes_again(self, client: FlaskClient, path: str, store: Store, database: Database) -> None:
        address, fields = undo_form(client.post(path))
        assert self.status(database) == "unsubscribed"

        response = client.post(address, data=fields)

        assert (response.status_code, heading(response)) == (200, "You are subscribed again")
        assert self.status(database) == "subscribed"
        assert unwanted(store, JANE, RULES) is None

    def test_keeps_its_token_out_of_addresses(self, client: FlaskClient, path: str) -> None:
        address, fields = undo_form(client.post(path))

        assert address == "/unsubscribe/undo?lang=en"
        assert list(fields) == ["undo"]

    def test_is_not_done_by_a_get(self, client: FlaskClient, path: str, database: Database) -> None:
        address, fields = undo_form(client.post(path))

        with_token = f"{address}&{urlencode(fields)}"
        assert [client.get(each).status_code for each in (address, with_token)] == [404, 404]
        assert client.post(with_token).status_code == 409
        assert self.status(database) == "unsubscribed"

    def test_is_not_offered_for_an_address_that_got_no_mail_before(
        self, client: FlaskClient, path: str, store: Store
    ) -> None:
        unsubscribe(store, JANE)

        response = client.post(path)

        assert heading(response) == "You are unsubscribed"
        assert page_of(response).form is None

    @pytest.mark.parametrize("token", ["", "x", "😀", "a.b.c", "x" * 31_000])
    def test_with_a_wrong_token_changes_nothing(self, client: FlaskClient, path: str, token: str) -> None:
        client.post(path)

        response = client.post("/unsubscribe/undo", data={"undo": token})

        assert (response.status_code, heading(response)) == (409, "This cannot be undone any more")

    @pytest.mark.parametrize(
        "body", [{"json": {"undo": 1}}, {"data": b"\xff\xfe"}, {"data": b"undo", "content_type": "multipart/form-data"}]
    )
    def test_of_another_form_of_body_changes_nothing(self, client: FlaskClient, body: dict[str, Any]) -> None:
        assert client.post("/unsubscribe/undo", **body).status_code == 409
