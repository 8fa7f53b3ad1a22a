"""Every route declares its access, and rejects requests that the declaration does not allow."""

from collections.abc import Iterator

import pytest
from flask import Flask

from osdi.resources import API
from tests.support.client import Client

# Pages without data, their assets, the OpenAPI document, and the health checks.
PUBLIC = {
    "/",
    "/docs",
    "/docs/assets/<version>/<name>",
    "/docs/v1/<string:name>",
    "/explorer",
    "/healthz",
    "/openapi.json",
    "/readyz",
    "/redoc",
    "/static/<path:filename>",
}
# Pages that a signature in their address protects.
SIGNED = {"/unsubscribe/<token>", "/unsubscribe/undo", "/act/confirm/<string:token>"}
# Public campaign pages. Their posts record outreaches as the helper does for a caller without a token.
CAMPAIGN_PAGES = {
    "/act",
    "/act/<path:_>",
    "/act/<string:slug>",
    "/act/<string:slug>.json",
    "/act/<string:slug>/embed",
    "/act/<string:slug>/outcome",
    "/act/<string:slug>/share",
    "/act/<string:slug>/thanks",
    "/act/assets/<string:version>/<string:name>",
    "/act/embed.js",
    "/act/record.js",
}
# Routes with a token of their own, which callers of the API do not have.
WATCHED = {"/metrics"}
# Pages with a session of their own: tests/staff/test_access.py has a table of them.
STAFF = "/staff"
# API routes that need no token: the entry point and the helpers.
OPEN = {
    ("GET", f"{API}/"),
    ("POST", f"{API}/advocacy_campaigns/<advocacy_campaign_id>/record_outreach_helper"),
    ("POST", f"{API}/advocacy_campaigns/<advocacy_campaign_id>/outreaches"),
    ("POST", f"{API}/people/person_signup_helper"),
}


def routes(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Yields method, rule and endpoint of every route."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, rule.rule, rule.endpoint


def test_every_route_is_a_public_page_or_declares_its_access(app: Flask) -> None:
    undeclared = {
        rule
        for _, rule, endpoint in routes(app)
        if not rule.startswith(STAFF) and "access" not in getattr(app.view_functions[endpoint], "_apidoc", {})
    }

    assert undeclared == PUBLIC | SIGNED | CAMPAIGN_PAGES | WATCHED


def test_public_pages_are_read_only(app: Flask) -> None:
    assert {method for method, rule, _ in routes(app) if rule in PUBLIC} == {"GET"}


@pytest.mark.parametrize("token", [None, "osdi_wrong"])
def test_routes_that_need_a_token_reject_a_request_before_any_look_up(
    app: Flask, api: Client, token: str | None
) -> None:
    headers = {"OSDI-API-Token": token} if token else {}
    called = 0
    for method, rule, _ in routes(app):
        if not rule.startswith(API) or (token is None and (method, rule) in OPEN):
            continue
        path = rule.replace("<advocacy_campaign_id>", api.campaign_id).replace("<", "").replace(">", "")

        response = api.http.open(path, method=method, data="{}", headers=headers)

        assert (response.status_code, method, rule) == (401, method, rule)
        assert response.headers["WWW-Authenticate"]
        called += 1
    assert called > 40


def test_the_routes_without_a_token_are_the_listed_ones(app: Flask) -> None:
    optional = {
        (method, rule)
        for method, rule, endpoint in routes(app)
        if {} in getattr(app.view_functions[endpoint], "_apidoc", {}).get("access", {}).get("security", ())
    }

    assert optional == OPEN
