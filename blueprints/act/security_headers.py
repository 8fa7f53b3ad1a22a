"""The security headers of public campaign pages, in one place.

Nothing on a page is inline, nothing comes from another server except the campaign's images, and nothing is framed
except the form. Code on a page cannot turn text into HTML (Trusted Types).
"""

from collections.abc import Iterable, Sequence
from typing import Final

from flask import Response, g, request

NO_STORE: Final = "no-store"


def content_security_policy(*, frame_ancestors: Sequence[str] = (), images: Iterable[str] = ()) -> str:
    """Returns the policy of a page; `frame_ancestors` may frame it, and `images` are origins besides our own."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            " ".join(("img-src 'self'", *images)),
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            " ".join(("frame-ancestors", *(frame_ancestors or ("'none'",)))),
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def add_security_headers(response: Response) -> Response:
    """Adds the headers of every page, unless a view has set its own."""
    if response.mimetype != "text/html":
        return response
    framed = g.get("frame_ancestors", ())
    policy = content_security_policy(frame_ancestors=framed, images=g.get("image_origins", ()))
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("Referrer-Policy", "no-referrer" if framed else "strict-origin-when-cross-origin")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if request.method == "POST":
        response.headers["Cache-Control"] = NO_STORE
    response.headers.setdefault("Cache-Control", NO_STORE)
    return response
