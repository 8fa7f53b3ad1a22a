"""Tokens of the API: the list, and forms to create, rotate and revoke them. A response shows a secret once."""

from typing import Any

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import settings, store
from blueprints.staff.blueprint import pages
from blueprints.staff.frame import page
from blueprints.staff.settings.access import ADMINISTRATOR, FRESH_ADMINISTRATOR
from blueprints.staff.settings.errors import Errors, or_form
from osdi.access.token_changes import create_token, get_token, revoke_token, rotate_token
from osdi.access.tokens import SCOPES, has_expired
from osdi.ids import now
from osdi.staff.settings.bound import campaign_choices, token_list


@pages.get("/settings/tokens", access=ADMINISTRATOR)
def tokens() -> Response:
    """List the tokens"""
    return page("settings/tokens.html", tokens=token_list(store(), now()), seconds=settings().cache_seconds)


@pages.get("/settings/tokens/new", access=FRESH_ADMINISTRATOR)
def new_token() -> Response:
    """Show the form for a new token"""
    return _new_form()


@pages.post("/settings/tokens/new", access=FRESH_ADMINISTRATOR)
def create_api_token() -> AnyResponse:
    """Create a token and show its secret once"""
    return or_form(_create, _new_form)


@pages.get("/settings/tokens/<token_id>/rotate", access=FRESH_ADMINISTRATOR)
def rotate_form(token_id: str) -> Response:
    """Show the form that gives a token a new secret"""
    return _rotate_form(token_id)


@pages.post("/settings/tokens/<token_id>/rotate", access=FRESH_ADMINISTRATOR)
def rotate_api_token(token_id: str) -> AnyResponse:
    """Give a token a new secret and show it once"""
    return or_form(lambda: _rotate(token_id), lambda status, errors: _rotate_form(token_id, status, errors))


@pages.get("/settings/tokens/<token_id>/revoke", access=FRESH_ADMINISTRATOR)
def revoke_form(token_id: str) -> Response:
    """Ask before a token is revoked"""
    token = get_token(store(), token_id)
    return page("settings/revoke_token.html", token=token, seconds=settings().cache_seconds)


@pages.post("/settings/tokens/<token_id>/revoke", access=FRESH_ADMINISTRATOR)
def revoke_api_token(token_id: str) -> AnyResponse:
    """Revoke a token"""
    revoke_token(store(), token_id)
    return redirect(url_for("staff.tokens", done="token_revoked"), 303)


def _create() -> Response:
    typed = _typed()
    bound = (typed["person_id"] or None, typed["advocacy_campaign_id"] or None)
    secret, token = create_token(store(), typed["name"], typed["scopes"], *bound)
    return _secret_page(secret, token)


def _rotate(token_id: str) -> Response:
    hours = request.form.get("hours", default=-1, type=int)
    secret, token, ends = rotate_token(store(), get_token(store(), token_id), hours, now())
    return _secret_page(secret, token, former_ends=ends, rotated=True)


def _typed() -> dict[str, Any]:
    names = ("name", "person_id", "advocacy_campaign_id")
    return {**{name: request.form.get(name, "").strip() for name in names}, "scopes": request.form.getlist("scopes")}


def _new_form(status: int = 200, errors: Errors | None = None) -> Response:
    campaigns = campaign_choices(store())
    return page(
        "settings/new_token.html", status, typed=_typed(), errors=errors or {}, scopes=SCOPES, campaigns=campaigns
    )


def _rotate_form(token_id: str, status: int = 200, errors: Errors | None = None) -> Response:
    token, hours = get_token(store(), token_id), request.form.get("hours", "0")
    expired = has_expired(token, now())
    return page("settings/rotate_token.html", status, token=token, hours=hours, errors=errors or {}, expired=expired)


def _secret_page(secret: str, token: dict[str, Any], **values: Any) -> Response:
    return page("settings/token_secret.html", secret=secret, token=token, **values)
