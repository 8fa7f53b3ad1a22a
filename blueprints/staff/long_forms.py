"""Forms that are longer than MAX_BODY_BYTES, such as an uploaded file: who may send one is decided by the head alone.

gunicorn's loop collects shorter requests. A longer form arrives while a thread reads it, so a thread begins only for a
member, and only a few do at a time. Werkzeug keeps a file in a temporary file, not in memory.
"""

import threading
from typing import Final

from flask import Response, g, request

from blueprints.http.context import settings
from blueprints.http.request_log import request_id
from blueprints.staff import frame
from blueprints.staff.blueprint import Access
from blueprints.staff.forgery import SAFE, comes_from_our_page
from osdi.store import request_deadline

MAX_UPLOADS: Final = 2
WAIT_SECONDS: Final = 30
# The other controls of a form with a file.
MAX_FORM_BYTES: Final = 500_000

_reading = threading.BoundedSemaphore(MAX_UPLOADS)


def reject_long_form(access: Access) -> Response | None:
    """Returns the response to a long form that is not read, or reads the form and returns None."""
    if request.method in SAFE or not is_unread() or not access.session:
        return None
    length, limit = request.content_length or 0, max_form_bytes(access)
    if g.staff_session is None:
        return frame.page("signed_out.html", 401, sent=[], sent_token="")
    if not frame.may_call(g.caller, access):
        return _rejection(403, "Your account does not include this page.")
    if length > limit:
        return _rejection(413, f"The form has more than {limit:,} bytes. Nothing is stored.")
    if not comes_from_our_page():
        return frame.page("not_verified.html", 403, sent=[], sent_token="", may_repeat=False)
    if not _reading.acquire(blocking=False):
        response = _rejection(429, "Other files are being uploaded. Try again when they have arrived.")
        response.headers["Retry-After"] = str(WAIT_SECONDS)
        return response
    try:
        _read(access, limit)
    finally:
        _reading.release()
    return None


def is_unread() -> bool:
    """True if the form is too long to have been collected before, and nobody has read it yet."""
    return (request.content_length or 0) > settings().max_body_bytes and not g.get("long_form_is_read")


def max_form_bytes(access: Access) -> int:
    """Returns the number of bytes that a form of this view may have."""
    here = settings()
    if access.uploads:
        return here.max_import_bytes + MAX_FORM_BYTES
    return access.body_bytes or here.max_body_bytes


def _read(access: Access, limit: int) -> None:
    request.max_content_length = limit
    request.max_form_memory_size = MAX_FORM_BYTES if access.uploads else limit
    _ = request.form
    g.long_form_is_read = True
    # The time that the client took is not that of the database.
    request_deadline.begin()


def _rejection(status: int, sentence: str) -> Response:
    return frame.page("error.html", status, sentences=[sentence], sent=[], reference=request_id())
