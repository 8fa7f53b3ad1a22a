"""Addresses of pages and images that organisations set for supporters."""

import pytest

from osdi.values.web_addresses import origin_of, secure_address, web_address


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://example.org", "https://example.org"),
        ("https://example.org/a?b=c#d", "https://example.org"),
        ("HTTPS://Example.ORG/Path", "https://example.org"),
        ("https://example.org:8443/", "https://example.org:8443"),
        ("https://xn--flu-7ka.example/", "https://xn--flu-7ka.example"),
        ("https://192.0.2.1/", "https://192.0.2.1"),
        ("https://[2001:db8::1]:8443/x", "https://[2001:db8::1]:8443"),
        ("http://localhost/", "http://localhost"),
        ("http://localhost:5000/a", "http://localhost:5000"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("http://[::1]:5000", "http://[::1]:5000"),
        ("https://a_b.example.org/", "https://a_b.example.org"),
    ],
)
def test_an_https_address_is_accepted_and_http_on_this_machine(address: str, origin: str) -> None:
    assert secure_address(address) == address
    assert origin_of(address) == origin


@pytest.mark.parametrize(
    "address",
    [
        "",
        "example.org",
        "//example.org/",
        "/privacy",
        "http://example.org/",
        "http://localhost.example.org/",
        "http://127.0.0.1.example.org/",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>",
        "ftp://example.org/",
        "mailto:a@example.org",
        "https://",
        "https:///path",
        "https://user@example.org/",
        "https://user:password@example.org/",
        "https://example.org@evil.example/",
        "https://example.org\\@evil.example/",
        "https:\\\\evil.example",
        "https://exa mple.org/",
        "https://example.org/a b",
        "https://example.org;script-src *",
        "https://example.org'/",
        "https://*.example.org/",
        "https://example.org:99999/",
        "https://example.org:port/",
        "https://[::1/",
        "https://fluß.example/",
        "https://example.org/fluß",
        "https://example.org/\x00",
        "https://-example.org/",
        "https://example..org/",
        " https://example.org/",
    ],
)
def test_another_address_is_rejected(address: str) -> None:
    with pytest.raises(ValueError):
        secure_address(address)


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        (" http://example.org/a?b#c ", "http://example.org"),
        ("https://example.org:443/", "https://example.org"),
        ("http://example.org:80/", "http://example.org"),
        ("https://fluß.example/straße", "https://xn--flu-7ka.example"),
        ("https://EXAMPLE.org", "https://example.org"),
    ],
)
def test_an_unchecked_address_is_read_as_browsers_do(address: str, origin: str) -> None:
    assert origin_of(address) == origin
    assert web_address(address) == address.strip()


@pytest.mark.parametrize(
    "address",
    [
        *(None, 5, ["https://example.org"], "", "example.org", "/path", "//example.org", "null", "https://"),
        *(
            "javascript:alert(1)",
            "JAVASCRIPT:alert(1)",
            "java\tscript:alert(1)",
            "data:text/html,x",
            "ftp://example.org",
        ),
        *("https://jane@example.org/", "https://a:b@example.org", "https://example.org\\@evil.example"),
        *("https://example.org;script-src", "https://exam ple.org", "https://example.org/\"onload='", "https://x\x00y"),
        *("https://[::1", "https://example.org:port", "https://*.example.org", "https://xn--\u200d.example"),
        "https://example.org/" + "a" * 3_000,
    ],
)
def test_any_other_text_is_no_address_of_the_web(address: object) -> None:
    assert web_address(address) is None
    assert origin_of(address) is None
