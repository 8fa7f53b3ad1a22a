"""A browser with an empty profile, and a server with sample data."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser
from pymongo import MongoClient

from dev.mongod import Mongod
from osdi.access.tokens import new_token
from osdi.sample import create_sample
from osdi.settings import Settings
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS
from tests.support.browser import PUBLIC_NAME, Visit, visiting
from tests.support.live import Live

MINUTE_MS = 60_000


@dataclass(frozen=True)
class Explored:
    """A server with sample data, and a valid token."""

    live: Live
    token: str

    @property
    def public_url(self) -> str:
        return f"http://{PUBLIC_NAME}:{self.live.port}"


@pytest.fixture(scope="package")
def explored(mongod: Mongod) -> Iterator[Explored]:
    """gunicorn with a database of its own, which other tests do not empty."""
    uri = mongod.uri.replace("/osdi?", "/explored?")
    token, document = new_token("browser")
    store = Store(uri)
    store.create_indexes()
    create_sample(store, Settings.namespace)
    store.write(Insert(TOKENS, document))
    store.close()
    with Live({"MONGODB_URI": uri}) as live:
        yield Explored(live, token)
    with MongoClient(uri) as client:
        client.drop_database("explored")


@pytest.fixture
def visit(browser: Browser, explored: Explored) -> Iterator[Visit]:
    """A new page. Afterwards the test fails if the page called another server or logged an error or a warning."""
    with browser.new_context() as context, visiting(context, explored.live.url, explored.public_url) as visited:
        visited.page.clock.install()
        yield visited
        # Telemetry, which ReDoc can have, reports a reader only after some time.
        visited.page.clock.fast_forward(MINUTE_MS)
        visited.page.wait_for_load_state("networkidle")
