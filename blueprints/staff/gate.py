"""Admits each request to the staff pages: session, rate limit, CSRF protection, declared access, headers, audit log.

It is the only place that does this, and it comes before each view, so no view can forget it.
"""

from typing import Final

from flask import Response, g, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from blueprints.browser.translation import use_language
from blueprints.http.context import settings, store
from blueprints.http.rate_limits import rate_limits
from blueprints.http.request_log import failed_by, request_id
from blueprints.staff import frame
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.cookie import cookie_name, set_cookie
from blueprints.staff.forgery import FIELD, SAFE, comes_from_our_page, has_form_token
from blueprints.staff.long_forms import is_unread, reject_long_form
from osdi import log
from osdi.access.tokens import ANONYMOUS
from osdi.errors import ErrorDescription, OsdiError
from osdi.ids import now
from osdi.languages import SOURCE_LANGUAGE
from osdi.staff.events import record_event
from osdi.staff.sessions import find_session

ASSETS: Final = ("staff.stylesheet", "staff.copy_script", "staff.progress_script")
# The argument of routes that are about one campaign.
CAMPAIGN_ARGUMENT: Final = "advocacy_campaign_id"


@pages.before_request
def admit() -> AnyResponse | None:
    """Returns the response to a request that may not reach its view; else None."""
    g.caller = ANONYMOUS
    use_language(SOURCE_LANGUAGE)  # these pages are in English, whatever the language of the public pages is
    if request.endpoint in ASSETS:
        return None
    name = cookie_name()
    if name is None:
        return frame.page("needs_https.html", 403, without_forms=True)
    secret = request.cookies.get(name, "")
    g.staff_session = find_session(store(), secret, now()) if secret else None
    if g.staff_session is not None:
        g.caller, g.staff_secret = g.staff_session.caller, secret
    rate_limits().hit_caller(g.caller, request.remote_addr)
    access = pages.access_of(request.endpoint or "")
    return reject_long_form(access) or _reject_forged() or _reject_without_session(access) or _reject_by_access(access)


def _reject_forged() -> Response | None:
    if request.method in SAFE:
        return None
    if "Transfer-Encoding" in request.headers:  # no browser sends it, and Werkzeug would cut such a body silently
        raise OsdiError(411, ErrorDescription("LENGTH_REQUIRED", "Send the form with its Content-Length."))
    ours = comes_from_our_page()
    if ours and has_form_token():
        return None
    g.rejected = "FORGED"
    # A form of another site may hold a text that its victim has never seen, so no button sends it.
    return _page_with_text("not_verified.html", may_repeat=ours)


def _reject_without_session(access: Access) -> AnyResponse | None:
    if not access.session or g.staff_session is not None:
        return None
    if request.method in SAFE:
        return redirect(url_for("staff.sign_in", next=request.full_path.rstrip("?")), 303)
    return _page_with_text("signed_out.html", 401)


def _reject_by_access(access: Access) -> AnyResponse | None:
    if g.staff_session is None:
        return None
    own = g.caller.advocacy_campaign_id
    asked_for = (request.view_args or {}).get(CAMPAIGN_ARGUMENT, own)
    if not frame.may_call(g.caller, access) or own not in (None, asked_for):
        raise OsdiError(403, ErrorDescription("SCOPE_MISSING", "Your account does not include this page."))
    if not access.fresh or g.staff_session.is_fresh(now()):
        return None
    if request.method in SAFE:
        return redirect(url_for("staff.confirm", next=request.full_path.rstrip("?")), 303)
    return _page_with_text("sign_in_again.html")


def _page_with_text(template: str, status: int = 403, **values: object) -> Response:
    """Returns a page that contains what was sent, so that no text is lost."""
    unreadable = is_unread() or "Transfer-Encoding" in request.headers  # which `_reject_forged` rejects
    form = MultiDict[str, str]() if unreadable else request.form
    sent = [(name, text) for name, text in form.items(multi=True) if name != FIELD]
    return frame.page(template, status, sent=sent, sent_token=form.get(FIELD, ""), **values)


@pages.errorhandler(OsdiError)
def error_page(error: OsdiError) -> Response:
    """Returns the page of an error; for a 5xx status it logs the exception."""
    g.rejected = error.descriptions[0].error_code
    if error.status >= 500:
        failed_by(error)
        g.staff_session = None  # the page must need no database
    sentences = [each.description for each in error.descriptions]
    response = _page_with_text("error.html", error.status, sentences=sentences, reference=request_id())
    response.headers.update({name: value for name, value in error.headers.items() if name == "Retry-After"})
    return response


@pages.errorhandler(HTTPException)
def http_error_page(error: HTTPException) -> Response:
    """Returns the page of Werkzeug's errors, such as a body that is too long."""
    return frame.page("error.html", error.code or 500, sentences=[], sent=[], reference=request_id())


@pages.after_request
def finish(response: Response) -> Response:
    """Adds headers and cookie, and writes what a member has done into the audit log."""
    if request.endpoint in ASSETS:
        return frame.with_headers(response, without=("Cache-Control",))
    set_cookie(response)
    audited = (request.method not in SAFE or g.get("audited")) and pages.access_of(request.endpoint or "").audited
    if audited and response.status_code < 400 and g.get("staff_session"):
        _record()
    return frame.with_headers(response)


def _record() -> None:
    """Records the action of this request. The action is done, so a failure here is logged and fails no request."""
    action = (request.endpoint or "").rpartition(".")[2]
    try:
        record_event(
            store(),
            settings().staff_event_days,
            action,
            [*g.wrote, *g.get("acted_on", ())],
            g.staff_session.member["_id"],
        )
    except OsdiError as error:
        log.logger().error("staff_event", action=action, request_id=request_id(), exc_info=error)
