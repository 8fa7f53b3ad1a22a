"""Security headers of the public pages: each route has them, and no page has a cookie or follows a foreign host."""

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from osdi.resources import PAGES
from tests.fixtures.campaign_pages import JANE, SLUG, CampaignPage, soup
from tests.fixtures.deployed import Deployed

Publish = Callable[..., CampaignPage]
LISTED = "https://river.example.org"
# Values for the variable parts of a rule. One more rule has to name its own here.
PARTS = {"slug": SLUG, "token": "x.y.z", "version": "1", "name": "form.js", "_": "no/such/page"}
# Campaigns' forms, and what follows them inside the frame: the listed origins may frame these.
FRAMED = (f"/act/{SLUG}/embed", f"/act/{SLUG}/thanks?embedded=yes", f"/act/{SLUG}/share?embedded=yes")


@pytest.fixture
def listed(publish: Publish) -> CampaignPage:
    return publish(anonymous_posts={"origins": [LISTED]}, type="phone")


def addresses(app: Flask) -> Iterator[tuple[str, str]]:
    """Yields method and address of each route of the public pages."""
    for rule in app.url_map.iter_rules():
        if rule.rule == PAGES or rule.rule.startswith(f"{PAGES}/"):
            address = re.sub(r"<(?:\w+:)?(\w+)>", lambda part: PARTS[part[1]], rule.rule)
            for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
                yield method, address


def directives(policy: str) -> dict[str, str]:
    return dict(each.strip().partition(" ")[::2] for each in policy.split(";"))


def test_each_route_has_a_strict_policy_and_neither_sets_nor_reads_a_cookie(app: Flask, listed: CampaignPage) -> None:
    seen = set()
    for method, address in (*addresses(app), *(("GET", each) for each in FRAMED)):
        data = {**JANE, "outreach_token": "x"} if method == "POST" else None
        plain = listed.http.open(address, method=method, data=data)
        cookies = listed.http.open(address, method=method, data=data, headers={"Cookie": "__Host-osdi_staff=x; a=b"})
        for response in (plain, cookies):
            headers = response.headers
            assert headers["X-Content-Type-Options"] == "nosniff", address
            assert "Set-Cookie" not in headers, address
            assert "cookie" not in headers.get("Vary", "").lower(), address
            assert "Access-Control-Allow-Credentials" not in headers, address
            policy = directives(headers["Content-Security-Policy"])
            assert policy["default-src"] == "'none'", address
            assert "unsafe" not in headers["Content-Security-Policy"], address
            if response.mimetype == "text/html":
                assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'", address
                assert policy["form-action"] == "'self'", address
                assert policy["base-uri"] == policy["trusted-types"] == "'none'", address
                assert policy["require-trusted-types-for"] == "'script'", address
                assert headers["Referrer-Policy"] in ("no-referrer", "strict-origin-when-cross-origin"), address
                seen.add(address)
        assert plain.status_code == cookies.status_code, address
    assert len(seen) >= 10


def ancestors_of(response: TestResponse) -> str:
    return directives(response.headers["Content-Security-Policy"])["frame-ancestors"]


def test_only_forms_may_be_framed_and_only_by_listed_origins(app: Flask, listed: CampaignPage) -> None:
    framed = {("POST", f"/act/{SLUG}/embed"), *(("GET", each) for each in FRAMED)}
    for method, address in {*addresses(app), *framed}:
        data = listed.filled(JANE, "/embed") if method == "POST" else None
        response = listed.http.open(address, method=method, data=data)
        expected = f"'self' {LISTED}" if (method, address) in framed else "'none'"
        assert ancestors_of(response) == expected, (method, address)


