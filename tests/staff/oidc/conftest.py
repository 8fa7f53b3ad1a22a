"""An OpenID provider, an application that names it, and browsers that sign in by it."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app import create_app
from blueprints.browser.on_demand import EXTENSION as ON_DEMAND
from blueprints.http.context import EXTENSION
from blueprints.staff.oidc import EXTENSION as OIDC
from osdi.settings import Settings
from osdi.staff.oidc.provider import Provider
from osdi.store import Store
from tests.staff.conftest import HTTPS, StaffBrowser
from tests.support import factories
from tests.support.oidc_provider import OidcProvider

BEGIN = "/staff/sign-in/oidc"
CALLBACK = "/staff/oidc/callback"
Deploy = Callable[..., Flask]


class OidcBrowser(StaffBrowser):
    """A browser that can be led to the provider and back."""

    def begin(self, path: str = BEGIN) -> str:
        """Follows the link on the sign-in page; returns the address at the provider."""
        response = self.get(path)
        assert response.status_code == 303, response.text
        return str(response.headers["Location"])

    def open_callback(self, address: str) -> TestResponse:
        """Opens the address that the provider leads to."""
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{HTTPS}{CALLBACK}"
        return self.get(f"{CALLBACK}?{parts.query}")

    def sign_in(self, provider: OidcProvider, path: str = BEGIN) -> TestResponse:
        return self.open_callback(provider.authorize(self.begin(path)))

    @property
    def is_signed_in(self) -> bool:
        return self.get("/staff").status_code == 200


@pytest.fixture(scope="package")
def started_provider() -> Iterator[OidcProvider]:
    with OidcProvider() as started:
        yield started


@pytest.fixture
def provider(started_provider: OidcProvider) -> OidcProvider:
    started_provider.reset()
    return started_provider


@pytest.fixture(scope="package")
def settings_of_provider(settings: Settings, started_provider: OidcProvider) -> dict[str, Any]:
    others = {**factories.UNLIMITED, "cache_seconds": 0, "mongodb_uri": settings.mongodb_uri, "public_url": HTTPS}
    return {**others, **started_provider.settings}


@pytest.fixture
def deploy(settings_of_provider: dict[str, Any], provider: OidcProvider, store: Store) -> Iterator[Deploy]:
    """Makes an application that names the provider, with other settings."""
    made: list[Flask] = []

    def make(**changed: str) -> Flask:
        made.append(create_app(Settings(**{**settings_of_provider, **changed})))
        return made[-1]

    yield make
    for app in made:
        app.extensions[EXTENSION].store.close()


@pytest.fixture(scope="package")
def app_of_provider(settings_of_provider: dict[str, Any]) -> Iterator[Flask]:
    """An application that names the provider. To make one and to close its store takes as long as a sign-in."""
    app = create_app(Settings(**settings_of_provider))
    yield app
    app.extensions[EXTENSION].store.close()


@pytest.fixture
def browser(
    app_of_provider: Flask, settings_of_provider: dict[str, Any], provider: OidcProvider, store: Store
) -> OidcBrowser:
    """A browser at a server that has asked the provider nothing yet."""
    pages = app_of_provider.extensions[ON_DEMAND].application
    pages.extensions[OIDC] = Provider(Settings(**settings_of_provider))
    return OidcBrowser(app_of_provider)


def arguments(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))
