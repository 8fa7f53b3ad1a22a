"""Signing in by OpenID Connect: the link to the provider, and the page that the provider leads back to.

Both are GETs. The first stores nothing; the second needs the cookie of the first, which works once in its browser.
"""

from typing import Final

from flask import Response, current_app, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import hal, store
from blueprints.http.request_log import request_id
from blueprints.staff.blueprint import PUBLIC, pages
from blueprints.staff.cookie import SECURE_NAME, cookie_name
from blueprints.staff.frame import page, safe_next, session
from blueprints.staff.sign_in import begin_for
from osdi import log
from osdi.errors import not_found
from osdi.ids import now
from osdi.resources import STAFF_PAGES
from osdi.staff.oidc.errors import SignInFailed
from osdi.staff.oidc.provider import Provider
from osdi.staff.oidc.sign_in import VALID_SECONDS, begin, end

EXTENSION: Final = "osdi_oidc"
CALLBACK: Final = "/oidc/callback"
# By the name of the other cookie, which says if the connection is safe.
SECURE, LOOPBACK = "__Host-osdi_oidc", "osdi_oidc_loopback"
# The page of a failure, by its reason; any other reason is the provider's.
STARTED_ELSEWHERE: Final = frozenset({"no_cookie", "cookie", "state"})
NO_ACCOUNT: Final = frozenset({"no_member", "disabled", "unverified_address", "no_address", "hosted_domain"})


@pages.get("/sign-in/oidc", access=PUBLIC)
def begin_oidc() -> AnyResponse:
    """Lead to the OpenID provider"""
    found, next_page = session(), safe_next(request.args.get("next", ""))
    again = found.member["email"] if found and "again" in request.args else None
    try:
        begun = begin(store(), _provider(), _redirect_uri(), next_page=next_page, fresh_for=again)
    except SignInFailed as failed:
        return _failed(failed)
    return _with_cookie(redirect(begun.address, 303), begun.cookie)


@pages.get(CALLBACK, access=PUBLIC)
def end_oidc() -> AnyResponse:
    """Sign in by the response of the OpenID provider"""
    provider, cookie = _provider(), request.cookies.get(_cookie(), "")
    try:
        ended = end(store(), provider, _redirect_uri(), request.args.to_dict(), cookie, now())
    except SignInFailed as failed:
        return _with_cookie(_failed(failed), "")
    g.audited = True  # a GET that signs in belongs into the audit log
    return _with_cookie(begin_for(ended.member, ended.next, fresh=ended.fresh), "")


def _provider() -> Provider:
    """Returns the provider. Raises OsdiError 404 if the settings name none."""
    found: Provider | None = current_app.extensions.get(EXTENSION)
    if found is None:
        raise not_found("This server has no OpenID provider.")
    return found


def _redirect_uri() -> str:
    return f"{hal().base_url}{STAFF_PAGES}{CALLBACK}"


def _cookie() -> str:
    return SECURE if cookie_name() == SECURE_NAME else LOOPBACK


def _with_cookie(response: AnyResponse, content: str) -> AnyResponse:
    """Sets the cookie of a sign-in, or deletes it."""
    response.set_cookie(
        _cookie(),
        content,
        max_age=VALID_SECONDS if content else 0,
        path="/",
        secure=_cookie() == SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _failed(failed: SignInFailed) -> Response:
    """Returns a page in words for people. The log has the reason, and an id if a member is known."""
    g.rejected = f"OIDC_{failed.reason.upper()}"
    log.logger().warning("oidc", reason=failed.reason, staff_id=failed.member_id, request_id=request_id())
    if failed.reason in STARTED_ELSEWHERE:
        kind, status = "elsewhere", 400
    elif failed.reason in NO_ACCOUNT:
        kind, status = "no_account", 403
    elif failed.reason in ("declined", "not_fresh"):
        kind, status = failed.reason, 403
    else:
        kind, status = "provider", 502
    return page("oidc_failed.html", status, kind=kind, reference=request_id())
