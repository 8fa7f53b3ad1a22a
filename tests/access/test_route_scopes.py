"""Every route says who may call it, and means it: a route that does not is found here."""

from collections.abc import Iterator

import pytest
from flask import Flask

from osdi.resources import API
from tests.support.client import Client

# Pages and their assets, which hold no data, the document behind them, and whether we are well.
PUBLIC = {
    "/",
    "/docs",
    "/docs/assets/<version>/<name>",
    "/docs/v1/<name>",
    "/explorer",
    "/healthz",
    "/openapi.json",
    "/readyz",
    "/redoc",
    "/static/<path:filename>",
}
# Pages that know who opens them by the signature in their address.
SIGNED = {"/unsubscribe/<token>"}
# What has a token of its own, that no caller of the API has.
WATCHED = {"/metrics"}
# What somebody without a token may call of the API: the entry point and the helpers.
OPEN = {
    ("GET", f"{API}/"),
    ("POST", f"{API}/advocacy_campaigns/<advocacy_campaign_id>/record_outreach_helper"),
    ("POST", f"{API}/advocacy_campaigns/<advocacy_campaign_id>/outreaches"),
    ("POST", f"{API}/people/person_signup_helper"),
}


def routes(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Method, rule and endpoint of everything that can be called."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, rule.rule, rule.endpoint


def test_every_route_is_a_public_page_or_says_who_may_call_it(app: Flask) -> None:
    silent = {
        rule
        for _, rule, endpoint in routes(app)
        if "access" not in getattr(app.view_functions[endpoint], "_apidoc", {})
    }

    assert silent == PUBLIC | SIGNED | WATCHED


def test_pages_are_only_read(app: Flask) -> None:
    assert {method for method, rule, _ in routes(app) if rule in PUBLIC} == {"GET"}


@pytest.mark.parametrize("token", [None, "osdi_wrong"])
def test_what_is_not_open_is_refused_before_anything_is_looked_up(app: Flask, api: Client, token: str | None) -> None:
    headers = {"OSDI-API-Token": token} if token else {}
    called = 0
    for method, rule, _ in routes(app):
        if not rule.startswith(API) or (token is None and (method, rule) in OPEN):
            continue
        path = rule.replace("<advocacy_campaign_id>", api.campaign_id).replace("<", "").replace(">", "")

        answer = api.http.open(path, method=method, data="{}", headers=headers)

        assert (answer.status_code, method, rule) == (401, method, rule)
        assert answer.headers["WWW-Authenticate"]
        called += 1
    assert called > 40


def test_the_open_routes_are_these(app: Flask) -> None:
    optional = {
        (method, rule)
        for method, rule, endpoint in routes(app)
        if {} in getattr(app.view_functions[endpoint], "_apidoc", {}).get("access", {}).get("security", ())
    }

    assert optional == OPEN
