"""Applications with other settings than the tests' own."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from app import create_app
from blueprints.http.context import EXTENSION
from blueprints.http.rate_limits import EXTENSION as RATE_LIMITS
from osdi.settings import Settings
from tests import factories
from tests.client import Client

Deployed = Callable[..., Client]


@pytest.fixture
def deployed(settings: Settings, api: Client) -> Iterator[Deployed]:
    """Makes a client of an application with the settings that are named, on the test's database and campaign."""
    made: list[Flask] = []

    def make(**changed: object) -> Client:
        others = {**factories.UNLIMITED, "cache_seconds": 0, "mongodb_uri": settings.mongodb_uri}
        made.append(create_app(Settings(**{**others, **changed})))
        client = Client(made[-1].test_client(), api.token)
        client.campaign_id = api.campaign_id
        return client

    yield make
    for app in made:
        app.extensions[RATE_LIMITS].close()
        app.extensions[EXTENSION].store.close()
