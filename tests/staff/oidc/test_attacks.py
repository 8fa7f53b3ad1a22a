"""Attacks on the sign-in by OpenID Connect: none makes a session, and no page or log line has words of the attacker."""

import base64
import datetime as dt
import hmac
import json
import time
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from joserfc.jwk import ECKey, RSAKey
from pymongo.database import Database

from osdi.ids import now
from osdi.staff.members import add_member, set_disabled
from osdi.staff.oidc.sign_in import VALID_SECONDS
from osdi.store import Store
from tests.staff.oidc.conftest import BEGIN, CALLBACK, Deploy, OidcBrowser, arguments
from tests.support.oidc_provider import CLIENT, Claims, OidcProvider

pytestmark = pytest.mark.usefixtures("member")
WORDS = "<b>words of a stranger</b>"
EVIL = "https://evil.example"


def reasons(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The reasons in the log."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    return [each["reason"] for each in lines if each["event"] == "oidc"]


@pytest.fixture
def rejected(
    browser: OidcBrowser, provider: OidcProvider, database: Database, capsys: pytest.CaptureFixture[str]
) -> Callable[..., None]:
    """Signs in, and expects a page without a session, and a reason in the log."""

    def sign_in(reason: str, status: int = 502) -> None:
        response = browser.sign_in(provider)

        assert response.status_code == status
        assert "You are not signed in" in response.text
        assert WORDS not in response.text
        assert reasons(capsys) == [reason]
        assert database.staff_sessions.count_documents({}) == 0
        assert not browser.is_signed_in

    return sign_in


@cache
def another_key() -> RSAKey:
    return RSAKey.generate_key(2048)


def without(name: str) -> Callable[[Claims], Claims]:
    return lambda claims: {each: value for each, value in claims.items() if each != name}


def with_claims(**changed: Any) -> Callable[[Claims], Claims]:
    return lambda claims: {**claims, **changed}


FRESH_PAGE = "/staff/settings/tokens/new"


def later(name: str, seconds: int) -> Callable[[Claims], Claims]:
    return lambda claims: {**claims, name: int(time.time()) + seconds}


class TestAnIdToken:
    @pytest.mark.parametrize(
        ("claims", "reason"),
        [
            (with_claims(nonce="another"), "nonce"),
            (with_claims(nonce=["x"]), "nonce"),
            (without("nonce"), "nonce"),
            (with_claims(iss=EVIL), "issuer"),
            (without("iss"), "issuer"),
            (with_claims(aud="another client"), "audience"),
            (with_claims(aud=["another client"]), "audience"),
            (with_claims(aud={"a": CLIENT}), "audience"),
            (without("aud"), "audience"),
            (with_claims(aud=[CLIENT, "another client"]), "authorized_party"),
            (with_claims(aud=[CLIENT, "another client"], azp="another client"), "authorized_party"),
            (with_claims(azp="another client"), "authorized_party"),
            (later("exp", -61), "expired"),
            (without("exp"), "no_exp"),
            (with_claims(exp="never"), "no_exp"),
            (with_claims(exp=True), "no_exp"),
            (with_claims(exp=1e300), "no_exp"),
            (later("iat", 120), "issued_at"),
            (later("iat", -3_600), "issued_at"),
            (without("iat"), "no_iat"),
            (later("nbf", 120), "not_before"),
        ],
    )
    def test_of_another_sign_in_signs_nobody_in(
        self, rejected: Callable[..., None], provider: OidcProvider, claims: Callable[[Claims], Claims], reason: str
    ) -> None:
        provider.claims = claims

        rejected(reason)

    @pytest.mark.parametrize("azp", [CLIENT])
    def test_for_several_clients_counts_if_ours_asked_for_it(
        self, browser: OidcBrowser, provider: OidcProvider, azp: str
    ) -> None:
        provider.claims = with_claims(aud=["another client", CLIENT], azp=azp)

        browser.sign_in(provider)

        assert browser.is_signed_in

    @pytest.mark.parametrize(
        ("forged", "reason"),
        [
            ("none", "algorithm"),
            ("None", "algorithm"),
            ("HS256 with the public key", "algorithm"),
            ("HS256 with the client secret", "algorithm"),
            ("another key", "signature"),
            ("another key with its own id", "unknown_key"),
            ("the key in the header", "signature"),
            ("another type of key", "signature"),
            ("changed claims", "signature"),
            ("no signature", "signature"),
            ("not a token", "format"),
            ("a long token", "format"),
            ("a header that is a list", "format"),
            ("deep claims", "signature"),
        ],
    )
    def test_that_the_provider_has_not_signed_signs_nobody_in(
        self, rejected: Callable[..., None], provider: OidcProvider, forged: str, reason: str
    ) -> None:
        provider.sign = lambda claims: forge(provider, forged, claims)

        rejected(reason)

    @pytest.mark.parametrize(
        ("account", "reason"),
        [
            ({"email_verified": False}, "unverified_address"),
            ({"email_verified": "true"}, "unverified_address"),
            ({"email_verified": 1}, "unverified_address"),
            ({"email_verified": None}, "unverified_address"),
            ({"email": None}, "no_address"),
            ({"email": ["ada@example.org"]}, "no_address"),
            ({"email": "ada"}, "no_address"),
            ({"email": "eve@example.org"}, "no_member"),
            ({"email": "ada@example.org.evil.example"}, "no_member"),
            ({"email": f"{WORDS}@example.org"}, "no_address"),
            ({"email": "a" * 5_000 + "@example.org"}, "no_address"),
        ],
    )
    def test_of_an_account_that_is_no_member_signs_nobody_in(
        self, rejected: Callable[..., None], provider: OidcProvider, account: Claims, reason: str
    ) -> None:
        provider.account |= account

        rejected(reason, 403)

    def test_of_a_disabled_member_signs_nobody_in(
        self, rejected: Callable[..., None], provider: OidcProvider, store: Store, member: dict[str, Any]
    ) -> None:
        set_disabled(store, member["_id"], disabled=True)

        rejected("disabled", 403)

    def test_makes_no_account(self, browser: OidcBrowser, provider: OidcProvider, database: Database) -> None:
        provider.account["email"] = "eve@example.org"

        browser.sign_in(provider)

        assert [each["email"] for each in database.staff.find()] == ["ada@example.org"]


def forge(provider: OidcProvider, how: str, claims: Claims) -> str:
    """Returns an ID token that the provider has not signed."""
    genuine = provider.signed(claims)
    header, payload, signature = genuine.split(".")
    if how in ("none", "None"):
        return f"{encoded({'alg': how})}.{payload}."
    if how.startswith("HS256"):
        secret = provider.key.as_pem(private=False) if "public" in how else provider.settings["oidc_client_secret"]
        key = secret if isinstance(secret, bytes) else secret.encode()
        signed = f"{encoded({'alg': 'HS256', 'kid': '1'})}.{payload}"
        return f"{signed}.{base64url(hmac.digest(key, signed.encode(), 'sha256'))}"
    other = another_key()
    made: dict[str, Callable[[], str]] = {
        "another key": lambda: provider.signed(claims, key=other),
        "another key with its own id": lambda: provider.signed(claims, key=other, kid="evil"),
        "the key in the header": lambda: provider.signed(claims, key=other, jwk=other.as_dict(private=False)),  # type: ignore[arg-type]
        "another type of key": lambda: provider.signed(claims, alg="ES256", key=ECKey.generate_key("P-256")),
        "changed claims": lambda: f"{header}.{encoded({**claims, 'email': 'ada@example.org', 'x': 1})}.{signature}",
        "no signature": lambda: f"{header}.{payload}.",
        "not a token": lambda: WORDS,
        "a long token": lambda: genuine + "x" * 20_000,
        "a header that is a list": lambda: f"{encoded(['RS256'])}.{payload}.{signature}",
        "deep claims": lambda: f"{header}.{base64url(b'[' * 9_000)}.{signature}",
    }
    return made[how]()


def encoded(value: Any) -> str:
    return base64url(json.dumps(value).encode())


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


class TestTheHostedDomain:
    @pytest.mark.parametrize(("claim", "signed_in"), [("example.org", True), ("evil.example", False), (None, False)])
    def test_has_to_be_that_of_the_setting(
        self, deploy: Deploy, provider: OidcProvider, claim: str | None, signed_in: bool
    ) -> None:
        browser = OidcBrowser(deploy(oidc_hosted_domain="example.org"))
        if claim:
            provider.account["hd"] = claim

        browser.sign_in(provider)

        assert browser.is_signed_in is signed_in


class TestAResponse:
    """The address that the provider, or somebody else, leads the browser to."""

    @pytest.mark.parametrize(
        ("changed", "reason", "status"),
        [
            ({"state": "another"}, "state", 400),
            ({"state": ""}, "state", 400),
            ({"code": ""}, "no_code", 502),
            ({"code": "another"}, "token_status", 502),
            ({"code": "x" * 5_000}, "no_code", 502),
            ({"iss": EVIL}, "response_issuer", 502),
            ({"error": "access_denied"}, "declined", 403),
            ({"error": WORDS, "error_description": WORDS}, "provider_error", 502),
        ],
    )
    def test_that_was_changed_signs_nobody_in(
        self, rejected: Callable[..., None], provider: OidcProvider, changed: dict[str, str], reason: str, status: int
    ) -> None:
        provider.response = changed

        rejected(reason, status)

    def test_needs_the_issuer_if_the_provider_names_it_always(
        self, rejected: Callable[..., None], provider: OidcProvider
    ) -> None:
        provider.metadata["authorization_response_iss_parameter_supported"] = True

        rejected("response_issuer")

    def test_with_the_issuer_signs_in(self, browser: OidcBrowser, provider: OidcProvider) -> None:
        provider.metadata["authorization_response_iss_parameter_supported"] = True
        provider.response = {"iss": provider.issuer}

        browser.sign_in(provider)

        assert browser.is_signed_in

    def test_in_another_browser_signs_nobody_in(
        self, deploy: Deploy, provider: OidcProvider, capsys: pytest.CaptureFixture[str]
    ) -> None:
        app: Flask = deploy()
        attacker, victim = OidcBrowser(app), OidcBrowser(app)
        address = provider.authorize(attacker.begin())

        response = victim.open_callback(address)

        assert response.status_code == 400
        assert "did not begin in this browser" in response.text
        assert reasons(capsys) == ["no_cookie"]
        assert not victim.is_signed_in

    def test_in_another_browser_that_has_begun_too_signs_nobody_in(
        self, deploy: Deploy, provider: OidcProvider
    ) -> None:
        app: Flask = deploy()
        attacker, victim = OidcBrowser(app), OidcBrowser(app)
        address = provider.authorize(attacker.begin())
        victim.begin()

        assert victim.open_callback(address).status_code == 400
        assert not victim.is_signed_in

    def test_that_is_opened_again_signs_nobody_in(self, browser: OidcBrowser, provider: OidcProvider) -> None:
        address = provider.authorize(browser.begin())
        assert browser.open_callback(address).status_code == 303
        browser.post("/staff/sign-out")

        assert browser.open_callback(address).status_code == 400
        assert not browser.is_signed_in

    def test_whose_code_was_used_signs_nobody_in_though_the_cookie_is_there(
        self, browser: OidcBrowser, provider: OidcProvider
    ) -> None:
        address = provider.authorize(browser.begin())
        kept = browser.http.get_cookie("__Host-osdi_oidc", domain="osdi.example.org")
        browser.open_callback(address)
        browser.post("/staff/sign-out")
        browser.http.set_cookie(kept.key, kept.decoded_value, domain="osdi.example.org", secure=True)

        assert browser.open_callback(address).status_code == 502
        assert not browser.is_signed_in

    def test_that_comes_late_signs_nobody_in(
        self, browser: OidcBrowser, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        address = provider.authorize(browser.begin())
        moment = time.time() + VALID_SECONDS + 1
        monkeypatch.setattr("itsdangerous.timed.time", type("", (), {"time": staticmethod(lambda: moment)}))

        assert browser.open_callback(address).status_code == 400
        assert not browser.is_signed_in

    @pytest.mark.parametrize("cookie", ["x", "", "x" * 3_900, "WyJhIiwiYiIsImMiLCIiLGZhbHNlXQ.aa.bb"])
    def test_with_a_forged_cookie_signs_nobody_in(
        self, browser: OidcBrowser, provider: OidcProvider, cookie: str
    ) -> None:
        address = provider.authorize(browser.begin())
        browser.http.set_cookie("__Host-osdi_oidc", cookie, domain="osdi.example.org", secure=True)

        assert browser.open_callback(address).status_code == 400
        assert not browser.is_signed_in

    @pytest.mark.parametrize(
        "query",
        ["", "state=%ff&code=%00", "state=a&state=b&code=" + "x" * 9_000, "error=x", "iss=%0d%0aA:b"],
    )
    def test_without_a_sign_in_is_a_page(self, browser: OidcBrowser, query: str) -> None:
        assert browser.get(f"{CALLBACK}?{query}").status_code == 400

    @pytest.mark.parametrize(
        "next_page", [EVIL, "//evil.example", "/\\evil.example", "/staff\\@evil.example", "javascript:alert(1)", "/api"]
    )
    def test_leads_to_staff_pages_only(self, browser: OidcBrowser, provider: OidcProvider, next_page: str) -> None:
        response = browser.sign_in(provider, f"{BEGIN}?{urlencode({'next': next_page})}")

        assert response.headers["Location"] == "/staff"

    def test_of_a_person_who_signed_in_long_ago_is_not_fresh(
        self, browser: OidcBrowser, provider: OidcProvider, database: Database
    ) -> None:
        browser.sign_in(provider)
        provider.claims = later("auth_time", -3_600)

        assert browser.sign_in(provider).status_code == 303
        assert browser.sign_in(provider, f"{BEGIN}?again=yes").status_code == 403


class TestTheProvider:
    """A provider that an attacker controls, or that is broken."""

    @pytest.mark.parametrize(
        ("metadata", "reason"),
        [
            ({"issuer": EVIL}, "discovery_issuer"),
            ({"issuer": None}, "discovery_issuer"),
            ({"token_endpoint": "http://evil.example/token"}, "discovery_endpoint"),
            ({"authorization_endpoint": "javascript:alert(1)"}, "discovery_endpoint"),
            ({"authorization_endpoint": None}, "discovery_endpoint"),
            ({"jwks_uri": "https://user:secret@evil.example/"}, "discovery_endpoint"),
        ],
    )
    def test_with_other_metadata_is_not_used(
        self,
        browser: OidcBrowser,
        provider: OidcProvider,
        capsys: pytest.CaptureFixture[str],
        metadata: dict[str, Any],
        reason: str,
    ) -> None:
        provider.metadata = metadata

        assert browser.get(BEGIN).status_code == 502
        assert reasons(capsys) == [reason]

    @pytest.mark.parametrize(
        ("path", "document", "reason"),
        [
            ("/jwks", b"[]", "keys_format"),
            ("/jwks", b'{"keys": 7}', "keys_format"),
            ("/jwks", b'{"keys": []}', "unknown_key"),
            ("/jwks", b'{"keys": [7, {}, {"kty": "RSA", "kid": "1"}]}', "signature"),
            ("/jwks", b'{"keys": [{"kty": "oct", "kid": "1", "k": "AAAA"}]}', "unknown_key"),
            ("/jwks", b"[" * 100_000, "keys_format"),
            ("/jwks", b'{"keys": "' + b"x" * 300_000 + b'"}', "keys_too_long"),
        ],
    )
    def test_with_other_keys_signs_nobody_in(
        self, rejected: Callable[..., None], provider: OidcProvider, path: str, document: bytes, reason: str
    ) -> None:
        provider.documents[path] = document

        rejected(reason)

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "[::1]"])
    def test_cannot_lead_our_requests_to_another_server_in_the_private_network(
        self, rejected: Callable[..., None], provider: OidcProvider, host: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        port = provider.issuer.rpartition(":")[2]
        if host == "127.0.0.2":
            provider.metadata["token_endpoint"] = f"https://{host}:{port}/token"
        else:
            provider.metadata["token_endpoint"] = f"http://{host}:{port}/token"

        rejected("token_private_address")

    def test_that_redirects_is_not_followed(self, rejected: Callable[..., None], provider: OidcProvider) -> None:
        provider.metadata["token_endpoint"] = f"{provider.issuer}/moved"

        rejected("token_status")


def test_the_cookie_of_a_sign_in_opens_no_page(browser: OidcBrowser) -> None:
    browser.begin()

    assert not browser.is_signed_in


def test_a_campaign_scoped_member_stays_in_that_campaign(
    browser: OidcBrowser, provider: OidcProvider, store: Store
) -> None:
    add_member(store, "eve@example.org", scopes=["read"], advocacy_campaign_id="campaign-1")
    provider.account["email"] = "eve@example.org"

    browser.sign_in(provider)

    assert browser.get("/staff/people").status_code == 403


def test_a_session_is_fresh_for_ten_minutes_as_one_by_a_link(
    browser: OidcBrowser, provider: OidcProvider, database: Database
) -> None:
    browser.sign_in(provider)
    browser.sign_in(provider, f"{BEGIN}?again=yes")
    assert browser.get(FRESH_PAGE).status_code == 200
    database.staff_sessions.update_one({}, {"$set": {"created_date": now() - dt.timedelta(minutes=11)}})

    response = browser.get(FRESH_PAGE)

    assert "/staff/confirm" in response.headers["Location"]


@pytest.mark.parametrize(
    ("seconds", "status"),
    [
        pytest.param(None, 303, id="the provider does not say when the person signed in"),
        pytest.param(-3_600, 303, id="an hour ago"),
        pytest.param(-700, 303, id="a little too long ago"),
        pytest.param(-5, 200, id="just now"),
    ],
)
def test_a_browser_that_the_provider_knows_makes_no_fresh_session(
    browser: OidcBrowser, provider: OidcProvider, seconds: int | None, status: int
) -> None:
    """Without its person a browser that was left alone could sign out and in, and then create a token."""
    browser.sign_in(provider)
    browser.post("/staff/sign-out")
    if seconds is not None:
        provider.claims = later("auth_time", seconds)

    browser.sign_in(provider)

    assert browser.is_signed_in
    assert browser.get(FRESH_PAGE).status_code == status
    provider.claims = later("auth_time", -5)
    browser.sign_in(provider, f"{BEGIN}?again=yes")
    assert browser.get(FRESH_PAGE).status_code == 200


def test_the_secret_of_this_server_and_the_address_are_in_no_log_line(
    browser: OidcBrowser, provider: OidcProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = arguments(browser.begin())
    browser.sign_in(provider)
    provider.account["email"] = "eve@example.org"
    browser.sign_in(provider)

    logged = capsys.readouterr().out
    for secret in (provider.settings["oidc_client_secret"], "@example.org", asked["state"], asked["nonce"]):
        assert secret not in logged
