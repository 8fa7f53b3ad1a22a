"""Errors outside the API: a page for a browser, JSON for a program."""

import pytest
from flask import Flask

from tests.fixtures.deployed import Deployed

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("*/*", False),
        ("application/json", False),
        ("application/hal+json, */*", False),
        ("text/html;q=0.5, application/json", False),
        ("", False),
        ("text/plain;version=0.0.4", False),
    ],
)
def test_a_page_is_for_clients_that_prefer_html(app: Flask, accept: str, html: bool) -> None:
    response = app.test_client().get("/nowhere", headers={"Accept": accept})

    assert response.status_code == 404
    assert (response.mimetype == "text/html") == html
    assert (response.mimetype == "application/hal+json") != html


def test_the_api_returns_json_to_a_browser_too(app: Flask) -> None:
    response = app.test_client().get("/api/v1/people", headers={"Accept": BROWSER})

    assert (response.status_code, response.mimetype) == (401, "application/hal+json")


def test_a_missing_page_leads_to_the_start_and_to_the_staff_pages(app: Flask) -> None:
    response = app.test_client().get("/nowhere", headers={"Accept": BROWSER})

    assert 'href="/"' in response.text
    assert 'href="/staff"' in response.text
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


def test_a_missing_token_has_a_page(deployed: Deployed) -> None:
    response = deployed(metrics_token="x" * 16).http.get("/metrics", headers={"Accept": BROWSER})

    assert response.status_code == 401
    assert "This needs a token" in response.text


def test_a_wrong_method_has_a_page(app: Flask) -> None:
    response = app.test_client().post("/docs", headers={"Accept": BROWSER})

    assert response.status_code == 405
    assert response.headers["Allow"]
    assert "cannot be used like that" in response.text


def test_a_failure_of_the_server_has_a_page_with_the_id_of_the_request(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = deployed().http.application
    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setitem(app.view_functions, "documentation.landing", lambda: 1 / 0)

    response = app.test_client().get("/", headers={"Accept": BROWSER})

    assert response.status_code == 500
    assert "The server failed" in response.text
    assert response.headers["OSDI-Request-ID"] in response.text


def test_the_start_page_leads_to_the_staff_pages(app: Flask) -> None:
    assert 'href="/staff"' in app.test_client().get("/").text
