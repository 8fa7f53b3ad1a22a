"""The Content-Security-Policy of pages with forms: public campaign pages and staff pages.

Nothing on a page is inline, and code on a page cannot turn text into HTML (Trusted Types).
"""

from collections.abc import Iterable, Sequence


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
