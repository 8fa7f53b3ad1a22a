"""The list of messages, and the editor of one with its preview and its test mail."""

from typing import Any

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.browser.content_security_policy import content_security_policy
from blueprints.http.context import caller, hal, reference, settings, store
from blueprints.http.rate_limits import rate_limits
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.frame import page, signed_in
from blueprints.staff.messages.draft import changed_message, draft, errors_of, new_message, texts_of, typed
from osdi.access.tokens import READ, WRITE
from osdi.documents import Document
from osdi.errors import OsdiError
from osdi.followups.example_mail import send_example
from osdi.staff.messages.message_list import (
    add_message,
    change_message,
    find_message,
    message_list,
    unrequested,
    uses_of,
)


@pages.get("/messages", access=Access(READ))
def messages() -> Response:
    """List the messages"""
    number = request.args.get("page", 1, type=int)
    return page("messages/messages.html", found=message_list(store(), reference(), number), may_write=_may_write())


@pages.get("/messages/new", access=Access(WRITE))
def new_message_page() -> Response:
    """Show the form of a new message"""
    return _editor(None, {"type": "email"})


@pages.post("/messages/new", access=Access(WRITE))
def create_message() -> AnyResponse:
    """Create a message"""
    try:
        message_id = add_message(store(), settings(), caller(), new_message())
    except OsdiError as error:
        return _with_mistakes(None, error)
    return redirect(url_for("staff.message", message_id=message_id, done="message_saved"), 303)


@pages.get("/messages/<message_id>", access=Access(READ))
def message(message_id: str) -> Response:
    """Show a message with its preview"""
    found = find_message(store(), message_id)
    return _editor(found, texts_of(found), version=str(found["version"]))


@pages.post("/messages/<message_id>", access=Access(WRITE))
def save_message(message_id: str) -> AnyResponse:
    """Change a message"""
    version = request.form.get("version", "")
    try:
        change_message(store(), reference(), settings(), caller(), message_id, changed_message(), version)
    except OsdiError as error:
        return _with_mistakes(find_message(store(), message_id), error)
    return redirect(url_for("staff.message", message_id=message_id, done="message_saved"), 303)


@pages.post("/messages/test", access=Access(WRITE))
def send_test_mail() -> Response:
    """Send the message of the form to the member's own address"""
    message_id = request.form.get("message_id", "")
    found = find_message(store(), message_id) if message_id else None
    member = signed_in().member
    try:
        rate_limits().hit_test_mail(member["_id"])
        send_example(store(), reference(), settings(), _draft(found), member["email"], hal().base_url)
    except OsdiError as error:
        return _with_mistakes(found, error)
    return _editor(found, typed(), version=request.form.get("version", ""), sent_to=member["email"])


def _draft(stored: Document | None) -> Document:
    """Returns the message of the form, with the wrapper of the stored one."""
    wrapper = {"wrapper_id": stored["wrapper_id"]} if stored and "wrapper_id" in stored else {}
    return {**draft(), **wrapper}


def _with_mistakes(stored: Document | None, error: OsdiError) -> Response:
    """Returns the editor with the sent text and its mistakes. Raises the error again if it is a 404 or 503."""
    if error.status in (404, 503):
        raise error
    status = 422 if error.status == 400 else error.status
    response = _editor(stored, typed(), status, version=request.form.get("version", ""), errors=errors_of(error))
    response.headers.update(error.headers)
    return response


def _editor(stored: Document | None, texts: dict[str, str], status: int = 200, **values: Any) -> Response:
    uses = uses_of(store(), reference()).get(stored["_id"], ()) if stored else ()
    values["unrequested"] = unrequested(store(), uses)
    values = {"errors": {}, "version": "", "sent_to": "", **values}
    may_write = _may_write()
    response = page(
        "messages/message.html", status, stored=stored, texts=texts, uses=uses, may_write=may_write, **values
    )
    # The preview is a frame of this server; its own policy allows the mail no script.
    response.headers["Content-Security-Policy"] = f"{content_security_policy()}; frame-src 'self'"
    return response


def _may_write() -> bool:
    return caller().may(WRITE)
