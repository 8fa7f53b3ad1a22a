"""An OpenID provider, an application that names it, and browsers that sign in by it."""

from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app import create_app
from blueprints.http.context import EXTENSION
from osdi.settings import Settings
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


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with OidcProvider() as started:
        yield started


@pytest.fixture
def deploy(settings: Settings, provider: OidcProvider, store: Store) -> Iterator[Deploy]:
    """Makes an application that names the provider, with other settings."""
    made: list[Flask] = []

    def make(**changed: str) -> Flask:
        others = {**factories.UNLIMITED, "cache_seconds": 0, "mongodb_uri": settings.mongodb_uri, "public_url": HTTPS}
        made.append(create_app(Settings(**{**others, **provider.settings, **changed})))
        return made[-1]

    yield make
    for app in made:
        app.extensions[EXTENSION].store.close()


@pytest.fixture
def browser(deploy: Deploy) -> OidcBrowser:
    return OidcBrowser(deploy())


def arguments(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))