class TestAnErrorInAFrame:
    """A browser shows nothing of a blocked frame, so a supporter would not see what to do."""

    @pytest.mark.parametrize(
        ("suffix", "data"), [("/embed", JANE), ("/outcome", {"embedded": "yes", "outreach_token": "x"})]
    )
    def test_of_the_limit_is_shown_on_each_site(
        self, suffix: str, data: dict[str, str], listed: CampaignPage, deployed: Deployed
    ) -> None:
        page = CampaignPage(deployed(rate_limit_anonymous="1/hour").http, listed.campaign)

        responses = [page.post(data, suffix) for _ in range(2)]

        assert responses[1].status_code == 429
        assert "https:" in ancestors_of(responses[1])

    @pytest.mark.parametrize("suffix", ["", "/outcome"])
    def test_of_a_page_is_framed_by_nobody(self, suffix: str, listed: CampaignPage) -> None:
        assert ancestors_of(listed.http.post(listed.path + suffix, data="{}")) == "'none'"


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host"])
@pytest.mark.parametrize("suffix", ["", "/embed", "/thanks", "/share", ".json"])
def test_a_foreign_host_reaches_no_other_visitor(
    suffix: str, header: str, publish: Publish, deployed: Deployed
) -> None:
    client = deployed(trusted_proxies=1)
    page = publish()

    response = client.http.get(page.path + suffix, headers={header: "evil.example"})

    if "evil.example" in response.get_data(as_text=True):
        assert "private" in response.headers["Cache-Control"]


@pytest.mark.parametrize("suffix", ["", "/embed", "/thanks", "/share", ".json"])
def test_with_a_public_url_no_page_names_another_host(suffix: str, publish: Publish, deployed: Deployed) -> None:
    client = deployed(public_url="https://osdi.example.org", trusted_proxies=1)
    page = publish()

    response = client.http.get(page.path + suffix, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})

    assert "evil.example" not in response.get_data(as_text=True)
    assert "evil.example" not in str(response.headers)


def test_scripts_are_files_of_ours_and_nothing_is_inline(publish: Publish) -> None:
    page = publish()
    for suffix in ("", "/embed", "/thanks", "/share"):
        found = soup(page.get(suffix))
        assert not found.find_all("style")
        assert all(str(each["src"]).startswith("/act/assets/") for each in found.find_all("script"))
        assert not [each for each in found.find_all(True) if "style" in each.attrs]


def test_a_redirect_of_a_form_leads_to_listed_origins_only(publish: Publish) -> None:
    page = publish(anonymous_posts={"origins": [LISTED]})
    wrong = (
        "//evil.example",
        "https://evil.example/",
        "https:evil.example",
        f"{LISTED}@evil.example/",
        f"{LISTED}.evil.example/",
        f"{LISTED}\\@evil.example",
        f"{LISTED}/\r\nSet-Cookie: a=b",
        f"{LISTED}/\nX: y",
        "http://river.example.org/",
        "https://river.example.org:8443/",
        "javascript:attacked=1",
        "/\\evil.example",
        "/act/other",
        "https://[::1",
        "https://river.example.org%2f@evil.example",
        "\u0000https://evil.example",
        "https://rivér.example.org/",
    )
    for number, redirect in enumerate(wrong):
        form = {**JANE, "person.email_address": f"j{number}@example.com", "redirect": redirect}
        response = page.post(form, headers={"Origin": LISTED})
        assert response.status_code == 303, redirect
        assert response.headers["Location"] == f"{page.path}/thanks", redirect
        assert "X" not in response.headers, redirect
        assert "Set-Cookie" not in response.headers, redirect
    right = {**JANE, "person.email_address": "right@example.com", "redirect": f"{LISTED}/thanks?a=b"}
    assert page.post(right, headers={"Origin": LISTED}).headers["Location"] == f"{LISTED}/thanks?a=b"


@pytest.mark.parametrize(
    "path",
    [
        "/act//evil.example",
        "//evil.example/act",
        "/act/\\evil.example",
        "/act/%5cevil.example",
        "/act/..%2f..%2fetc",
        "/act/%00",
        "/act/%0d%0aSet-Cookie:%20a=b",
        "/act/%ff",
        "/act/%E2%80%AE",
        "/act/😀",
        f"/act/{'x' * 3_000}",
        f"/act/{SLUG}//evil.example",
        f"/act/{SLUG}/..//evil.example",
        f"/act/{SLUG.upper()}",
        "/act/confirm",
        "/act/assets",
        "/act/assets/1/../../../etc/passwd",
        "/act/assets/1/%2e%2e%2fpage.css",
        "/act/assets/1/page-ffffff.css%00",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PROPFIND"])
def test_a_strange_address_gets_a_4xx_or_a_redirect_to_us(method: str, path: str, listed: CampaignPage) -> None:
    response = listed.http.open(path, method=method, data={} if method == "POST" else None)

    assert response.status_code in (301, 308, 404, 405, 415), response.status_code
    location = response.headers.get("Location", f"/act/{SLUG}")
    assert location == f"/act/{SLUG}"
    assert "Set-Cookie" not in response.headers
