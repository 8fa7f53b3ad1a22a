"""The sources of the directive `frame-ancestors` for a campaign, and which sites a browser accepts by them. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

from osdi.access.anonymous_posts import ANY_ORIGIN
from osdi.values.web_addresses import origin_of

SECURE: Final = "https:"
PLAIN: Final = "http:"
MAX_ORIGIN_LENGTH: Final = 253
DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def frame_sources(origins: Sequence[str], *, local: bool) -> tuple[str, ...]:
    """Returns the sources for the origins of a campaign.

    Any origin means any page that was loaded by https, and the listed ones without TLS. `local` is True on the
    developer's own machine, where any page without TLS may frame the form, too.
    """
    if ANY_ORIGIN not in origins:
        return tuple(origins)
    if local:
        return SECURE, PLAIN
    return SECURE, *(each for each in origins if each.startswith(PLAIN))


def site_of(address: str) -> str | None:
    """Returns the origin of an address, if a campaign can list it; else None."""
    origin = origin_of(address)
    return origin if origin and len(origin) <= MAX_ORIGIN_LENGTH else None


def may_frame(sources: Iterable[str], origin: str) -> bool:
    """True if a browser shows the form in a page of this origin (Content Security Policy 3, section 6.7.2.8)."""
    found = _parts(origin)
    return found is not None and any(_matches(source, found) for source in sources)


def _matches(source: str, found: SplitResult) -> bool:
    if source in (SECURE, PLAIN):
        return source in (PLAIN, f"{found.scheme}:")
    wanted = _parts(source)
    if wanted is None or (wanted.scheme, found.scheme) not in (("https", "https"), ("http", "http"), ("http", "https")):
        return False
    host, name = wanted.hostname or "", found.hostname or ""
    if host != name and not (host.startswith("*.") and name.endswith(host[1:])):
        return False
    return _port(wanted) == _port(found) or (_port(wanted), _port(found)) == (80, 443)


def _parts(text: str) -> SplitResult | None:
    """Returns the parts of an origin or a source; None for a text that is neither."""
    try:
        parts = urlsplit(text.lower())
        return parts if parts.scheme in DEFAULT_PORTS and _port(parts) else None
    except ValueError:  # a bracket without its pair, or a port that is no number
        return None


def _port(parts: SplitResult) -> int:
    return parts.port or DEFAULT_PORTS[parts.scheme]
