"""Reads addresses of web pages and images that are shown to people who did not choose them. Pure."""

import re
from typing import Final
from urllib.parse import urlsplit

# A host name or IPv4 address, or an IPv6 address. Nothing in it can end a directive of a Content-Security-Policy.
HOST: Final = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
PRINTABLE: Final = re.compile(r"[!-~]+")
# Browsers treat these hosts as secure without TLS, since nobody else can listen on the way.
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
SCHEMES: Final = ("https", "http")


def secure_address(text: str) -> str:
    """Returns an https address; http is accepted for this machine only. Raises ValueError.

    It is ASCII, and has neither user nor password, which would show another host than the one that is called.
    """
    if not PRINTABLE.fullmatch(text):
        raise ValueError("Write the address in ASCII and without spaces, such as https://example.org/a%20b.")
    scheme, host = _parts(text)
    if scheme not in SCHEMES or not host:
        raise ValueError("Not an address such as https://example.org/.")
    if scheme == "http" and host not in LOOPBACK:
        raise ValueError("The address must begin with https://.")
    return text


def origin_of(address: str) -> str:
    """Returns the origin of an address that `secure_address` accepts: `https://example.org:8443`."""
    parts = urlsplit(address)
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}"


def _parts(text: str) -> tuple[str, str]:
    """Returns scheme and host of an address, in lower case; the host is empty if any part is invalid."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # a bracket without its pair, or a port that is no number
        return "", ""
    host, colon, _ = parts.netloc.lower().rpartition(":") if port is not None else (parts.netloc.lower(), "", "")
    valid = HOST.fullmatch(host) and "\\" not in text and (port is None or colon)
    return parts.scheme.lower(), host if valid else ""
