"""A browser with an empty profile, and a server with the sample data for it to look at."""

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
from tests.live import Live

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Browsers keep some functions from pages that come neither from loopback nor over TLS: ours have to work without.
PUBLIC_NAME = "outreach.example.org"
OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    f"--host-resolver-rules=MAP {PUBLIC_NAME} 127.0.0.1,MAP * ~NOTFOUND,EXCLUDE 127.0.0.1",
)
PATIENCE_MS = 15_000
MINUTE_MS = 60_000


@dataclass(frozen=True)
class Explored:
    """A server with sample data, and a token that it takes."""

    live: Live
    token: str

    @property
    def public_url(self) -> str:
        return f"http://{PUBLIC_NAME}:{self.live.port}"


@dataclass
class Visit:
    """A browser's page, with what it asked for elsewhere and what it complained of."""

    page: Page
    origins: tuple[str, ...]
    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)

    def expect_refusal(self, status: int) -> None:
        """From here on an answer with this status, of which Chromium's console tells, is what the test wants."""
        self.refusals.append(status)

    def unexpected_complaints(self) -> list[str]:
        failed = "Failed to load resource: the server responded with a status of"
        expected = tuple(f"{failed} {status} " for status in self.refusals)
        return [complaint for complaint in self.complaints if not complaint.startswith(expected)]

    def note_request(self, request: Request) -> None:
        if not request.url.startswith((*self.origins, "data:", *(f"blob:{origin}" for origin in self.origins))):
            self.foreign.append(request.url)

    def note_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def note_error(self, error: Error) -> None:
        self.complaints.append(str(error))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium. Without one the test is skipped; with REQUIRE_BROWSER=1, as in CI, it fails."""
    chromium = next((path for name in NAMES if (path := shutil.which(name))), None)
    if chromium is None:
        told = f"needs one of {', '.join(NAMES)} on PATH"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(told)
        pytest.skip(told)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, headless=True, args=list(OPTIONS))
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def explored(mongod: Mongod) -> Iterator[Explored]:
    """gunicorn over a database of its own, which the other tests do not empty."""
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
    """A fresh page; at the end of the test it must have stayed with our server, without an error or warning."""
    with browser.new_context() as context:
        page = context.new_page()
        page.clock.install()
        page.set_default_timeout(PATIENCE_MS)
        visited = Visit(page, (explored.live.url + "/", explored.public_url + "/"))
        context.on("request", visited.note_request)
        context.on("console", visited.note_message)
        page.on("pageerror", visited.note_error)
        yield visited
        # A reader stays for a while, and what counts readers (ReDoc can) reports them only then.
        page.clock.fast_forward(MINUTE_MS)
        page.wait_for_load_state("networkidle")
    assert visited.foreign == []
    assert visited.unexpected_complaints() == []
