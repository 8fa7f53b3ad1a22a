"""Signing in by OpenID Connect: the session, the way back, and what the provider is asked for."""

import json
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from osdi.store import Store
from tests.staff.conftest import HTTPS, StaffBrowser
from tests.staff.oidc.conftest import BEGIN, CALLBACK, Deploy, OidcBrowser, arguments
from tests.support.oidc_provider import CLIENT, OidcProvider

pytestmark = pytest.mark.usefixtures("member")
COOKIE = "__Host-osdi_oidc"


class TestASignIn:
    def test_makes_a_session_as_a_link_does(
        self, browser: OidcBrowser, provider: OidcProvider, database: Database, member: dict[str, Any]
    ) -> None:
        response = browser.sign_in(provider)

        assert (response.status_code, response.headers["Location"]) == (303, "/staff")
        assert "Hello, Ada Lovelace" in browser.get("/staff").text
        (session,) = database.staff_sessions.find()
        assert session["staff_id"] == member["_id"]
        assert session.keys() == {
            *("_id", "hash", "staff_id", "device", "created_date", "last_used_date", "expires_date"),
            "by_known_browser",
        }

    def test_replaces_the_secret_of_the_browser(self, browser: OidcBrowser, provider: OidcProvider) -> None:
        browser.get("/staff/sign-in")
        before = browser.cookie

        browser.sign_in(provider)

        assert browser.cookie not in ("", before)

    def test_leads_to_the_page_that_the_member_wanted_to_see(
        self, browser: OidcBrowser, provider: OidcProvider
    ) -> None:
        response = browser.sign_in(provider, f"{BEGIN}?next=/staff/campaigns?state=open")

        assert response.headers["Location"] == "/staff/campaigns?state=open"

    def test_is_in_the_audit_log(
        self, browser: OidcBrowser, provider: OidcProvider, database: Database, member: dict[str, Any]
    ) -> None:
        browser.sign_in(provider)

        assert [each["staff_id"] for each in database.staff_events.find({"action": "end_oidc"})] == [member["_id"]]

    def test_finds_the_member_in_any_letter_case(self, browser: OidcBrowser, provider: OidcProvider) -> None:
        provider.account["email"] = "ADA@Example.org"

        browser.sign_in(provider)

        assert browser.is_signed_in

    @pytest.mark.parametrize(
        ("methods", "used"),
        [
            (None, "basic"),
            (["client_secret_basic", "client_secret_post"], "basic"),
            (["client_secret_post"], "post"),
            (["private_key_jwt"], "basic"),
        ],
    )
    def test_authenticates_this_server_by_a_method_of_the_provider(
        self, browser: OidcBrowser, provider: OidcProvider, methods: list[str] | None, used: str
    ) -> None:
        if methods is not None:
            provider.metadata["token_endpoint_auth_methods_supported"] = methods

        browser.sign_in(provider)

        assert browser.is_signed_in
        assert provider.used_methods == [used]

    @pytest.mark.parametrize("path", ["", "/realms/river", "/realms/river/"])
    def test_reads_the_metadata_below_the_issuer(self, deploy: Deploy, provider: OidcProvider, path: str) -> None:
        issuer = provider.issuer + path
        provider.metadata["issuer"] = issuer
        provider.claims = lambda claims: {**claims, "iss": issuer}
        endpoints = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        document = {"issuer": issuer, **{name: f"{provider.issuer}/{each}" for name, each in endpoints.items()}}
        provider.documents[f"{path.rstrip('/')}/.well-known/openid-configuration"] = json.dumps(document).encode()
        browser = OidcBrowser(deploy(oidc_issuer=issuer))

        browser.sign_in(provider)

        assert browser.is_signed_in


class TestTheCookie:
    def test_belongs_to_this_host_for_ten_minutes_and_no_script_reads_it(self, browser: OidcBrowser) -> None:
        (header,) = [each for each in browser.get(BEGIN).headers.getlist("Set-Cookie") if COOKIE in each]

        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=600"} <= set(header.split("; "))
        assert "Domain" not in header

    @pytest.mark.parametrize("succeeds", [True, False])
    def test_is_deleted_by_the_response(self, browser: OidcBrowser, provider: OidcProvider, succeeds: bool) -> None:
        provider.account["email_verified"] = succeeds

        browser.sign_in(provider)

        assert browser.http.get_cookie(COOKIE, domain="osdi.example.org") is None

    def test_has_another_name_on_this_machine_without_tls(self, deploy: Deploy) -> None:
        browser = OidcBrowser(deploy(public_url=""), "http://127.0.0.1:5000")

        assert "osdi_oidc_loopback=" in str(browser.get(BEGIN).headers.getlist("Set-Cookie"))


