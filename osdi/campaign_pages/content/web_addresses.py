"""Addresses of the web in stored and posted text: only `http` and `https`, and nothing that a header could misread."""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

LONGEST: Final = 2_000
HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
# Browsers remove these from an address, so a reader of the text sees another one.
UNSAFE: Final = re.compile(r"[\x00-\x20\x7f\\<>\"'`]")


def split_web_address(text: object, schemes: tuple[str, ...] = ("http", "https")) -> SplitResult | None:
    """Returns the parts of an address with one of the schemes, without user and fragment; None for any other text.

    The host is in ASCII, as browsers send it.
    """
    if not isinstance(text, str) or not (address := text.strip()) or len(address) > LONGEST or UNSAFE.search(address):
        return None
    try:
        parts = urlsplit(address)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode() if parts.hostname else ""
    except ValueError:  # a port that is no number, brackets without an IPv6 address, or a host without an IDNA form
        return None
    host = f"[{host}]" if ":" in host else host
    if parts.scheme not in schemes or not HOST.fullmatch(host):
        return None
    netloc = host if port in (None, DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    return SplitResult(parts.scheme, netloc, parts.path, parts.query, "")


def web_address(text: object, schemes: tuple[str, ...] = ("http", "https")) -> str | None:
    """Returns an address that may be the target of a link, or None."""
    parts = split_web_address(text, schemes)
    return str(text).strip() if parts else None


def origin_of(text: object) -> str | None:
    """Returns the origin of an address, such as `https://river.example.org:8443`, or None."""
    parts = split_web_address(text)
    return f"{parts.scheme}://{parts.netloc}" if parts else None
