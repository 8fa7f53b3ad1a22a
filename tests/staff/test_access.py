"""Each staff route by each scope, without a session, and by a campaign-scoped member."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from app import create_app
from blueprints.browser.on_demand import EXTENSION as ON_DEMAND
from blueprints.http.context import EXTENSION
from blueprints.staff.blueprint import Access, StaffBlueprint, pages
from dev.mongod import Mongod
from osdi.access.tokens import ADMIN, READ, WRITE
from osdi.ids import new_id, now
from osdi.settings import Settings
from osdi.staff.links import new_link
from osdi.staff.members import add_member
from osdi.staff.sessions import FRESH
from osdi.store import Store
from tests.staff.conftest import StaffBrowser
from tests.support import factories
from tests.support.databases import own_database

CALLERS = ("nobody", "read", "write", "admin", "campaign")
# The callers who may call each route. A new route needs a row here.
EVERYBODY = set(CALLERS)
MEMBERS = EVERYBODY - {"nobody"}
READERS = {"read", "admin", "campaign"}
WRITERS = {"write", "admin"}
ADMINISTRATORS = {"admin"}
# A change of what the page shows needs `write` and `read`, which `admin` includes.
CHANGERS = {"admin"}
ROUTES: dict[tuple[str, str], set[str]] = {
    ("GET", "/staff"): MEMBERS,
    ("GET", "/staff/campaigns"): READERS,
    ("GET", "/staff/campaigns.csv"): READERS,
    ("GET", "/staff/outreaches"): READERS,
    ("GET", "/staff/outreaches.csv"): READERS,
    ("GET", "/staff/campaigns/new"): WRITERS,
    ("POST", "/staff/campaigns/new"): WRITERS,
    ("GET", "/staff/campaigns/<advocacy_campaign_id>"): READERS,
    ("GET", "/staff/campaigns/<advocacy_campaign_id>/edit"): CHANGERS,
    ("POST", "/staff/campaigns/<advocacy_campaign_id>/edit"): CHANGERS,
    ("POST", "/staff/campaigns/<advocacy_campaign_id>/preview"): CHANGERS,
    ("POST", "/staff/campaigns/<advocacy_campaign_id>/copy"): CHANGERS,
    ("GET", "/staff/campaigns/<advocacy_campaign_id>/publish"): CHANGERS,
    ("POST", "/staff/campaigns/<advocacy_campaign_id>/publish"): CHANGERS,
    ("GET", "/staff/campaigns/<advocacy_campaign_id>/unpublish"): CHANGERS,
    ("POST", "/staff/campaigns/<advocacy_campaign_id>/unpublish"): CHANGERS,
    ("GET", "/staff/campaigns/<advocacy_campaign_id>/statistics"): READERS,
    ("GET", "/staff/campaigns/<advocacy_campaign_id>/statistics.csv"): READERS,
    ("GET", "/staff/campaigns/<advocacy_campaign_id>/embedding"): READERS,
    ("POST", "/staff/campaigns/<advocacy_campaign_id>/embedding"): ADMINISTRATORS,
    ("POST", "/staff/campaigns/<advocacy_campaign_id>/embedding/forget"): CHANGERS,
    ("POST", "/staff/campaigns/<advocacy_campaign_id>/embedding/remove"): ADMINISTRATORS,
    ("GET", "/staff/campaigns/<advocacy_campaign_id>/postal-codes"): CHANGERS,
    ("POST", "/staff/campaigns/<advocacy_campaign_id>/postal-codes"): CHANGERS,
    ("GET", "/staff/campaigns/<advocacy_campaign_id>/postal-codes.csv"): CHANGERS,
    ("GET", "/staff/campaigns/<advocacy_campaign_id>/postal-codes/delete"): CHANGERS,
    ("POST", "/staff/campaigns/<advocacy_campaign_id>/postal-codes/delete"): CHANGERS,
    ("GET", "/staff/assets/<version>/copy.js"): EVERYBODY,
    ("GET", "/staff/people"): {"read", "admin"},
    ("GET", "/staff/people/<person_id>"): {"read", "admin"},
    ("GET", "/staff/people/duplicates"): {"read", "admin"},
    ("GET", "/staff/people/duplicates/exceptions"): {"read", "admin"},
    ("GET", "/staff/people/csv"): {"read", "admin"},
    ("POST", "/staff/people/csv"): {"read", "admin"},
    # These need `read` and another scope, which `admin` includes.
    ("GET", "/staff/people/new"): {"admin"},
    ("POST", "/staff/people/new"): {"admin"},
    ("GET", "/staff/people/remove"): {"admin"},
    ("POST", "/staff/people/remove"): {"admin"},
    ("GET", "/staff/people/<person_id>/no-calls"): {"admin"},
    ("POST", "/staff/people/<person_id>/no-calls"): {"admin"},
    ("GET", "/staff/people/<person_id>/answers/new"): {"admin"},
    ("POST", "/staff/people/<person_id>/answers/new"): {"admin"},
    ("GET", "/staff/people/<person_id>/answers/<answer_id>"): {"admin"},
    ("POST", "/staff/people/<person_id>/answers/<answer_id>"): {"admin"},
    ("POST", "/staff/people/<person_id>/merge/<other_id>/not-the-same"): {"admin"},
    ("POST", "/staff/people/<person_id>/merge/<other_id>/take-back"): {"admin"},
    ("GET", "/staff/people/add"): {"admin"},
    ("POST", "/staff/people/add"): {"admin"},
    ("GET", "/staff/people/<person_id>/edit"): {"admin"},
    ("POST", "/staff/people/<person_id>/edit"): {"admin"},
    ("GET", "/staff/people/<person_id>/unsubscribe"): {"admin"},
    ("POST", "/staff/people/<person_id>/unsubscribe"): {"admin"},
    ("GET", "/staff/people/<person_id>/<kind>/<entry_id>/remove"): {"admin"},
    ("POST", "/staff/people/<person_id>/<kind>/<entry_id>/remove"): {"admin"},
    ("GET", "/staff/people/<person_id>/merge/<other_id>"): {"admin"},
    ("POST", "/staff/people/<person_id>/merge/<other_id>"): {"admin"},
    ("GET", "/staff/people/<person_id>/erase"): {"admin"},
    ("POST", "/staff/people/<person_id>/erase"): {"admin"},
    ("GET", "/staff/people/<person_id>/download"): {"read", "admin"},
    ("POST", "/staff/people/<person_id>/download"): {"read", "admin"},
    ("GET", "/staff/messages"): READERS - {"campaign"},
    ("GET", "/staff/messages/new"): {"write", "admin"},
    ("POST", "/staff/messages/new"): {"write", "admin"},
    ("GET", "/staff/messages/<message_id>"): READERS - {"campaign"},
    ("POST", "/staff/messages/<message_id>"): {"write", "admin"},
    ("POST", "/staff/messages/test"): {"write", "admin"},
    ("POST", "/staff/messages/preview"): READERS - {"campaign"},
    ("GET", "/staff/followups"): READERS - {"campaign"},
    ("GET", "/staff/followups/retry"): {"write", "admin"},
    ("POST", "/staff/followups/retry"): {"write", "admin"},
    ("GET", "/staff/imports"): CHANGERS,
    ("POST", "/staff/imports"): CHANGERS,
    ("GET", "/staff/imports/<import_id>"): CHANGERS,
    ("GET", "/staff/imports/<import_id>/progress.json"): CHANGERS,
    ("GET", "/staff/imports/<import_id>/columns"): CHANGERS,
    ("POST", "/staff/imports/<import_id>/columns"): CHANGERS,
    ("POST", "/staff/imports/<import_id>/start"): CHANGERS,
    ("GET", "/staff/imports/<import_id>/cancel"): CHANGERS,
    ("POST", "/staff/imports/<import_id>/cancel"): CHANGERS,
    ("GET", "/staff/imports/<import_id>/delete"): CHANGERS,
    ("POST", "/staff/imports/<import_id>/delete"): CHANGERS,
    ("GET", "/staff/imports/<import_id>/rejected.csv"): CHANGERS,
    ("GET", "/staff/assets/<version>/progress.js"): EVERYBODY,
    ("GET", "/staff/exports"): {"read", "admin"},
    ("POST", "/staff/exports"): {"read", "admin"},
    ("GET", "/staff/devices"): MEMBERS,
    ("GET", "/staff/confirm"): MEMBERS,
    ("GET", "/staff/sign-in"): EVERYBODY,
    ("POST", "/staff/sign-in"): EVERYBODY,
    ("GET", "/staff/sign-in/oidc"): EVERYBODY,
    ("GET", "/staff/oidc/callback"): EVERYBODY,
    ("GET", "/staff/sign-in/code"): EVERYBODY,
    ("POST", "/staff/sign-in/code"): EVERYBODY,
    ("GET", "/staff/link/<string:secret>"): EVERYBODY,
    ("POST", "/staff/link/<string:secret>"): EVERYBODY,
    ("GET", "/staff/assets/<version>/staff.css"): EVERYBODY,
    ("POST", "/staff/sign-out"): MEMBERS,
    ("POST", "/staff/devices/<session_id>/sign-out"): MEMBERS,
    ("POST", "/staff/devices/sign-out"): MEMBERS,
    ("GET", "/staff/settings/anonymous-posts"): ADMINISTRATORS,
    ("GET", "/staff/settings/audit-log"): ADMINISTRATORS,
    ("GET", "/staff/settings/staff"): ADMINISTRATORS,
    ("GET", "/staff/settings/staff/new"): ADMINISTRATORS,
    ("POST", "/staff/settings/staff/new"): ADMINISTRATORS,
    ("POST", "/staff/settings/staff/<member_id>/link"): ADMINISTRATORS,
    ("GET", "/staff/settings/staff/<member_id>/disable"): ADMINISTRATORS,
    ("POST", "/staff/settings/staff/<member_id>/disable"): ADMINISTRATORS,
    ("POST", "/staff/settings/staff/<member_id>/enable"): ADMINISTRATORS,
    ("POST", "/staff/settings/staff/<member_id>/sign-out"): ADMINISTRATORS,
    ("GET", "/staff/settings"): ADMINISTRATORS,
    ("GET", "/staff/settings/tokens"): ADMINISTRATORS,
    ("GET", "/staff/settings/tokens/new"): ADMINISTRATORS,
    ("POST", "/staff/settings/tokens/new"): ADMINISTRATORS,
    ("GET", "/staff/settings/tokens/<token_id>/rotate"): ADMINISTRATORS,
    ("POST", "/staff/settings/tokens/<token_id>/rotate"): ADMINISTRATORS,
    ("GET", "/staff/settings/tokens/<token_id>/revoke"): ADMINISTRATORS,
    ("POST", "/staff/settings/tokens/<token_id>/revoke"): ADMINISTRATORS,
    ("GET", "/staff/settings/webhooks"): ADMINISTRATORS,
    ("GET", "/staff/settings/webhooks/new"): ADMINISTRATORS,
    ("POST", "/staff/settings/webhooks/new"): ADMINISTRATORS,
    ("GET", "/staff/settings/webhooks/<webhook_id>"): ADMINISTRATORS,
    ("POST", "/staff/settings/webhooks/<webhook_id>/test"): ADMINISTRATORS,
    ("POST", "/staff/settings/webhooks/<webhook_id>/enable"): ADMINISTRATORS,
    ("GET", "/staff/settings/webhooks/<webhook_id>/disable"): ADMINISTRATORS,
    ("POST", "/staff/settings/webhooks/<webhook_id>/disable"): ADMINISTRATORS,
    ("GET", "/staff/settings/webhooks/<webhook_id>/secret"): ADMINISTRATORS,
    ("POST", "/staff/settings/webhooks/<webhook_id>/secret"): ADMINISTRATORS,
    ("GET", "/staff/settings/webhooks/<webhook_id>/delete"): ADMINISTRATORS,
    ("POST", "/staff/settings/webhooks/<webhook_id>/delete"): ADMINISTRATORS,
}
CASES = [(method, rule, caller) for method, rule in ROUTES for caller in CALLERS]


def staff_application(app: Flask) -> Flask:
    created: Flask = app.extensions[ON_DEMAND].application
    return created


def staff_routes(app: Flask) -> set[tuple[str, str]]:
    return {
        (method, rule.rule)
        for rule in staff_application(app).url_map.iter_rules()
        if rule.endpoint.startswith("staff.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_the_table_has_every_route(app: Flask) -> None:
    assert staff_routes(app) == set(ROUTES)


@pytest.fixture(scope="module")
def own_app(mongod: Mongod) -> Iterator[Flask]:
    """An application whose database other tests do not empty: signing a member in takes longer than a request."""
    with own_database(mongod.uri, "staff_access"):
        uri = mongod.uri.replace("/osdi?", "/staff_access?")
        app = create_app(Settings(mongodb_uri=uri, cache_seconds=0, **factories.UNLIMITED))
        yield app
        app.extensions[EXTENSION].store.close()


@pytest.fixture(scope="module")
def members(own_app: Flask) -> dict[str, StaffBrowser]:
    """A browser of each kind of caller that has signed in."""
    scopes = {"read": [READ], "write": [WRITE], "admin": [ADMIN], "campaign": [READ]}
    browsers = {caller: StaffBrowser(own_app) for caller in scopes}
    for caller, browser in browsers.items():
        campaign = "campaign-1" if caller == "campaign" else None
        address = f"{caller}@example.org"
        member = add_member(browser.store, address, scopes=scopes[caller], advocacy_campaign_id=campaign)
        browser.sign_in(browser.store, member)
    return browsers


@pytest.mark.parametrize(("method", "rule", "caller"), CASES, ids=[" ".join(case) for case in CASES])
def test_only_the_listed_callers_reach_a_view(
    own_app: Flask,
    members: dict[str, StaffBrowser],
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    rule: str,
    caller: str,
) -> None:
    browser = members.get(caller) or StaffBrowser(own_app)
    path = rule.replace("<advocacy_campaign_id>", "campaign-1")
    if "<string:secret>" in path:
        path = path.replace("<string:secret>", _secret_of_a_link(browser.store))
    # A member's browser computes the token of its forms: see `StaffBrowser.post`.
    token = (
        browser.form_token(f"/staff/link/{_secret_of_a_link(browser.store)}")
        if method == "POST" and caller == "nobody"
        else None
    )
    reached = []
    views = staff_application(own_app).view_functions
    for endpoint in [each for each in views if each.startswith("staff.")]:
        monkeypatch.setitem(views, endpoint, lambda **_: reached.append(1) or "view")

    response = browser.get(path) if method == "GET" else browser.post(path, token=token)

    assert bool(reached) == (caller in ROUTES[method, rule])
    if not reached:
        rejected = 403 if caller != "nobody" else 303 if method == "GET" else 401
        assert response.status_code == rejected


def _secret_of_a_link(store: Store) -> str:
    """Returns the end of the address of a page that shows a form to a browser without a session."""
    return new_link(store, add_member(store, f"{new_id()}@example.org"), now())


class TestAViewWithoutADeclaration:
    def test_prevents_the_start(self) -> None:
        blueprint = StaffBlueprint("other", __name__)

        with pytest.raises(TypeError, match="declare its access"):
            blueprint.get("/secret")(lambda: "")

    def test_cannot_have_two(self) -> None:
        blueprint = StaffBlueprint("other", __name__)
        blueprint.add_url_rule("/a", "view", lambda: "", access=Access(READ))

        with pytest.raises(TypeError, match="different"):
            blueprint.add_url_rule("/b", "view", lambda: "", access=Access())


@pytest.mark.parametrize(("campaign", "status"), [("campaign-1", 404), ("campaign-2", 403)])
def test_a_route_of_a_campaign_is_open_to_members_of_that_campaign_only(
    members: dict[str, StaffBrowser], campaign: str, status: int
) -> None:
    of_campaign, of_all = members["campaign"], members["read"]

    # 404 is the response of the view: there is no campaign with this id.
    assert of_campaign.get(f"/staff/campaigns/{campaign}").status_code == status
    assert of_all.get(f"/staff/campaigns/{campaign}").status_code == 404


class TestAViewThatNeedsAFreshSignIn:
    @pytest.fixture
    def later(self, monkeypatch: pytest.MonkeyPatch, ada: StaffBrowser) -> StaffBrowser:
        """Ada's browser, ten minutes after the sign-in; the campaigns and the sign-out need a fresh one."""
        for name in ("campaigns", "sign_out_everywhere"):
            monkeypatch.setitem(pages._access, name, Access(campaign=True, fresh=True))
        monkeypatch.setattr("blueprints.staff.gate.now", lambda: now() + FRESH)
        return ada

    def test_leads_to_a_page_that_asks_for_it_and_back(self, later: StaffBrowser) -> None:
        response = later.get("/staff/campaigns?page=2")

        assert response.status_code == 303
        assert response.headers["Location"] == "/staff/confirm?next=/staff/campaigns?page%3D2"
        assert later.get("/staff").status_code == 200

    def test_keeps_the_text_of_a_form(self, later: StaffBrowser) -> None:
        response = later.post("/staff/devices/sign-out", {"note": "a <b>text</b>"})

        assert response.status_code == 403
        assert "a &lt;b&gt;text&lt;/b&gt;" in response.text
        assert later.get("/staff").status_code == 200

    def test_opens_after_another_sign_in(
        self, later: StaffBrowser, store: Store, member: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("blueprints.staff.sign_in.now", lambda: now() + FRESH)

        later.open_link(new_link(store, member, now() + FRESH))

        assert later.get("/staff/campaigns").status_code == 200


@pytest.mark.parametrize("path", ["/staff", "/staff/campaigns", "/staff/campaigns?page=2"])
def test_a_page_without_session_leads_to_the_sign_in_and_keeps_the_address(stranger: StaffBrowser, path: str) -> None:
    response = stranger.get(path)

    assert response.status_code == 303
    assert response.headers["Location"] == f"/staff/sign-in?next={path.replace('=', '%3D')}"


def test_a_form_without_session_keeps_its_text(
    ada: StaffBrowser, stranger: StaffBrowser, store: Store, member: dict[str, Any]
) -> None:
    token = ada.form_token("/staff/devices")
    store.delete_many("staff_sessions", {"staff_id": member["_id"]})

    response = ada.post("/staff/devices/sign-out", {"text": "a long text"}, token=token)

    assert response.status_code == 401
    assert "a long text" in response.text


class TestTheApi:
    """It reads no cookie, so a page of another site cannot use a member's session there."""

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_rejects_a_session_without_a_token(self, ada: StaffBrowser, method: str) -> None:
        assert ada.get("/staff").status_code == 200

        response = ada.http.open("/api/v1/people", method=method, base_url=ada.base_url, json={})

        assert response.status_code == 401
        assert "Set-Cookie" not in response.headers

    def test_treats_a_helper_with_a_session_as_a_post_without_token(self, ada: StaffBrowser, api: Any) -> None:
        path = f"/api/v1/advocacy_campaigns/{api.campaign_id}/record_outreach_helper"

        response = ada.http.post(path, base_url=ada.base_url, json={"person": {"given_name": "Jane"}})

        assert (response.status_code, response.json) == (200, {})

    def test_rejects_the_secret_of_a_session_as_a_token(self, ada: StaffBrowser) -> None:
        headers = {"OSDI-API-Token": ada.cookie}

        assert ada.http.get("/api/v1/people", headers=headers).status_code == 401


@pytest.mark.parametrize("path", ["/", "/docs", "/explorer", "/openapi.json", "/unsubscribe/x", "/healthz", "/nowhere"])
def test_no_page_outside_sets_a_cookie_or_depends_on_it(ada: StaffBrowser, app: Flask, path: str) -> None:
    with_cookie, without = ada.get(path), app.test_client().get(path, base_url=ada.base_url)

    assert "Set-Cookie" not in with_cookie.headers
    assert (with_cookie.status_code, with_cookie.data) == (without.status_code, without.data)


def test_requests_are_limited(store: Store, settings: Settings) -> None:
    limited = create_app(Settings(mongodb_uri=settings.mongodb_uri, rate_limit_anonymous="3/hour"))
    browser = StaffBrowser(limited)

    statuses = [browser.get("/staff/sign-in").status_code for _ in range(4)]
    response = browser.get("/staff/sign-in")

    assert statuses == [200, 200, 200, 429]
    assert int(response.headers["Retry-After"]) > 0
    assert "Please wait" in response.text
    limited.extensions["osdi"].store.close()


def test_each_link_of_the_navigation_has_a_name(ada: StaffBrowser) -> None:
    text = ada.get("/staff").text

    assert "></a>" not in text
