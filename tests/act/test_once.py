"""A form is recorded exactly once, and never silently lost: repetitions, doubts, limits and a lost database."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION
from osdi.campaign_pages.form.form_token import DAY, FormToken
from osdi.settings import Settings
from tests.fixtures.campaign_pages import JANE, CampaignPage, soup, typed_into

Publish = Callable[..., CampaignPage]
SUFFIXES = pytest.mark.parametrize("suffix", ["", "/embed"])


def outreaches(database: Database) -> int:
    return database.outreaches.count_documents({})


@pytest.fixture
def strict_app(settings: Settings) -> Iterator[Callable[..., Flask]]:
    """Applications with other settings."""
    apps = []

    def make(**changes: Any) -> Flask:
        apps.append(create_app(replace(settings, **changes)))
        return apps[-1]

    yield make
    for each in apps:
        each.extensions[EXTENSION].store.close()


@SUFFIXES
def test_the_same_form_sent_again_is_the_same_outreach(publish: Publish, database: Database, suffix: str) -> None:
    page = publish()
    values = page.filled(suffix=suffix)

    first, again = page.post(values, suffix), page.post(values, suffix)

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.get_data() == again.get_data()
    assert outreaches(database) == 1


def test_a_double_click_is_one_outreach(publish: Publish, database: Database) -> None:
    page = publish()
    values = page.filled()
    statuses: list[int] = []
    clicks = [threading.Thread(target=lambda: statuses.append(page.post(values).status_code)) for _ in range(5)]

    for each in clicks:
        each.start()
    for each in clicks:
        each.join()

    assert statuses == [200] * 5
    assert outreaches(database) == 1
    assert database.people.count_documents({}) == 1


def test_a_form_of_names_only_is_known_again_by_its_content(publish: Publish, database: Database) -> None:
    page = publish({"fields": [{"name": "given_name"}]})
    values = page.filled({"person.given_name": "Jane"})

    page.post(values)
    assert page.post(values).status_code == 200

    assert outreaches(database) == 1


@pytest.mark.parametrize(
    "changed",
    [{"source": "other"}, {"person.given_name": " Jane "}, {"referrer": "https://other.example"}],
    ids=["source", "space around a name", "referrer"],
)
def test_a_change_that_nobody_typed_is_no_new_outreach(
    publish: Publish, database: Database, changed: dict[str, str]
) -> None:
    page = publish()
    values = page.filled()
    page.post(values)

    assert page.post({**values, **changed}).status_code == 200

    assert outreaches(database) == 1


def test_other_entries_with_the_same_form_are_recorded_after_a_question(publish: Publish, database: Database) -> None:
    page = publish()
    values = page.filled()
    page.post(values)

    asked = page.post({**values, "person.given_name": "Janet"})

    assert asked.status_code == 409
    assert soup(asked).h1.get_text() == "You have taken part already"
    assert outreaches(database) == 1
    button = typed_into(soup(asked))
    assert button["person.given_name"] == "Janet"
    assert page.post(button).status_code == 200
    assert page.post(button).status_code == 200
    assert outreaches(database) == 2


def test_another_person_on_the_same_form_is_another_outreach(publish: Publish, database: Database) -> None:
    page = publish()
    values = page.filled()
    page.post(values)

    assert page.post({**values, "person.email_address": "john@example.com"}).status_code == 200

    assert outreaches(database) == 2


def test_a_known_and_an_unknown_person_get_the_same_response(publish: Publish) -> None:
    page = publish()
    unknown = page.record()
    known = page.record()

    assert (unknown.status_code, unknown.get_data()) == (known.status_code, known.get_data())


def token(app: Flask, page: CampaignPage, **changes: Any) -> str:
    """Returns a signed token with other content than that of the rendered form."""
    made = replace(FormToken.new(page.campaign["_id"]), **changes)
    return app.extensions[EXTENSION].form_tokens.signed(made)


DOUBTS: dict[str, Callable[[Flask, CampaignPage], dict[str, str]]] = {
    "a token older than a day": lambda app, page: {
        "form_token": token(app, page, made=FormToken.new("").made - DAY - 1)
    },
    "a token of another campaign": lambda app, page: {"form_token": token(app, page, campaign_id="other")},
    "a forged token": lambda app, page: {"form_token": token(app, page)[:-3] + "xyz"},
    "an empty token": lambda app, page: {"form_token": ""},
    "a very long token": lambda app, page: {"form_token": "x" * 3_000},
    "a filled honeypot": lambda app, page: {"further_comment": "Buy now"},
}


@pytest.mark.parametrize("doubt", DOUBTS.values(), ids=DOUBTS.keys())
def test_a_doubtful_form_is_recorded_after_one_more_click(
    app: Flask, publish: Publish, database: Database, doubt: Callable[[Flask, CampaignPage], dict[str, str]]
) -> None:
    page = publish({"fields": [{"name": "email_address"}, {"name": "street_address"}]})
    values = page.filled({"person.email_address": "jane@example.com", "person.street_address": "Sea\r\n<b>1"})
    for name, value in doubt(app, page).items():
        values.setlist(name, [value])

    asked = page.post(values)

    assert asked.status_code == 422
    assert soup(asked).h1.get_text() == "Please confirm"
    assert outreaches(database) == 0
    button = typed_into(soup(asked))
    assert page.post(button).status_code == 200
    assert page.post(button).status_code == 200
    assert outreaches(database) == 1
    (person,) = database.people.find()
    assert person["email_addresses"][0]["address"] == "jane@example.com"
    assert person["postal_addresses"][0]["address_lines"] == ["Sea", "<b>1"]


def test_a_form_that_is_sent_too_quickly_is_recorded_after_one_more_click(
    publish: Publish, database: Database, strict_app: Callable[..., Flask]
) -> None:
    page = publish(app=strict_app(form_seconds=30))

    asked = page.record()

    assert asked.status_code == 422
    assert outreaches(database) == 0
    assert page.post(typed_into(soup(asked))).status_code == 200
    assert outreaches(database) == 1


def test_an_old_form_that_was_recorded_stays_one_outreach_after_the_question(
    app: Flask, publish: Publish, database: Database
) -> None:
    page = publish()
    values = page.filled()
    found = app.extensions[EXTENSION].form_tokens.read(values["form_token"], page.campaign["_id"])
    page.post(values)

    old = {**values, "form_token": token(app, page, key=found.key, made=found.made - DAY - 1)}

    assert page.post(typed_into(soup(page.post(old)))).status_code == 200
    assert outreaches(database) == 1


def test_the_name_of_the_honeypot_is_a_setting(
    publish: Publish, database: Database, strict_app: Callable[..., Flask]
) -> None:
    page = publish(app=strict_app(honeypot_field="second_name"))

    assert page.record({**JANE, "second_name": "Robot"}).status_code == 422
    assert outreaches(database) == 0


def test_a_person_does_not_see_the_honeypot(publish: Publish) -> None:
    control = publish().soup().find(attrs={"name": "further_comment"})

    assert control is not None
    assert control["tabindex"] == "-1"
    assert control["autocomplete"] == "off"
    assert control.find_parent(attrs={"aria-hidden": "true", "class": "extra"}) is not None


def test_beyond_the_rate_limit_the_text_stays_and_one_click_sends_it_again(
    publish: Publish, database: Database, strict_app: Callable[..., Flask]
) -> None:
    page = publish(app=strict_app(rate_limit_anonymous="1/minute"))
    values = page.filled({**JANE, "message": "Dear <b>Senator"})
    page.post({**values, "person.email_address": "other@example.com"})

    limited = page.post(values)

    found = soup(limited)
    assert limited.status_code == 429
    assert 0 < int(limited.headers["Retry-After"]) <= 60
    assert limited.mimetype == "text/html"
    assert "1 minute" in found.get_text()
    assert "Dear <b>Senator" in found.get_text()
    assert typed_into(found) == values
    assert found.form["action"] == page.path
    assert outreaches(database) == 1


def test_the_pages_themselves_are_not_counted(publish: Publish, strict_app: Callable[..., Flask]) -> None:
    page = publish(app=strict_app(rate_limit_anonymous="1/minute"))

    assert [page.get(suffix).status_code for suffix in ("", "/embed", "", "")] == [200] * 4


def test_the_bytes_of_forms_are_counted(publish: Publish, strict_app: Callable[..., Flask]) -> None:
    page = publish(app=strict_app(rate_limit_anonymous_bytes="3000/hour"))

    statuses = [page.post(page.filled({**JANE, "message": "x" * 2_000})).status_code for _ in range(2)]

    assert statuses == [200, 429]


def test_an_outreach_over_the_limit_of_its_contact_detail_is_recorded(
    publish: Publish, database: Database, strict_app: Callable[..., Flask]
) -> None:
    page = publish(app=strict_app(rate_limit_contact="1/hour"))

    responses = [page.record() for _ in range(2)]

    assert [each.status_code for each in responses] == [200, 200]
    assert responses[0].get_data() == responses[1].get_data()
    assert [each.get("not_applied") for each in database.outreaches.find()] == [None, "too_many_posts"]


def test_without_the_database_the_text_stays_and_one_click_sends_it_again(
    publish: Publish, database: Database, fail: Callable[..., None]
) -> None:
    page = publish()
    values = page.filled({**JANE, "message": "Dear <b>Senator"})
    fail("alwaysOn", ["insert", "commitTransaction"], errorCode=11600)

    lost = page.post(values)

    fail("off", [])
    found = soup(lost)
    assert lost.status_code == 503
    assert lost.headers["Retry-After"]
    assert lost.headers["Cache-Control"] == "no-store"
    assert found.h1.get_text() == "Not recorded yet"
    assert "Dear <b>Senator" in found.get_text()
    assert typed_into(found) == values
    assert page.post(typed_into(found)).status_code == 200
    assert outreaches(database) == 1


LARGE = {
    "a long text": ("application/x-www-form-urlencoded", b"message=" + b"x" * 40_000, 413),
    "a body that is longer than any text": ("application/x-www-form-urlencoded", b"message=" + b"x" * 100_000, 413),
    "JSON": ("application/json", b'{"person": {"given_name": "Jane"}}', 415),
    "no type": ("", b"person.given_name=Jane", 415),
    "a broken multipart body": ("multipart/form-data; boundary=x", b"--x\r\nnonsense", 422),
    "no boundary": ("multipart/form-data", b"--x", 422),
    "bytes that are no UTF-8": ("application/x-www-form-urlencoded", b"person.email_address=%ff%fe", 422),
    "thousands of controls": ("application/x-www-form-urlencoded", b"a=1&" * 5_000, 422),
}


@pytest.mark.parametrize(("content_type", "body", "status"), LARGE.values(), ids=LARGE.keys())
def test_a_body_that_is_no_form_of_ours_is_a_page_for_people(
    publish: Publish, database: Database, content_type: str, body: bytes, status: int
) -> None:
    page = publish()

    response = page.http.post(page.path, data=body, content_type=content_type)

    assert response.status_code == status
    assert response.mimetype == "text/html"
    assert outreaches(database) == 0
