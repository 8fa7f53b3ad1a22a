"""Signing in and out: a mail with link and code, the page of the link, and the form for the code.

A GET changes nothing, since mail scanners follow every link. The response and its time are the same for each address.
"""

from typing import Final

from flask import Response, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import settings, store
from blueprints.http.rate_limits import rate_limits
from blueprints.staff.blueprint import ANY_MEMBER, PUBLIC, pages
from blueprints.staff.cookie import browser_secret, replace_secret
from blueprints.staff.frame import page, safe_next, session, signed_in
from osdi.documents import Document
from osdi.errors import OsdiError
from osdi.ids import now
from osdi.staff import links
from osdi.staff.links import SignIn, mails_are_sent
from osdi.staff.members import staff_address
from osdi.staff.sessions import begin_session, device_name, end_session

# Characters of what somebody types as a code: a code has nine.
MAX_CODE_LENGTH: Final = 100


@pages.get("/sign-in", access=PUBLIC)
def sign_in() -> AnyResponse:
    """Show the form for the e-mail address"""
    if session():
        return redirect(safe_next(request.args.get("next", "")), 303)
    return _form()


@pages.post("/sign-in", access=PUBLIC)
def ask_for_mail() -> AnyResponse:
    """Ask for a mail to an address, and show the form for its code"""
    address, next_page = request.form.get("email", ""), safe_next(request.form.get("next", ""))
    try:
        email = staff_address(address)
    except OsdiError as error:
        return _form(400, email=address, errors={"email": str(error)})
    rate_limits().hit_sign_in(request.remote_addr, email)
    if mails_are_sent(settings()):
        links.request_mail(store(), email, browser_secret(), now(), next_page=next_page)
    return redirect(url_for("staff.code", next=next_page), 303)


@pages.get("/sign-in/code", access=PUBLIC)
def code() -> Response:
    """Show the form for the code"""
    return _code_form()


@pages.post("/sign-in/code", access=PUBLIC)
def use_code() -> AnyResponse:
    """Sign in by a code"""
    found = links.use_code(store(), browser_secret(), request.form.get("code", "")[:MAX_CODE_LENGTH], now())
    if found is None:
        return _code_form(400, errors={"code": "wrong"})
    return begin_for(found.member, found.next or request.form.get("next", ""))


@pages.get("/link/<string:secret>", access=PUBLIC)
def link(secret: str) -> Response:
    """Show the button of a link"""
    return _link_page(secret, links.sign_in_of_link(store(), secret, now()))


@pages.post("/link/<string:secret>", access=PUBLIC)
def use_link(secret: str) -> AnyResponse:
    """Sign in by a link"""
    found = links.use_link(store(), secret, now())
    return begin_for(found.member, found.next) if found else _link_page(secret, None)


@pages.get("/confirm", access=ANY_MEMBER)
def confirm() -> Response:
    """Explain that this page needs a fresh sign-in"""
    return page("confirm.html", next=safe_next(request.args.get("next", "")), mails=mails_are_sent(settings()))


@pages.post("/sign-out", access=ANY_MEMBER)
def sign_out() -> AnyResponse:
    """Sign out of this browser"""
    end_session(store(), signed_in().member["_id"], signed_in().session_id)
    replace_secret()
    return redirect(url_for("staff.sign_in", done="signed_out"), 303)


def begin_for(member: Document, next_page: str, *, fresh: bool = True) -> AnyResponse:
    """Begins a session with a new secret, and leads to the page that the member wanted to see."""
    device = device_name(request.headers.get("User-Agent", ""))
    former = browser_secret()
    secret, g.staff_session = begin_session(store(), member, device, now(), former=former, fresh=fresh)
    replace_secret(secret)
    return redirect(safe_next(next_page), 303)


def _form(status: int = 200, *, email: str = "", errors: dict[str, str] | None = None) -> Response:
    next_page = safe_next(request.values.get("next", ""))
    mails = mails_are_sent(settings())
    return page("sign_in.html", status, email=email, errors=errors or {}, next=next_page, mails=mails)


def _code_form(status: int = 200, *, errors: dict[str, str] | None = None) -> Response:
    next_page = safe_next(request.values.get("next", ""))
    typed = request.form.get("code", "")[:MAX_CODE_LENGTH]
    return page("code.html", status, errors=errors or {}, next=next_page, mails=mails_are_sent(settings()), typed=typed)


def _link_page(secret: str, found: SignIn | None) -> Response:
    if found is not None:
        return page("link.html", email=found.member["email"])
    email = links.address_of_link(store(), secret)
    return page("link_ended.html", 410 if email else 404, email=email, mails=mails_are_sent(settings()))
