"""The rule by which a browser shows the form in a page of another site (Content Security Policy 3)."""

import pytest

from osdi.campaign_pages.embedding.frame_sources import frame_sources, may_frame, site_of

SITE = "https://river.example.org"
PLAIN = "http://river.example.org"


@pytest.mark.parametrize(
    ("origins", "local", "sources"),
    [
        ([SITE], False, (SITE,)),
        ([SITE], True, (SITE,)),
        ([], False, ()),
        (["*"], False, ("https:",)),
        (["*"], True, ("https:", "http:")),
        (["*", SITE, PLAIN], False, ("https:", PLAIN)),
    ],
)
def test_the_sources_of_origins(origins: list[str], local: bool, sources: tuple[str, ...]) -> None:
    assert frame_sources(origins, local=local) == sources


@pytest.mark.parametrize(
    ("source", "origin", "allowed"),
    [
        (SITE, SITE, True),
        ("HTTPS://River.Example.ORG", SITE, True),
        (f"{SITE}:443", SITE, True),
        (f"{SITE}:8443", f"{SITE}:8443", True),
        (f"{SITE}:8443", SITE, False),
        (SITE, f"{SITE}:8443", False),
        (SITE, PLAIN, False),
        (PLAIN, SITE, True),  # a browser accepts the same host by TLS
        (f"{PLAIN}:8080", f"{SITE}:8080", True),
        (SITE, "https://www.river.example.org", False),
        (SITE, "https://example.org", False),
        (SITE, "https://river.example.org.evil.example", False),
        ("https://*.example.org", SITE, True),
        ("https://*.example.org", "https://example.org", False),
        ("https://*.example.org", "https://evilexample.org", False),
        ("https:", SITE, True),
        ("https:", PLAIN, False),
        ("http:", PLAIN, True),
        ("http:", SITE, True),
        ("'self'", SITE, False),
        ("https://a:b", SITE, False),
        ("https://[", SITE, False),
        (SITE, "null", False),
    ],
)
def test_a_browser_accepts_an_origin_by_a_source(source: str, origin: str, allowed: bool) -> None:
    assert may_frame([source], origin) is allowed


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("https://River.example.org/a/page?mail=jane@example.org#x", SITE),
        ("https://river.example.org:443/", SITE),
        ("http://river.example.org:8080", "http://river.example.org:8080"),
        ("https://jane:secret@river.example.org/", None),
        ("about:srcdoc", None),
        ("file:///home/jane", None),
        ("", None),
        ("river.example.org", None),
        ("https://<script>/", None),
        (f"https://{'a' * 60}.{'b' * 63}.{'c' * 63}.{'d' * 63}.org/", None),
    ],
)
def test_a_site_is_the_origin_of_an_address(address: str, site: str | None) -> None:
    assert site_of(address) == site
