"""The blueprint of all public campaign pages: their errors are pages for people, and their callers are anonymous."""

from collections.abc import Mapping
from typing import Final

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from blueprints.act.rendering import EMBEDDED
from blueprints.act.security_headers import add_security_headers, allow_frames
from blueprints.browser.compressed_files import compress_page
from blueprints.browser.translation import accepted_languages, use_language
from blueprints.http.body import posted_form
from blueprints.http.request_log import failed_by, request_id
from osdi.access.anonymous_posts import ANY_ORIGIN
from osdi.access.tokens import ANONYMOUS
from osdi.campaign_pages.published import PageMoved
from osdi.campaign_pages.targets import target_name
from osdi.errors import OsdiError, WriteConflict, unavailable
from osdi.resources import PAGES

# After these statuses the same post can succeed later.
PASSING: Final = frozenset({408, 429, 500, 502, 503, 504})

act: Final = Blueprint("act", __name__, template_folder="templates", url_prefix=PAGES)
act.add_app_template_filter(target_name)
act.after_request(add_security_headers)
act.after_request(compress_page)


@act.before_request
def anonymous() -> None:
    """Makes every caller of these pages anonymous: they read neither a token nor a cookie."""
    g.caller = ANONYMOUS


@act.app_errorhandler(PageMoved)
def redirect_to_page(moved: PageMoved) -> BaseResponse:
    """Redirects to the same address with the page's present slug; a POST stays a POST, so that no form is lost."""
    address = url_for(request.endpoint or "", **{**(request.view_args or {}), "slug": moved.slug})
    # Not by url_for, which gives arguments such as `_scheme` a meaning.
    query = request.query_string.decode("ascii", "replace")
    return redirect(f"{address}?{query}" if query else address, 301 if request.method in ("GET", "HEAD") else 308)


@act.errorhandler(OsdiError)
def osdi_error_page(error: OsdiError) -> Response:
    """Returns the page of an error, with its status and headers."""
    g.rejected = error.descriptions[0].error_code
    if error.status >= 500:
        failed_by(error)
    return error_page(error.status, error.headers)


@act.errorhandler(WriteConflict)
def conflict_page(conflict: WriteConflict) -> Response:
    """Returns the page of a 503: other requests were faster, again and again."""
    return osdi_error_page(unavailable("Another request was faster; retry.", seconds=1))


@act.errorhandler(HTTPException)
def http_error_page(error: HTTPException) -> Response:
    """Returns the page of an error of Werkzeug, such as 405 with the header Allow; of an exception, a 500."""
    g.rejected = error.name.upper().replace(" ", "_")
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    return error_page(error.code or 500, headers)


def error_page(status: int, headers: Mapping[str, str]) -> Response:
    """Returns a page that says what happened. After a passing error of a post it keeps the form, and sends it again.

    Its language is that of the campaign's page, or else of the browser. In a frame it may be shown on any site: nobody
    knows the sites of a campaign that cannot be read, and the page has nothing that another site could want.
    """
    if "language" not in g:
        use_language(*accepted_languages())
    if _is_in_frame():
        allow_frames((ANY_ORIGIN,))
    values = _posted_values() if request.method == "POST" and status in PASSING else None
    page = render_template(
        "act/error.html",
        status=status,
        values=values,
        action=request.full_path.rstrip("?"),
        seconds=int(headers.get("Retry-After", 0)),
        request_id=request_id() if status >= 500 else None,
    )
    response = make_response(page, status)
    response.headers.update(headers)
    return response


def _is_in_frame() -> bool:
    """True if the request is about a form in a frame, or about a step after one, which names EMBEDDED."""
    if request.path.endswith("/embed") or EMBEDDED in request.args:
        return True
    return request.method == "POST" and EMBEDDED in (_posted_values() or ())


def _posted_values() -> MultiDict[str, str] | None:
    """Returns the form of this request, or None if it has none that can be read."""
    try:
        return posted_form() or None
    except (OsdiError, HTTPException):
        return None
