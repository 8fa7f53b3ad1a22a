"""Forms and addresses that no browser would send: each gets a page for people, and none an error of the server."""

from collections.abc import Callable

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.database import Database

from osdi.campaign_pages.form.controls import (
    CONFIRMED,
    FORM_TOKEN,
    PARTS,
    PERSON_CONTROLS,
    REDIRECT,
    SOURCES,
)
from tests.fixtures.campaign_pages import CampaignPage, soup

Publish = Callable[..., CampaignPage]
EXPECTED = {200, 303, 403, 409, 413, 422}

NAMES = [*PERSON_CONTROLS, *PARTS, *SOURCES, FORM_TOKEN, CONFIRMED, REDIRECT, "answers.x", "further_comment", "", "_"]
TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            *("0", "-1", "99999999999999999999", "1e400", "yes", "on", "none", "null", "NaN", "true", "[]", "{}"),
            *(
                "jane@example.com",
                "jane@" + "x" * 300 + ".com",
                "+1 202 555 0164",
                "\x00",
                "\u202e",
                "\ud7ff",
                "é" * 100,
            ),
            *("{{ person.given_name }}", "{% for x in y %}", "$where", "../../etc/passwd", "<script>alert(1)</script>"),
            *("https://[", "https://x:99999", "javascript:alert(1)", "\r\nSet-Cookie: a=b", "x" * 5_000),
        ]
    ),
)
FORMS = st.lists(st.tuples(st.sampled_from(NAMES), TEXTS), max_size=12)


@pytest.mark.parametrize("suffix", ["", "/embed"])
@pytest.mark.parametrize("selection", ["all", "choose", "postal_code"])
@given(form=FORMS, signed=st.booleans())
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_form_is_an_error_of_the_server(
    app: Flask,
    database: Database,
    publish: Publish,
    suffix: str,
    selection: str,
    form: list[tuple[str, str]],
    signed: bool,
) -> None:
    database.advocacy_campaigns.delete_many({})
    page = publish(
        {"targets": {"selection": selection}, "consent": {"text": "Write to me."}},
        type="email",
        target_list=[{"given_name": "John"}, {"given_name": "Ada"}],
        templates=["Dear {{ targets[0].given_name }}", "Hello"],
    )
    values: dict[str, list[str]] = {"form_token": [page.filled(suffix=suffix)["form_token"]]} if signed else {}
    for name, value in form:
        values.setdefault(name, []).append(value)

    response = page.post(values, suffix, content_type="application/x-www-form-urlencoded")

    assert response.status_code in EXPECTED
    assert response.mimetype == "text/html"
    assert "Set-Cookie" not in response.headers
    assert soup(response).find("script", string=True) is None


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("suffix", ["", "/embed"])
def test_another_method_gets_the_names_of_the_right_ones(publish: Publish, method: str, suffix: str) -> None:
    page = publish()

    response = page.http.open(page.path + suffix, method=method)

    assert response.status_code == 405
    assert {"GET", "POST"} <= set(response.headers["Allow"].split(", "))


@pytest.mark.parametrize(
    "address",
    [
        "/act/%00",
        "/act/river/other",
        "/act/%ff",
        "/act/..%2f..%2fetc",
        "/act/%7B%7B1%7D%7D",
        "/act/a%0d%0ab",
        "/act/" + "x" * 5_000,
    ],
)
def test_a_strange_slug_is_no_page(publish: Publish, address: str) -> None:
    page = publish()

    assert page.http.get(address).status_code == 404
    posted = page.http.post(address, data={"person.given_name": "Jane"})
    assert posted.status_code == 404
    assert posted.mimetype == "text/html"
