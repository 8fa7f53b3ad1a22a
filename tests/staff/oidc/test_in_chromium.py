"""Signing in by OpenID Connect in a real browser: the redirects pass the policies of the pages, and cookies arrive."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, expect

from dev.mongod import Mongod
from osdi.staff.members import add_member
from osdi.store import Store
from tests.support.barriers import barriers
from tests.support.browser import Visit, visiting
from tests.support.live import Live
from tests.support.oidc_provider import OidcProvider

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Deployment:
    """A server whose staff sign in at a provider, which asks them to agree."""

    live: Live
    provider: OidcProvider


def other_site(provider: OidcProvider) -> str:
    """The address of the provider in the browser: a name, so that it is another site than our server."""
    return provider.issuer.replace("127.0.0.1", "localhost")


@pytest.fixture
def browser(started_chromium: Browser) -> Browser:
    """Chromium, where other tests of this folder have a client of the application."""
    return started_chromium


@pytest.fixture
def deployment(mongod: Mongod) -> Iterator[Deployment]:
    uri = mongod.uri.replace("/osdi?", "/oidc?")
    store = Store(uri)
    store.connect().drop_database("oidc")
    store.create_indexes()
    add_member(store, "ada@example.org", name="Ada Lovelace")
    with ExitStack() as stack:
        provider = stack.enter_context(OidcProvider())
        provider.asks = True
        provider.metadata["authorization_endpoint"] = f"{other_site(provider)}/authorize"
        named = {name.upper(): value for name, value in provider.settings.items()}
        yield Deployment(stack.enter_context(Live({"MONGODB_URI": uri, **named})), provider)
    store.connect().drop_database("oidc")
    store.close()


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without"])
def visit(request: pytest.FixtureRequest, browser: Browser, deployment: Deployment) -> Iterator[Visit]:
    """A new browser, in which each console message and each request to a third server fails the test."""
    origins = deployment.live.url, other_site(deployment.provider)
    with browser.new_context(java_script_enabled=request.param) as context, visiting(context, *origins) as visited:
        yield visited


def begin(visit: Visit, deployment: Deployment, path: str = "/staff") -> None:
    """Opens a page and goes to the provider."""
    visit.page.goto(f"{deployment.live.url}{path}")
    visit.page.get_by_role("link", name="Sign in with 127.0.0.1").click()
    expect(visit.page.get_by_role("heading", name="Provider")).to_be_visible()


def test_a_member_signs_in_at_the_provider_and_gets_to_the_page(visit: Visit, deployment: Deployment) -> None:
    begin(visit, deployment, "/staff/campaigns?state=open")
    visit.page.get_by_role("button", name="Agree").click()

    expect(visit.page).to_have_url(f"{deployment.live.url}/staff/campaigns?state=open")
    names = {each["name"]: each for each in visit.page.context.cookies()}
    assert names.keys() == {"osdi_staff_loopback"}
    assert names["osdi_staff_loopback"]["httpOnly"]
    visit.page.goto(f"{deployment.live.url}/staff/confirm")
    expect(visit.page.get_by_role("link", name="Sign in with 127.0.0.1")).to_be_visible()


def test_a_person_who_is_no_member_reads_what_to_do(visit: Visit, deployment: Deployment) -> None:
    deployment.provider.account["email"] = "eve@example.org"
    visit.expect_status(403)
    begin(visit, deployment)
    visit.page.get_by_role("button", name="Agree").click()

    expect(visit.page.get_by_role("heading", level=1)).to_have_text("You are not signed in")
    expect(visit.page.get_by_text("does not open these pages")).to_be_visible()
    visit.page.get_by_role("link", name="Sign in", exact=True).click()
    expect(visit.page.get_by_label("E-mail address")).to_have_count(0)  # this server sends no mail


def test_the_pages_have_no_barrier_that_axe_finds(browser: Browser, deployment: Deployment) -> None:
    with browser.new_context() as context, visiting(context, deployment.live.url) as visit:
        visit.expect_status(400)
        for path in ("/staff/sign-in", "/staff/oidc/callback"):
            visit.page.goto(f"{deployment.live.url}{path}")
            assert not barriers(visit.page, dark=True), path
