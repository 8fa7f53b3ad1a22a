"""The blueprint of all public campaign pages: their errors are pages for people, and their callers are anonymous."""

from typing import Final

from flask import Blueprint, Response, g, make_response, render_template
from werkzeug.exceptions import HTTPException

from blueprints.act.security_headers import add_security_headers
from blueprints.browser.translation import accepted_languages, use_language
from osdi.access.tokens import ANONYMOUS
from osdi.errors import OsdiError
from osdi.resources import PAGES

act: Final = Blueprint("act", __name__, template_folder="templates", url_prefix=PAGES)
act.after_request(add_security_headers)


@act.before_request
def anonymous() -> None:
    """Makes every caller of these pages anonymous: they read neither a token nor a cookie."""
    g.caller = ANONYMOUS


@act.errorhandler(OsdiError)
def osdi_error_page(error: OsdiError) -> Response:
    """Returns the page of an error, with its status and headers."""
    g.refused = error.descriptions[0].error_code
    return error_page(error.status, error.headers)


@act.errorhandler(HTTPException)
def http_error_page(error: HTTPException) -> Response:
    """Returns the page of an error of Werkzeug, such as 405 with the header Allow."""
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    return error_page(error.code or 500, headers)


def error_page(status: int, headers: dict[str, str]) -> Response:
    """Returns a page that says what happened, in the language of the campaign's page, or else of the browser."""
    if "language" not in g:
        use_language(*accepted_languages())
    response = make_response(render_template("act/error.html", status=status), status)
    response.headers.update(headers)
    return response
