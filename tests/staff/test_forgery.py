"""Forms that pages of other sites send (CSRF) are rejected, and no text is lost."""

from typing import Any

import pytest
from flask import Flask

from osdi.ids import now
from osdi.staff.links import new_link
from osdi.store import Store
from tests.staff.conftest import HTTPS, SignedIn, StaffBrowser

# Headers with which the browser says where a form comes from, and True if it is one of our pages.
SOURCES: list[tuple[dict[str, str], bool]] = [
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "same-origin", "Origin": HTTPS}, True),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": "none"}, False),
    ({"Sec-Fetch-Site": ""}, False),
    ({"Sec-Fetch-Site": "cross-site", "Origin": HTTPS}, False),
    ({"Origin": HTTPS}, True),
    ({"Origin": "https://evil.example"}, False),
    ({"Origin": "https://sub.osdi.example.org"}, False),
    ({"Origin": "http://osdi.example.org"}, False),
    ({"Origin": f"{HTTPS}:8443"}, False),
    ({"Origin": "null"}, False),
    ({"Origin": ""}, False),
    ({}, True),
]


def name_of(headers: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in headers.items()) or "none"


@pytest.mark.parametrize(("headers", "ours"), SOURCES, ids=[name_of(headers) for headers, _ in SOURCES])
def test_a_form_needs_to_come_from_our_page(ada: StaffBrowser, headers: dict[str, str], ours: bool) -> None:
    response = ada.post("/staff/devices/sign-out", {"text": "a long text"}, headers=headers)

    assert response.status_code == (303 if ours else 403)
    assert ours or "a long text</textarea>" in response.text  # it is not lost
    assert ada.get("/staff").status_code == (303 if ours else 200)


@pytest.mark.parametrize("token", ["", "0" * 64, "ü"])
def test_a_form_needs_its_token(ada: StaffBrowser, token: str) -> None:
    response = ada.post("/staff/devices/sign-out", {"form_token": token}, token="")

    assert response.status_code == 403
    assert ada.get("/staff").status_code == 200


def test_a_form_made_for_another_session_is_rejected(
    ada: StaffBrowser, signed_in: SignedIn, member: dict[str, Any]
) -> None:
    other = signed_in(member).form_token("/staff/devices")

    assert ada.post("/staff/devices/sign-out", token=other).status_code == 403


def test_a_form_made_before_the_sign_in_is_rejected_after_it_and_can_be_sent_again(
    stranger: StaffBrowser, store: Store, member: dict[str, Any]
) -> None:
    secret = new_link(store, member, now())
    early = stranger.form_token(f"/staff/link/{secret}")
    stranger.open_link(secret)

    response = stranger.post("/staff/devices/sign-out", {"text": "two\nlines & <tags>"}, token=early)

    assert response.status_code == 403
    assert "two\nlines &amp; &lt;tags&gt;</textarea>" in response.text
    assert stranger.form_token("/staff/devices") in response.text  # the page can send it


def test_a_text_of_another_site_is_shown_without_a_button(ada: StaffBrowser) -> None:
    response = ada.post("/staff/devices/sign-out", {"text": "kept"}, headers={"Sec-Fetch-Site": "cross-site"})

    page = response.text.partition("<main")[2]
    assert "kept</textarea>" in page
    assert "<button" not in page
    assert "form_token" not in page


@pytest.mark.parametrize("path", ["/staff/sign-in", "/staff/sign-in/code", "/staff/link/x", "/staff/sign-out"])
def test_every_form_is_protected_also_before_the_sign_in(stranger: StaffBrowser, path: str) -> None:
    assert stranger.post(path, {"email": "ada@example.org"}, token="").status_code == 403


def test_a_body_without_length_is_rejected(ada: StaffBrowser) -> None:
    response = ada.http.post(
        "/staff/sign-out",
        base_url=HTTPS,
        headers={"Transfer-Encoding": "chunked", "Sec-Fetch-Site": "same-origin"},
        data={"form_token": ada.form_token("/staff/devices")},
    )

    assert response.status_code == 411


def test_a_body_that_is_too_long_is_rejected(ada: StaffBrowser, app: Flask) -> None:
    response = ada.post("/staff/sign-out", {"text": "x" * app.config["MAX_CONTENT_LENGTH"]})

    assert response.status_code == 413
    assert "too long" in response.text


@pytest.mark.parametrize("path", ["/staff", "/staff/sign-in", "/staff/campaigns", "/staff/nothing", "/staff/link/x"])
def test_each_page_has_the_strict_headers(ada: StaffBrowser, path: str) -> None:
    headers = ada.get(path, headers={"Accept": "text/html"}).headers

    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    if path != "/staff/nothing":
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert "require-trusted-types-for 'script'" in headers["Content-Security-Policy"]
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
