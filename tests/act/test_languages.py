"""Each state of a public page in each language: nothing is left in English, and plural forms are right."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION
from osdi.languages import LANGUAGES, PSEUDO_LANGUAGES, text_direction
from osdi.settings import Settings
from osdi.store import Store
from tests.act.states import DATA, ORGANISATION, TITLE, confirmation_states, page_states
from tests.fixtures.campaign_pages import CampaignPage
from tests.support.client import Client
from tests.support.pseudo import untranslated

Publish = Callable[..., CampaignPage]


@pytest.fixture(scope="module")
def applications(settings: Settings) -> Iterator[Callable[..., Flask]]:
    """Returns the application with this setting LANGUAGE and others."""
    made: dict[str, Flask] = {}

    def application(language: str, **others: Any) -> Flask:
        name = f"{language} {others}"
        if name not in made:
            chosen = replace(settings, vendor_name=ORGANISATION, language=language, campaign_list=True)
            made[name] = create_app(replace(chosen, **others))
        return made[name]

    yield application
    for each in made.values():
        each.extensions[EXTENSION].store.close()


@pytest.fixture(scope="module")
def responses_of() -> dict[str, dict[str, Any]]:
    """The responses in all states, by the language of the deployment and the page settings."""
    return {}


@pytest.fixture
def states(
    publish: Publish,
    applications: Callable[..., Flask],
    store: Store,
    settings: Settings,
    api: Client,
    responses_of: dict[str, dict[str, Any]],
) -> Callable[..., dict[str, Any]]:
    """Returns the responses in all states by name, with a language of the deployment and page settings."""

    def found(of_deployment: str, **page: Any) -> dict[str, Any]:
        key = f"{of_deployment} {page}"
        if key not in responses_of:
            responses_of[key] = requested(of_deployment, **page)
        return responses_of[key]

    def requested(of_deployment: str, **page: Any) -> dict[str, Any]:
        app = applications(of_deployment)
        closed = applications(of_deployment, anonymous_posts=False)
        limited = applications(of_deployment, rate_limit_anonymous="1/minute")
        responses = dict(page_states(publish, app, closed, limited, **page))
        of_mail = confirmation_states(store, app, settings, api.campaign_id, page.get("language", of_deployment))
        return responses | {f"confirmation: {name}": response for name, response in of_mail}

    return found


def soup(response: Any) -> BeautifulSoup:
    return BeautifulSoup(response.get_data(as_text=True), "html.parser")


def texts(page: BeautifulSoup) -> set[str]:
    return {" ".join(text.split()) for text in page.html.stripped_strings}


def test_no_state_has_text_that_is_not_translated(states: Callable[..., dict[str, Any]]) -> None:
    responses = states("en-XA")

    found = {name: untranslated(response.get_data(as_text=True), DATA) for name, response in responses.items()}

    assert {name: response.mimetype for name, response in responses.items() if response.mimetype != "text/html"} == {}
    assert {name: each for name, each in found.items() if each} == {}
    assert len(responses) > 45


@pytest.mark.parametrize("language", PSEUDO_LANGUAGES)
def test_each_state_names_its_language_and_its_direction(states: Callable[..., dict[str, Any]], language: str) -> None:
    for name, response in states(language).items():
        html = soup(response).html
        assert (html["lang"], html["dir"]) == (language, text_direction(language)), name


def test_the_language_of_the_campaigns_page_counts_and_no_state_has_english_words(
    states: Callable[..., dict[str, Any]], database: Database
) -> None:
    english = {name: texts(soup(response)) for name, response in states("de", language="en").items()}
    for language in LANGUAGES[1:]:
        database.advocacy_campaigns.delete_many({"page": {"$exists": True}})
        of_language = states("en", language=language)
        for name in english.keys() - OF_NO_CAMPAIGN:
            page = soup(of_language[name])
            assert page.html["lang"] == language, name
            shared = {each for each in texts(page) & english[name] if not is_data(each)}
            assert shared <= SAME_WORDS.get(language, set()), name


# These states know no campaign. They are in the language of the browser, or else of the deployment.
OF_NO_CAMPAIGN = {
    *("list", "unknown page", "wrong method", "too many entries", "too long"),
    *("confirmation: invalid", "confirmation: gone"),
}
# Words that are the same in English.
SAME_WORDS = {"de": {"Text", "Link"}, "fr": {"E-mail", "Minutes"}}


def is_data(text: str) -> bool:
    """True if a text has no ASCII letter but those of the content of the test."""
    return untranslated(f"<p>{text}</p>", DATA) == []


@pytest.mark.parametrize(
    ("language", "total", "written"),
    [
        ("en", 1, "People took part once."),
        ("en", 2, "People took part 2 times."),
        ("en", 12_345, "People took part 12,345 times."),
        ("es", 1, "1 participación."),
        ("es", 12_345, "12.345 participaciones."),
        ("es", 1_000_000, "1.000.000 de participaciones."),
        ("de", 1, "1 Teilnahme."),
        ("de", 12_345, "12.345 Teilnahmen."),
        ("fr", 0, "0 participation."),
        ("fr", 1, "1 participation."),
        ("fr", 2, "2 participations."),
        ("fr", 1_000_000, "1\u202f000\u202f000 de participations."),
    ],
)
def test_the_count_has_the_plural_form_and_the_number_of_the_language(
    publish: Publish, monkeypatch: pytest.MonkeyPatch, language: str, total: int, written: str
) -> None:
    monkeypatch.setattr("osdi.campaign_pages.public_count.total_outreaches", lambda *_: total)
    page = publish({"language": language, "show_count_from": 0})

    assert page.soup().select_one(".count p").get_text().strip().startswith(written)


def test_an_error_page_without_a_campaign_is_in_the_language_of_the_browser(applications: Callable[..., Flask]) -> None:
    response = applications("de").test_client().get("/act/none", headers={"Accept-Language": "fr-CA"})

    assert soup(response).html["lang"] == "fr"
    assert soup(response).h1.get_text().startswith("Cette page")


def test_the_title_stays_as_it_was_written(publish: Publish) -> None:
    assert publish({"language": "de"}, title=TITLE).soup().h1.get_text() == TITLE


def test_numbers_and_addresses_run_from_left_to_right_on_every_page(
    states: Callable[..., dict[str, Any]],
) -> None:
    """Otherwise a page from right to left shows a number with its groups in the wrong order."""
    responses = states("ar-XB")
    form, call, mail, thanks = (soup(responses[name]) for name in ("page", "step of phone", "step of email", "thanks"))

    shown = [
        *form.select("[type=email], [type=tel]"),
        *call.select(".number, a[href^='tel:'] > bdi"),
        *mail.select("#act-addresses"),
        *thanks.select("#act-share-link"),
    ]

    assert len(shown) == 6
    assert {each.get("dir") for each in shown} == {"ltr"}
