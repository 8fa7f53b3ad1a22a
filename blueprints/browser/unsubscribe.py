"""The unsubscribe page of a mail's link, with one button, and the POST that mail programs send (RFC 8058).

A GET changes nothing, since virus scanners follow every link in a mail. No login is needed: the link's signature proves
that this server sent it to that address.
"""

from typing import Final

from flask import Blueprint, Response, make_response, render_template, request

from blueprints.browser.documentation import POLICY, asset_url
from blueprints.browser.translation import accepted_languages, use_language
from blueprints.http.context import settings, store
from osdi.followups.unsubscribe import PATH, address_of, unsubscribe
from osdi.suppression.refusals import LINK, ONE_CLICK

pages = Blueprint("unsubscribe", __name__, template_folder="templates", url_prefix=PATH)

HEADERS: Final = {
    "Content-Security-Policy": POLICY.replace("form-action 'none'", "form-action 'self'"),
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}


@pages.get("/<token>")
def ask(token: str) -> Response:
    """Shows the page with the button."""
    return _page(address_of(store(), token), done=False)


@pages.post("/<token>")
def confirm(token: str) -> Response:
    """Unsubscribes the address of the link, after a mail program's POST or the page's button."""
    address = address_of(store(), token)
    if address is not None:
        unsubscribe(store(), address, ONE_CLICK if request.form.get("List-Unsubscribe") == "One-Click" else LINK)
    return _page(address, done=True)


def _page(address: str | None, *, done: bool) -> Response:
    use_language(request.args.get("lang"), *accepted_languages())
    sender = settings().vendor_name
    page = render_template(
        "unsubscribe.html", address=address, done=done, sender=sender, title=sender, asset_url=asset_url
    )
    response = make_response(page, 200 if address is not None else 404)
    response.headers.update(HEADERS)
    return response
