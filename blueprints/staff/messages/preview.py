"""The preview of a message that is not stored yet: a form posts the text into a frame.

The frame's document is the mail itself, so its policy gives it an origin of its own, and no script, form or request
except for images over https.
"""

from typing import Final

from flask import Response, make_response, render_template, request

from blueprints.http.context import hal, reference, settings, store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.messages.draft import draft
from osdi.access.tokens import READ
from osdi.errors import OsdiError
from osdi.followups.preview import preview
from osdi.staff.messages.message_list import find_message

POLICY: Final = (
    "sandbox; default-src 'none'; img-src https: data:; style-src 'unsafe-inline'; form-action 'none';"
    " base-uri 'none'; frame-ancestors 'self'"
)
TEXT: Final = "text"


@pages.post("/messages/preview", access=Access(READ, audited=False))
def preview_message() -> Response:
    """Show the message of the form as a mail to an example person"""
    try:
        rendered = preview(store(), reference(), settings(), _message(), None, hal().base_url)
    except OsdiError as error:
        if error.status >= 500:
            raise
        return _framed("messages/preview_error.html", 422, sentences=[each.sentence for each in error.descriptions])
    return _framed("messages/preview.html", 200, mail=rendered, as_text=request.form.get("part") == TEXT)


def _message() -> dict[str, object]:
    message_id = request.form.get("message_id", "")
    stored = find_message(store(), message_id) if message_id else {}
    return {**draft(), **({"wrapper_id": stored["wrapper_id"]} if "wrapper_id" in stored else {})}


def _framed(template: str, status: int, **values: object) -> Response:
    response = make_response(render_template(f"staff/{template}", **values), status)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response
