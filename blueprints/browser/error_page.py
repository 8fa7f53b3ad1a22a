"""The page of an error, for a person who has opened an address in a browser; programs and the API get JSON."""

from typing import Final

from flask import Response, make_response, render_template, request

from blueprints.browser.documentation import POLICY, asset_url
from blueprints.browser.translation import accepted_languages, use_language
from osdi.errors import OsdiError
from osdi.resources import API, STAFF_PAGES

HTML: Final = "text/html"
JSON: Final = "application/json"


def asks_for_page() -> bool:
    """True if the client prefers HTML and the address is not one of the API."""
    accepted = request.accept_mimetypes
    return not request.path.startswith(API) and accepted.quality(HTML) > accepted.quality(JSON)


def error_page(error: OsdiError, reference: str | None) -> Response:
    """Returns the page; `reference` is the id of the request, by which the operator finds the reason in the log."""
    use_language(request.args.get("lang"), *accepted_languages())
    sentences = [each.description for each in error.descriptions]
    page = render_template(
        "error.html",
        status=error.status,
        sentences=sentences,
        reference=reference,
        asset_url=asset_url,
        staff_pages=STAFF_PAGES,
    )
    response = make_response(page)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-store"
    return response
