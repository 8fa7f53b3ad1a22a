"""The unsubscribe page of a mail's link, with one button, and the POST that mail programs send (RFC 8058).

A GET changes nothing, since virus scanners follow every link in a mail. No login is needed: the link's signature proves
that this server sent it to that address. After the button the page has another one, which undoes it.
"""

from typing import Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, render_template, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import HTTPException

from blueprints.browser.documentation import HAL_EXPLORER_POLICY, asset_url
from blueprints.browser.translation import accepted_languages, use_language
from blueprints.http.context import settings, store
from osdi.followups.undo import undo, unsubscribe_with_undo
from osdi.followups.unsubscribe import PATH, address_of
from osdi.suppression.opt_outs import LINK, ONE_CLICK

pages = Blueprint("unsubscribe", __name__, template_folder="templates", url_prefix=PATH)

POLICY: Final = HAL_EXPLORER_POLICY.replace("form-action 'none'", "form-action 'self'")
HEADERS: Final = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
# The states of the page.
INVALID, ASKED, DONE, UNDONE, TOO_LATE = "invalid", "asked", "done", "undone", "too_late"


@pages.get("/<token>")
def ask(token: str) -> Response:
    """Shows the page with the button."""
    address = address_of(store(), token)
    return _page(ASKED, address=address) if address is not None else _page(INVALID, 404)


@pages.post("/<token>")
def confirm(token: str) -> Response:
    """Unsubscribes the address of the link, after a mail program's POST or the page's button."""
    address = address_of(store(), token)
    if address is None:
        return _page(INVALID, 404)
    source = ONE_CLICK if _is_one_click() else LINK
    undo_token = unsubscribe_with_undo(store(), address, source, settings().match_key_rules)
    return _page(DONE, address=address, undo_token=undo_token)


@pages.post("/undo")
def subscribe_again() -> Response:
    """Undoes an unsubscribe. The token is in the body: the addresses of requests are logged in many places."""
    address = undo(store(), request.form.get("undo", ""), settings().match_key_rules)
    return _page(UNDONE, address=address) if address is not None else _page(TOO_LATE, 409)


def _is_one_click() -> bool:
    """True if the body is that of a mail program. It only decides what is recorded, so a body may be unreadable."""
    try:
        return request.form.get("List-Unsubscribe") == "One-Click"
    except (ParseException, HTTPException):
        return False


def _page(state: str, status: int = 200, **values: Any) -> Response:
    """Returns the page in one of its states, in the language of the mail or else of the browser."""
    use_language(request.args.get("lang"), *accepted_languages())
    here = settings()
    page = render_template(
        "unsubscribe.html",
        state=state,
        sender=here.vendor_name,
        logo_url=here.logo_url,
        privacy_url=here.privacy_url,
        asset_url=asset_url,
        **values,
    )
    response = make_response(page, status)
    response.headers.update(HEADERS)
    response.headers["Content-Security-Policy"] = _policy(here.logo_url)
    return response


def _policy(logo_url: str) -> str:
    """Returns the Content-Security-Policy, which allows images of the logo's origin."""
    if not logo_url:
        return POLICY
    parts = urlsplit(logo_url)
    return POLICY.replace("img-src 'self'", f"img-src 'self' {parts.scheme}://{parts.netloc.rpartition('@')[2]}")
