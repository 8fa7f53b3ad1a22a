"""The page of a confirmation mail's link: a button, which a POST uses (double opt-in).

A GET changes nothing, since mail scanners follow every link in a mail.
"""

from http import HTTPStatus
from typing import Final

from flask import Response, make_response, render_template

from blueprints.act.blueprint import act
from blueprints.browser.translation import accepted_languages, use_language
from blueprints.http.context import reference, settings, store
from osdi.consent.confirmation import EXPIRED, GONE, INVALID, WITHDRAWN, Confirmation, confirm, read_confirmation

STATUSES: Final = {
    INVALID: HTTPStatus.NOT_FOUND,
    GONE: HTTPStatus.GONE,
    EXPIRED: HTTPStatus.GONE,
    WITHDRAWN: HTTPStatus.CONFLICT,
}


@act.get("/confirm/<string:token>")
def ask_to_confirm(token: str) -> Response:
    """Show the button of a confirmation mail"""
    return _page(read_confirmation(store(), token, settings().match_key_rules))


@act.post("/confirm/<string:token>")
def confirm_consent(token: str) -> Response:
    """Confirm the consent that a confirmation mail asks about"""
    return _page(confirm(store(), reference().find, token, settings().match_key_rules))


def _page(found: Confirmation) -> Response:
    receipt = found.receipt or {}
    use_language(receipt.get("language"), *accepted_languages())
    page = render_template(
        "act/confirm.html",
        state=found.state,
        address=found.address,
        consent=receipt.get("text", ""),
        organisation=settings().vendor_name,
    )
    response = make_response(page, STATUSES.get(found.state, HTTPStatus.OK))
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"  # the page contains an address
    response.headers["X-Robots-Tag"] = "noindex"
    return response
