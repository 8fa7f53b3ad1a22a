"""The cookie of the staff pages: its attributes, and when a browser gets another one."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from osdi.ids import now
from osdi.settings import Settings
from osdi.staff.links import new_link
from osdi.store import Store
from tests.fixtures.deployed import Deployed
from tests.staff.conftest import COOKIE, StaffBrowser


def test_over_https_it_belongs_to_this_host_and_no_script_reads_it(
    stranger: StaffBrowser, store: Store, member: dict[str, Any]
) -> None:
    header = stranger.open_link(new_link(store, member, now())).headers["Set-Cookie"]

    name_and_value, *attributes = header.split("; ")
    assert name_and_value.startswith(f"{COOKIE}=")
    assert len(name_and_value) >= len(COOKIE) + 44
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=604800"} <= set(attributes)
    assert "Domain" not in header


def test_a_sign_in_gives_the_browser_another_one(stranger: StaffBrowser, store: Store, member: dict[str, Any]) -> None:
    secret = new_link(store, member, now())
    stranger.get(f"/staff/link/{secret}")
    before = stranger.cookie

    stranger.open_link(secret)

    assert before
    assert stranger.cookie not in ("", before)


def test_one_that_an_attacker_has_set_is_replaced_and_opens_nothing(
    app: Flask, stranger: StaffBrowser, store: Store, member: dict[str, Any]
) -> None:
    fixed = "f" * 43
    stranger.http.set_cookie(COOKIE, fixed, domain="osdi.example.org", secure=True)
    stranger.open_link(new_link(store, member, now()))
    attacker = StaffBrowser(app)
    attacker.http.set_cookie(COOKIE, fixed, domain="osdi.example.org", secure=True)

    assert stranger.cookie != fixed
    assert attacker.get("/staff").status_code == 303


def test_a_sign_out_replaces_it(ada: StaffBrowser) -> None:
    before = ada.cookie

    ada.post("/staff/sign-out")

    assert ada.cookie != before
    ada.http.set_cookie(COOKIE, before, domain="osdi.example.org", secure=True)
    assert ada.get("/staff").status_code == 303


@pytest.mark.parametrize("value", ["", "x", "x" * 5_000, "ü", "a b", "../../etc"])
def test_another_value_is_no_session(stranger: StaffBrowser, value: str) -> None:
    response = stranger.get("/staff", headers={"Cookie": f"{COOKIE}={value}"})

    assert response.status_code == 303


def test_a_page_without_form_sets_none(stranger: StaffBrowser) -> None:
    assert "Set-Cookie" not in stranger.get("/staff").headers


class TestOverHttp:
    @pytest.mark.parametrize(
        "host", ["localhost", "localhost:5000", "127.0.0.1:5000", "127.9.9.9", "[::1]:5000", "osdi.localhost"]
    )
    def test_it_has_another_name_on_this_machine(
        self, app: Flask, store: Store, member: dict[str, Any], host: str
    ) -> None:
        path = f"/staff/link/{new_link(store, member, now())}"

        header = app.test_client().get(path, base_url=f"http://{host}").headers["Set-Cookie"]

        assert header.startswith("osdi_staff_loopback=")
        assert "HttpOnly" in header
        assert "Secure" not in header

    @pytest.mark.parametrize("host", ["osdi.example.org", "192.168.1.7:5000", "10.0.0.1", "localhost.example.org"])
    def test_nobody_signs_in_from_another_machine(
        self, app: Flask, store: Store, member: dict[str, Any], host: str
    ) -> None:
        for path in ("/staff", "/staff/sign-in", f"/staff/link/{new_link(store, member, now())}"):
            response = app.test_client().get(path, base_url=f"http://{host}")

            assert response.status_code == 403
            assert "Use https" in response.text
            assert "Set-Cookie" not in response.headers

    @pytest.mark.parametrize(
        "host", ["", "[", "[::1", "[::1]]", "a b", "//x", "localhost:99999999", "localhost@evil.example", "127.1", "ü"]
    )
    def test_a_wrong_host_gets_a_clear_response(self, app: Flask, host: str) -> None:
        response = app.test_client().get("/staff/sign-in", environ_overrides={"HTTP_HOST": host})

        assert response.status_code in (400, 403)
        assert "Set-Cookie" not in response.headers

    def test_a_secure_cookie_is_not_read(self, app: Flask, ada: StaffBrowser) -> None:
        headers = {"Cookie": f"{COOKIE}={ada.cookie}"}

        assert app.test_client().get("/staff", base_url="http://localhost", headers=headers).status_code == 303


def test_a_proxy_that_is_not_trusted_may_receive_https(
    deployed: Deployed, store: Store, member: dict[str, Any], settings: Settings
) -> None:
    """PUBLIC_URL says that browsers use https, also if the proxy's headers are not believed."""
    http: FlaskClient = deployed(public_url="https://osdi.example.org").http
    path = f"/staff/link/{new_link(store, member, now())}"

    assert http.get(path, base_url="http://osdi.example.org").headers["Set-Cookie"].startswith(COOKIE)
    assert http.get(path, base_url="http://other.example.org").status_code == 403