class TestTheRequest:
    def test_asks_for_the_address_only_with_state_nonce_and_challenge(self, browser: OidcBrowser) -> None:
        asked = arguments(browser.begin())

        assert asked.keys() == {
            *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
            *("code_challenge", "code_challenge_method"),
        }
        assert asked["client_id"] == CLIENT
        assert asked["redirect_uri"] == f"{HTTPS}{CALLBACK}"
        assert asked["scope"] == "openid email"
        assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43

    def test_has_other_secrets_each_time(self, browser: OidcBrowser) -> None:
        first, second = (arguments(browser.begin()) for _ in range(2))

        assert not {first[name] for name in ("state", "nonce", "code_challenge")} & set(second.values())

    def test_of_a_member_who_needs_a_fresh_sign_in_asks_the_person_again(
        self, browser: OidcBrowser, provider: OidcProvider
    ) -> None:
        browser.sign_in(provider)

        asked = arguments(browser.begin(f"{BEGIN}?again=yes"))

        assert (asked["prompt"], asked["max_age"], asked["login_hint"]) == ("login", "600", "ada@example.org")

    def test_names_the_hosted_domain(self, deploy: Deploy) -> None:
        assert arguments(OidcBrowser(deploy(oidc_hosted_domain="example.org")).begin())["hd"] == "example.org"


class TestThePages:
    @pytest.mark.parametrize("path", ["/staff/sign-in", "/staff/link/ended"])
    def test_have_a_link_to_the_provider(self, browser: OidcBrowser, path: str) -> None:
        page = browser.get(path).text

        assert "Sign in with 127.0.0.1" in page
        assert f'href="{BEGIN}' in page

    def test_have_no_link_without_a_provider(self, stranger: StaffBrowser) -> None:
        assert "oidc" not in stranger.get("/staff/sign-in").text

    @pytest.mark.parametrize("path", [BEGIN, CALLBACK])
    def test_do_not_exist_without_a_provider(self, stranger: StaffBrowser, path: str) -> None:
        assert stranger.get(path).status_code == 404

    def test_that_confirms_asks_again(self, browser: OidcBrowser, provider: OidcProvider) -> None:
        browser.sign_in(provider)

        assert "again=yes" in browser.get("/staff/confirm?next=/staff").text


class TestTheProvider:
    def test_is_asked_for_metadata_and_keys_once(
        self, browser: OidcBrowser, provider: OidcProvider, store: Store
    ) -> None:
        for _ in range(3):
            browser.sign_in(provider)

        assert provider.requests.count("/.well-known/openid-configuration") == 1
        assert provider.requests.count("/jwks") == 1

    def test_is_asked_for_nothing_by_the_sign_in_page(self, browser: OidcBrowser, provider: OidcProvider) -> None:
        browser.get("/staff/sign-in")

        assert provider.requests == []

    def test_that_does_not_respond_is_left_alone_for_a_while(
        self, browser: OidcBrowser, provider: OidcProvider
    ) -> None:
        provider.documents["/.well-known/openid-configuration"] = b"<html>"

        responses = [browser.get(BEGIN) for _ in range(3)]

        assert {each.status_code for each in responses} == {502}
        assert "has not confirmed who you are" in responses[0].text
        assert provider.requests == ["/.well-known/openid-configuration"]

    def test_may_change_its_keys(self, deploy: Deploy, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch) -> None:
        app: Flask = deploy()
        OidcBrowser(app).sign_in(provider)
        provider.key = type(provider.key).generate_key(2048, {"kid": "2", "use": "sig"})
        provider.sign = lambda claims: provider.signed(claims, kid="2")
        monkeypatch.setattr("osdi.staff.oidc.provider.KEYS_SECONDS", 0.0)
        browser = OidcBrowser(app)

        browser.sign_in(provider)

        assert browser.is_signed_in
        assert provider.requests.count("/jwks") == 2

    def test_is_not_asked_for_keys_by_each_token_with_an_unknown_one(
        self, browser: OidcBrowser, provider: OidcProvider
    ) -> None:
        provider.sign = lambda claims: provider.signed(claims, kid="unknown")

        for _ in range(3):
            assert browser.sign_in(provider).status_code == 502

        assert provider.requests.count("/jwks") == 1
