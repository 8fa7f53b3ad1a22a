"""The security headers of public campaign pages, in one place.

Nothing on a page comes from another server except the campaign's images, and nothing is framed except the form.
"""

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlsplit

from flask import Response, g, request

from blueprints.browser.content_security_policy import content_security_policy
from osdi.access.anonymous_posts import ANY_ORIGIN

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
# A browser keeps a form for its Back button only: there the form has its text and its idempotency key again. With
# `no-store` a supporter who goes back would get an empty form with another key, or a question of the browser.
FOR_BACK: Final = "private, no-cache"


def allow_images(origins: Iterable[str]) -> None:
    """Lets the page of this request load images from these origins."""
    g.image_origins = tuple(origins)


def allowed_images() -> tuple[str, ...]:
    """Returns the origins from which the page of this request may load images."""
    found: tuple[str, ...] = g.get("image_origins", ())
    return found


def allow_frames(origins: Sequence[str]) -> None:
    """Lets pages of these origins, and our own, frame the answer of this request.

    Any origin means any page that was sent safely. On the developer's own machine a page without TLS may frame it, too.
    """
    if ANY_ORIGIN in origins:
        local = urlsplit(request.host_url).hostname in LOOPBACK
        origins = ("https:", "http:") if local else ("https:",)
    g.frame_ancestors = ("'self'", *origins)


def add_security_headers(response: Response) -> Response:
    """Adds the headers of every page, unless a view has set its own."""
    if response.mimetype != "text/html":
        return response
    framed = g.get("frame_ancestors", ())
    policy = content_security_policy(frame_ancestors=framed, images=allowed_images())
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("Referrer-Policy", "no-referrer" if framed else "strict-origin-when-cross-origin")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    kept = response.status_code == (422 if request.method == "POST" else 200)
    response.headers.setdefault("Cache-Control", FOR_BACK if kept else "no-store")
    return response
