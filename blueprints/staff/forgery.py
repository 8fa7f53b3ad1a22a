"""Protection against forged requests (CSRF): Fetch metadata, and a keyed hash of the browser's secret in each form.

Both are needed. A browser says by `Sec-Fetch-Site`, or by `Origin` if it is older, which page has sent a form, but a
proxy may drop these headers. The hash in the form proves that this server made the form for this browser; it has no end
of its own, so no text is lost because somebody wrote for a long time.

https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import hmac
from typing import Final
from urllib.parse import urlsplit

from flask import request

from blueprints.http.context import settings, store
from blueprints.staff.cookie import browser_secret
from osdi.access.signing_keys import STAFF_FORMS, keyed_hash, signing_key

FIELD: Final = "form_token"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def form_token() -> str:
    """Returns the value of the hidden field that each form of this browser has. Raises OsdiError 503."""
    key = store().remembered(STAFF_FORMS, lambda: signing_key(store(), STAFF_FORMS))
    return keyed_hash(key.encode(), browser_secret())


def comes_from_our_page() -> bool:
    """True unless the browser says that another site's page has sent the request."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is None or origin in _our_origins()


def has_form_token() -> bool:
    """True if the form was made for this browser."""
    sent = request.form.get(FIELD, "")
    return hmac.compare_digest(sent.encode("utf-8", "surrogatepass"), form_token().encode())


def _our_origins() -> tuple[str, ...]:
    public = urlsplit(settings().public_url)
    return f"{public.scheme}://{public.netloc}", f"{request.scheme}://{request.host}"
