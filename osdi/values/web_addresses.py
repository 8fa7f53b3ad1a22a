"""Reads addresses of web pages and images that are shown to people who did not choose them. Pure."""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

import idna

# A host name or IPv4 address, or an IPv6 address. Nothing in it can end a directive of a Content-Security-Policy.
HOST: Final = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
PRINTABLE: Final = re.compile(r"[!-~]+")
# Browsers treat these hosts as secure without TLS, since nobody else can listen on the way.
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
SCHEMES: Final = ("https", "http")
MAX_LENGTH: Final = 2_000
DEFAULT_PORTS: Final = {"https": 443, "http": 80}
# Browsers remove or change these, so that they call another address than the one that a reader sees.
UNSAFE: Final = re.compile(r"[\x00-\x20\x7f\\<>\"'`]")


def secure_address(text: str) -> str:
    """Returns an https address; http is accepted for this machine only. Raises ValueError.

    It is ASCII, and has neither user nor password, which would show another host than the one that is called.
    """
    if not PRINTABLE.fullmatch(text):
        raise ValueError("Write the address in ASCII and without spaces, such as https://example.org/a%20b.")
    parts = split_web_address(text)
    if parts is None:
        raise ValueError("Not an address such as https://example.org/.")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("The address must begin with https://.")
    return text


def split_web_address(text: object, schemes: tuple[str, ...] = SCHEMES) -> SplitResult | None:
    """Returns the parts of an address with one of the schemes, without fragment and default port; None for other text.

    For addresses that nobody has checked: of OSDI's fields, of headers, of forms. The host is in ASCII, as browsers
    send it. An address with user or password is none, nor is one with a character that browsers remove.
    """
    if not isinstance(text, str) or not (address := text.strip()) or len(address) > MAX_LENGTH:
        return None
    if UNSAFE.search(address):
        return None
    try:
        parts = urlsplit(address)
        host, port = _ascii_host(parts.hostname or ""), parts.port
    except ValueError:  # a bracket without its pair, a port that is no number, or a host that IDNA forbids
        return None
    if parts.scheme not in schemes or "@" in parts.netloc or not HOST.fullmatch(host):
        return None
    netloc = host if port in (None, DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    return SplitResult(parts.scheme, netloc, parts.path, parts.query, "")


def web_address(text: object, schemes: tuple[str, ...] = SCHEMES) -> str | None:
    """Returns an address that may be the target of a link or the source of an image, as it is written; else None."""
    return str(text).strip() if split_web_address(text, schemes) else None


def origin_of(address: object) -> str | None:
    """Returns the origin of an address, such as `https://example.org:8443`; None if `split_web_address` does."""
    parts = split_web_address(address)
    return f"{parts.scheme}://{parts.netloc}" if parts else None


def _ascii_host(host: str) -> str:
    """Returns a host as browsers send it (UTS 46). Raises ValueError."""
    if ":" in host:
        return f"[{host}]"
    return host if host.isascii() else idna.encode(host, uts46=True).decode()
