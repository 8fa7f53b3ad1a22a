"""A browser with an empty profile, and a server with sample data."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, expect, sync_playwright
from pymongo import MongoClient

from dev.mongod import Mongod
from osdi.access.tokens import new_token
from osdi.sample import create_sample
from osdi.settings import Settings
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS
from tests.support.live import Live

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Browsers disable some functions for pages that come neither from loopback nor over TLS; our pages must work without.
PUBLIC_NAME = "outreach.example.org"
OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    f"--host-resolver-rules=MAP {PUBLIC_NAME} 127.0.0.1,MAP * ~NOTFOUND,EXCLUDE 127.0.0.1",
)
TIMEOUT_MS = 15_000
MINUTE_MS = 60_000


@dataclass(frozen=True)
class Explored:
    """A server with sample data, and a valid token."""

    live: Live
    token: str

    @property
    def public_url(self) -> str:
        return f"http://{PUBLIC_NAME}:{self.live.port}"


@dataclass
class Visit:
    """A browser's page, with its requests to other servers and its console messages."""

    page: Page
    origins: tuple[str, ...]
    foreign_requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    expected_statuses: list[int] = field(default_factory=list)

    def expect_status(self, status: int) -> None:
        """From now on the test expects error responses with this status, which Chromium's console reports."""
        self.expected_statuses.append(status)

    def unexpected_messages(self) -> list[str]:
        failed = "Failed to load resource: the server responded with a status of"
        expected = tuple(f"{failed} {status} " for status in self.expected_statuses)
        return [message for message in self.messages if not message.startswith(expected)]

    def record_request(self, request: Request) -> None:
        if not request.url.startswith((*self.origins, "data:", *(f"blob:{origin}" for origin in self.origins))):
            self.foreign_requests.append(request.url)

    def record_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.messages.append(message.text)

    def record_error(self, error: Error) -> None:
        self.messages.append(str(error))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium. If none is installed, the test is skipped; with REQUIRE_BROWSER=1, as in CI, it fails."""
    chromium = next((path for name in NAMES if (path := shutil.which(name))), None)
    if chromium is None:
        reason = f"needs one of {', '.join(NAMES)} on PATH"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, headless=True, args=list(OPTIONS))
        yield launched
        launched.close()


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
    with browser.new_context() as context:
        page = context.new_page()
        page.clock.install()
        page.set_default_timeout(TIMEOUT_MS)
        visited = Visit(page, (explored.live.url + "/", explored.public_url + "/"))
        context.on("request", visited.record_request)
        context.on("console", visited.record_message)
        page.on("pageerror", visited.record_error)
        yield visited
        # Telemetry, which ReDoc can have, reports a reader only after some time.
        page.clock.fast_forward(MINUTE_MS)
        page.wait_for_load_state("networkidle")
    assert visited.foreign_requests == []
    assert visited.unexpected_messages() == []
