"""The cookie of the staff pages: 256 random bits by which a browser is recognised, before and after it signs in.

Over https its name begins with `__Host-`, so that no other host and no page over http can set it (RFC 6265bis, section
4.1.3). Over http it exists only on this machine, under another name. The API and the public pages read no cookie.
"""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from flask import Response, g, request

from blueprints.http.context import settings
from osdi.staff.sessions import MAX_AGE, new_secret

SECURE_NAME: Final = "__Host-osdi_staff"
LOOPBACK_NAME: Final = "osdi_staff_loopback"
MAX_COOKIE_LENGTH: Final = 100


def cookie_name() -> str | None:
    """Returns the name of the cookie for this request; None if the connection is not safe enough for one."""
    if request.is_secure or is_behind_https():
        return SECURE_NAME
    return LOOPBACK_NAME if _is_loopback(request.host) else None


def is_behind_https() -> bool:
    """True if the browser asked for PUBLIC_URL, and that is https: a proxy has received the request then."""
    public = urlsplit(settings().public_url)
    return public.scheme == "https" and public.netloc == request.host


def browser_secret() -> str:
    """Returns the secret of this browser, of its session if it has one. A browser without one gets a new one."""
    found: str = g.get("staff_secret", "")
    if not found:
        sent = request.cookies.get(cookie_name() or "", "")
        found = g.staff_secret = sent if 20 <= len(sent) <= MAX_COOKIE_LENGTH else _new()
    return found


def replace_secret(secret: str | None = None) -> None:
    """Gives the browser another secret: that of a new session, or a new one without session."""
    g.staff_secret, g.staff_cookie = secret or new_secret(), MAX_AGE if secret else None
    g.staff_cookie_changed = True


def set_cookie(response: Response) -> None:
    """Sends the secret to the browser, if it is new."""
    name = cookie_name()
    if name is None or not g.get("staff_cookie_changed"):
        return
    response.set_cookie(
        name,
        g.staff_secret,
        max_age=g.staff_cookie,
        path="/",
        secure=name == SECURE_NAME,
        httponly=True,
        samesite="Lax",
    )


def _new() -> str:
    replace_secret()
    made: str = g.staff_secret
    return made


def _is_loopback(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
